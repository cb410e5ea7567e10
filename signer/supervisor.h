/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SUPERVISOR_H
#define SG_SUPERVISOR_H

/*
 * supervisor: reads the configuration, opens the listeners and the channels,
 * starts the roles, watches and replaces them.  It handles no request and
 * holds no secret.  One thread.
 *
 *	SIGTERM, SIGINT	drain and end with 0; a second one: kill, end with 1
 *	SIGHUP		read configuration, policy, certificates and CRL anew
 */

/*
 * Run to the end on CONFIG, the path of a signerd.yaml.  Returns the exit
 * status: 0 drained, 1 killed, a failure of the machine, or a ledger that the
 * core refuses, 2 the configuration
 * has faults, a listener or the run directory cannot be had (said on the log).
 */
int supervisor_run(const char *config);

#endif /* SG_SUPERVISOR_H */
