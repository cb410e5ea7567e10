/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_IDLE_H
#define SG_BENCH_IDLE_H

#include "target.h"

/* idle: what a connection costs that does nothing. */
struct idle_result {
	unsigned opened;	  /* handshakes finished */
	uint64_t connections;	  /* that the fronts counted more than before */
	uint64_t resident_before; /* bytes, of all fronts */
	uint64_t resident_after;
	double seconds; /* for opening them all */
};

/*
 * Open N mutually authenticated connections to T, one after the other, keep
 * them, and read the fronts' memory at METRICS (a URL) before and after.
 * Errors: SG_IO, SG_CONFIG with WHY (CAP bytes).
 */
SG_MUST_USE enum sg_err idle_run(const struct target *t, const char *metrics,
				 unsigned n, struct idle_result *out, char *why,
				 size_t cap);

#endif /* SG_BENCH_IDLE_H */
