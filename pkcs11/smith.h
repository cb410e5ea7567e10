/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SMITH_H
#define SG_SMITH_H

#include "worker.h"

/*
 * smith: makes and destroys keys: one process an HSM, idle and without the
 * module until the core asks.  It does one task and ends; a fresh one takes its
 * place.  So the sessions that sign never meet C_GenerateKeyPair, and nobody is
 * logged in read-write but for as long as a task takes.
 *
 * The main thread listens to the supervisor and to the core, and watches; one
 * thread does the task.
 */
enum {
	SMITH_RSA_MS = 30000 /* making an RSA key is not hung before */
};

/* Run the role until it ends with one of ROLE_EXIT_* (ipc/role.h): DRAINED also
 * after a task, whatever came of it; PIN_REFUSED.  SETTINGS has a token.
 * Descriptors as in ipc/role.h; role_begin() has been called. */
int smith_run(const struct worker_settings *settings);

#endif /* SG_SMITH_H */
