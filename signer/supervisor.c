/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "accusation.h"
#include "base/clock.h"
#include "base/log.h"
#include "inherited.h"
#include "listeners.h"
#include "pidfile.h"
#include "profile.h"
#include "ready.h"
#include "reload.h"
#include "self.h"

enum {
	EXIT_DRAINED = 0,
	EXIT_KILLED = 1,
	EXIT_USAGE = 2,
	SECOND_MS = 1000,
	LATE_US = 2000000, /* between seconds */
	STAGE_MS = 5000,   /* for the core, and then the rest, to drain */
	/* Descriptors of a front beside its clients' connections, and those of
	 * anybody's who reads the ledger. */
	SPARE_FDS = 512,
	PUBLIC_FDS = 1024,
	STATE_MODE = 0700,
	STATE_MODE_USERS = 0711, /* the fronts pass to the ledger */
	LEDGER_MODE = 0755,	 /* any file server may serve it */
	RUN_MODE = 0755
};

/* Draining goes from the door inwards; last, whoever served the core. */
enum phase { RUNNING, DRAIN_FRONTS, DRAIN_CORE, DRAIN_LAST, ENDED };

struct supervisor {
	uv_loop_t loop;
	struct roster roster;
	struct ready ready;
	struct reload reload;
	struct listeners listeners;
	struct pidfile pidfile;
	uv_signal_t sigterm, sigint, sighup;
	uv_timer_t second;
	uint64_t second_us; /* when it last fired */
	uv_timer_t watchdog;
	uv_timer_t stage; /* time that a stage of draining may take */
	enum phase phase;
	bool killing;		 /* asked twice */
	bool refused;		 /* the ledger is not what it was */
	char exe[SELF_PATH_MAX]; /* of the roles */
};

static void step(struct supervisor *s);

/* --- starting what is due ------------------------------------------------- */

static struct child_fds fds_of(const struct supervisor *s,
			       const struct child *c)
{
	struct child_fds fds = {s->reload.config_fd, -1, -1, -1};

	if (c->role == WIRE_CORE) {
		fds.policy_or_listen = s->reload.policy_fd;
		fds.ops_or_officers = s->listeners.officers;
	} else if (c->role == WIRE_FRONT) {
		fds.policy_or_listen = s->listeners.tls[c->slot];
		fds.ops_or_officers = s->listeners.ops;
		fds.public = s->listeners.public;
	}
	return fds;
}

static void start_due(struct supervisor *s)
{
	for (size_t i = 0; i < s->roster.n; i++) {
		struct child *c = &s->roster.child[i];
		const struct child_fds fds = fds_of(s, c);

		if (!child_due(c) ||
		    !roster_may_start(&s->roster, s->reload.config, c,
				      clock_mono_us()))
			continue;
		c->generation = s->reload.generation;
		roster_start(&s->roster, s->reload.config, c, &fds);
	}
}

/* A client meets a front that is away for a moment as a delay.  One that dies
 * again and again, while others serve, must not keep it waiting. */
static void tend_doors(struct supervisor *s)
{
	const struct roster *r = &s->roster;
	bool any = false;

	for (size_t i = 0; i < r->n; i++)
		any |= r->child[i].role == WIRE_FRONT && r->child[i].up;
	for (size_t i = 0; i < r->n; i++) {
		const struct child *c = &r->child[i];

		if (c->role != WIRE_FRONT)
			continue;
		if (c->up || !any)
			(void)listeners_reopen(&s->listeners, c->slot);
		else if (c->waiting)
			listeners_shut(&s->listeners, c->slot);
	}
}

/* --- draining ------------------------------------------------------------- */

/* Does C drain in PHASE? */
static bool of_stage(const struct child *c, enum phase phase)
{
	return (phase == DRAIN_FRONTS && c->role == WIRE_FRONT) ||
	       (phase == DRAIN_CORE && c->role == WIRE_CORE) ||
	       (phase == DRAIN_LAST &&
		(c->role == WIRE_HSM || c->role == WIRE_WITNESS ||
		 c->role == WIRE_SMITH));
}

