/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "child_env.h"
#include "child_log.h"
#include "pkcs11/ckr.h"

enum {
	UP_WITHIN_MS = 30000,  /* then we say so, and replace an hsm */
	TELL_EVERY_MS = 60000, /* of one that keeps dying */
	GONE_WITHIN_MS = 1000, /* after it closed its control channel */
	STDIO_COUNT = ROLE_FD_LAST + 1,
	SMALL_PACKET = 64 /* bytes: any control message of ours */
};

static void on_timer(uv_timer_t *timer);

static void set_timer(struct child *c, uint64_t ms)
{
	(void)uv_timer_start(&c->timer, on_timer, ms, 0);
}

enum sg_err child_init(struct child *c, uv_loop_t *loop, enum wire_role role,
		       unsigned slot, const struct child_events *events,
		       void *ctx)
{
	*c = (struct child){
		.role = role, .slot = slot, .events = events, .ctx = ctx};
	if (role == WIRE_HSM)
		c->restart.longest_ms = RESTART_HSM_LONGEST_MS;
	c->metrics_fd = metrics_memfd();
	if (c->metrics_fd < 0)
		return SG_IO;
	c->page = metrics_map(c->metrics_fd, 1);
	if (c->page == NULL) {
		(void)close(c->metrics_fd);
		return SG_IO;
	}
	(void)uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	return SG_OK;
}

/* --- its control channel ------------------------------------------------- */

static const char *unmet_start(const struct child *c)
{
	switch (c->role) {
	case WIRE_FRONT:
		return "TLS files that cannot be used, or a machine too busy";
	case WIRE_CORE: return "a state directory or policy it cannot use";
	case WIRE_HSM:
		return "a wrong PIN, a missing token or key, or a module that "
		       "hangs";
	case WIRE_SMITH:
	case WIRE_WITNESS: return "a machine too busy";
	case WIRE_SUPERVISOR:
	case WIRE_ROLE_COUNT: break;
	}
	return "unknown";
}

static void log_up(const struct child *c)
{
	log_event(LOG_INFO, "process-up", "process=%s/%u pid=%d after_ms=%llu",
		  role_name(c->role), c->slot, c->process->pid,
		  (unsigned long long)(c->up_us - c->restart.started_us) /
			  1000);
}

void child_tell_up(struct child *c)
{
	if (c->up && c->muted)
		log_up(c);
	c->muted = false;
}

static void on_up(struct child *c)
{
	c->up = c->was_up = true;
	c->died = false;
	c->up_us = clock_mono_us();
	metrics_set_in(c->page, METRIC_PROCESS_UP, 1);
	child_forgive(c, c->up_us);
	if (!c->left)
		(void)uv_timer_stop(&c->timer);
	if (!c->muted)
		log_up(c);
	c->events->up(c->ctx, c);
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct child *c = (struct child *)ctx;
	struct wire_reloaded reloaded;
	struct wire_peer_bad peer;

	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]); /* no role has any to give */
	switch (m->type) {
	case WIRE_UP:
		if (c->up)
			return false;
		on_up(c);
		return true;
	case WIRE_RELOADED:
		if (wire_get_reloaded(m, &reloaded) != SG_OK || !c->reloading)
			return false;
		c->reloading = false;
		c->events->reloaded(c->ctx, c, &reloaded);
		return true;
	case WIRE_PEER_BAD:
		if (wire_get_peer_bad(m, &peer) != SG_OK)
			return false;
		c->events->peer_bad(c->ctx, c, &peer);
		return true;
	default: return false;
	}
}

static void on_end(void *ctx, bool bad)
{
	struct child *c = (struct child *)ctx;

	channel_close(c->control);
	c->control = NULL;
	if (bad) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		child_kill(c, "its messages make no sense");
	} else if (c->process != NULL) {
		/* It is ending.  If it hangs in that, it is of no use. */
		set_timer(c, GONE_WITHIN_MS);
	}
}

static const struct channel_events CONTROL_EVENTS = {.message = on_message,
						     .end = on_end};

/* --- its end ------------------------------------------------------------- */

static void free_process(uv_handle_t *handle)
{
	free(handle);
}

/* Has it ended because its work is done?  A smith does one task. */
static bool has_finished(const struct child *c, int64_t status, int signal)
{
	return status == ROLE_EXIT_DRAINED && signal == 0 &&
	       (c->draining || (c->role == WIRE_SMITH && c->was_up));
}

static void schedule_restart(struct child *c, bool finished)
{
	const uint32_t wait_ms =
		finished ? 0 : restart_died(&c->restart, clock_mono_us());

	c->waiting = wait_ms > 0;
	if (c->waiting)
		set_timer(c, wait_ms);
	else
		(void)uv_timer_stop(&c->timer);
}

