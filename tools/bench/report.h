/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_REPORT_H
#define SG_BENCH_REPORT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "scrape.h"

/* report: what the reports of the bench have in common. */

void report_number(json_t *j, const char *name, double v);
void report_count(json_t *j, const char *name, uint64_t v);
/* {"200": 5, ...} of what is not 0. */
json_t *report_statuses(const uint64_t *by_status);
/* Print J to TO on one line, and drop it. */
void report_put(json_t *j, FILE *to);
double report_mib(uint64_t bytes);

#endif /* SG_BENCH_REPORT_H */
