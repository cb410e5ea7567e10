/* SPDX-License-Identifier: Apache-2.0 */
#include "role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"

const char *role_name(enum wire_role role)
{
	switch (role) {
	case WIRE_SUPERVISOR: return "supervisor";
	case WIRE_FRONT: return "front";
	case WIRE_CORE: return "core";
	case WIRE_HSM: return "hsm";
	case WIRE_WITNESS: return "witness";
	case WIRE_SMITH: return "smith";
	case WIRE_ROLE_COUNT: break;
	}
	return "unknown";
}

static unsigned slot_begun;

unsigned role_slot(void)
{
	return slot_begun;
}

static bool is_control(int fd)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* The supervisor decides when a role ends. */
static const int IGNORED[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM};

static int ignore_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (size_t i = 0; i < sizeof(IGNORED) / sizeof(IGNORED[0]); i++)
		if (sigaction(IGNORED[i], &sa, NULL) != 0)
			return -1;
	(void)sigemptyset(&none);
	return pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* The leak check at the end of a sanitizer's build traces its own process. */
#if defined(__SANITIZE_ADDRESS__)
enum { DUMPABLE = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { DUMPABLE = 1 };
#else
enum { DUMPABLE = 0 };
#endif
#else
enum { DUMPABLE = 0 };
#endif

enum sg_err role_hide_memory(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0) != 0)
		return SG_IO;
	return SG_OK;
}

/* A token in software signs for as long as it is given a CPU.  Were it no less
 * urgent than those who bring it work, it would keep them from doing so until
 * it has none, and the other CPUs none either. */
static void give_way(void)
{
	errno = 0;
	if (nice(ROLE_HSM_NICE) == -1 && errno != 0)
		log_event(LOG_INFO, "hsm-not-nice", "errno=%d", errno);
}

static int take_metrics_page(void)
{
	struct metrics_page *page = metrics_map(ROLE_FD_METRICS, 1);

	if (page == NULL)
		return -1;
	metrics_install(page);
	return close(ROLE_FD_METRICS);
}

enum sg_err role_begin(enum wire_role role, unsigned slot)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%s/%u", role_name(role), slot);
	log_role(name);
	slot_begun = slot;
	log_no_wait(); /* while /proc/self is still ours to open */
	log_journal_by(ROLE_FD_JOURNAL);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0); /* for ps and top */
	if (role == WIRE_HSM)
		give_way();
	if (!is_control(ROLE_FD_CONTROL)) {
		log_event(
			LOG_ERROR, "role-without-supervisor",
			"reason=\"a role is started by the supervisor only\"");
		return SG_IO;
	}
	/* The module of an hsm may run programs: nothing of ours is for them.
	 */
	for (int fd = ROLE_FD_CONTROL; fd <= ROLE_FD_LAST; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    role_hide_memory() != SG_OK || ignore_signals() != 0 ||
	    take_metrics_page() != 0) {
		log_event(LOG_ERROR, "role-begin-failed", "errno=%d", errno);
		return SG_IO;
	}
	return SG_OK;
}
