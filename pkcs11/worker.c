/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "control.h"
#include "ipc/role.h"
#include "serve.h"
#include "uplink.h"
#include "vault.h"

enum {
	TICK_MS_MAX = 250, /* between looks at the watches */
	TICK_MS_MIN = 5,
	SAMPLE_US = 1000000,	/* between samples of this process */
	CLOSE_US_MAX = 2000000, /* for the module's farewell */
	US_PER_MS = 1000
};

/* Where the process is in its life; a worker only moves down the list. */
enum phase {
	PHASE_OPENING,	/* the opener has the module */
	PHASE_SERVING,	/* the servers have it */
	PHASE_DRAINING, /* the servers finish */
	PHASE_CLOSING,	/* the closer has it */
	PHASE_DONE
};

struct worker;

struct server_thread {
	struct worker *worker;
	pthread_t id;
	struct server server;
};

struct worker {
	const struct worker_settings *settings;
	enum phase phase;    /* main thread only */
	int event;	     /* eventfd: a thread has something to say */
	struct vault *vault; /* after the opener */
	struct uplink *uplink;
	struct watch watch; /* of the opener, then of the closer */
	pthread_t helper;   /* opener or closer */
	_Atomic int opened; /* 0: not yet; else 1 + enum sg_err */
	_Atomic bool closed;
	_Atomic uint32_t running; /* server threads */
	struct server_thread *threads;
	int link; /* channel to the core that came early, or -1 */
	uint16_t link_slot;
	uint64_t serving_us; /* since when */
	uint64_t closing_us; /* likewise */
	uint64_t sampled_us;
};

static void wake(const struct worker *w)
{
	const uint64_t one = 1;
	/* It cannot block: the counter would have to overflow. */
	const ssize_t n = write(w->event, &one, sizeof(one));

	(void)n;
}

/* What _exit() is for here: other threads may be inside the module, whose exit
 * handlers would run under them. */
static _Noreturn void die(const char *reason)
{
	log_event(LOG_ERROR, "hsm-exit", "reason=\"%s\"", reason);
	_exit(1);
}

/* --- the threads -------------------------------------------------------- */

static void *open_vault(void *arg)
{
	struct worker *w = arg;
	const struct worker_settings *s = w->settings;
	const struct vault_settings v = {.module = s->module,
					 .pin_file = s->pin_file,
					 .sessions = s->sessions,
					 .session_copies = s->session_copies,
					 .token = s->token,
					 .nkeys = s->nkeys,
					 .key = s->key};
	const enum sg_err e = vault_open(&v, &w->watch, &w->vault);

	atomic_store(&w->opened, 1 + (int)e);
	wake(w);
	return NULL;
}

static void *close_vault(void *arg)
{
	struct worker *w = arg;

	vault_close(w->vault, &w->watch);
	atomic_store(&w->closed, true);
	wake(w);
	return NULL;
}

static void *serve(void *arg)
{
	struct server_thread *t = arg;

	if (serve_run(&t->server) != SG_OK)
		die("the token cannot be used any more");
	serve_end(&t->server);
	atomic_fetch_sub(&t->worker->running, 1);
	wake(t->worker);
	return NULL;
}

static enum sg_err start_servers(struct worker *w)
{
	const uint32_t n = vault_lanes(w->vault);

	w->threads = calloc(n, sizeof(w->threads[0]));
	if (w->threads == NULL)
		return SG_NO_MEMORY;
	for (uint32_t i = 0; i < n; i++) {
		struct server_thread *t = &w->threads[i];

		t->worker = w;
		t->server = (struct server){.vault = w->vault,
					    .lane = i,
					    .uplink = w->uplink,
					    .control = ROLE_FD_CONTROL};
		if (serve_begin(&t->server) != SG_OK)
			return SG_NO_MEMORY;
		atomic_fetch_add(&w->running, 1);
		if (pthread_create(&t->id, NULL, serve, t) != 0)
			return SG_NO_MEMORY;
	}
	return SG_OK;
}

/* --- the link to the core ------------------------------------------------ */

/* Introduce ourselves before any thread can answer. */
static enum sg_err send_ready(const struct worker *w, int fd)
{
	uint8_t *buf = aligned_alloc(64, WIRE_PACKET_MAX);
	struct wire_packet packet = {buf, WIRE_PACKET_MAX, 0};
	enum sg_err e;

