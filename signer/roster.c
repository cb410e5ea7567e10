/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pkcs11/ckr.h"

enum { SMALL_PACKET = 64, FD_PATH = 64, US_PER_MS = 1000, US_PER_S = 1000000 };

/* --- making and finding --------------------------------------------------- */

static enum sg_err add_child(struct roster *r, uv_loop_t *loop,
			     const struct child *as)
{
	const enum sg_err e = child_init(&r->child[r->n], loop, as->role,
					 as->slot, as->events, as->ctx);

	if (e == SG_OK)
		r->n++;
	return e;
}

static enum sg_err add_children(struct roster *r, uv_loop_t *loop,
				struct child *as, unsigned n)
{
	enum sg_err e = SG_OK;

	for (as->slot = 0; as->slot < n && e == SG_OK; as->slot++)
		e = add_child(r, loop, as);
	return e;
}

static enum sg_err make_own_page(struct roster *r)
{
	r->own_fd = metrics_memfd();
	if (r->own_fd < 0)
		return SG_IO;
	r->own = metrics_map(r->own_fd, 1);
	if (r->own == NULL) {
		(void)close(r->own_fd);
		return SG_IO;
	}
	metrics_install(r->own);
	metric_set(METRIC_PROCESS_UP, 1);
	return SG_OK;
}

/* A page for each HSM, beside those of its processes. */
static enum sg_err make_hsm_pages(struct roster *r, const struct config *c)
{
	for (size_t i = 0; i < c->nhsms; i++) {
		struct roster_hsm *h = &r->hsm[i];

		h->page_fd = metrics_memfd();
		if (h->page_fd < 0)
			return SG_IO;
		r->nwatched++;
		h->page = metrics_map(h->page_fd, 1);
		if (h->page == NULL)
			return SG_IO;
		metrics_set_hsm(h->page, c->hsm[i].worker.name);
	}
	return SG_OK;
}

/* A smith for each HSM that has a token for new keys. */
static enum sg_err add_smiths(struct roster *r, uv_loop_t *loop,
			      struct child *as, const struct config *c)
{
	enum sg_err e = SG_OK;

	as->role = WIRE_SMITH;
	for (as->slot = 0; as->slot < c->nhsms && e == SG_OK; as->slot++)
		if (c->hsm[as->slot].worker.token[0] != '\0')
			e = add_child(r, loop, as);
	return e;
}

enum sg_err roster_create(struct roster *r, uv_loop_t *loop,
			  const struct config *c,
			  const struct child_events *events, void *ctx)
{
	const unsigned hsms = config_hsm_slots(c);
	const unsigned witnesses = c->witness.n > 0 ? 1 : 0;
	struct child as = {.events = events, .ctx = ctx};
	enum sg_err e;

	*r = (struct roster){.fronts = c->fronts, .hsms = hsms};
	r->child = (struct child *)calloc(
		1 + c->fronts + hsms + witnesses + c->nhsms, sizeof(*r->child));
	if (r->child == NULL)
		return SG_NO_MEMORY;
	e = make_own_page(r);
	if (e != SG_OK) {
		free(r->child);
		return e;
	}
	e = make_hsm_pages(r, c);
	as.role = WIRE_CORE;
	if (e == SG_OK)
		e = add_children(r, loop, &as, 1);
	as.role = WIRE_FRONT;
	if (e == SG_OK)
		e = add_children(r, loop, &as, c->fronts);
	as.role = WIRE_HSM;
	if (e == SG_OK)
		e = add_children(r, loop, &as, hsms);
	for (size_t i = 0; i < r->n; i++)
		if (r->child[i].role == WIRE_HSM)
			metrics_set_hsm(r->child[i].page,
					config_hsm_of(c, r->child[i].slot)
						->worker.name);
	as.role = WIRE_WITNESS;
	if (e == SG_OK)
		e = add_children(r, loop, &as, witnesses);
	if (e == SG_OK)
		e = add_smiths(r, loop, &as, c);
	if (e != SG_OK)
		roster_free(r);
	return e;
}

void roster_free(struct roster *r)
{
	/* The loop lets go of the timers before the children are freed. */
	for (size_t i = 0; i < r->n; i++)
		child_close(&r->child[i]);
	if (r->n > 0)
		(void)uv_run(r->child[0].timer.loop, UV_RUN_DEFAULT);
	free(r->child);
	(void)close(r->own_fd);
	for (size_t i = 0; i < r->nwatched; i++)
		(void)close(r->hsm[i].page_fd);
	*r = (struct roster){0};
}

struct child *roster_find(const struct roster *r, enum wire_role role,
			  unsigned slot)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->child[i].role == role && r->child[i].slot == slot)
			return &r->child[i];
	return NULL;
}

bool roster_all_up(const struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->child[i].up)
			return false;
	return true;
}

/* Has C, an hsm process that is due at NOW_US, to wait for another one that is
 * between its start and its coming up?  For one of its own HSM: those that log
 * in to one token at the same moment fail half the time.  For another HSM's
 * only a moment, since that one may hang, or die again and again. */
