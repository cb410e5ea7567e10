/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOLL_H
#define SG_TOLL_H

#include <stdint.h>

/*
 * toll: what the ledger takes of the loop's CPU time, on its metrics page.  A
 * thread's clock costs a system call, so one piece of work in TOLL_ONE_IN is
 * timed, and counted as so many.  Loop thread only.
 */
enum { TOLL_ONE_IN = 64 };

struct toll {
	unsigned turn;
	uint64_t clock_ns; /* what looking at the clock takes of it */
	uint64_t begun_ns; /* 0: this one is not timed */
};

/* A piece of work for the ledger begins, and is over. */
void toll_begin(struct toll *t);
void toll_end(struct toll *t);

#endif /* SG_TOLL_H */
