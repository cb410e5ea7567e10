/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SCRAPE_H
#define SG_BENCH_SCRAPE_H

#include "base/err.h"
#include "base/span.h"

/* scrape: numbers from a page in the Prometheus text format (0.0.4). */

enum scrape_role {
	SCRAPE_FRONT,
	SCRAPE_CORE,
	SCRAPE_HSM,
	SCRAPE_SUPERVISOR,
	SCRAPE_ROLES
};

/* The core's threads, and what its loop takes for the ledger. */
enum scrape_thread {
	SCRAPE_LOOP,
	SCRAPE_JOURNAL,
	SCRAPE_SCRIBE,
	SCRAPE_THREADS
};

enum scrape_part { SCRAPE_JOURNAL_FILES, SCRAPE_TILES, SCRAPE_PARTS };

/* "front"; static. */
const char *scrape_role_name(enum scrape_role role);

/* What the bench wants to know, each summed over the processes of a role. */
struct scrape {
	uint64_t cpu_us[SCRAPE_ROLES];
	uint64_t resident_bytes[SCRAPE_ROLES];
	uint64_t thread_us[SCRAPE_THREADS];
	uint64_t ledger_loop_us; /* part of SCRAPE_LOOP's */
	uint64_t ledger_bytes[SCRAPE_PARTS];
	uint64_t issued;
	uint64_t connections;
	bool cpu_present; /* the page had CPU counters at all */
};

/* Read PAGE; lines that are not understood are passed over. */
void scrape_read(struct span page, struct scrape *out);
/* Fetch URL ("/metrics" is added if it has no path) and read it.
 * Errors: SG_IO, SG_MALFORMED (no counters of a signing server) with WHY. */
SG_MUST_USE enum sg_err scrape_fetch(const char *url, struct scrape *out,
				     char *why, size_t cap);

#endif /* SG_BENCH_SCRAPE_H */
