/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SUITE_H
#define SG_BENCH_SUITE_H

#include <stdio.h>

#include "hcert/cose.h"
#include "scrape.h"
#include "upkeep.h"

/* suite: everything side by side, in one run, for each demo's algorithm. */
enum suite_step {
	SUITE_SINGLE,	/* single requests */
	SUITE_JSON,	/* bulk, JSON to HC1 */
	SUITE_CBOR,	/* bulk, CBOR to COSE */
	SUITE_VALIDATE, /* bulk, nothing signed */
	SUITE_REFUSE,	/* bulk, nothing but faulty records */
	SUITE_STEPS
};

enum { SUITE_DEMOS_MAX = 8, SUITE_RECORDS = 100000000 /* extrapolated to */ };

struct suite_row {
	double rate; /* records answered a second */
	/* Microseconds of CPU a record. */
	double cpu_us[SCRAPE_ROLES], client_us;
	struct upkeep upkeep;	       /* of the bulk steps */
	uint64_t memory[SCRAPE_ROLES]; /* bytes, at most */
	uint64_t p50_us, p99_us;       /* of SUITE_SINGLE */
	bool good;		       /* every answer was right */
};

struct suite_alg {
	enum cose_alg alg;
	double raw_before, raw_after; /* signatures a second, the bare token */
	struct suite_row row[SUITE_STEPS];
};

struct suite_result {
	unsigned cpus, seconds; /* seconds a step */
	double price;		/* of a CPU hour; 0: not told */
	size_t n;
	struct suite_alg alg[SUITE_DEMOS_MAX];
};

/* "bulk JSON to HC1"; static. */
const char *suite_step_name(enum suite_step step);
/* Does it sign? */
bool suite_step_signs(enum suite_step step);
/* The better of the two. */
double suite_raw(const struct suite_alg *a);
double suite_cpu_outside_hsm(const struct suite_row *r);
/* For SUITE_RECORDS records: hours, and hours of CPU. */
double suite_hours(const struct suite_row *r);
double suite_cpu_hours(const struct suite_row *r);

/* For people, and as one JSON object. */
void suite_print_text(const struct suite_result *r, FILE *to);
void suite_print_json(const struct suite_result *r, FILE *to);

/* Run "signer-bench suite" with the arguments after its name; returns the exit
 * status: 0, 1 (an answer was wrong or missing), 2 (usage, no server). */
int suite_main(int argc, char *argv[]);

#endif /* SG_BENCH_SUITE_H */