static bool stage_done(const struct supervisor *s)
{
	for (size_t i = 0; i < s->roster.n; i++)
		if (of_stage(&s->roster.child[i], s->phase) &&
		    child_alive(&s->roster.child[i]))
			return false;
	return true;
}

static void on_stage_over(uv_timer_t *timer)
{
	struct supervisor *s = (struct supervisor *)timer->data;

	for (size_t i = 0; i < s->roster.n; i++)
		if (of_stage(&s->roster.child[i], s->phase))
			child_kill(&s->roster.child[i],
				   "its time to drain is over");
}

static void enter_stage(struct supervisor *s, enum phase phase)
{
	s->phase = phase;
	for (size_t i = 0; i < s->roster.n; i++)
		if (of_stage(&s->roster.child[i], phase))
			child_drain(&s->roster.child[i]);
	(void)uv_timer_start(&s->stage, on_stage_over,
			     phase == DRAIN_FRONTS ? s->reload.config->drain_ms
						   : STAGE_MS,
			     0);
}

static void close_handles(struct supervisor *s)
{
	uv_handle_t *const handle[] = {
		(uv_handle_t *)&s->sigterm,  (uv_handle_t *)&s->sigint,
		(uv_handle_t *)&s->sighup,   (uv_handle_t *)&s->second,
		(uv_handle_t *)&s->watchdog, (uv_handle_t *)&s->stage};

	for (size_t i = 0; i < sizeof(handle) / sizeof(handle[0]); i++)
		uv_close(handle[i], NULL);
}

/* On to the next stage when nobody of this one is left. */
static void step_drain(struct supervisor *s)
{
	while (s->phase != ENDED && stage_done(s)) {
		const enum phase next = (enum phase)(s->phase + 1);

		if (next == ENDED) {
			s->phase = ENDED;
			uv_stop(&s->loop);
		} else {
			enter_stage(s, next);
		}
	}
}

static void begin_drain(struct supervisor *s)
{
	log_event(LOG_INFO, "draining", "drain_ms=%u",
		  s->reload.config->drain_ms);
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Draining");
	listeners_close(&s->listeners);
	for (size_t i = 0; i < s->roster.n; i++)
		child_forget(&s->roster.child[i]);
	enter_stage(s, DRAIN_FRONTS);
	step(s);
}

static void kill_all(struct supervisor *s)
{
	s->killing = true;
	for (size_t i = 0; i < s->roster.n; i++)
		child_kill(&s->roster.child[i], "asked twice to end");
	step(s);
}

/* --- events --------------------------------------------------------------- */

/* Bring the world nearer to what it should be; after each event. */
static void step(struct supervisor *s)
{
	if (s->phase != RUNNING) {
		step_drain(s);
		return;
	}
	roster_watch(&s->roster, s->reload.config, clock_mono_us());
	start_due(s);
	tend_doors(s);
	s->reload.announce = ready_look(&s->ready, &s->roster, s->reload.config,
					clock_mono_us());
	reload_step(&s->reload);
}

static void on_child_up(void *ctx, struct child *c)
{
	struct supervisor *s = (struct supervisor *)ctx;

	reload_up(&s->reload, c);
	step(s);
}

static void on_child_changed(void *ctx, struct child *c)
{
	struct supervisor *s = (struct supervisor *)ctx;

	if (!child_alive(c) && s->phase == RUNNING)
		reload_lost(&s->reload, c);
	step(s);
}

static void on_child_reloaded(void *ctx, struct child *c,
			      const struct wire_reloaded *m)
{
	struct supervisor *s = (struct supervisor *)ctx;

	if (s->phase == RUNNING)
		reload_answered(&s->reload, c, m);
}

