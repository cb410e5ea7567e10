/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deadlines.h"
#include "fds.h"

enum {
	/* Quick enough for deadlines; else for tests and grace periods. */
	TICK_BUSY_MS = DEADLINE_TICK_US / 1000,
	TICK_IDLE_MS = 250,
	UPKEEP_US = 250 * 1000,
	/* At the end, what is on record waits so long for a checkpoint. */
	SETTLE_US = 3 * 1000 * 1000
};

/* --- readiness -------------------------------------------------------- */

bool desk_ready(struct desk *d, const char **reason)
{
	const struct readiness_parts parts = {.keys = d->keys,
					      .pool = d->pool,
					      .release = d->release,
					      .books = d->books};

	uint8_t wanted[CEREMONY_POLICIES_MAX][32];
	size_t n;

	*reason = d->reason;
	if (d->draining) {
		(void)snprintf(d->reason, sizeof(d->reason), "shutting down");
		return false;
	}
	if (!desk_lawful(d, wanted, &n)) {
		(void)snprintf(d->reason, sizeof(d->reason),
			       "policy-unapproved: the policy that officers "
			       "have approved is not there");
		return false;
	}
	if (!readiness_look(&parts, clock_wall_s(), d->reason))
		return false;
	if (d->ceremony == NULL || ceremony_is_held(d->ceremony))
		return true;
	(void)snprintf(d->reason, sizeof(d->reason),
		       "officers' operations have not been held against the "
		       "ledger yet");
	return false;
}

bool desk_lawful(const struct desk *d, uint8_t wanted[][32], size_t *n)
{
	*n = 0;
	return d->ceremony == NULL || ceremony_lawful(d->ceremony, wanted, n);
}

/* The books are open: are they, too, what officers' decisions are held against?
 * The STATE that follows. */
static enum books_state hold_decisions(struct desk *d, const char **reason)
{
	switch (d->ceremony != NULL ? ceremony_hold(d->ceremony) : SG_OK) {
	case SG_OK: return BOOKS_OPEN;
	case SG_CONFLICT:
		*reason = "changes of keys' states by time were not those on "
			  "record, and have been taken from there";
		return BOOKS_STUCK;
	case SG_MALFORMED:
		*reason = "officers' operations that the ledger has as "
			  "accepted are not in the state directory: put them "
			  "back";
		return BOOKS_REFUSED;
	default: return BOOKS_WAITING; /* not read yet: at the next tick */
	}
}

/* May signatures be put on record?  What follows from it. */
static void look_at_books(struct desk *d)
{
	uint8_t wanted[CEREMONY_POLICIES_MAX][32];
	const char *reason;
	enum books_state state;
	size_t n;

	if (d->books == NULL)
		return;
	state = books_look(d->books, &reason);
	if (state == BOOKS_OPEN)
		state = hold_decisions(d, &reason);
	release_hold(d->release,
		     state != BOOKS_OPEN || !desk_lawful(d, wanted, &n));
	if (state == BOOKS_OPEN)
		diary_begin(d->diary);
	if ((state == BOOKS_REFUSED || state == BOOKS_STUCK) && !d->refused) {
		d->refused = true;
		d->events->ledger_refused(d->ctx, reason, state == BOOKS_STUCK);
	}
}

/* A key that fails and works by turns is not told each time, but how it stands
 * in the end is. */
static void log_ready(struct desk *d)
{
	uint64_t dropped;

	d->unsaid = !throttle_allows(&d->throttle, clock_wall_s(), &dropped);
	if (!d->unsaid)
		log_event(d->ready ? LOG_INFO : LOG_WARNING,
			  d->ready ? "ready" : "not-ready",
			  "reason=\"%s\" unlogged=%llu", d->told,
			  (unsigned long long)dropped);
}

/* Look at readiness again; tell the fronts if it has changed. */
static void review(struct desk *d)
{
	const bool tls_known = keyring_tls_public(d->keys).n > 0;
	const char *reason;
	bool ready;

	look_at_books(d);
	ready = desk_ready(d, &reason);
	metric_set(METRIC_DSC_EXPIRY, (uint64_t)keyring_expiry(d->keys));
	if (ready == d->ready && strcmp(reason, d->told) == 0) {
		if (d->unsaid)
			log_ready(d);
		if (tls_known != d->tls_known)
			desk_tell_fronts(d);
		d->tls_known = tls_known;
		return;
	}
	d->tls_known = tls_known;
	d->ready = ready;
	memcpy(d->told, d->reason, sizeof(d->told));
	log_ready(d);
	metric_set(METRIC_READY, ready ? 1 : 0);
	desk_tell_fronts(d);
}

/* --- the tick --------------------------------------------------------- */

/* The last request has been answered: is all that happened on record, and
 * covered by a checkpoint, or will it not be in time? */
static bool settled(struct desk *d)
{
	const uint64_t now = clock_mono_us();

	if (d->books == NULL)
		return true;
	if (d->idle_us == 0) {
		d->idle_us = now;
		diary_end(d->diary);
	}
	return now - d->idle_us > SETTLE_US ||
	       (release_idle(d->release) && books_settled(d->books));
}