/* May the death of C be logged?  Once a minute where it keeps dying. */
static bool may_tell(struct child *c)
{
	const uint64_t now = clock_mono_us();

	if (c->muted &&
	    (c->away || now - c->told_us < (uint64_t)TELL_EVERY_MS * 1000))
		return false;
	c->told_us = now;
	return true;
}

static void log_death(struct child *c, int64_t status, int signal)
{
	const bool orderly = has_finished(c, status, signal);

	if (signal == SIGSYS) { /* whatever else is left out */
		metrics_add_to(c->page, METRIC_SANDBOX_KILLS, 1);
		log_event(LOG_ERROR, "sandbox-kill",
			  "process=%s/%u pid=%d text=\"it made a system call "
			  "that its role forbids: the kernel's log says which; "
			  "see signer/sandbox\"",
			  role_name(c->role), c->slot, c->process->pid);
	}
	if (!may_tell(c))
		return;
	if (c->muted) {
		log_event(LOG_ERROR, "process-keeps-ending",
			  "process=%s/%u times=%u status=%lld signal=%d "
			  "rv=%s",
			  role_name(c->role), c->slot, c->restart.young_deaths,
			  (long long)status, signal, ckr_name(c->last_error));
		return;
	}
	log_event(orderly ? LOG_INFO : LOG_WARNING, "process-ended",
		  "process=%s/%u pid=%d status=%lld signal=%d restart_ms=%llu",
		  role_name(c->role), c->slot, c->process->pid,
		  (long long)status, signal,
		  (unsigned long long)(c->waiting
					       ? uv_timer_get_due_in(&c->timer)
					       : 0));
	if (!c->was_up && !c->killed && !c->draining)
		log_event(LOG_ERROR, "process-never-up",
			  "process=%s/%u likely=\"%s\" see=\"its lines "
			  "above\"",
			  role_name(c->role), c->slot, unmet_start(c));
}

/* With its last words. */
static void close_log(struct child *c)
{
	child_log_close(c->log);
	c->log = NULL;
}

static void on_reaped(uv_process_t *process, int64_t status, int signal)
{
	struct child *c = (struct child *)process->data;

	assert(c->process == process);
	close_log(c);
	c->died = !has_finished(c, status, signal);
	c->last_error = metric_get(c->page, METRIC_LAST_ERROR);
	schedule_restart(c, !c->died);
	log_death(c, status, signal);
	c->process = NULL;
	c->up = c->reloading = c->draining = false;
	/* There may be no next one that would do it. */
	metrics_clear_gauges(c->page);
	c->accuser = 0;
	channel_close(c->control);
	c->control = NULL;
	uv_close((uv_handle_t *)process, free_process);
	if ((c->role == WIRE_HSM || c->role == WIRE_SMITH) &&
	    status == ROLE_EXIT_PIN_REFUSED)
		c->events->pin_refused(c->ctx, c);
	if (c->role == WIRE_CORE && status == ROLE_EXIT_LEDGER_REFUSED)
		c->events->ledger_refused(c->ctx);
	c->events->changed(c->ctx, c);
}

static void on_timer(uv_timer_t *timer)
{
	struct child *c = (struct child *)timer->data;

	if (c->process == NULL) {
		c->waiting = false;
		c->events->changed(c->ctx, c);
	} else if (c->control == NULL) {
		child_kill(c, "it does not end");
	} else if (c->left) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		child_kill(c, "it has left the core, and does not end");
	} else if (!c->up) {
		log_event(LOG_ERROR, "process-not-up",
			  "process=%s/%u after_s=%d likely=\"%s\"",
			  role_name(c->role), c->slot, UP_WITHIN_MS / 1000,
			  unmet_start(c));
		/* The other hsm processes wait for this one's turn to end. */
		if (c->role == WIRE_HSM)
			child_kill(c, "it does not come up");
		else
			set_timer(c, UP_WITHIN_MS);
	}
}

/* --- its start ----------------------------------------------------------- */

static uv_stdio_container_t inherited(int fd)
{
	uv_stdio_container_t s = {.flags = UV_IGNORE};

	if (fd >= 0) {
		s.flags = UV_INHERIT_FD;
		s.data.fd = fd;
	}
	return s;
}

