/* SPDX-License-Identifier: Apache-2.0 */
#include "smith_link.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fds.h"
#include "ipc/channel.h"

enum { FORGE_ROOM = 128 /* bytes of a WIRE_FORGE beside its byte runs */ };

struct smith {
	struct smiths *all;
	struct channel *channel; /* NULL: it is away */
	uint16_t slot;
};

struct smiths {
	uv_loop_t *loop;
	const struct smiths_events *events;
	void *ctx;
	struct smith smith[CORE_HSMS_MAX];
	/* The task that is out: */
	bool busy;
	bool sent; /* the smith has it */
	uint16_t slot;
	uint64_t id;
	uint64_t until_us; /* CLOCK_MONOTONIC */
	struct wire_forge task;
};

/* --- the end of a task ---------------------------------------------------- */

static void finish(struct smiths *s, const struct wire_forged *done, bool begun)
{
	s->busy = false;
	s->sent = false;
	s->events->forged(s->ctx, done, begun);
}

static void fail(struct smiths *s, const char *reason)
{
	const struct wire_forged failed = {.reason = span_str(reason)};

	finish(s, &failed, s->sent);
}

static void drop(struct smith *m)
{
	channel_close(m->channel);
	m->channel = NULL;
}

/* --- messages ------------------------------------------------------------- */

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct smith *smith = ctx;
	struct smiths *s = smith->all;
	struct wire_forged done;

	fds_close(fds, n);
	if (n > 0 || m->type != WIRE_FORGED ||
	    wire_get_forged(m, &done) != SG_OK)
		return false;
	if (!s->busy || !s->sent || smith->slot != s->slot)
		return false;
	if (m->id != s->id)
		return false;
	drop(smith); /* it ends now: what comes next is for its successor */
	finish(s, &done, false);
	return true;
}

static void on_end(void *ctx, bool bad)
{
	struct smith *smith = ctx;
	struct smiths *s = smith->all;

	log_event(LOG_INFO, "smith-link-ended", "smith=%u bad=%d", smith->slot,
		  bad);
	drop(smith);
	if (bad) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		s->events->bad(s->ctx, smith->slot);
	}
	if (s->busy && s->sent && s->slot == smith->slot)
		fail(s, "the process that makes keys ended before it was done: "
			"its log says why");
}

/* Give the task to its smith, if that is there. */
static void send_task(struct smiths *s)
{
	struct smith *smith = &s->smith[s->slot];
	struct wire_packet *w;

	if (smith->channel == NULL)
		return;
	w = channel_room(smith->channel, FORGE_ROOM + s->task.label.n +
						 s->task.subject.n +
						 s->task.spki.n);
	if (w == NULL || wire_put_forge(w, s->id, &s->task) != SG_OK)
		return; /* again at the next tick */
	s->sent = true;
	s->until_us = clock_mono_us() + SMITH_TASK_US;
}

enum sg_err smiths_link(struct smiths *s, uint16_t slot, int fd)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	struct channel *channel = NULL;
	struct smith *smith;
	enum sg_err err = SG_NOT_FOUND;

	if (slot < CORE_HSMS_MAX)
		err = channel_open(s->loop, fd, &events, &s->smith[slot],
				   &channel);
	if (err != SG_OK) {
		fds_close(&fd, 1);
		return err;
	}
	smith = &s->smith[slot];
	drop(smith);
	smith->channel = channel;
	log_event(LOG_INFO, "smith-linked", "smith=%u", slot);
	if (!s->busy || s->slot != slot)
		return SG_OK;
	if (s->sent) /* to the one before it */
		fail(s, "the process that makes keys was replaced before it "
			"was done");
	else
		send_task(s);
	return SG_OK;
}

enum sg_err smiths_forge(struct smiths *s, uint16_t slot,
			 const struct wire_forge *m)
{
	if (s->busy)
		return SG_BUSY;
	if (slot >= CORE_HSMS_MAX)
		return SG_NOT_FOUND;
	s->busy = true;
	s->sent = false;
	s->slot = slot;
	s->id++;
	s->task = *m;
	s->until_us = clock_mono_us() + SMITH_AWAY_US;
	send_task(s);
	return SG_OK;
}

bool smiths_busy(const struct smiths *s)
{
	return s->busy;
}

void smiths_tick(struct smiths *s, uint64_t now_us)
{
	if (!s->busy)
		return;
	if (!s->sent)
		send_task(s);
	if (now_us < s->until_us)
		return;
	if (s->sent) {
		/* Whatever it does now, nobody believes it any more. */
		drop(&s->smith[s->slot]);
		s->events->bad(s->ctx, s->slot);
		fail(s, "the HSM did not do it in a minute");
	} else {
		fail(s, "the process that makes keys is away: see the log");
	}
}

/* --- life ----------------------------------------------------------------- */

enum sg_err smiths_create(uv_loop_t *loop, const struct smiths_events *events,
			  void *ctx, struct smiths **out)
{
	struct smiths *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	s->loop = loop;
	s->events = events;
	s->ctx = ctx;
	for (size_t i = 0; i < CORE_HSMS_MAX; i++) {
		s->smith[i].all = s;
		s->smith[i].slot = (uint16_t)i;
	}
	*out = s;
	return SG_OK;
}

void smiths_free(struct smiths *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < CORE_HSMS_MAX; i++)
		drop(&s->smith[i]);
	free(s);
}