void desk_pace(struct desk *d)
{
	const bool busy = issuer_in_flight(d->issuer) > 0;

	if (!busy && d->draining && !d->drained) {
		if (!settled(d))
			return;
		d->drained = true;
		d->events->drained(d->ctx);
		return;
	}
	if (busy == d->busy)
		return;
	d->busy = busy;
	uv_timer_set_repeat(&d->tick, busy ? TICK_BUSY_MS : TICK_IDLE_MS);
	(void)uv_timer_again(&d->tick);
}

static void on_tick(uv_timer_t *t)
{
	struct desk *d = t->data;
	const uint64_t now = clock_mono_us();

	issuer_tick(d->issuer, now);
	if (now - d->upkeep_us >= UPKEEP_US) {
		d->upkeep_us = now;
		hsm_pool_tick(d->pool);
		handshakes_tick(d->handshakes, now);
		if (d->books != NULL)
			books_tick(d->books);
		if (diary_tick(d->diary, now) && d->books != NULL)
			books_recorded(d->books);
		if (d->ceremony != NULL)
			ceremony_tick(d->ceremony, now);
		review(d); /* a certificate may have run out meanwhile */
	}
	desk_pace(d);
}

enum sg_err desk_link(struct desk *d, enum wire_role role, uint16_t slot,
		      int fd)
{
	if (role == WIRE_FRONT)
		return desk_link_front(d, slot, fd);
	if (role == WIRE_HSM)
		return hsm_pool_link(d->pool, slot, fd);
	if (role == WIRE_WITNESS && slot == 0 && d->books != NULL)
		return books_link_witness(d->books, fd);
	if (role == WIRE_SMITH && d->ceremony != NULL)
		return ceremony_link(d->ceremony, slot, fd);
	fds_close(&fd, 1);
	return SG_NOT_FOUND;
}

/* --- hsms and witnesses ----------------------------------------------- */

static void on_hsm_changed(void *ctx)
{
	review(ctx);
}

static void on_hsm_bad(void *ctx, uint16_t slot)
{
	struct desk *d = ctx;

	d->events->peer_bad(d->ctx, WIRE_HSM, slot);
}

static void on_witness_bad(void *ctx)
{
	struct desk *d = ctx;

	d->events->peer_bad(d->ctx, WIRE_WITNESS, 0);
}

static void on_smith_bad(void *ctx, uint16_t slot)
{
	struct desk *d = ctx;

	d->events->peer_bad(d->ctx, WIRE_SMITH, slot);
}

/* --- the record ------------------------------------------------------- */

static void on_release_changed(void *ctx)
{
	struct desk *d = ctx;

	if (d->books != NULL)
		books_committed(d->books);
	diary_look(d->diary);
	if (release_up(d->release) != d->recording) {
		d->recording = !d->recording;
		review(d);
	}
	desk_pace(d);
}

static void on_books_changed(void *ctx)
{
	review(ctx);
	desk_pace(ctx);
}

static void on_recovered(void *ctx, struct span statement)
{
	diary_ceremony(((struct desk *)ctx)->diary, statement);
}

static void on_lost(void *ctx, uint64_t first)
{
	diary_lost(((struct desk *)ctx)->diary, first);
}

static void on_recorded(void *ctx, const struct release_item *item,
			uint64_t index)
{
	struct desk *d = ctx;

	if (d->ceremony != NULL)
		ceremony_count(d->ceremony, item, index);
}

static enum sg_err create_release(struct desk *d,
				  const struct desk_parts *parts)
{
	char journal_dir[BOOKS_PATH_MAX];
	struct release_parts release = {.loop = d->loop,
					.origin = d->origin,
					.newest = parts->newest_iat,
					.changed = on_release_changed,
					.lost = on_lost,
					.recorded = on_recorded,
					.ctx = d};
	enum sg_err err;

	if (d->origin[0] != '\0') {
		books_path(journal_dir, parts->settings, "journal");
		release.journal_dir = journal_dir;
	}
	err = release_create(&release, &d->release);
	if (err == SG_OK)
		err = diary_create(d->release, &d->diary);
	if (err == SG_OK)
		diary_policy(d->diary, policy_hash(d->policy));
	d->recording = err == SG_OK;
	return err;
}

static enum sg_err create_books(struct desk *d, const struct desk_parts *parts)
{
	const struct books_parts books = {.loop = d->loop,
					  .keys = d->keys,
					  .pool = d->pool,
					  .release = d->release,
					  .diary = d->diary,
					  .settings = parts->settings,
					  .policy = d->policy,
					  .changed = on_books_changed,
					  .witness_bad = on_witness_bad,
					  .recovered = on_recovered,
					  .ctx = d};

	if (d->origin[0] == '\0')
		return SG_OK;
	release_hold(d->release, true);
	return books_create(&books, &d->books);
}

static uint64_t on_handed_over(void *ctx)
{
	const struct desk *d = ctx;

	return books_handed_over(d->books);
}

