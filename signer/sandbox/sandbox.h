/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SANDBOX_H
#define SG_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "ipc/role.h"

/*
 * sandbox: what a process gives up, by role, so that one that was taken over
 * can do no more than its role's own work.  README.md has the table.
 */

/* What can be switched off on its own, and is told on its own. */
enum sandbox_part {
	SANDBOX_USER,	      /* it is not root */
	SANDBOX_CAPABILITIES, /* it has none that its role does not need */
	SANDBOX_SYSTEM_CALLS, /* seccomp: syscalls.h */
	SANDBOX_FILES,	      /* Landlock: files.h */
	SANDBOX_MEMORY,	      /* nothing of it is ever swapped out */
	SANDBOX_PARTS
};
enum { SANDBOX_PATH_BYTES = 1024, SANDBOX_PATHS_MAX = 128 };

/* Of a path, and of all that is below it. */
enum sandbox_access {
	SANDBOX_READ = 1,  /* read files, list directories */
	SANDBOX_WRITE = 2, /* and also write, make, rename, remove, and control
			      a device */
	SANDBOX_RUN = 4,   /* execute */
	SANDBOX_LIST = 8   /* list directories, and no more */
};

struct sandbox_path {
	unsigned access; /* enum sandbox_access, together */
	char path[SANDBOX_PATH_BYTES];
};

struct sandbox {
	enum wire_role role;
	unsigned off; /* SANDBOX_BIT()s that the configuration switches off */
	bool network; /* it may open connections */
	bool user;    /* become UID and GID, where the process is root */
	uid_t uid;
	gid_t gid;
	size_t npaths;
	struct sandbox_path path[SANDBOX_PATHS_MAX];
};

#define SANDBOX_BIT(part) (1U << (part))

/* "system-calls", as in the configuration. */
const char *sandbox_part_name(enum sandbox_part part);

/* Add PATH to what S may reach.  What does not exist when S is entered is
 * left out.  SG_TOO_BIG when S or the path is full. */
SG_MUST_USE enum sg_err sandbox_allow(struct sandbox *s, const char *path,
				      unsigned access);

/*
 * The first thing in a process: it never gains privileges
 * (PR_SET_NO_NEW_PRIVS), leaves no core file, cannot be traced by its own user,
 * and keeps no descriptor that its role does not name; the supervisor INHERITED
 * behind the standard ones.  In a role it comes after role_begin().
 * Errors: SG_IO, logged: the process must end.
 */
SG_MUST_USE enum sg_err sandbox_begin(enum wire_role role, unsigned inherited);

/*
 * Give up the rest; there is no way back, and processes that this one starts
 * have given it up, too.  Once, as long as there is one thread.  A part that
 * this kernel does not have is left out; which parts are on is logged, and in
 * this process's signer_sandbox.
 * Errors: SG_IO, logged: the process must end.
 */
SG_MUST_USE enum sg_err sandbox_enter(const struct sandbox *s);

#endif /* SG_SANDBOX_H */
