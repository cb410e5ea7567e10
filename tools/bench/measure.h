/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_MEASURE_H
#define SG_BENCH_MEASURE_H

#include "apply.h"
#include "bulk.h"
#include "monitor.h"
#include "sample.h"
#include "scrape.h"
#include "tools/common/https.h"
#include "upkeep.h"

/* measure: a bulk run with all that is looked at meanwhile: the server's CPU
 * time and memory, samples of the answers, single requests beside it. */
enum {
	MEASURE_WHY_MAX = 512,
	/* Records before memory is held to be at its height. */
	MEASURE_SETTLED = 50000
};

struct measure_options {
	struct https_settings server;
	const char *metrics; /* URL; NULL: no CPU, no memory */
	bool http2, validate;
	enum records_form form;
	unsigned connections, window;
	uint64_t records, seconds, warmup; /* see bulk_settings */
	unsigned flawed;		   /* share.h; only plain flaws */
	const char *kinds;
	uint64_t seed;
	unsigned verify; /* one answer in so many; 0: none */
	unsigned deaf_s; /* seconds; 0: nobody stops reading */
	unsigned probe;	 /* single requests a second; 0: none */
	uint64_t curve;	 /* memory each so many records; 0: each second */
	uint64_t limit;	 /* signatures a second; 0: not known */
	bool tell;	 /* progress */
	/* Operations to apply meanwhile, one each EVERY seconds; and where. */
	const char *const *file;
	size_t nfiles;
	const char *socket;
	uint64_t every;
};

struct measure_report {
	struct bulk_result bulk;
	struct bulk_progress progress; /* while it runs */
	bool has_server;	       /* the next ones are known */
	uint64_t cpu_us[SCRAPE_ROLES];
	struct upkeep upkeep;
	/* Memory of each role: from the start on, and after the first
	 * MEASURE_SETTLED records. */
	struct monitor_range memory[SCRAPE_ROLES], settled[SCRAPE_ROLES];
	/* While everyone read, while one did not, and after. */
	struct monitor_range by_phase[BULK_PHASES][SCRAPE_ROLES];
	bool has_probe;
	struct load_result probe;
	struct sample_result sample; /* of all answers that were sampled */
	uint64_t issued;     /* by the server's count; with HAS_SERVER */
	struct apply *apply; /* NULL: no operations */
	/* All samples of the memory; NULL where nothing could be measured. */
	struct monitor *samples;
};

/*
 * Owns: what is in R is the caller's, after an error too; measure_release().
 * Errors: SG_CONFIG (KINDS, files), SG_IO, SG_MALFORMED, SG_NO_MEMORY; WHY
 * (MEASURE_WHY_MAX bytes) says what.
 */
SG_MUST_USE enum sg_err measure_run(const struct measure_options *o,
				    struct measure_report *r, char *why);
void measure_release(struct measure_report *r);

/* Did every record get the answer it deserves, every sample verify, and every
 * operation pass? */
bool measure_good(const struct measure_report *r);
/* Records answered a second. */
double measure_rate(const struct measure_report *r);
/* Microseconds of CPU a record, warm-up included. */
double measure_cpu(const struct measure_report *r, uint64_t us);
uint64_t measure_cpu_outside_hsm(const struct measure_report *r);
/* By how much of the least the most is above it, in percent. */
double measure_spread(const struct monitor_range *m);

#endif /* SG_BENCH_MEASURE_H */
