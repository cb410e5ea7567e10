/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fileio.h"
#include "base/log.h"

enum {
	ANSWER_WITHIN_MS = 15000,
	SMALL_PACKET = 64,
	NAMES_TEXT = 128,
	FAULT_TEXT = 256
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A span's bytes as a sealed memfd in *OUT. */
static enum sg_err seal(const char *name, struct span text, int *out)
{
	*out = fileio_memfd(name, text);
	if (*out >= 0)
		return SG_OK;
	log_event(LOG_ERROR, "memfd-failed", "name=%s reason=\"%s\"", name,
		  strerrordesc_np(errno));
	return SG_IO;
}

/* Lines of a text, each a line of the log. */
static void log_lines(enum log_level level, const char *event, char *text)
{
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			log_event(level, event, "fault=\"%s\"", line);
}

enum sg_err reload_init(struct reload *l, const char *path,
			struct roster *roster, uv_loop_t *loop,
			struct faults *faults)
{
	struct span policy = {0};
	enum sg_err e;

	*l = (struct reload){.path = path,
			     .roster = roster,
			     .config_fd = -1,
			     .policy_fd = -1,
			     .candidate_config_fd = -1,
			     .candidate_policy_fd = -1,
			     .generation = 1};
	e = config_load(path, &l->config, faults, &l->began, &policy);
	if (e != SG_OK)
		return e;
	tls_files_know(&l->files, &l->config->front);
	log_lines(LOG_ERROR, "config-outdated", l->config->outdated);
	log_lines(LOG_WARNING, "config-doubt", l->config->doubts);
	e = seal("signerd.yaml", l->began, &l->config_fd);
	if (e == SG_OK)
		e = seal("policy.yaml", policy, &l->policy_fd);
	config_text_free(&policy);
	(void)uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	if (e != SG_OK)
		reload_free(l);
	return e;
}

static void drop_candidate(struct reload *l)
{
	config_free(l->candidate);
	l->candidate = NULL;
	close_fd(&l->candidate_config_fd);
	close_fd(&l->candidate_policy_fd);
}

void reload_free(struct reload *l)
{
	drop_candidate(l);
	tls_files_forget(&l->files);
	uv_close((uv_handle_t *)&l->timer, NULL);
	close_fd(&l->config_fd);
	close_fd(&l->policy_fd);
	config_text_free(&l->began);
	config_free(l->config);
	l->config = NULL;
}

void reload_want(struct reload *l)
{
	l->wanted = true;
	reload_step(l);
}

/* --- the new configuration ------------------------------------------------ */

static void refuse(struct reload *l, const char *reason)
{
	metric_add(METRIC_RELOADS_REFUSED, 1);
	log_event(LOG_ERROR, "reload-refused", "reason=\"%s\"", reason);
	l->refused = true;
	drop_candidate(l);
}

static enum sg_err seal_candidate(struct reload *l, struct span text,
				  struct span policy)
{
	struct span joined = {0};
	enum sg_err e = config_join(l->began, text, &joined);

