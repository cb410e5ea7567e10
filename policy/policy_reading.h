/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_READING_H
#define SG_POLICY_READING_H

#include "policy_file.h"
#include "policy_source.h"

/*
 * policy_reading: one reading of a policy file, and how its faults are told:
 * the common inside of policy_file (profiles, the whole) and policy_grant (a
 * client).
 */
enum { READING_PATH_BYTES = 160 };

struct reading {
	const char *name; /* of the file, in the faults */
	struct faults *faults;
	struct policy_file *out;
};

/* Tell a fault of what is at PATH ("clients[3].kinds"; "" is the file). */
__attribute__((format(printf, 3, 4))) void reading_fault(struct reading *r,
							 const char *path,
							 const char *fmt, ...);
/* A path of our own keys and of indices, so it fits. */
__attribute__((format(printf, 2, 3))) void reading_path(
	char out[READING_PATH_BYTES], const char *fmt, ...);
/* Bytes of TEXT to show in a fault: whole characters (RFC 3629 s. 3). */
int reading_shown(const char *text);
/* Tell that KEY is missing at PATH. */
void reading_missing(struct reading *r, const char *path, const char *key);
/* Check the NAME (may be NULL) of the profile or client at PATH. */
bool reading_check_name(struct reading *r, const char *path, const char *name);

#endif /* SG_POLICY_READING_H */
