/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_BULK_MAIN_H
#define SG_BENCH_BULK_MAIN_H

#include "measure.h"

/* Print what a bulk run with O has found, for people or as one JSON object. */
void bulk_print(const struct measure_options *o, const struct measure_report *r,
		bool json);

/* Run "signer-bench bulk" with the arguments after its name; returns the exit
 * status: 0, 1 (an answer was wrong or missing), 2 (usage, no connection). */
int bulk_main(int argc, char *argv[]);

#endif /* SG_BENCH_BULK_MAIN_H */
