/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SANDBOX_H
#define SG_SANDBOX_H

#include "base/err.h"
#include "ipc/role.h"

/*
 * sandbox: what a process gives up before it does anything else, by role.
 * Today: it never gains privileges (PR_SET_NO_NEW_PRIVS), leaves no core file,
 * cannot be traced by its own user, and keeps no descriptor that its role does
 * not name.  A system call filter (seccomp) and file system rules (Landlock)
 * for each role have their place here and are not in it yet.
 *
 * Call it once, first in the supervisor, after role_begin() in a role.
 * Errors: SG_IO, logged: the process must end.
 */
SG_MUST_USE enum sg_err sandbox_enter(enum wire_role role);

#endif /* SG_SANDBOX_H */
