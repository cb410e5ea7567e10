/* SPDX-License-Identifier: Apache-2.0 */
/* signerd_probe: the daemon as it is, but that each role, before it enters its
 * sandbox, has copies of itself enter it and try what they must not.  Linked
 * with --wrap=profile_enter. */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "base/log.h"
#include "profile.h"

enum { EXIT_WORKED = 0, EXIT_FAILED_AT_IT = 1, EXIT_NO_SANDBOX = 2 };

enum sg_err __real_profile_enter(const struct config *c, enum wire_role role,
				 unsigned slot);
enum sg_err __wrap_profile_enter(const struct config *c, enum wire_role role,
				 unsigned slot);

/* Another role, if there is one already; or the supervisor. */
static pid_t somebody(void)
{
	const pid_t supervisor = getppid();
	pid_t found = supervisor;
	char path[64];
	FILE *f;
	int p;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
		       (int)supervisor, (int)supervisor);
	f = fopen(path, "re");
	while (f != NULL && found == supervisor && fscanf(f, "%d", &p) == 1)
		if (p != getpid())
			found = p;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static void look_around(const struct config *c)
{
	struct attempts_world *w = &attempts_world;

	(void)snprintf(w->pin, sizeof(w->pin), "%.900s",
		       c->hsm[0].worker.pin_file);
	(void)snprintf(w->state, sizeof(w->state), "%.900s", c->core.state);
	(void)snprintf(w->extra, sizeof(w->extra), "%.900s/extra", c->base);
	w->victim = somebody();
	w->socket = socket(AF_INET, SOCK_DGRAM, 0);
}

static const char *outcome(pid_t p)
{
	int status = 0;

	if (waitpid(p, &status, 0) != p)
		return "lost";
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? "killed" : "crashed";
	switch (WEXITSTATUS(status)) {
	case EXIT_WORKED: return "worked";
	case EXIT_FAILED_AT_IT: return "failed";
	default: return "unsafe";
	}
}

static void probe(const struct config *c, enum wire_role role, unsigned slot,
		  const struct attempt *a)
{
	const pid_t p = fork();

	if (p == 0) {
		if (__real_profile_enter(c, role, slot) != SG_OK)
			_exit(EXIT_NO_SANDBOX);
		_exit(a->try() ? EXIT_WORKED : EXIT_FAILED_AT_IT);
	}
	log_event(LOG_INFO, "sandbox-probe",
		  "role=%s allowed=%u outcome=%s attempt=\"%s\" victim=%s",
		  role_name(role), a->may >> role & 1, outcome(p), a->name,
		  attempts_world.victim == getppid() ? "supervisor" : "role");
}

enum sg_err __wrap_profile_enter(const struct config *c, enum wire_role role,
				 unsigned slot)
{
	if (role != WIRE_SUPERVISOR) {
		look_around(c);
		for (size_t i = 0; i < ATTEMPT_COUNT; i++)
			probe(c, role, slot, &ATTEMPTS[i]);
		if (attempts_world.socket >= 0)
			(void)close(attempts_world.socket);
	}
	return __real_profile_enter(c, role, slot);
}
