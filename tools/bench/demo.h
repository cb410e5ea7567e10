/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_DEMO_H
#define SG_BENCH_DEMO_H

#include <sys/types.h>

#include "base/err.h"
#include "hcert/cose.h"
#include "tools/common/https.h"

/* demo: a directory that tools/quickstart has made, and the server on it. */
enum { DEMO_TEXT_MAX = 512, DEMO_ENVIRONMENT_MAX = 8 };

struct demo {
	char dir[DEMO_TEXT_MAX]; /* absolute */
	char server[DEMO_TEXT_MAX], metrics[DEMO_TEXT_MAX];
	char cert[DEMO_TEXT_MAX], key[DEMO_TEXT_MAX], ca[DEMO_TEXT_MAX];
	char module[DEMO_TEXT_MAX], pin_file[DEMO_TEXT_MAX], uri[DEMO_TEXT_MAX];
	enum cose_alg alg;
	size_t nenvironment; /* of the module */
	char environment[DEMO_ENVIRONMENT_MAX][DEMO_TEXT_MAX]; /* NAME=VALUE */
	pid_t pid; /* of the server that was started here; 0: none */
};

/*
 * Read what DIR's signerd.yaml says, in the form in which quickstart writes it.
 * Errors: SG_CONFIG with WHY (CAP bytes).
 */
SG_MUST_USE enum sg_err demo_read(const char *dir, struct demo *d, char *why,
				  size_t cap);
/* For requests of its client "issuer"; strings lie in D. */
struct https_settings demo_client(const struct demo *d);
/* Set the module's environment in this process; before any thread. */
SG_MUST_USE enum sg_err demo_environment(const struct demo *d);

/*
 * Start the executable SIGNERD on it, unless it runs already, and wait until
 * it is ready.  Its log goes to run/signerd.log.
 * Errors: SG_IO, SG_TIMED_OUT with WHY.
 */
SG_MUST_USE enum sg_err demo_start(struct demo *d, const char *signerd,
				   char *why, size_t cap);
/* Stop it, if it was started here, and wait for its end. */
void demo_stop(struct demo *d);

#endif /* SG_BENCH_DEMO_H */
