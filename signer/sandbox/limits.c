/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "relaxed.h"

/* Descriptors: RocksDB keeps its tables open; a module has few files. */
enum { CORE_FILES = 8192, FEW_FILES = 1024 };

void limits_raise(void)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	/* As an ordinary user the limit stays; limits_lock_memory() sees it. */
	(void)setrlimit(RLIMIT_MEMLOCK, &all);
}

static int lower(__rlimit_resource_t what, rlim_t to)
{
	struct rlimit limit;
	rlim_t max;

	if (getrlimit(what, &limit) != 0)
		return -1;
	max = limit.rlim_max;
	if (limit.rlim_max > to)
		limit.rlim_max = to;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	if (setrlimit(what, &limit) == 0)
		return 0;
	/* The kernel lets anybody lower it, valgrind keeps it to itself. */
	limit.rlim_max = max;
	return setrlimit(what, &limit);
}

static rlim_t files_of(enum wire_role role)
{
	switch (role) {
	case WIRE_CORE: return CORE_FILES;
	case WIRE_HSM:
	case WIRE_SMITH:
	case WIRE_WITNESS: return FEW_FILES;
	case WIRE_FRONT: /* a connection is one */
	case WIRE_SUPERVISOR:
	case WIRE_ROLE_COUNT: break;
	}
	return RLIM_INFINITY;
}

enum sg_err limits_lower(const struct sandbox *s)
{
	/* Not RLIMIT_FSIZE: the log may be a file. */
	if (lower(RLIMIT_CORE, 0) != 0 || lower(RLIMIT_MSGQUEUE, 0) != 0 ||
	    lower(RLIMIT_NICE, 0) != 0 || lower(RLIMIT_RTPRIO, 0) != 0 ||
	    lower(RLIMIT_NOFILE, files_of(s->role)) != 0)
		return SG_IO;
	return SG_OK;
}

bool limits_lock_memory(void)
{
	struct rlimit limit;

	/* Below a limit the process would end when it has grown so far. */
	if (SANDBOX_RELAXED || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
	    limit.rlim_cur != RLIM_INFINITY)
		return false;
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}
