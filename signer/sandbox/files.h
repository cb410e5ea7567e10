/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FILES_H
#define SG_FILES_H

#include "sandbox.h"

/*
 * files: what a process may reach by name: Landlock.  All but the paths of S
 * is closed to it; the supervisor, whose roles begin with what it has, may read
 * on.  Where the kernel has the means, also: no TCP port to bind or connect to
 * (but with S->network), no signal and no abstract socket to the outside.
 */

/* *RULED: false when this kernel has no Landlock.  Errors: SG_IO with errno. */
SG_MUST_USE enum sg_err files_enter(const struct sandbox *s, bool *ruled);

#endif /* SG_FILES_H */
