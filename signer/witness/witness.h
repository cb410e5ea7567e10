/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WITNESS_H
#define SG_WITNESS_H

#include <stddef.h>

/*
 * witness: the role that takes the ledger's checkpoints to its witnesses (C2SP
 * tlog-witness) and their answers back to the core.  One process, one loop
 * thread.  It judges nothing, and holds no key: who has taken it over can keep
 * cosignatures away, and tell the core lies that it checks.
 */
enum { WITNESS_MAX = 16, WITNESS_URL_MAX = 512, WITNESS_PATH_MAX = 1024 };

/* Their keys are the core's, in the same order (core/core.h). */
struct witness_settings {
	size_t n;
	/* Of each: what "/add-checkpoint" comes after. */
	char url[WITNESS_MAX][WITNESS_URL_MAX];
	char ca[WITNESS_PATH_MAX]; /* PEM; empty: the system's */
};

/* Run the role until it has drained (0) or fails (1).  Descriptors as in
 * ipc/role.h; role_begin() has been called. */
int witness_run(const struct witness_settings *settings);

#endif /* SG_WITNESS_H */
