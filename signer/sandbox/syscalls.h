/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SYSCALLS_H
#define SG_SYSCALLS_H

#include <stdint.h>

#include "sandbox.h"

/*
 * syscalls: which system calls a process may make: seccomp, for all of its
 * threads.
 *
 *	allowed    what the role's work takes (syscalls_allow.c)
 *	refused    EACCES: a file opened for writing by who writes none, memory
 *	           that becomes executable where no module is loaded
 *	forbidden  the process ends with SIGSYS: what none of our code does, and
 *	           whoever took it over would want first: another program,
 *	           another process's memory, a new socket, ...
 *	the rest   ENOSYS, as from an older kernel: libraries ask for what is
 *	           newer than they need, and know another way
 *
 * The supervisor's roles begin with its filter, so it allows what any of them
 * may do.
 */

/* RULED: files_enter() has closed the file system.  Errors: SG_IO with errno.
 */
SG_MUST_USE enum sg_err syscalls_enter(const struct sandbox *s, bool ruled);

/* --- for syscalls.c: the lists ------------------------------------------- */

struct syscalls_list {
	size_t n;
	const int *call; /* numbers, libseccomp's negative ones too */
};

extern const struct syscalls_list SYSCALLS_COMMON; /* every role */
extern const struct syscalls_list SYSCALLS_WRITE;  /* who writes files */
/* Who writes files, and runs no code but ours. */
extern const struct syscalls_list SYSCALLS_OWN_FILES;
extern const struct syscalls_list SYSCALLS_MODULE; /* who loads a module */
extern const struct syscalls_list SYSCALLS_NETWORK;
extern const struct syscalls_list SYSCALLS_SUPERVISOR;
/* FORBIDDEN; a list above takes a call out of it. */
extern const struct syscalls_list SYSCALLS_FORBIDDEN;

#endif /* SG_SYSCALLS_H */
