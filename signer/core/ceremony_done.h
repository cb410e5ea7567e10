/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CEREMONY_DONE_H
#define SG_CEREMONY_DONE_H

#include "ceremony_store.h"

/*
 * ceremony_done: what came of an operation, as it is kept beside it, in
 * deterministic CBOR:
 *
 *	{? "csr": bstr, "hash": bstr, ? "keys": [+ [tstr, bstr]],
 *	 ? "spki": bstr, "time": int, ? "policy": bstr}
 *
 * hash: SHA-256 of the COSE_Sign; keys: of a genesis.  Pure.
 */

enum { CEREMONY_DONE_BYTES_MAX = 65536 };

/* *LEN as cbor_done().  Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err ceremony_done_encode(
	const struct store_item *item, const uint8_t hash[STORE_HASH_BYTES],
	uint8_t *out, size_t cap, size_t *len);
/* Sets all of OUT but `approved`; spans lie in IN.
 * Errors: SG_MALFORMED (also where it is another HASH's). */
SG_MUST_USE enum sg_err ceremony_done_decode(
	struct span in, const uint8_t hash[STORE_HASH_BYTES],
	struct store_item *out);

#endif /* SG_CEREMONY_DONE_H */
