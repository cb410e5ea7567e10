/* SPDX-License-Identifier: Apache-2.0 */
#include "smith.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "control.h"
#include "forge.h"
#include "ipc/role.h"

enum {
	TICK_MS = 100,		/* between looks at the watch */
	IDLE_MS = 1000,		/* there is no watch to look at */
	SAMPLE_US = 1000000,	/* between samples of this process */
	CLOSE_US_MAX = 2000000, /* for the module's farewell */
	US_PER_MS = 1000
};

/* A smith only moves down the list. */
enum phase {
	PHASE_IDLE,    /* waits for a task */
	PHASE_WORKING, /* the helper has the module */
	PHASE_CLOSING, /* it has answered; the helper lets go of the module */
	PHASE_DONE
};

struct smith {
	const struct worker_settings *settings;
	enum phase phase; /* main thread only */
	int event;	  /* eventfd: the helper has something to say */
	int link;	  /* channel to the core, or -1 */
	uint16_t link_slot;
	/* The task: of the helper from its start until DONE. */
	uint8_t *packet; /* it came in; owned */
	uint64_t id;
	struct wire_forge task; /* spans lie in the packet */
	struct forged forged;
	struct watch watch;
	pthread_t helper;
	_Atomic bool done, closed;
	sem_t told;	     /* posted when the answer is out, or cannot be */
	bool unheard;	     /* before TOLD: it cannot be */
	uint64_t closing_us; /* since when */
	uint64_t sampled_us;
};

static _Noreturn void die(const char *reason)
{
	log_event(LOG_ERROR, "smith-exit", "reason=\"%s\"", reason);
	_exit(ROLE_EXIT_FAILED); /* the helper may be inside the module */
}

static void wake(const struct smith *s)
{
	const uint64_t one = 1;
	const ssize_t n = write(s->event, &one, sizeof(one));

	(void)n; /* it cannot block: the counter would have to overflow */
}

/* --- the task ------------------------------------------------------------- */

static void *work(void *arg)
{
	struct smith *s = arg;
	struct forge f;

	if (forge_open(&f, s->settings, &s->watch, &s->forged) == SG_OK)
		forge_do(&f, &s->task, &s->forged);
	atomic_store(&s->done, true);
	wake(s);
	while (sem_wait(&s->told) != 0)
		; /* a signal came between */
	if (s->unheard && s->forged.err == SG_OK)
		forge_undo(&f, &s->task, &s->forged);
	forge_close(&f);
	atomic_store(&s->closed, true);
	wake(s);
	return NULL;
}

static void close_link(struct smith *s)
{
	if (s->link >= 0)
		close(s->link);
	s->link = -1;
}

static void distrust(struct smith *s)
{
	metric_add(METRIC_BAD_MESSAGES, 1);
	log_event(LOG_ERROR, "bad-packet", "from=core/%u", s->link_slot);
	if (control_send_peer_bad(ROLE_FD_CONTROL, s->link_slot) != SG_OK)
		log_event(LOG_ERROR, "control-send-failed", "errno=%d", errno);
	close_link(s);
}

/* The one task of the packet of N bytes. */
static enum sg_err take_task(struct smith *s, size_t n)
{
	struct span rest = span_of(s->packet, n);
	struct wire_msg m;

	if (n > WIRE_PACKET_MAX || wire_next(&rest, &m) != SG_OK ||
	    m.type != WIRE_FORGE || wire_get_forge(&m, &s->task) != SG_OK ||
	    !key_label_is_good(s->task.label))
		return SG_MALFORMED;
	s->id = m.id;
	return wire_next(&rest, &m) == SG_NOT_FOUND ? SG_OK : SG_MALFORMED;
}

static void read_link(struct smith *s)
{
	const ssize_t n = recv(s->link, s->packet, WIRE_PACKET_MAX,
			       MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* the next core brings its own */
		close_link(s);
		return;
	}
	if (take_task(s, (size_t)n) != SG_OK) {
		distrust(s);
		return;
	}
	log_event(LOG_INFO, "forging", "hsm=\"%s\" task=%s key=\"%.*s\"",
		  s->settings->name, forge_task_name(&s->task),
		  (int)s->task.label.n, (const char *)s->task.label.p);
	s->phase = PHASE_WORKING;
	if (pthread_create(&s->helper, NULL, work, s) != 0)
		die("no thread for a task");
}

