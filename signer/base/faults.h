/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FAULTS_H
#define SG_FAULTS_H

#include <stddef.h>

/* Faults of a policy or configuration file, a line each:
 * "policy.yaml:12: clients[0].kinds: ...\n". */
struct faults {
	size_t n;   /* faults found */
	size_t len; /* bytes of text; what does not fit is only counted */
	char text[8192];
};

/* Add "NAME:LINE: TEXT\n" in front of the later lines of NAME that have faults,
 * else at the end.  LINE 0 is left out, and stands at the end. */
__attribute__((format(printf, 4, 5))) void faults_add(struct faults *f,
						      const char *name,
						      unsigned line,
						      const char *fmt, ...);

#endif /* SG_FAULTS_H */
