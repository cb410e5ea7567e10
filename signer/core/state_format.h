/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_STATE_FORMAT_H
#define SG_STATE_FORMAT_H

#include "base/err.h"

/*
 * state_format: the version of what the state directory holds, all files of it
 * together, in its file "format".  It grows when a signerd writes what those
 * before it would misread: see tools/docs/upgrade.md.
 */
enum { STATE_FORMAT = 1 };

/*
 * Look at the file in the directory STATE before anything else there is opened;
 * a directory without one (a new one, or of a time before there was the file)
 * is of version 1 and gets it.
 * Errors, logged: SG_LEDGER_DOWN where the version is newer than STATE_FORMAT
 * or the file is none of ours: nothing was touched; SG_IO.
 */
SG_MUST_USE enum sg_err state_format_check(const char *state);

#endif /* SG_STATE_FORMAT_H */