static int spawn(struct child *c, const struct child_fds *fds, int control,
		 int words)
{
	static struct child_env env;
	static char program[] = "signerd";
	static char role_option[] = "--role";
	static char slot_option[] = "--slot";
	char role[16];
	char slot[16];
	static char mute_option[] = "--mute";
	char *args[] = {program,     role_option, role,
			slot_option, slot,	  c->muted ? mute_option : NULL,
			NULL};
	uv_stdio_container_t stdio[STDIO_COUNT];
	uv_process_options_t o = {.file = c->exe,
				  .args = args,
				  .env = env.at,
				  .exit_cb = on_reaped,
				  .stdio = stdio,
				  .stdio_count = STDIO_COUNT};

	(void)snprintf(role, sizeof(role), "%s", role_name(c->role));
	(void)snprintf(slot, sizeof(slot), "%u", c->slot);
	child_env_make(&env, c->role);
	stdio[STDIN_FILENO] = inherited(-1); /* /dev/null */
	stdio[STDOUT_FILENO] = inherited(STDERR_FILENO);
	stdio[STDERR_FILENO] = inherited(STDERR_FILENO);
	stdio[ROLE_FD_CONTROL] = inherited(control);
	stdio[ROLE_FD_CONFIG] = inherited(fds->config);
	stdio[ROLE_FD_METRICS] = inherited(c->metrics_fd);
	stdio[ROLE_FD_POLICY] = inherited(fds->policy_or_listen);
	stdio[ROLE_FD_OPS] = inherited(fds->ops_or_officers);
	stdio[ROLE_FD_PUBLIC] = inherited(fds->public);
	stdio[ROLE_FD_JOURNAL] = inherited(words);
	return uv_spawn(c->timer.loop, c->process, &o);
}

/* Where its lines go; -1: to standard error. */
static int open_log(struct child *c)
{
	char name[16];
	int theirs;

	if (log_journal_descriptor() < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s/%u", role_name(c->role),
		       c->slot);
	(void)!child_log_open(c->timer.loop, name, &c->log, &theirs);
	return theirs;
}

static enum sg_err open_process(struct child *c, const struct child_fds *fds)
{
	int pair[2];
	int words;
	int r;

	if (channel_pair(pair) != 0)
		return SG_IO;
	if (channel_open(c->timer.loop, pair[0], &CONTROL_EVENTS, c,
			 &c->control) != SG_OK) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return SG_IO;
	}
	c->process = (uv_process_t *)calloc(1, sizeof(*c->process));
	if (c->process == NULL) {
		(void)close(pair[1]);
		return SG_NO_MEMORY;
	}
	c->process->data = c;
	words = open_log(c);
	r = spawn(c, fds, pair[1], words);
	(void)close(pair[1]);
	if (words >= 0)
		(void)close(words);
	if (r == 0)
		return SG_OK;
	close_log(c);
	errno = -r;
	uv_close((uv_handle_t *)c->process, free_process);
	c->process = NULL;
	return SG_IO;
}

void child_start(struct child *c, const struct child_fds *fds)
{
	assert(child_due(c));
	c->up = c->was_up = c->killed = false;
	c->reloading = c->draining = c->left = false;
	c->lively_us = clock_mono_us();
	c->cpu_ns = 0;
	restart_started(&c->restart, c->lively_us);
	if (open_process(c, fds) == SG_OK) {
		if (!c->muted)
			log_event(LOG_INFO, "process-started",
				  "process=%s/%u pid=%d", role_name(c->role),
				  c->slot, c->process->pid);
		set_timer(c, UP_WITHIN_MS);
		return;
	}
	log_event(LOG_ERROR, "process-start-failed",
		  "process=%s/%u reason=\"%s\"", role_name(c->role), c->slot,
		  strerrordesc_np(errno));
	channel_close(c->control);
	c->control = NULL;
	/* Never from inside the caller's own loop over its children: at least
	 * a timer's turn from now. */
	c->waiting = true;
	set_timer(c, restart_died(&c->restart, clock_mono_us()));
}

void child_send(struct child *c, const struct wire_packet *w, const int *fds,
		size_t n)
{
	if (c->control != NULL) {
		(void)!channel_send_fds(c->control, w, fds, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

void child_drain(struct child *c)
{
	uint8_t buf[SMALL_PACKET];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	if (c->draining || !child_listens(c))
		return;
	c->draining = true;
	(void)uv_timer_stop(&c->timer);
	if (wire_put_bare(&w, WIRE_DRAIN) == SG_OK)
		child_send(c, &w, NULL, 0);
}

void child_kill(struct child *c, const char *reason)
{
	if (c->process == NULL || c->killed)
		return;
	c->killed = true;
	log_event(LOG_WARNING, "process-killed",
		  "process=%s/%u pid=%d reason=\"%s\"", role_name(c->role),
		  c->slot, c->process->pid, reason);
	(void)uv_process_kill(c->process, SIGKILL);
}

void child_left(struct child *c, uint64_t linked_us)
{
	if (c->process == NULL || c->draining ||
	    c->restart.started_us > linked_us)
		return;
	c->left = true;
	set_timer(c, GONE_WITHIN_MS);
}

void child_forget(struct child *c)
{
	if (c->process != NULL || !c->waiting)
		return;
	c->waiting = false;
	(void)uv_timer_stop(&c->timer);
}

void child_close(struct child *c)
{
	assert(c->process == NULL && c->control == NULL);
	uv_close((uv_handle_t *)&c->timer, NULL);
	(void)close(c->metrics_fd);
}