/* To the core that asked, if it is still there: the link is its. */
static void answer(struct smith *s)
{
	uint8_t *buf = aligned_alloc(64, WIRE_PACKET_MAX);
	struct wire_packet w = {buf, WIRE_PACKET_MAX, 0};
	const struct wire_forged m = {.ok = s->forged.err == SG_OK,
				      .ckr = s->forged.rv,
				      .reason = span_str(s->forged.reason),
				      .spki = s->forged.spki,
				      .csr = s->forged.csr};

	if (buf == NULL)
		die("no memory for an answer");
	/* Not waiting: a channel with one answer in it has room. */
	if (s->link < 0 || wire_put_forged(&w, s->id, &m) != SG_OK ||
	    send(s->link, w.buf, w.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		log_event(LOG_ERROR, "forged-unheard",
			  "hsm=\"%s\" ok=%d reason=\"the core that asked is "
			  "gone\"",
			  s->settings->name, m.ok);
		s->unheard = true;
	}
	free(buf);
	(void)sem_post(&s->told);
}

/* --- the control channel -------------------------------------------------- */

static enum sg_err on_link(struct smith *s, const struct wire_msg *m, int fd)
{
	struct wire_link link;

	if (wire_get_link(m, &link) != SG_OK || link.role != WIRE_CORE ||
	    fd < 0) {
		if (fd >= 0)
			close(fd);
		return SG_MALFORMED;
	}
	if (s->phase != PHASE_IDLE) {
		/* Its core did not ask; the next smith serves it. */
		close(fd);
		return SG_OK;
	}
	close_link(s);
	s->link = fd;
	s->link_slot = link.slot;
	return SG_OK;
}

static enum sg_err on_control(void *ctx, const struct wire_msg *m, int fd)
{
	struct smith *s = ctx;

	if (m->type == WIRE_LINK)
		return on_link(s, m, fd);
	if (fd >= 0)
		close(fd);
	switch (m->type) {
	case WIRE_DRAIN:
		/* A task is finished; there is never another one. */
		if (s->phase == PHASE_IDLE)
			s->phase = PHASE_DONE;
		return SG_OK;
	default: return control_common(ROLE_FD_CONTROL, m);
	}
}

static void read_control(struct smith *s)
{
	const char *why = control_read_all(ROLE_FD_CONTROL, on_control, s);

	if (why != NULL)
		die(why);
}

/* --- the life of the process ---------------------------------------------- */

static int status_of(const struct smith *s)
{
	return s->forged.err == SG_PIN_REFUSED ? ROLE_EXIT_PIN_REFUSED
					       : ROLE_EXIT_DRAINED;
}

static void step(struct smith *s)
{
	if (s->phase == PHASE_WORKING && atomic_load(&s->done)) {
		answer(s);
		s->phase = PHASE_CLOSING;
		s->closing_us = clock_mono_us();
	}
	if (s->phase != PHASE_CLOSING)
		return;
	if (atomic_load(&s->closed)) {
		pthread_join(s->helper, NULL);
		s->phase = PHASE_DONE;
	} else if (clock_mono_us() - s->closing_us > CLOSE_US_MAX) {
		log_event(LOG_WARNING, "module-close-hung", "hsm=\"%s\"",
			  s->settings->name);
		_exit(status_of(s));
	}
}

/* What hangs cannot be stopped, only left: the core sees the link end. */
static void check_watch(struct smith *s, uint64_t now_us)
{
	uint32_t limit_ms = s->settings->hang_ms;
	const char *what =
		watch_hung(&s->watch, now_us, (uint64_t)limit_ms * US_PER_MS);

	if (s->phase != PHASE_WORKING)
		return;
	if (what == FORGE_MAKING_RSA && limit_ms < SMITH_RSA_MS) {
		limit_ms = SMITH_RSA_MS;
		what = watch_hung(&s->watch, now_us,
				  (uint64_t)limit_ms * US_PER_MS);
	}
	if (what == NULL)
		return;
	log_event(
		LOG_ERROR, "smith-hung",
		"hsm=\"%s\" call=\"%s\" limit_ms=%u text=\"what it was to do "
		"may be done all the same: a new key may be on the token, and "
		"has its label then\"",
		s->settings->name, what, limit_ms);
	_exit(ROLE_EXIT_FAILED);
}

static void tick(struct smith *s)
{
	const uint64_t now_us = clock_mono_us();

	check_watch(s, now_us);
	if (now_us - s->sampled_us >= SAMPLE_US) {
		metrics_sample_process();
		s->sampled_us = now_us;
	}
}

static void loop(struct smith *s)
{
	while (s->phase != PHASE_DONE) {
		const bool idle = s->phase == PHASE_IDLE;
		/* A negative descriptor is passed over. */
		struct pollfd fds[] = {
			{.fd = ROLE_FD_CONTROL, .events = POLLIN},
			{.fd = s->event, .events = POLLIN},
			{.fd = idle ? s->link : -1, .events = POLLIN}};
		uint64_t count;
		ssize_t n;

		if (poll(fds, 3, idle ? IDLE_MS : TICK_MS) < 0 &&
		    errno != EINTR)
			die("poll failed");
		if (fds[1].revents != 0) {
			n = read(s->event, &count, sizeof(count));
			(void)n;
		}
		if (fds[2].revents != 0)
			read_link(s);
		if (fds[0].revents != 0)
			read_control(s);
		step(s);
		tick(s);
	}
}

static enum sg_err begin(struct smith *s)
{
	const enum sg_err e = worker_environment(s->settings);

	if (e != SG_OK)
		return e;
	if (s->settings->token[0] == '\0')
		return SG_CONFIG;
	(void)sem_init(&s->told, 0, 0);
	s->packet = aligned_alloc(64, WIRE_PACKET_MAX);
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->packet == NULL || s->event < 0)
		return SG_NO_MEMORY;
	return control_send_bare(ROLE_FD_CONTROL, WIRE_UP);
}

int smith_run(const struct worker_settings *settings)
{
	struct smith s = {.settings = settings, .event = -1, .link = -1};
	const enum sg_err e = begin(&s);

	if (e == SG_OK)
		loop(&s);
	else
		log_event(LOG_ERROR, "smith-failed", "hsm=\"%s\" reason=\"%s\"",
			  settings->name, err_text(e));
	forged_drop(&s.forged);
	close_link(&s);
	if (s.event >= 0)
		close(s.event);
	free(s.packet);
	return e == SG_OK ? status_of(&s) : ROLE_EXIT_FAILED;
}