	if (e == SG_OK)
		e = seal("signerd.yaml", joined, &l->candidate_config_fd);
	if (e == SG_OK)
		e = seal("policy.yaml", policy, &l->candidate_policy_fd);
	config_text_free(&joined);
	return e;
}

/* Read the files; on success there is a candidate. */
static void read_candidate(struct reload *l)
{
	char names[NAMES_TEXT];
	char reason[FAULT_TEXT];
	struct faults faults = {0};
	struct span text;
	struct span policy;
	enum sg_err e;

	e = config_load(l->path, &l->candidate, &faults, &text, &policy);
	if (e != SG_OK) {
		log_lines(LOG_ERROR, "config-fault", faults.text);
		refuse(l, err_text(e));
		return;
	}
	if (l->candidate->outdated[0] != '\0') {
		/* The fronts would refuse it, after the core had taken it. */
		log_lines(LOG_ERROR, "config-outdated", l->candidate->outdated);
		refuse(l, "what it names is out of date");
		config_text_free(&text);
		config_text_free(&policy);
		return;
	}
	log_lines(LOG_WARNING, "config-doubt", l->candidate->doubts);
	config_keep_fixed(l->config, l->candidate, names, sizeof(names));
	if (names[0] != '\0')
		log_event(LOG_WARNING, "reload-needs-restart",
			  "sections=\"%s\" "
			  "text=\"their changes wait for a restart\"",
			  names);
	if (!tls_files_try(&l->files, &l->candidate->front, reason,
			   sizeof(reason))) {
		refuse(l, reason);
		config_text_free(&text);
		config_text_free(&policy);
		return;
	}
	e = seal_candidate(l, text, policy);
	config_text_free(&text);
	config_text_free(&policy);
	if (e != SG_OK)
		refuse(l, err_text(e));
}

/* --- telling the roles ---------------------------------------------------- */

static void send_reload(struct child *c, const int *memfd, size_t n)
{
	uint8_t buf[SMALL_PACKET];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	int fd[2] = {-1, -1};

	for (size_t i = 0; i < n; i++) {
		fd[i] = fcntl(memfd[i], F_DUPFD_CLOEXEC, 0);
		if (fd[i] < 0) {
			log_event(LOG_ERROR, "reload-not-sent",
				  "process=%s/%u reason=\"%s\"",
				  role_name(c->role), c->slot,
				  strerrordesc_np(errno));
			close_fd(&fd[0]);
			return;
		}
	}
	c->reloading = true;
	if (wire_put_bare(&w, WIRE_RELOAD) == SG_OK)
		child_send(c, &w, fd, n);
}

static void on_timer(uv_timer_t *timer)
{
	struct reload *l = (struct reload *)timer->data;

	/* A process that does not answer has stopped working. */
	for (size_t i = 0; i < l->roster->n; i++)
		if (l->roster->child[i].reloading)
			child_kill(&l->roster->child[i],
				   "it does not answer to a reload");
}

static void begin(struct reload *l)
{
	struct child *core = roster_core(l->roster);

	l->wanted = l->refused = false;
	l->running = true;
	log_event(LOG_INFO, "reload-started", "config=\"%s\"", l->path);
	if (l->announce)
		(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
				 (unsigned long long)clock_mono_us());
	read_candidate(l);
	if (l->candidate == NULL)
		return;
	(void)uv_timer_start(&l->timer, on_timer, ANSWER_WITHIN_MS, 0);
	send_reload(
		core,
		(const int[]){l->candidate_config_fd, l->candidate_policy_fd},
		2);
	if (!core->reloading)
		refuse(l, "the core could not be asked");
}

/* The fronts have something new to read: the files of tls, at least. */
static void renew(struct reload *l)
{
	l->files_wanted = false;
	l->front_refused = false;
	metric_set(METRIC_TLS_FILES_REFUSED, 0);
	l->generation++;
	roster_core(l->roster)->generation = l->generation;
}

/* The core has taken the candidate: it is in force. */
static void adopt(struct reload *l)
{
	config_free(l->config);
	close_fd(&l->config_fd);
	close_fd(&l->policy_fd);
	l->config = l->candidate;
	l->config_fd = l->candidate_config_fd;
	l->policy_fd = l->candidate_policy_fd;
	l->candidate = NULL;
	l->candidate_config_fd = l->candidate_policy_fd = -1;
	tls_files_adopt(&l->files);
	renew(l);
	log_limit((enum log_level)l->config->log_level);
	metric_add(METRIC_RELOADS, 1);
}

/* Bring the fronts that are up to the configuration in force. */
static void tell_fronts(struct reload *l)
{
	for (size_t i = 0; i < l->roster->n; i++) {
		struct child *c = &l->roster->child[i];

		if (c->role != WIRE_FRONT || !c->up || c->draining ||
		    c->reloading || c->generation == l->generation)
			continue;
		c->generation = l->generation;
		send_reload(c, &l->config_fd, 1);
		(void)uv_timer_start(&l->timer, on_timer, ANSWER_WITHIN_MS, 0);
	}
}

/* The fronts are asked without the core: none of it is its own. */
static void begin_files(struct reload *l)
{
	char reason[FAULT_TEXT];

	l->files_wanted = false;
	if (!tls_files_take(&l->files, &l->config->front, reason,
			    sizeof(reason))) {
		metric_set(METRIC_TLS_FILES_REFUSED, 1);
		log_event(LOG_ERROR, "tls-files-refused", "reason=" LOG_Q,
			  reason);
		return;
	}
	renew(l);
	l->running = l->files_running = true;
}

void reload_up(struct reload *l, const struct child *c)
{
	if (c->role == WIRE_FRONT)
		tls_files_prove(&l->files, &l->config->front);
}

void reload_second(struct reload *l)
{
	if (!l->config->tls_watch ||
	    !tls_files_changed(&l->files, &l->config->front))
		return;
	l->files_wanted = true;
	reload_step(l);
}

static bool all_answered(const struct reload *l)
{
	for (size_t i = 0; i < l->roster->n; i++)
		if (l->roster->child[i].reloading)
			return false;
	return l->candidate == NULL;
}

void reload_step(struct reload *l)
{
	const struct child *core = roster_core(l->roster);

	if (l->wanted && !l->running && core->up && !core->draining)
		begin(l);
	if (l->files_wanted && !l->running)
		begin_files(l);
	tell_fronts(l);
	if (!l->running || !all_answered(l))
		return;
	l->running = false;
	(void)uv_timer_stop(&l->timer);
	if (l->files_running) {
		l->files_running = false;
		log_event(l->front_refused ? LOG_ERROR : LOG_INFO,
			  l->front_refused ? "tls-files-not-taken"
					   : "tls-files-taken",
			  "generation=%u", l->generation);
		return;
	}
	if (l->announce)
		(void)sd_notify(0, "READY=1");
	log_event(LOG_INFO, "reload-done", "generation=%u taken=%d",
		  l->generation, l->refused ? 0 : 1);
}

void reload_answered(struct reload *l, struct child *c,
		     const struct wire_reloaded *m)
{
	log_event(m->ok ? LOG_INFO : LOG_ERROR, "reloaded",
		  "process=%s/%u ok=%d reason=\"%.*s\"", role_name(c->role),
		  c->slot, m->ok ? 1 : 0,
		  m->reason.n < NAMES_TEXT ? (int)m->reason.n : NAMES_TEXT,
		  m->reason.n > 0 ? (const char *)m->reason.p : "");
	if (c->role == WIRE_FRONT && !m->ok) {
		l->front_refused = true;
		metric_set(METRIC_TLS_FILES_REFUSED, 1);
	}
	if (c->role == WIRE_CORE && l->candidate != NULL) {
		if (m->ok)
			adopt(l);
		else
			refuse(l, "the core does not take it");
	}
	reload_step(l);
}

void reload_lost(struct reload *l, struct child *c)
{
	if (c->role == WIRE_CORE && l->candidate != NULL)
		refuse(l, "the core ended over it");
	reload_step(l);
}