static bool hsm_waits(const struct roster *r, const struct config *config,
		      const struct child *c, uint64_t now_us)
{
	const struct config_hsm *own = config_hsm_of(config, c->slot);

	for (size_t i = 0; i < r->n; i++) {
		const struct child *other = &r->child[i];

		if (other->role != WIRE_HSM || !child_alive(other) || other->up)
			continue;
		if (config_hsm_of(config, other->slot) == own ||
		    now_us - other->restart.started_us <
			    (uint64_t)ROSTER_TURN_MS * 1000)
			return true;
	}
	return false;
}

bool roster_may_start(const struct roster *r, const struct config *config,
		      const struct child *c, uint64_t now_us)
{
	switch (c->role) {
	case WIRE_HSM: return !hsm_waits(r, config, c, now_us);
	case WIRE_SMITH: return roster_core(r)->up;
	default: return true;
	}
}

const struct config_hsm *roster_hsm_of(const struct config *config,
				       const struct child *c)
{
	if (c->role == WIRE_HSM)
		return config_hsm_of(config, c->slot);
	if (c->role == WIRE_SMITH && c->slot < config->nhsms)
		return &config->hsm[c->slot];
	return NULL;
}

void roster_hold_hsm(struct roster *r, const struct config *config,
		     const struct child *c)
{
	const struct config_hsm *hsm = roster_hsm_of(config, c);

	for (size_t i = 0; i < r->n && hsm != NULL; i++) {
		struct child *other = &r->child[i];

		if (roster_hsm_of(config, other) != hsm)
			continue;
		other->held = true;
		/* Its next task would begin with a login. */
		if (other->role == WIRE_SMITH)
			child_drain(other);
	}
}

void roster_release(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->child[i].held = false;
}

/* --- HSMs that go and come back --------------------------------------------
 */

static bool is_hsm_of(const struct config *config, const struct child *c,
		      const struct config_hsm *hsm)
{
	return c->role == WIRE_HSM && config_hsm_of(config, c->slot) == hsm;
}

static bool is_since(uint64_t us, uint64_t ms, uint64_t now_us)
{
	return now_us - us >= ms * 1000;
}

static struct outage_view view_of(const struct roster *r,
				  const struct config *config,
				  const struct config_hsm *hsm, uint64_t now_us)
{
	struct outage_view v = {0};

	for (size_t i = 0; i < r->n; i++) {
		const struct child *c = &r->child[i];

		if (!is_hsm_of(config, c, hsm))
			continue;
		v.starts += metric_get(c->page, METRIC_STARTS);
		v.died |= c->died;
		if (c->up)
			v.up++;
		if (c->up && is_since(c->up_us, ROLE_STEADY_MS, now_us))
			v.steady_us = c->up_us;
	}
	return v;
}

/* What the module said last to a process of HSM that died. */
static uint64_t last_error(const struct roster *r, const struct config *config,
			   const struct config_hsm *hsm)
{
	uint64_t rv = 0;

	for (size_t i = 0; i < r->n; i++)
		if (is_hsm_of(config, &r->child[i], hsm) &&
		    r->child[i].last_error != 0)
			rv = r->child[i].last_error;
	return rv;
}

static void tell_up(struct roster *r, const struct config *config,
		    const struct config_hsm *hsm)
{
	for (size_t i = 0; i < r->n; i++) {
		struct child *c = &r->child[i];

		if (!is_hsm_of(config, c, hsm))
			continue;
		c->away = false;
		child_tell_up(c);
	}
}

static void watch_hsm(struct roster *r, const struct config *config, size_t i,
		      uint64_t now_us)
{
	const struct config_hsm *hsm = &config->hsm[i];
	const struct outage_view v = view_of(r, config, hsm, now_us);
	struct roster_hsm *h = &r->hsm[i];
	uint64_t away_us = 0;
	uint64_t starts = 0;
	const enum outage_news news =
		outage_look(&h->outage, &v, now_us, &starts, &away_us);

	metrics_set_in(h->page, METRIC_HSM_UP, h->outage.state == OUTAGE_NONE);
	switch (news) {
	case OUTAGE_NO_NEWS: break;
	case OUTAGE_BEGINS:
		metrics_add_to(h->page, METRIC_HSM_OUTAGES, 1);
		log_event(LOG_ERROR, "hsm-down",
			  "hsm=\"%s\" rv=%s processes=%u", hsm->worker.name,
			  ckr_name(last_error(r, config, hsm)), hsm->processes);
		break;
	case OUTAGE_LASTS:
		log_event(LOG_ERROR, "hsm-still-down",
			  "hsm=\"%s\" rv=%s away_s=%llu starts=%llu",
			  hsm->worker.name,
			  ckr_name(last_error(r, config, hsm)),
			  (unsigned long long)away_us / US_PER_S,
			  (unsigned long long)starts);
		break;
	case OUTAGE_ENDS:
		log_event(LOG_WARNING, "hsm-up",
			  "hsm=\"%s\" away_ms=%llu starts=%llu",
			  hsm->worker.name,
			  (unsigned long long)away_us / US_PER_MS,
			  (unsigned long long)starts);
		tell_up(r, config, hsm);
		break;
	}
}

