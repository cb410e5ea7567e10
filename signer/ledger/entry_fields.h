/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ENTRY_FIELDS_H
#define SG_ENTRY_FIELDS_H

#include "entry.h"

/* Map keys of an entry: see README.md.  8 is not in use.  For entry.c and
 * entry_read.c alone. */
enum entry_field {
	FIELD_TYPE = 1,
	FIELD_TIME,
	FIELD_CLIENT,
	FIELD_KID,
	FIELD_ALG,
	FIELD_KIND,
	FIELD_UVCI_HASH,
	FIELD_REVOCATION = 9,
	FIELD_CONTENT_HASH,
	FIELD_IAT,
	FIELD_EXP,
	FIELD_POLICY,
	FIELD_ATTESTATION,
	FIELD_FROM,
	FIELD_CODES,
	FIELD_RECORDS,
	FIELD_OPERATION,
	FIELD_LABEL,
	FIELD_STATE,
	FIELD_KEY_KID,
	FIELD_OPERATION_HASH,
	FIELD_REFUSAL,
	FIELD_OUTCOME
};

/* How two texts are ordered as keys of a deterministic map (RFC 8949 s.
 * 4.2.1), as memcmp(): the shorter one first, since its head is lower. */
static inline int entry_text_order(struct span a, struct span b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

#endif /* SG_ENTRY_FIELDS_H */
