/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>

#include "archive.h"
#include "base/fileio.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ceremony.h"
#include "fds.h"
#include "ipc/channel.h"
#include "ipc/role.h"
#include "state_format.h"

enum {
	POLICY_BYTES_MAX = 1 << 20, /* of a policy file */
	REASON_MAX = 512,
	MESSAGE_ROOM = 64
};

struct control {
	uv_loop_t *loop;
	struct channel *channel;
	struct desk *desk;
	struct core_settings *settings; /* in force, but for what a reload
					   may change */
	core_read_settings read;
	void (*over)(void *ctx, int status);
	void *ctx;
	bool is_over;
};

static void finish(struct control *c, int status)
{
	if (c->is_over)
		return;
	c->is_over = true;
	c->over(c->ctx, status);
}

/* --- policy ------------------------------------------------------------- */

/* The first line of the faults, for one line of the log. */
static void first_line(const struct faults *f, char *reason, size_t cap)
{
	const size_t n = strcspn(f->text, "\n");

	(void)snprintf(reason, cap, "%.*s", (int)n, f->text);
}

/* What cannot be kept does not come into force: *OUT is let go. */
static enum sg_err keep_policy(const char *state, struct policy **out,
			       struct span text, char *reason, size_t cap)
{
	const enum sg_err err = archive_policy(state, policy_hash(*out), text);

	if (err == SG_OK)
		return SG_OK;
	(void)snprintf(reason, cap,
		       "the policy cannot be kept in the state directory: %s",
		       err_text(err));
	policy_unref(*out);
	*out = NULL;
	return err;
}

/* Load the policy in FD, and keep it in the archive of the state directory
 * STATE: what is judged by it must be explained later. */
static enum sg_err load_policy(int fd, const char *state, struct policy **out,
			       char *reason, size_t cap)
{
	struct faults *faults = calloc(1, sizeof(*faults));
	uint8_t *text = NULL;
	size_t n = 0;
	enum sg_err err = SG_NO_MEMORY;

	if (faults != NULL)
		err = fileio_read_fd(fd, POLICY_BYTES_MAX, &text, &n);
	if (err == SG_OK)
		err = policy_load(span_of(text, n), "policy.yaml", out, faults);
	if (err == SG_CONFIG)
		first_line(faults, reason, cap);
	else if (err != SG_OK)
		(void)snprintf(reason, cap, "%s", err_text(err));
	if (err == SG_OK && state[0] != '\0')
		err = keep_policy(state, out, span_of(text, n), reason, cap);
	free(text);
	free(faults);
	return err;
}

/* --- reload ------------------------------------------------------------- */

static bool same_key(const struct core_key_settings *a,
		     const struct core_key_settings *b)
{
	return strcmp(a->label, b->label) == 0 && a->alg == b->alg &&
	       a->kinds == b->kinds && a->ledger == b->ledger &&
	       a->tls == b->tls && strcmp(a->country, b->country) == 0;
}

/* But for where their certificates are. */
static bool same_keys(const struct core_settings *a,
		      const struct core_settings *b)
{
	bool same = a->nkeys == b->nkeys;

	for (size_t i = 0; same && i < a->nkeys; i++)
		same = same_key(&a->key[i], &b->key[i]);
	return same;
}

static bool same_ledger(const struct core_ledger_settings *a,
			const struct core_ledger_settings *b)
{
	bool same =
		strcmp(a->origin, b->origin) == 0 &&
		a->checkpoint_ms == b->checkpoint_ms &&
		a->stale_ms == b->stale_ms && a->witness_ms == b->witness_ms &&
		a->quorum == b->quorum && a->nwitnesses == b->nwitnesses &&
		a->approvals == b->approvals && a->nofficers == b->nofficers;

	for (size_t i = 0; same && i < a->nwitnesses; i++)
		same = strcmp(a->witness[i], b->witness[i]) == 0;
	for (size_t i = 0; same && i < a->nofficers; i++)
		same = strcmp(a->officer[i], b->officer[i]) == 0;
	return same;
}

/* Does NEW hold anything that only a restart brings into force? */
static bool needs_restart(const struct core_settings *old,
			  const struct core_settings *new)
{
	return !same_keys(old, new) || old->front_credit != new->front_credit ||
	       strcmp(old->state, new->state) != 0 ||
	       !same_ledger(&old->ledger, &new->ledger);
}