void roster_watch(struct roster *r, const struct config *config,
		  uint64_t now_us)
{
	for (size_t i = 0; i < r->nwatched && i < config->nhsms; i++)
		watch_hsm(r, config, i, now_us);
	/* One of several that kept dying has come to stay. */
	for (size_t i = 0; i < r->n; i++) {
		struct child *c = &r->child[i];

		if (c->up && !c->away &&
		    is_since(c->restart.started_us, RESTART_GOOD_LIFE_MS,
			     now_us))
			child_tell_up(c);
	}
}

/* There, or known not to be. */
static bool hsm_told(const struct roster *r, const struct config *config,
		     size_t i)
{
	if (r->hsm[i].outage.state != OUTAGE_UNKNOWN)
		return true;
	for (size_t k = 0; k < r->n; k++)
		if (r->child[k].held &&
		    roster_hsm_of(config, &r->child[k]) == &config->hsm[i])
			return true;
	return false;
}

bool roster_serves(const struct roster *r, const struct config *config)
{
	bool front = false;

	for (size_t i = 0; i < r->n; i++)
		front |= r->child[i].role == WIRE_FRONT && r->child[i].up;
	for (size_t i = 0; i < r->nwatched && i < config->nhsms; i++)
		if (!hsm_told(r, config, i))
			return false;
	return front && roster_core(r)->up;
}

/* Is there anything new to be said of C, an hsm that is about to start? */
static void mute(const struct roster *r, const struct config *config,
		 struct child *c)
{
	const struct config_hsm *hsm = config_hsm_of(config, c->slot);
	const size_t i = (size_t)(hsm - config->hsm);

	if (c->role != WIRE_HSM || hsm == NULL || i >= r->nwatched)
		return;
	c->away = r->hsm[i].outage.state == OUTAGE_AWAY;
	c->muted = c->away || c->restart.young_deaths > RESTART_AT_ONCE;
}

/* --- connecting ----------------------------------------------------------- */

/* Send TO the descriptor FD as the channel to PEER; FD is closed. */
static void send_link(struct child *to, const struct child *peer, int fd)
{
	const struct wire_link m = {.role = (uint8_t)peer->role,
				    .slot = (uint16_t)peer->slot};
	uint8_t buf[SMALL_PACKET];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	if (wire_put_link(&w, &m) == SG_OK)
		child_send(to, &w, &fd, 1);
	else
		(void)close(fd);
}

static void link_pair(struct child *a, struct child *b)
{
	int fd[2];

	if (!child_listens(a) || !child_listens(b))
		return;
	if (channel_pair(fd) != 0) {
		log_event(LOG_ERROR, "link-failed", "reason=\"%s\"",
			  strerrordesc_np(errno));
		/* Without its link it is of no use; the next one may have
		 * better luck. */
		child_kill(b, "it could not be linked");
		return;
	}
	send_link(a, b, fd[0]);
	send_link(b, a, fd[1]);
}

static void link_child(struct roster *r, struct child *c)
{
	if (c->role != WIRE_CORE) {
		link_pair(roster_core(r), c);
		return;
	}
	for (size_t i = 1; i < r->n; i++)
		link_pair(c, &r->child[i]);
}

static void send_page(struct child *front, enum wire_role role, unsigned slot,
		      int page_fd)
{
	const struct wire_link m = {.role = (uint8_t)role,
				    .slot = (uint16_t)slot};
	uint8_t buf[SMALL_PACKET];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	char path[FD_PATH];
	int fd;

	/* Opened anew, it can be mapped for reading only. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", page_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		log_event(LOG_WARNING, "metrics-page-not-shared",
			  "process=%s/%u reason=\"%s\"", role_name(role), slot,
			  strerrordesc_np(errno));
		return;
	}
	if (wire_put_page(&w, &m) == SG_OK)
		child_send(front, &w, &fd, 1);
	else
		(void)close(fd);
}

static void send_pages(const struct roster *r, struct child *front)
{
	send_page(front, WIRE_SUPERVISOR, 0, r->own_fd);
	for (size_t i = 0; i < r->nwatched; i++)
		send_page(front, WIRE_SUPERVISOR, (unsigned)i + 1,
			  r->hsm[i].page_fd);
	for (size_t i = 0; i < r->n; i++)
		send_page(front, r->child[i].role, r->child[i].slot,
			  r->child[i].metrics_fd);
}

void roster_start(struct roster *r, const struct config *config,
		  struct child *c, const struct child_fds *fds)
{
	mute(r, config, c);
	child_start(c, fds);
	if (!child_alive(c))
		return;
	metrics_add_to(c->page, METRIC_STARTS, 1);
	if (c->role == WIRE_FRONT)
		send_pages(r, c);
	link_child(r, c);
}
