/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SELF_H
#define SG_SELF_H

#include "base/err.h"

enum { SELF_PATH_MAX = 1024 };

/*
 * self: what to execute to start this very program again.  That is
 * /proc/self/exe: the file that was started, also after an upgrade put another
 * one in its place.  Only where execve() would find another program there
 * (valgrind's, which runs ours inside of itself) is it the file's path, and
 * then only as long as the file there is the one that was started.
 *
 * OUT has SELF_PATH_MAX bytes.  Errors: SG_IO, logged.
 */
SG_MUST_USE enum sg_err self_path(char *out);

#endif /* SG_SELF_H */