/* Each further try brings the token nearer to locking its PIN for good. */
static void on_pin_refused(void *ctx, struct child *c)
{
	struct supervisor *s = (struct supervisor *)ctx;
	const struct config_hsm *hsm = roster_hsm_of(s->reload.config, c);

	log_event(LOG_ERROR, "pin-refused",
		  "hsm=\"%s\" text=\"not tried again before a reload, so that "
		  "the token does not lock: correct the PIN, then send "
		  "SIGHUP\"",
		  hsm != NULL ? hsm->worker.name : "");
	roster_hold_hsm(&s->roster, s->reload.config, c);
}

/* A new core would find the same ledger. */
static void on_refused(void *ctx)
{
	struct supervisor *s = (struct supervisor *)ctx;

	s->refused = true;
	log_event(LOG_ERROR, "start-refused",
		  "reason=\"see the core's ledger-refused\"");
	if (s->phase == RUNNING)
		begin_drain(s);
}

static void on_peer_bad(void *ctx, struct child *c,
			const struct wire_peer_bad *m)
{
	accusation_judge(&((struct supervisor *)ctx)->roster, c, m);
}

static const struct child_events CHILD_EVENTS = {.up = on_child_up,
						 .reloaded = on_child_reloaded,
						 .pin_refused = on_pin_refused,
						 .ledger_refused = on_refused,
						 .peer_bad = on_peer_bad,
						 .changed = on_child_changed};

static void on_stop_signal(uv_signal_t *handle, int signal)
{
	struct supervisor *s = (struct supervisor *)handle->data;

	log_event(LOG_INFO, "signal", "signal=%d", signal);
	if (s->phase == RUNNING)
		begin_drain(s);
	else
		kill_all(s);
}

static void on_reload_signal(uv_signal_t *handle, int signal)
{
	struct supervisor *s = (struct supervisor *)handle->data;

	(void)signal;
	if (s->phase != RUNNING)
		return;
	roster_release(&s->roster);
	reload_want(&s->reload);
	step(s);
}

static void on_second(uv_timer_t *timer)
{
	struct supervisor *s = (struct supervisor *)timer->data;
	const uint64_t now = clock_mono_us();
	/* What stopped us may have stopped them, too. */
	const bool was_late = now - s->second_us > LATE_US;

	s->second_us = now;
	metrics_sample_process();
	for (size_t i = 0; i < s->roster.n; i++) {
		if (was_late)
			child_forgive(&s->roster.child[i], now);
		else
			child_look(&s->roster.child[i], now);
	}
	if (s->phase == RUNNING)
		reload_second(&s->reload);
	step(s); /* whose turn to start may have come by waiting */
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	(void)sd_notify(0, "WATCHDOG=1");
}

/* --- beginning and end ---------------------------------------------------- */

static void start_handles(struct supervisor *s)
{
	uint64_t usec = 0;

	(void)uv_signal_init(&s->loop, &s->sigterm);
	(void)uv_signal_init(&s->loop, &s->sigint);
	(void)uv_signal_init(&s->loop, &s->sighup);
	(void)uv_timer_init(&s->loop, &s->second);
	(void)uv_timer_init(&s->loop, &s->watchdog);
	(void)uv_timer_init(&s->loop, &s->stage);
	s->sigterm.data = s->sigint.data = s->sighup.data = s;
	s->stage.data = s->second.data = s;
	s->second_us = clock_mono_us();
	(void)uv_signal_start(&s->sigterm, on_stop_signal, SIGTERM);
	(void)uv_signal_start(&s->sigint, on_stop_signal, SIGINT);
	(void)uv_signal_start(&s->sighup, on_reload_signal, SIGHUP);
	(void)uv_timer_start(&s->second, on_second, SECOND_MS, SECOND_MS);
	if (sd_watchdog_enabled(0, &usec) > 0)
		(void)uv_timer_start(&s->watchdog, on_watchdog, 0,
				     usec / 1000 / 3 + 1);
}

