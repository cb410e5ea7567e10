/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ATTEMPTS_H
#define SG_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ipc/role.h"

/* attempts: what whoever has taken over a role would try first. */
struct attempt {
	const char *name;
	bool (*try)(void); /* true: it worked */
	unsigned may;	   /* 1 << enum wire_role: whose work it is */
};
extern const struct attempt ATTEMPTS[];
extern const size_t ATTEMPT_COUNT;

/* What they are tried on. */
extern struct attempts_world {
	char pin[1000];	  /* the PIN's file */
	char state[1000]; /* the state's directory */
	char extra[1000]; /* a file that nobody is to make */
	pid_t victim;	  /* a process outside of the sandbox */
	int socket;	  /* UDP, not connected; or -1 */
} attempts_world;

#endif /* SG_ATTEMPTS_H */
