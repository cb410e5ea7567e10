/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ANCHOR_H
#define SG_ANCHOR_H

#include <stdint.h>

#include "base/span.h"
#include "key.h"
#include "session.h"
#include "watch.h"

/*
 * anchor: a value of the core's, kept on the token beside the ledger's key, so
 * that it does not go back in time with a disk.
 *
 * It lies in data objects (CKO_DATA) of CKA_APPLICATION "signerd" under the
 * CKA_LABEL of the private key, private and modifiable.  There are two of them,
 * written in turn, each with a number that grows and a checksum: whatever is
 * interrupted in one, even by a module that overwrites in place, leaves the
 * other as it was.  The one with the highest number counts.
 */
enum { ANCHOR_BYTES_MAX = 1024 };

struct anchor {
	CK_RV rv; /* of the last call */
	size_t n; /* 0: there is no anchor */
	uint8_t value[ANCHOR_BYTES_MAX];
};

/*
 * Put VALUE into the anchor of KEY, unless it is empty; then read it.  S is of
 * KEY's token, logged in, and read-write (token.h).  Holds the token's lock
 * alone.  Sets *OUT; returns OUT->rv: the module's value, CKR_DATA_LEN_RANGE
 * (VALUE is too long), or CKR_DATA_INVALID (objects are there, and none is
 * whole or there are many more than we ever make; or the token does not give
 * back what was put there).
 */
CK_RV anchor_keep(const struct session *s, const struct key *key,
		  struct span value, struct anchor *out, struct watch *w);

#endif /* SG_ANCHOR_H */
