/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WORKER_H
#define SG_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hcert/cose.h"

/*
 * worker: the vault, one process per instance of a PKCS#11 module.  One thread
 * per session, all receiving from the channel to the core: the kernel is the
 * queue.  The main thread listens to the supervisor and watches for hung
 * calls.  Crash-only: what a new session cannot mend ends the process.
 */
enum {
	WORKER_KEYS_MAX = 64,
	WORKER_LABEL_MAX = 64,
	WORKER_PATH_MAX = 1024,
	WORKER_SESSIONS_MAX = 256,
	WORKER_ENV_MAX = 16
};

struct worker_key_settings {
	char label[WORKER_LABEL_MAX]; /* of the configuration */
	char uri[WORKER_PATH_MAX];    /* RFC 7512: token and object */
	enum cose_alg alg;
	bool ledger; /* EdDSA: an anchor is kept beside it, see anchor.h */
};

struct worker_settings {
	char name[WORKER_LABEL_MAX];	/* of the HSM in the configuration */
	char module[WORKER_PATH_MAX];	/* path of the PKCS#11 module */
	char pin_file[WORKER_PATH_MAX]; /* read at each login, then wiped */
	char token[WORKER_PATH_MAX];	/* RFC 7512: where new keys are made;
					   empty: none are */
	size_t nenv;
	char env[WORKER_ENV_MAX][WORKER_PATH_MAX]; /* "NAME=value" */
	uint32_t sessions;			   /* threads */
	bool session_copies;			   /* of the keys, see copy.h */
	uint32_t hang_ms; /* a PKCS#11 call that takes longer is hung */
	size_t nkeys;
	struct worker_key_settings key[WORKER_KEYS_MAX];
};

/* Run the role until it ends with one of ROLE_EXIT_* (ipc/role.h).  Descriptors
 * as in ipc/role.h; role_begin() has been called. */
int worker_run(const struct worker_settings *settings);

/* Put the environment of SETTINGS into this process's, for the module, which
 * reads it when it is loaded.  Before there are threads.  Errors: SG_CONFIG,
 * SG_NO_MEMORY. */
SG_MUST_USE enum sg_err worker_environment(
	const struct worker_settings *settings);

#endif /* SG_WORKER_H */