static enum sg_err reload(struct control *c, const int *fds, char *reason,
			  size_t cap)
{
	struct core_settings *new = calloc(1, sizeof(*new));
	struct policy *policy = NULL;
	enum sg_err err = SG_NO_MEMORY;

	if (new == NULL)
		return err;
	err = c->read(fds[0], new, reason, cap);
	if (err == SG_OK)
		err = load_policy(fds[1], c->settings->state, &policy, reason,
				  cap);
	if (err == SG_OK) {
		if (needs_restart(c->settings, new))
			log_event(
				LOG_WARNING, "reload-partial",
				"reason=\"changes of the keys, the ledger, the "
				"state directory and in_flight take a "
				"restart\"");
		if (!same_keys(c->settings, new)) {
			new->nkeys = c->settings->nkeys;
			memcpy(new->key, c->settings->key, sizeof(new->key));
		}
		err = desk_reload(c->desk, new, policy);
		if (err == SG_OK)
			memcpy(c->settings->key, new->key, sizeof(new->key));
		else if (err == SG_FORBIDDEN)
			(void)snprintf(reason, cap,
				       "policy-unapproved: the officers have "
				       "approved another policy");
		else
			(void)snprintf(reason, cap,
				       "a signing certificate is refused: %s",
				       err_text(err));
		policy_unref(policy);
	}
	free(new);
	return err;
}

static bool on_reload(struct control *c, const int *fds, size_t n)
{
	char reason[REASON_MAX] = "";
	struct wire_reloaded m;
	struct wire_packet *w;
	enum sg_err err;

	if (n != 2)
		return false;
	err = reload(c, fds, reason, sizeof(reason));
	metric_add(err == SG_OK ? METRIC_RELOADS : METRIC_RELOADS_REFUSED, 1);
	log_event(err == SG_OK ? LOG_INFO : LOG_ERROR,
		  err == SG_OK ? "reloaded" : "reload-refused", "reason=\"%s\"",
		  reason);
	m = (struct wire_reloaded){.ok = err == SG_OK,
				   .reason = span_str(reason)};
	w = channel_room(c->channel, MESSAGE_ROOM + m.reason.n);
	return w != NULL && wire_put_reloaded(w, &m) == SG_OK;
}

/* --- the control channel ------------------------------------------------ */

static bool on_link(struct control *c, const struct wire_msg *m, int *fd)
{
	struct wire_link link;
	enum sg_err err;

	if (*fd < 0 || wire_get_link(m, &link) != SG_OK)
		return false;
	err = desk_link(c->desk, (enum wire_role)link.role, link.slot, *fd);
	*fd = -1; /* the desk's, also when it fails */
	if (err != SG_OK)
		log_event(LOG_ERROR, "link-failed",
			  "process=%s/%u reason=\"%s\"",
			  role_name((enum wire_role)link.role), link.slot,
			  err_text(err));
	return err != SG_NOT_FOUND; /* no such slot: nonsense */
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct control *c = ctx;
	int fd = n == 1 ? fds[0] : -1;
	bool ok = false;

	switch (m->type) {
	case WIRE_LINK:
		ok = on_link(c, m, &fd);
		if (n == 1 && fd < 0)
			return ok; /* taken */
		break;
	case WIRE_RELOAD: ok = on_reload(c, fds, n); break;
	case WIRE_DRAIN:
		log_event(LOG_INFO, "draining", "in_flight=%zu",
			  desk_in_flight(c->desk));
		desk_drain(c->desk);
		ok = true;
		break;
	default: break;
	}
	fds_close(fds, n);
	return ok;
}

static void on_end(void *ctx, bool bad)
{
	struct control *c = ctx;

	/* Without its supervisor the core has no one to serve. */
	if (!c->is_over)
		log_event(LOG_ERROR, "control-ended", "bad=%d", bad);
	finish(c, 1);
}

static void say_peer_bad(struct control *c, const struct wire_peer_bad *m)
{
	struct wire_packet *w = channel_room(c->channel, MESSAGE_ROOM);

	if (w == NULL || wire_put_peer_bad(w, m) != SG_OK)
		log_event(LOG_ERROR, "peer-bad-unsent", "process=%s/%u",
			  role_name((enum wire_role)m->role), m->slot);
}

static void on_peer_bad(void *ctx, enum wire_role role, uint16_t slot)
{
	const struct wire_peer_bad m = {.role = (uint8_t)role, .slot = slot};

	log_event(LOG_ERROR, "peer-bad", "process=%s/%u", role_name(role),
		  slot);
	say_peer_bad(ctx, &m);
}

/* Most often it has died; the supervisor knows. */
static void on_front_left(void *ctx, uint16_t slot, uint64_t linked_us)
{
	const struct wire_peer_bad m = {.role = WIRE_FRONT,
					.slot = slot,
					.left = true,
					.linked_us = linked_us};

	say_peer_bad(ctx, &m);
}

static void on_drained(void *ctx)
{
	struct control *c = ctx;

	desk_flush(c->desk);
	log_event(LOG_INFO, "drained", "status=0");
	finish(c, 0);
}

