/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_MONITOR_H
#define SG_BENCH_MONITOR_H

#include "bulk.h"
#include "scrape.h"

/*
 * monitor: watches the server's memory while a bulk run goes on, and tells how
 * far that is; a thread of its own, so that the streams do not wait for it.
 * The server itself takes its memory once a second.
 */
struct monitor_sample {
	uint64_t records; /* answered when it was taken */
	enum bulk_phase phase;
	uint64_t resident[SCRAPE_ROLES]; /* bytes */
};

struct monitor_settings {
	const char *metrics; /* URL; NULL: only progress is told */
	uint64_t every;	     /* records between samples; 0: each second */
	bool tell;	     /* progress, on standard error */
	struct bulk_progress *progress;
};

struct monitor; /* opaque */

/* What a role took, from the sample after SKIP records to the last. */
struct monitor_range {
	size_t n; /* samples; of 0 the others say nothing */
	uint64_t least, most, last;
};

/* Start it.  Strings of SETTINGS must last.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err monitor_start(const struct monitor_settings *settings,
				      struct monitor **out);
/* Stop it; the samples may be read only then. */
void monitor_stop(struct monitor *m);
void monitor_free(struct monitor *m); /* NULL is allowed */

size_t monitor_count(const struct monitor *m);
const struct monitor_sample *monitor_at(const struct monitor *m, size_t i);
/* Over the samples after SKIP records; PHASE: only of that one, or
 * BULK_PHASES: of all but BULK_OPENING. */
struct monitor_range monitor_range(const struct monitor *m,
				   enum scrape_role role, uint64_t skip,
				   enum bulk_phase phase);

#endif /* SG_BENCH_MONITOR_H */