	if (buf == NULL)
		return SG_NO_MEMORY;
	e = serve_ready(w->vault, w->settings->name, &packet);
	/* Not waiting: the main thread keeps the watch, and a fresh channel
	 * has room. */
	if (e == SG_OK &&
	    send(fd, packet.buf, packet.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		e = SG_IO;
	free(buf);
	return e;
}

static void take_link(struct worker *w, int fd, uint16_t slot)
{
	const int flags = fcntl(fd, F_GETFL);
	enum sg_err e = SG_IO;

	/* The threads block on it, whatever its maker had in mind. */
	if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
		e = send_ready(w, fd);
	if (e != SG_OK) {
		/* A core that dies at once is the supervisor's to replace. */
		log_event(LOG_WARNING, "core-link-failed", "reason=\"%s\"",
			  err_text(e));
		close(fd);
		return;
	}
	e = uplink_replace(w->uplink, fd, slot);
	if (e != SG_OK)
		log_event(LOG_WARNING, "core-link-refused", "reason=\"%s\"",
			  err_text(e));
}

static enum sg_err on_link(struct worker *w, const struct wire_msg *m, int fd)
{
	struct wire_link link;

	if (wire_get_link(m, &link) != SG_OK || link.role != WIRE_CORE ||
	    fd < 0) {
		if (fd >= 0)
			close(fd);
		return SG_MALFORMED;
	}
	if (w->phase == PHASE_SERVING) {
		take_link(w, fd, link.slot);
		return SG_OK;
	}
	if (w->link >= 0)
		close(w->link);
	w->link = fd;
	w->link_slot = link.slot;
	return SG_OK;
}

/* --- the control channel -------------------------------------------------- */

static void drain(struct worker *w)
{
	log_event(LOG_INFO, "hsm-draining", "hsm=\"%s\"", w->settings->name);
	if (w->phase == PHASE_OPENING)
		_exit(0); /* nothing is in flight, and a call may hang */
	if (w->phase == PHASE_SERVING) {
		w->phase = PHASE_DRAINING;
		uplink_drain(w->uplink);
	}
}

static enum sg_err on_control(void *ctx, const struct wire_msg *m, int fd)
{
	struct worker *w = ctx;

	if (m->type == WIRE_LINK)
		return on_link(w, m, fd);
	if (fd >= 0)
		close(fd);
	switch (m->type) {
	case WIRE_DRAIN: drain(w); return SG_OK;
	default: return control_common(ROLE_FD_CONTROL, m);
	}
}

static void read_control(struct worker *w)
{
	const char *why = control_read_all(ROLE_FD_CONTROL, on_control, w);

	if (why != NULL)
		die(why);
}

/* --- the life of the process ---------------------------------------------- */

static void log_serving(const struct worker *w)
{
	log_event(LOG_INFO, "hsm-serving", "hsm=\"%s\" keys=%zu sessions=%u",
		  w->settings->name, vault_keys(w->vault),
		  vault_lanes(w->vault));
}

/* One that others before it have died, and that has lived for a while, says
 * that it is there. */
static void unmute(const struct worker *w, uint64_t now_us)
{
	if (now_us - w->serving_us >= (uint64_t)ROLE_STEADY_MS * US_PER_MS &&
	    log_mute(false))
		log_serving(w);
}

/* The opener is done.  SG_OK: serving. */
static enum sg_err begin_serving(struct worker *w)
{
	const int opened = atomic_load(&w->opened);
	enum sg_err e;

	if (opened == 0)
		return SG_OK;
	pthread_join(w->helper, NULL);
	e = (enum sg_err)(opened - 1);
	if (e != SG_OK)
		return e;
	e = start_servers(w);
	if (e != SG_OK)
		die("no memory for the threads");
	w->phase = PHASE_SERVING;
	w->serving_us = clock_mono_us();
	log_serving(w);
	if (control_send_bare(ROLE_FD_CONTROL, WIRE_UP) != SG_OK)
		die("the supervisor does not listen");
	if (w->link >= 0) {
		take_link(w, w->link, w->link_slot);
		w->link = -1;
	}
	return SG_OK;
}

static enum sg_err begin_closing(struct worker *w)
{
	const uint32_t n = vault_lanes(w->vault);

	if (atomic_load(&w->running) > 0)
		return SG_OK;
	for (uint32_t i = 0; i < n; i++)
		pthread_join(w->threads[i].id, NULL);
	w->phase = PHASE_CLOSING;
	w->closing_us = clock_mono_us();
	if (pthread_create(&w->helper, NULL, close_vault, w) != 0)
		_exit(0); /* all work is done; only the farewell is missing */
	return SG_OK;
}

static void end_closing(struct worker *w)
{
	if (atomic_load(&w->closed)) {
		pthread_join(w->helper, NULL);
		w->phase = PHASE_DONE;
	} else if (clock_mono_us() - w->closing_us > CLOSE_US_MAX) {
		log_event(LOG_WARNING, "module-close-hung", "hsm=\"%s\"",
			  w->settings->name);
		_exit(0);
	}
}

static enum sg_err step(struct worker *w)
{
	switch (w->phase) {
	case PHASE_OPENING: return begin_serving(w);
	case PHASE_DRAINING: return begin_closing(w);
	case PHASE_CLOSING: end_closing(w); return SG_OK;
	case PHASE_SERVING:
	case PHASE_DONE: break;
	}
	return SG_OK;
}

static void check_watch(const struct worker *w, struct watch *watch,
			uint64_t now_us)
{
	const char *what = watch_hung(
		watch, now_us, (uint64_t)w->settings->hang_ms * US_PER_MS);

	if (what == NULL)
		return;
	log_event(LOG_ERROR, "hsm-hung", "hsm=\"%s\" call=\"%s\" limit_ms=%u",
		  w->settings->name, what, w->settings->hang_ms);
	_exit(1);
}

static void check_watches(struct worker *w)
{
	const uint64_t now_us = clock_mono_us();

	if (w->phase == PHASE_OPENING)
		check_watch(w, &w->watch, now_us);
	if (w->phase == PHASE_SERVING)
		unmute(w, now_us);
	if (w->phase == PHASE_SERVING || w->phase == PHASE_DRAINING)
		for (uint32_t i = 0; i < vault_lanes(w->vault); i++)
			check_watch(w, vault_watch(w->vault, i), now_us);
	if (now_us - w->sampled_us >= SAMPLE_US) {
		metrics_sample_process();
		w->sampled_us = now_us;
	}
}

static int tick_ms(const struct worker *w)
{
	const uint32_t ms = w->settings->hang_ms / 4;

	if (ms > TICK_MS_MAX)
		return TICK_MS_MAX;
	return ms < TICK_MS_MIN ? TICK_MS_MIN : (int)ms;
}

static enum sg_err loop(struct worker *w)
{
	enum sg_err e = SG_OK;

	while (e == SG_OK && w->phase != PHASE_DONE) {
		struct pollfd fds[] = {
			{.fd = ROLE_FD_CONTROL, .events = POLLIN},
			{.fd = w->event, .events = POLLIN}};
		uint64_t count;
		ssize_t n;

		if (poll(fds, 2, tick_ms(w)) < 0 && errno != EINTR)
			die("poll failed");
		if (fds[1].revents != 0) {
			n = read(w->event, &count, sizeof(count));
			(void)n;
		}
		if (fds[0].revents != 0)
			read_control(w);
		e = step(w);
		check_watches(w);
	}
	return e;
}

int worker_run(const struct worker_settings *settings)
{
	struct worker w = {.settings = settings, .event = -1, .link = -1};
	enum sg_err e = worker_environment(settings);

	if (e == SG_OK)
		e = uplink_create(&w.uplink);
	if (e != SG_OK)
		goto out;
	w.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w.event < 0 ||
	    pthread_create(&w.helper, NULL, open_vault, &w) != 0) {
		e = SG_IO;
		goto out;
	}
	e = loop(&w);
out:
	if (e != SG_OK)
		log_event(LOG_ERROR, "hsm-failed", "hsm=\"%s\" reason=\"%s\"",
			  settings->name, err_text(e));
	else
		log_event(LOG_INFO, "hsm-drained", "hsm=\"%s\"",
			  settings->name);
	if (w.link >= 0)
		close(w.link);
	if (w.event >= 0)
		close(w.event);
	free(w.threads);
	uplink_free(w.uplink);
	if (e == SG_PIN_REFUSED)
		return ROLE_EXIT_PIN_REFUSED;
	return e == SG_OK ? ROLE_EXIT_DRAINED : ROLE_EXIT_FAILED;
}
