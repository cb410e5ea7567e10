/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_UVCIS_H
#define SG_TOOLS_UVCIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * uvcis: a set of certificates that are named by the SHA-256 of their UVCI, of
 * which the first 16 bytes, the UCI revocation hash, are enough.  A UVCI itself
 * belongs to a person and is not to stand on a command line.
 */
struct uvcis {
	size_t n, cap;
	struct uvcis_one {
		uint8_t hash[16];
		bool found;
	} * one;
};

/*
 * Read TEXT: hashes of 16 or 32 bytes in hex or base64, parted by commas; or
 * "@FILE" with such text, in which white space parts too.
 * Owns: *OUT is the caller's; uvcis_clear().
 * Errors: SG_CONFIG, SG_IO, SG_NO_MEMORY, with WHY.
 */
SG_MUST_USE enum sg_err uvcis_read(const char *text, struct uvcis *out,
				   char *why, size_t cap);
void uvcis_clear(struct uvcis *u);
/* Add HASH, 16 bytes or more; then, before it is asked for anything, put all in
 * order.  U begins as {0}.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err uvcis_add(struct uvcis *u, const uint8_t *hash);
void uvcis_sort(struct uvcis *u);
/* Is HASH, 16 bytes or more, among them?  Then it counts as found. */
bool uvcis_find(struct uvcis *u, const uint8_t *hash);
/* How many were never found. */
size_t uvcis_missing(const struct uvcis *u);

#endif /* SG_TOOLS_UVCIS_H */