/* Connections are descriptors; the roles inherit the limit. */
static void raise_limits(const struct config *c)
{
	const size_t spare = SPARE_FDS + (c->front.public ? PUBLIC_FDS : 0);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < c->front.connections_max + spare)
		log_event(LOG_WARNING, "descriptors-short",
			  "limit=%llu needed=%zu text=\"a front takes about "
			  "%llu connections and closes others at once: raise "
			  "the hard limit of open files (systemd: "
			  "LimitNOFILE=), or lower limits.connections\"",
			  (unsigned long long)limit.rlim_max,
			  c->front.connections_max + spare,
			  (unsigned long long)(limit.rlim_max > spare
						       ? limit.rlim_max - spare
						       : 0));
}

/* What can fail because of how the machine is set up; all of it logged. */
static enum sg_err take_place(struct supervisor *s)
{
	const struct config *c = s->reload.config;
	const bool users = c->sandbox.user[WIRE_FRONT][0] != '\0';
	enum sg_err e;

	e = profile_directory(c, WIRE_SUPERVISOR, c->run, RUN_MODE);
	if (e == SG_OK)
		e = profile_directory(c, WIRE_CORE, c->core.state,
				      users ? STATE_MODE_USERS : STATE_MODE);
	/* The fronts keep it open from their start on. */
	if (e == SG_OK && c->front.ledger[0] != '\0')
		e = profile_directory(c, WIRE_CORE, c->front.ledger,
				      LEDGER_MODE);
	if (e == SG_OK)
		e = pidfile_take(&s->pidfile, c->run);
	if (e != SG_OK)
		return e;
	e = listeners_open(&s->listeners, c);
	if (e != SG_OK)
		pidfile_release(&s->pidfile);
	return e;
}

static int serve(struct supervisor *s)
{
	enum sg_err e = roster_create(&s->roster, &s->loop, s->reload.config,
				      &CHILD_EVENTS, s);

	if (e != SG_OK) {
		log_event(LOG_ERROR, "start-failed", "reason=\"%s\"",
			  err_text(e));
		return EXIT_KILLED;
	}
	for (size_t i = 0; i < s->roster.n; i++)
		s->roster.child[i].exe = s->exe;
	start_handles(s);
	s->killing =
		profile_enter(s->reload.config, WIRE_SUPERVISOR, 0) != SG_OK;
	if (s->killing)
		begin_drain(s);
	step(s);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	close_handles(s);
	roster_free(&s->roster);
	return s->killing || s->refused ? EXIT_KILLED : EXIT_DRAINED;
}

static int report_faults(const struct faults *faults, enum sg_err e)
{
	(void)fprintf(stderr, "%s", faults->text);
	log_event(LOG_ERROR, "start-refused", "faults=%zu reason=\"%s\"",
		  faults->n, err_text(e));
	return EXIT_USAGE;
}

static int supervise(struct supervisor *s, const char *config)
{
	struct faults faults = {0};
	int status = EXIT_USAGE;
	enum sg_err e;

	log_role("supervisor");
	log_no_wait();
	log_journal(LOG_JOURNAL_SOCKET);
	if (sandbox_begin(WIRE_SUPERVISOR, inherited_count()) != SG_OK ||
	    self_path(s->exe) != SG_OK || uv_loop_init(&s->loop) != 0)
		return EXIT_KILLED;
	(void)signal(SIGPIPE, SIG_IGN);
	e = reload_init(&s->reload, config, &s->roster, &s->loop, &faults);
	if (e != SG_OK) {
		status = report_faults(&faults, e);
		goto close_loop;
	}
	log_limit((enum log_level)s->reload.config->log_level);
	raise_limits(s->reload.config);
	if (take_place(s) == SG_OK) {
		log_event(LOG_INFO, "starting", "config=\"%s\" pid=%ld", config,
			  (long)getpid());
		status = serve(s);
		listeners_close(&s->listeners);
		pidfile_release(&s->pidfile);
	}
	reload_free(&s->reload);
	log_event(LOG_INFO, "ended", "status=%d", status);
close_loop:
	(void)uv_run(&s->loop, UV_RUN_DEFAULT); /* the last handles close */
	(void)uv_loop_close(&s->loop);
	return status;
}

int supervisor_run(const char *config)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int status = EXIT_KILLED;

	if (s != NULL)
		status = supervise(s, config);
	free(s);
	return status;
}
