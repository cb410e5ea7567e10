/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "files.h"
#include "limits.h"
#include "privileges.h"
#include "syscalls.h"

enum { NAMES_TEXT = 128 };

const char *sandbox_part_name(enum sandbox_part part)
{
	switch (part) {
	case SANDBOX_USER: return "user";
	case SANDBOX_CAPABILITIES: return "capabilities";
	case SANDBOX_SYSTEM_CALLS: return "system-calls";
	case SANDBOX_FILES: return "files";
	case SANDBOX_MEMORY: return "memory";
	case SANDBOX_PARTS: break;
	}
	return "unknown";
}

enum sg_err sandbox_allow(struct sandbox *s, const char *path, unsigned access)
{
	struct sandbox_path *p;

	if (path[0] == '\0')
		return SG_OK; /* nothing is configured */
	if (s->npaths == SANDBOX_PATHS_MAX || strlen(path) >= sizeof(p->path))
		return SG_TOO_BIG;
	p = &s->path[s->npaths++];
	p->access = access;
	(void)snprintf(p->path, sizeof(p->path), "%s", path);
	return SG_OK;
}

/* --- the beginning -------------------------------------------------------- */

/* The first descriptor that the role was not given. */
static unsigned first_foreign_fd(enum wire_role role)
{
	switch (role) {
	case WIRE_FRONT: return ROLE_FD_PUBLIC + 1;
	case WIRE_CORE: return ROLE_FD_OFFICERS + 1;
	case WIRE_HSM:
	case WIRE_SMITH:
	case WIRE_WITNESS: return ROLE_FD_METRICS + 1;
	case WIRE_SUPERVISOR:
	case WIRE_ROLE_COUNT: break;
	}
	return STDERR_FILENO + 1;
}

/* All from FIRST on, but for where the log goes. */
static int close_foreign(unsigned first)
{
	const int a = log_descriptor();
	const int b = log_journal_descriptor();
	const int kept[] = {a < b ? a : b, a < b ? b : a};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const unsigned fd = (unsigned)kept[i];

		if (kept[i] < 0 || fd < first)
			continue;
		if (fd > first && close_range(first, fd - 1, 0) != 0)
			return -1;
		first = fd + 1;
	}
	return close_range(first, ~0U, 0);
}

static enum sg_err failed(enum wire_role role, const char *what)
{
	log_event(LOG_ERROR, "sandbox-failed",
		  "process=%s part=%s reason=\"%s\"", role_name(role), what,
		  strerrordesc_np(errno));
	return SG_IO;
}

enum sg_err sandbox_begin(enum wire_role role, unsigned inherited)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    role_hide_memory() != SG_OK ||
	    close_foreign(first_foreign_fd(role) + inherited) != 0)
		return failed(role, "beginning");
	if (role == WIRE_SUPERVISOR)
		limits_raise();
	return SG_OK;
}

/* --- the rest ------------------------------------------------------------- */

/* Which of the parts are in force. */
struct parts {
	unsigned on;   /* SANDBOX_BIT()s */
	long landlock; /* its version */
	bool failed;
};

static bool wanted(const struct sandbox *s, enum sandbox_part part)
{
	return (s->off & SANDBOX_BIT(part)) == 0;
}

static void put(const struct sandbox *s, struct parts *p,
		enum sandbox_part part, enum sg_err e, bool on)
{
	if (e != SG_OK) {
		(void)failed(s->role, sandbox_part_name(part));
		p->failed = true;
	} else if (on) {
		p->on |= SANDBOX_BIT(part);
	}
}

static bool give_up_privileges(const struct sandbox *s, struct parts *p)
{
	if (wanted(s, SANDBOX_USER))
		put(s, p, SANDBOX_USER, privileges_user(s), true);
	if (geteuid() == 0)
		p->on &= ~SANDBOX_BIT(SANDBOX_USER);
	if (!p->failed && wanted(s, SANDBOX_CAPABILITIES))
		put(s, p, SANDBOX_CAPABILITIES, privileges_drop(s), true);
	return !p->failed;
}

static bool close_ways(const struct sandbox *s, struct parts *p)
{
	if (wanted(s, SANDBOX_FILES)) {
		const enum sg_err e = files_enter(s, &p->landlock);

		put(s, p, SANDBOX_FILES, e, p->landlock > 0);
	}
	if (!p->failed && wanted(s, SANDBOX_SYSTEM_CALLS))
		put(s, p, SANDBOX_SYSTEM_CALLS,
		    syscalls_enter(s, p->landlock > 0), true);
	return !p->failed;
}

/* Those of PARTS, as in "user, files"; "none". */
static const char *names(unsigned parts, char text[NAMES_TEXT])
{
	size_t n = 0;

	(void)snprintf(text, NAMES_TEXT, "none");
	for (int i = 0; i < SANDBOX_PARTS; i++)
		if ((parts & SANDBOX_BIT(i)) != 0)
			n += (size_t)snprintf(
				text + n, NAMES_TEXT - n, "%s%s",
				n > 0 ? ", " : "",
				sandbox_part_name((enum sandbox_part)i));
	return text;
}

static void report(const struct sandbox *s, const struct parts *p)
{
	static const enum metric_id gauges[SANDBOX_PARTS] = {
		[SANDBOX_USER] = METRIC_SANDBOX_USER,
		[SANDBOX_CAPABILITIES] = METRIC_SANDBOX_CAPABILITIES,
		[SANDBOX_SYSTEM_CALLS] = METRIC_SANDBOX_SYSTEM_CALLS,
		[SANDBOX_FILES] = METRIC_SANDBOX_FILES,
		[SANDBOX_MEMORY] = METRIC_SANDBOX_MEMORY};
	const unsigned all = SANDBOX_BIT(SANDBOX_PARTS) - 1;
	const unsigned missing = all & ~p->on & ~s->off;
	char text[2][NAMES_TEXT];

	for (int i = 0; i < SANDBOX_PARTS; i++)
		metric_set(gauges[i], (p->on >> i) & 1);
	log_event(LOG_INFO, "sandbox",
		  "on=\"%s\" missing=\"%s\" landlock=%ld unheld=\"%s\"",
		  names(p->on, text[0]), names(missing, text[1]), p->landlock,
		  files_unheld(p->landlock));
	if (s->off != 0)
		log_event(LOG_WARNING, "sandbox-weakened",
			  "off=\"%s\" text=\"as the configuration says\"",
			  names(s->off, text[0]));
}

enum sg_err sandbox_enter(const struct sandbox *s)
{
	struct parts p = {0};

	metrics_sample_process(); /* from a file that is closed to us then */
	if (limits_lower(s) != SG_OK)
		return failed(s->role, "limits");
	if (wanted(s, SANDBOX_MEMORY) && limits_lock_memory())
		p.on |= SANDBOX_BIT(SANDBOX_MEMORY);
	if (!give_up_privileges(s, &p) || !close_ways(s, &p))
		return SG_IO;
	report(s, &p);
	return SG_OK;
}
