/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CHILD_ENV_H
#define SG_CHILD_ENV_H

#include "ipc/role.h"

/*
 * child_env: all that a role process sees of our environment.  What a PKCS#11
 * module needs comes from the configuration.
 */
enum {
	CHILD_ENV_PASSED = 8, /* of ours */
	CHILD_ENV_TEXT = 4096
};

struct child_env {
	char *at[CHILD_ENV_PASSED + 2]; /* "NAME=value", and NULL behind them */
	char text[CHILD_ENV_PASSED][CHILD_ENV_TEXT];
};

/* For a process of ROLE; a value that does not fit is left out.  For a process
 * with one thread.  Holds pointers into itself. */
void child_env_make(struct child_env *env, enum wire_role role);

#endif /* SG_CHILD_ENV_H */
