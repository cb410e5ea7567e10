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

/* *ABI: the version of Landlock that this kernel has; 0: none, and nothing is
 * closed.  Errors: SG_IO with errno. */
SG_MUST_USE enum sg_err files_enter(const struct sandbox *s, long *abi);

/* The same by version ABI, which the kernel must have: for tests. */
SG_MUST_USE enum sg_err files_enter_by(const struct sandbox *s, long abi);

/* What Landlock of version ABI does not hold, as in "ioctl, signals"; "none".
 * README.md says what each means.  Static. */
const char *files_unheld(long abi);

#endif /* SG_FILES_H */
