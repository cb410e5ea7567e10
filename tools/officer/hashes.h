/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_HASHES_H
#define SG_TOOLS_HASHES_H

#include "ledger/revocation.h"

/*
 * hashes: what is to be revoked, from files: a hash a line, in hexadecimal or
 * base64; or batches in JSON, as "signer-auditor revocations" makes them.
 */
struct hashes {
	size_t n, cap;
	uint8_t *p; /* N of REVOCATION_HASH_BYTES */
};

/* Add the hashes of TEXT, a file; batches must be of KIND.
 * Errors: SG_MALFORMED, SG_TOO_BIG, SG_NO_MEMORY, with WHY (CAP bytes). */
SG_MUST_USE enum sg_err hashes_add(struct hashes *h, struct span text,
				   enum revocation_kind kind, char *why,
				   size_t cap);
/* In order, each once. */
void hashes_sort(struct hashes *h);
void hashes_clear(struct hashes *h);

#endif /* SG_TOOLS_HASHES_H */
