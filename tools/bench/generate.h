/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_GENERATE_H
#define SG_BENCH_GENERATE_H

/* Run "signer-bench generate" with the arguments after its name: records to
 * standard output.  Returns the exit status: 0, 1 (they could not be written),
 * 2 (usage). */
int generate_main(int argc, char *argv[]);

#endif /* SG_BENCH_GENERATE_H */
