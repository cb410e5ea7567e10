/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_PROBE_H
#define SG_BENCH_PROBE_H

#include "load.h"

/*
 * probe: single requests at a low rate, meanwhile: how another client fares
 * while something else goes on.  A thread of its own.
 */
struct probe; /* opaque */

/* Start with SETTINGS, whose stop is set by this; what they point to must
 * last.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err probe_start(const struct load_settings *settings,
				    struct probe **out);
/* Stop, and wait for the last answers.  The result lasts as long as P.
 * Errors: load_run()'s, WHY (CAP bytes) says which. */
SG_MUST_USE enum sg_err probe_stop(struct probe *p,
				   const struct load_result **out, char *why,
				   size_t cap);
void probe_free(struct probe *p); /* NULL is allowed; stopped or not */

#endif /* SG_BENCH_PROBE_H */
