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
struct supervisor_options {
	const char *config; /* path of signerd.yaml */
	const char *exe;    /* the roles' program; NULL: this one.  For tests */
};

/*
 * Run to the end.  Returns the exit status: 0 drained, 1 killed or a failure
 * of the machine, 2 the configuration has faults, a listener or the run
 * directory cannot be had (said on the log).
 */
int supervisor_run(const struct supervisor_options *options);

#endif /* SG_SUPERVISOR_H */
