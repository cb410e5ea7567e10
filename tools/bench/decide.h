/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_DECIDE_H
#define SG_BENCH_DECIDE_H

/* decide: how long policy_decide() takes, with a policy file and generated
 * records, in this process alone. */

/* With the arguments after "decide"; returns the exit status. */
int decide_main(int argc, char *argv[]);

#endif /* SG_BENCH_DECIDE_H */
