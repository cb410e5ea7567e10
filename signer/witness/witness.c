/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

#include <stdlib.h>
#include <unistd.h>

#include "asker.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ipc/channel.h"
#include "ipc/role.h"
#include "resolver.h"

enum { SAMPLE_MS = 1000, MESSAGE_ROOM = 128 };

struct witness {
	uv_loop_t loop;
	uv_timer_t sample;
	struct channel *control;
	struct channel *core; /* NULL: not linked */
	struct asker *asker;
	struct resolver resolver;
	int status;
};

static void finish(struct witness *w, int status)
{
	w->status = status;
	uv_stop(&w->loop);
}

/* --- the core ------------------------------------------------------------- */

static void answer(struct witness *w, uint64_t id,
		   const struct wire_cosigned *m)
{
	struct wire_packet *p;

	if (w->core == NULL)
		return;
	p = channel_room(w->core,
			 MESSAGE_ROOM + m->type.n + m->body.n + m->reason.n);
	/* The core gives it up by itself. */
	if (p == NULL || wire_put_cosigned(p, id, m) != SG_OK)
		log_event(LOG_WARNING, "answer-unsent", "id=%llu",
			  (unsigned long long)id);
}

static void on_done(void *ctx, uint64_t id, const struct wire_cosigned *m)
{
	struct witness *w = ctx;

	answer(w, id, m);
	if (m->status != 0 || !resolver_replaced(&w->resolver))
		return;
	/* The one in our place may read the new file. */
	log_event(
		LOG_INFO, "resolver-replaced",
		"text=\"a file by which hosts are found is another one now\"");
	finish(w, ROLE_EXIT_DRAINED);
}

static bool on_core_message(void *ctx, const struct wire_msg *m, const int *fds,
			    size_t n)
{
	struct witness *w = ctx;
	struct wire_cosign ask;
	struct wire_cosigned no = {.status = 0};
	enum sg_err err;

	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	if (m->type != WIRE_COSIGN || wire_get_cosign(m, &ask) != SG_OK)
		return false;
	err = asker_post(w->asker, m->id, &ask);
	if (err == SG_NOT_FOUND)
		return false;
	if (err != SG_OK) {
		no.reason = span_str(err_text(err));
		answer(w, m->id, &no);
	}
	return true;
}

static void on_core_end(void *ctx, bool bad)
{
	struct witness *w = ctx;

	asker_abandon(w->asker);
	channel_close(w->core);
	w->core = NULL;
	if (!bad)
		return;
	/* We talk to the whole world, and so have nobody else killed. */
	log_event(LOG_ERROR, "core-bad",
		  "reason=\"its messages make no "
		  "sense\"");
	metric_add(METRIC_BAD_MESSAGES, 1);
	finish(w, ROLE_EXIT_FAILED);
}

static bool take_link(struct witness *w, const struct wire_msg *m, int fd)
{
	static const struct channel_events events = {.message = on_core_message,
						     .end = on_core_end};
	struct wire_link link;

	if (wire_get_link(m, &link) != SG_OK || link.role != WIRE_CORE) {
		(void)close(fd);
		return false;
	}
	asker_abandon(w->asker);
	channel_close(w->core);
	w->core = NULL;
	if (channel_open(&w->loop, fd, &events, w, &w->core) != SG_OK) {
		(void)close(fd);
		log_event(LOG_ERROR, "link-failed", "process=core");
		finish(w, ROLE_EXIT_FAILED);
	}
	return true;
}

/* --- the supervisor ------------------------------------------------------- */

/* The ledger's section waits for a restart. */
static bool tell_reloaded(struct witness *w)
{
	const struct wire_reloaded m = {.ok = true};
	struct wire_packet *p = channel_room(w->control, MESSAGE_ROOM);

	return p != NULL && wire_put_reloaded(p, &m) == SG_OK;
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct witness *w = ctx;

	if (m->type == WIRE_LINK && n == 1)
		return take_link(w, m, fds[0]);
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	switch (m->type) {
	case WIRE_RELOAD: return tell_reloaded(w);
	case WIRE_DRAIN:
		/* The core has drained before: nobody waits for us. */
		log_event(LOG_INFO, "drained", "status=0");
		finish(w, ROLE_EXIT_DRAINED);
		return true;
	default: return false;
	}
}

static void on_end(void *ctx, bool bad)
{
	log_event(LOG_ERROR, "control-ended", "bad=%d", bad);
	finish(ctx, ROLE_EXIT_FAILED);
}

static void on_sample(uv_timer_t *timer)
{
	(void)timer;
	metrics_sample_process();
}

/* --- the role ------------------------------------------------------------- */

static enum sg_err begin(struct witness *w,
			 const struct witness_settings *settings)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	struct wire_packet *p;
	enum sg_err err;

	if (uv_timer_init(&w->loop, &w->sample) != 0)
		return SG_INTERNAL;
	metrics_sample_process();
	(void)uv_timer_start(&w->sample, on_sample, SAMPLE_MS, SAMPLE_MS);
	err = asker_create(&w->loop, settings, on_done, w, &w->asker);
	if (err == SG_OK)
		err = channel_open(&w->loop, ROLE_FD_CONTROL, &events, w,
				   &w->control);
	if (err != SG_OK)
		return err;
	p = channel_room(w->control, MESSAGE_ROOM);
	return p != NULL ? wire_put_bare(p, WIRE_UP) : SG_IO;
}

static void end(struct witness *w)
{
	channel_close(w->core);
	if (w->control != NULL)
		channel_flush(w->control);
	channel_close(w->control);
	asker_free(w->asker);
	uv_close((uv_handle_t *)&w->sample, NULL);
	/* Let go of the handles that are closing. */
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&w->loop);
}

int witness_run(const struct witness_settings *settings)
{
	struct witness w = {.status = ROLE_EXIT_FAILED};
	enum sg_err err;

	if (uv_loop_init(&w.loop) != 0) {
		log_event(LOG_ERROR, "witness-failed",
			  "reason=\"no event loop\"");
		return ROLE_EXIT_FAILED;
	}
	resolver_begin(&w.resolver, RESOLVER_FILES, RESOLVER_FILE_COUNT);
	err = begin(&w, settings);
	if (err == SG_OK)
		(void)uv_run(&w.loop, UV_RUN_DEFAULT);
	else
		log_event(LOG_ERROR, "witness-failed", "reason=\"%s\"",
			  err_text(err));
	end(&w);
	return w.status;
}
