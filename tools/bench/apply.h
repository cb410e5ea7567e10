/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_APPLY_H
#define SG_BENCH_APPLY_H

#include "bulk.h"

/*
 * apply: brings operations that officers have signed to the server while
 * streams run, one after the other; a thread of its own, and nothing to do in
 * it but to send a message and wait.
 */
enum { APPLY_WHY_MAX = 200 };

struct apply_settings {
	const char *socket;	 /* signerd's administration socket */
	const char *const *file; /* operations, in this order */
	size_t n;		 /* of these */
	uint64_t every_us; /* from one to the next, and before the first */
	const struct bulk_progress *progress; /* when measuring has begun */
};

/* What became of one. */
struct apply_one {
	const char *file;
	bool done;
	uint64_t begun_us, ended_us; /* clock_mono_us(); 0: it was not tried */
	char why[APPLY_WHY_MAX];     /* it is not done; or empty */
};

struct apply; /* opaque */

/*
 * Read the files, and see that the socket is there.  What SETTINGS points at
 * must last.
 * Errors: SG_IO, SG_TOO_BIG, SG_CONFIG, SG_NO_MEMORY; WHY (CAP bytes) says
 * what.
 */
SG_MUST_USE enum sg_err apply_open(const struct apply_settings *settings,
				   struct apply **out, char *why, size_t cap);
/* Begin when measuring has.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err apply_start(struct apply *a);
/* Apply no further one, and wait for the end. */
void apply_stop(struct apply *a);
/* All N, in their order; after apply_stop(). */
const struct apply_one *apply_results(const struct apply *a, size_t *n);
void apply_free(struct apply *a); /* NULL is allowed */

#endif /* SG_BENCH_APPLY_H */
