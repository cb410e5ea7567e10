/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_PLOT_H
#define SG_BENCH_PLOT_H

#include "suite.h"

/*
 * plot: the chart of a suite as SVG 1.1: for each algorithm the rates, with the
 * bare token's as a line, and beside them the CPU time of a record by role.
 * The scale is made for what signs; a longer bar is cut, and says so.
 */
void plot_write(const struct suite_result *r, FILE *to);

#endif /* SG_BENCH_PLOT_H */
