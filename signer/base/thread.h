/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_THREAD_H
#define SG_THREAD_H

#include <pthread.h>

#include "err.h"

/* thread: threads that work beside one that has a loop. */

/*
 * Run RUN with CTX in a thread that is called NAME, at most 15 bytes, in ps and
 * top.  Signals are for the thread that has the loop: the new one gets none.
 * For one thread at a time, the one that has the loop.
 *
 * Owns: the caller joins *OUT.  Errors: SG_NO_MEMORY, also where there may be
 * no more threads.
 */
SG_MUST_USE enum sg_err thread_start(pthread_t *out, const char *name,
				     void *(*run)(void *ctx), void *ctx);

#endif /* SG_THREAD_H */
