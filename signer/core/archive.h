/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ARCHIVE_H
#define SG_ARCHIVE_H

#include "base/err.h"
#include "base/span.h"

/*
 * archive: every policy that was ever in force, as STATE/policies/HASH.yaml,
 * HASH the SHA-256 that entries of the ledger name, in hexadecimal.  Files are
 * never removed.  A policy that could not be kept must not come into force:
 * what it allows could not be explained later.
 */
enum { ARCHIVE_HASH_BYTES = 32 };

/* Keep TEXT, of HASH, in the state directory STATE, durably.  What is there
 * already, and the same, is left alone; what is something else is replaced, and
 * logged (policy-archive-damaged).
 * Errors: SG_IO (errno says why: logged), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err archive_policy(const char *state,
				       const uint8_t hash[ARCHIVE_HASH_BYTES],
				       struct span text);

/* Read the policy of HASH that STATE has kept.
 * Owns: *OUT is the caller's; free() it.  Errors: SG_NOT_FOUND (it is not
 * there, or something else is: logged), SG_NO_MEMORY, SG_INTERNAL. */
SG_MUST_USE enum sg_err archive_read(const char *state,
				     const uint8_t hash[ARCHIVE_HASH_BYTES],
				     uint8_t **out, size_t *n);

#endif /* SG_ARCHIVE_H */
