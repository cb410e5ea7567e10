/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HISTORY_H
#define SG_HISTORY_H

#include "quota.h"

/*
 * history: the hours of all clients (hours.h) as a file of the state directory,
 * so that an alarm knows what is usual after a start, too.  Nothing else is
 * taken from it, and the day's own hours are counted from the journal; so it
 * may be old, or be lost.
 *
 *	signerd hours 1
 *	CLIENT HOUR COUNT
 *	...
 *	end
 */

/* Write the hours of Q to STATE/hours, by a temporary file beside it; it is not
 * synced.  Errors: SG_IO. */
SG_MUST_USE enum sg_err history_save(const char *state, const struct quota *q);
/* The same once in an hour of the clock, WALL_S, unless Q is not counted:
 * *KEPT_S is when it was written last.  What cannot be written is logged. */
void history_keep(const char *state, const struct quota *q, int64_t wall_s,
		  int64_t *kept_s);
/* Count what STATE/hours has of the hours before BEFORE (since 1970) into Q.  A
 * file that is damaged is logged (history-damaged), and nothing of it counts.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err history_load(const char *state, int64_t before,
				     struct quota *q);

#endif /* SG_HISTORY_H */