static void log_refused(const char *reason)
{
	log_event(LOG_ERROR, "ledger-refused",
		  "reason=\"%s\" text=\"signerd does not start with it; see "
		  "LEDGER REFUSED in signerd(8)\"",
		  reason);
}

/* Unless it MENDS, only an officer can say what is to be done about it. */
static void on_ledger_refused(void *ctx, const char *reason, bool mends)
{
	if (mends) {
		log_event(LOG_ERROR, "ledger-stuck",
			  "reason=\"%s\" text=\"the core starts anew\"",
			  reason);
		finish(ctx, ROLE_EXIT_FAILED);
		return;
	}
	log_refused(reason);
	finish(ctx, ROLE_EXIT_LEDGER_REFUSED);
}

/* The policy of the file is not the one that officers have approved: take that
 * from the archive.  Where it is gone, nothing is signed: the desk says so. */
static void find_policy(struct control *c)
{
	uint8_t wanted[CEREMONY_POLICIES_MAX][32];
	struct faults *faults = calloc(1, sizeof(*faults));
	size_t n = 0;
	bool found = faults != NULL && desk_lawful(c->desk, wanted, &n);

	for (size_t i = 0; faults != NULL && !found && i < n; i++) {
		struct policy *policy = NULL;
		uint8_t *text = NULL;
		size_t text_n = 0;
		enum sg_err err = archive_read(c->settings->state, wanted[i],
					       &text, &text_n);

		if (err == SG_OK)
			err = policy_load(span_of(text, text_n), "policy.yaml",
					  &policy, faults);
		if (err == SG_OK)
			err = desk_reload(c->desk, c->settings, policy);
		found = err == SG_OK;
		log_event(found ? LOG_WARNING : LOG_ERROR, "policy-unapproved",
			  "text=\"the policy file is not the one that officers "
			  "have approved\" found=%s",
			  !found   ? "nothing"
			  : i == 0 ? "the-approved"
				   : "one-before");
		policy_unref(policy);
		free(text);
	}
	free(faults);
}

static enum sg_err open_desk(struct control *c,
			     const struct control_parts *parts)
{
	static const struct desk_events events = {.peer_bad = on_peer_bad,
						  .front_left = on_front_left,
						  .drained = on_drained,
						  .ledger_refused =
							  on_ledger_refused};
	char reason[REASON_MAX] = "";
	struct policy *policy = NULL;
	struct desk_parts desk = {.loop = parts->loop,
				  .settings = parts->settings,
				  .newest_iat = INT64_MIN,
				  .officers_fd = parts->officers_fd,
				  .events = &events,
				  .ctx = c};
	enum sg_err err = SG_OK;

	if (parts->settings->state[0] != '\0') /* unit tests have none */
		err = state_format_check(parts->settings->state);
	if (err != SG_OK)
		return err;
	err = load_policy(parts->policy_fd, parts->settings->state, &policy,
			  reason, sizeof(reason));
	if (err != SG_OK) {
		log_event(LOG_ERROR, "policy-refused", "reason=\"%s\"", reason);
		return err;
	}
	desk.policy = policy;
	err = desk_create(&desk, &c->desk);
	policy_unref(policy);
	if (err == SG_OK)
		find_policy(c);
	if (err == SG_LEDGER_DOWN)
		log_refused("the journal is damaged: a file of it is missing, "
			    "cut short or of another log");
	return err;
}

static enum sg_err tell_up(struct control *c)
{
	struct wire_packet *w = channel_room(c->channel, MESSAGE_ROOM);

	return w != NULL ? wire_put_bare(w, WIRE_UP) : SG_IO;
}

enum sg_err control_create(const struct control_parts *parts,
			   struct control **out)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	struct control *c = calloc(1, sizeof(*c));
	enum sg_err err = SG_NO_MEMORY;

	*out = NULL;
	if (c == NULL)
		return err;
	c->loop = parts->loop;
	c->read = parts->read;
	c->over = parts->over;
	c->ctx = parts->ctx;
	c->settings = malloc(sizeof(*c->settings));
	if (c->settings == NULL)
		goto fail;
	*c->settings = *parts->settings;
	err = open_desk(c, parts);
	if (err != SG_OK)
		goto fail;
	err = channel_open(parts->loop, parts->fd, &events, c, &c->channel);
	if (err != SG_OK)
		goto fail;
	err = tell_up(c);
	if (err != SG_OK)
		goto fail;
	*out = c;
	return SG_OK;
fail:
	control_free(c);
	return err;
}

void control_free(struct control *c)
{
	if (c == NULL)
		return;
	desk_free(c->desk);
	if (c->channel != NULL)
		channel_flush(c->channel);
	channel_close(c->channel);
	free(c->settings);
	free(c);
}