static enum sg_err create_ceremony(struct desk *d,
				   const struct desk_parts *parts)
{
	const struct ceremony_parts ceremony = {
		.loop = d->loop,
		.settings = parts->settings,
		.keys = d->keys,
		.pool = d->pool,
		.release = d->release,
		.diary = d->diary,
		.proofs = d->books != NULL ? books_proofs(d->books) : NULL,
		.index = d->books != NULL ? books_index(d->books) : NULL,
		.policy = d->policy,
		.handed_over = on_handed_over,
		.changed = on_hsm_changed,
		.smith_bad = on_smith_bad,
		.ctx = d};

	if (d->books == NULL)
		return SG_OK;
	return ceremony_create(&ceremony, &d->ceremony);
}

/* --- the whole -------------------------------------------------------- */

static enum sg_err create_parts(struct desk *d, const struct desk_parts *parts)
{
	static const struct hsm_pool_events events = {.changed = on_hsm_changed,
						      .bad = on_hsm_bad};
	struct issuer_parts with;
	enum sg_err err = keyring_create(parts->settings, &d->keys);

	if (err == SG_OK)
		err = create_release(d, parts);
	if (err == SG_OK)
		err = hsm_pool_create(d->loop, d->keys, parts->settings,
				      &events, d, &d->pool);
	if (err == SG_OK)
		err = create_books(d, parts);
	if (err == SG_OK)
		err = create_ceremony(d, parts);
	if (err != SG_OK)
		return err;
	with = (struct issuer_parts){.keys = d->keys,
				     .pool = d->pool,
				     .release = d->release,
				     .diary = d->diary,
				     .audience = span_str(d->origin)};
	d->answers = (struct answers){.keys = d->keys, .ceremony = d->ceremony};
	if (d->books != NULL) {
		with.claims = books_claims(d->books);
		with.revoked = books_revoked(d->books);
		with.quota = d->answers.quota = books_quota(d->books);
		with.journal_dir = books_journal_dir(d->books);
		d->answers.proofs = books_proofs(d->books);
		d->answers.leaves = books_leaves;
		d->answers.ctx = d->books;
	}
	err = handshakes_create(d->keys, d->pool, &d->handshakes);
	return err == SG_OK ? issuer_create(&with, d->policy, &d->issuer) : err;
}

static void free_parts(struct desk *d)
{
	issuer_free(d->issuer);
	handshakes_free(d->handshakes);
	ceremony_free(d->ceremony);
	books_free(d->books);
	diary_free(d->diary);
	hsm_pool_free(d->pool);
	release_free(d->release);
	keyring_free(d->keys);
	policy_unref(d->policy);
}

enum sg_err desk_create(const struct desk_parts *parts, struct desk **out)
{
	struct desk *d = calloc(1, sizeof(*d));
	enum sg_err err;

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	d->loop = parts->loop;
	d->events = parts->events;
	d->ctx = parts->ctx;
	d->front_credit = parts->settings->front_credit;
	d->policy = policy_ref(parts->policy);
	memcpy(d->origin, parts->settings->ledger.origin, sizeof(d->origin));
	err = create_parts(d, parts);
	if (err == SG_OK && parts->officers_fd > 0)
		err = officer_socket_create(d->loop, parts->officers_fd,
					    d->ceremony, &d->officers);
	if (err != SG_OK || uv_timer_init(d->loop, &d->tick) != 0) {
		officer_socket_free(d->officers);
		free_parts(d);
		free(d);
		return err != SG_OK ? err : SG_INTERNAL;
	}
	d->tick.data = d;
	(void)uv_timer_start(&d->tick, on_tick, TICK_IDLE_MS, TICK_IDLE_MS);
	review(d);
	*out = d;
	return SG_OK;
}

enum sg_err desk_reload(struct desk *d, const struct core_settings *settings,
			struct policy *policy)
{
	struct keyring *fresh;
	enum sg_err err;

	if (d->ceremony != NULL &&
	    !ceremony_allows_policy(d->ceremony, policy_hash(policy)))
		return SG_FORBIDDEN;
	err = keyring_reread(d->keys, settings, clock_wall_s(), &fresh);
	if (err != SG_OK)
		return err;
	keyring_renew(d->keys, fresh);
	if (d->ceremony != NULL)
		ceremony_reload(d->ceremony, settings, policy);
	policy_ref(policy); /* first: it may be the same one */
	policy_unref(d->policy);
	d->policy = policy;
	issuer_set_policy(d->issuer, policy);
	if (d->books != NULL)
		books_reload(d->books, policy);
	diary_policy(d->diary, policy_hash(policy));
	hsm_pool_rates(d->pool, settings);
	desk_tell_fronts(d);
	review(d);
	return SG_OK;
}

void desk_drain(struct desk *d)
{
	d->draining = true;
	issuer_close(d->issuer);
	review(d);
	desk_pace(d);
}

size_t desk_in_flight(const struct desk *d)
{
	return issuer_in_flight(d->issuer);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void desk_free(struct desk *d)
{
	if (d == NULL)
		return;
	desk_drop_fronts(d);
	officer_socket_free(d->officers);
	books_stop(d->books); /* it follows the journal */
	release_abandon(d->release);
	free_parts(d);
	uv_close((uv_handle_t *)&d->tick, on_closed);
}
