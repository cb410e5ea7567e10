/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SERVE_H
#define SG_BENCH_SERVE_H

#include "idle.h"
#include "load.h"
#include "scrape.h"

/* serve: the whole way, from a client's socket and back. */

/* What was found out; absent parts have their flag unset. */
struct serve_report {
	bool http2;
	unsigned concurrency, connections;
	struct load_result load;
	bool has_cpu; /* from the server's metrics */
	uint64_t cpu_us[SCRAPE_ROLES];
	bool has_raw; /* the bare token's rate, a second */
	double raw_before, raw_after;
	const char *sample_fault;
};

/* Print R for people, or as one JSON object. */
void serve_print(const struct serve_report *r, bool json);
void serve_print_idle(const struct idle_result *r, unsigned asked, bool json);

/* Run "signer-bench serve" with the arguments after its name; returns the exit
 * status: 0, 1 (an answer was wrong or missing), 2 (usage, no connection). */
int serve_main(int argc, char *argv[]);

#endif /* SG_BENCH_SERVE_H */
