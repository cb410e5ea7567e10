/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LABELS_H
#define SG_LABELS_H

#include "cbor.h"

/*
 * labels: the keys that a COSE header or a CWT has had so far, to find one
 * that comes twice however it is encoded.  Bounded; no allocation.
 */
enum { LABELS_MAX = 32 };

struct labels {
	size_t n;
	struct cbor_item label[LABELS_MAX];
};

/*
 * Add ITEM, a key just read: an integer or definite text (RFC 9052 s. 1.4).
 * Errors: SG_MALFORMED (anything else, or more than LABELS_MAX),
 * SG_DUPLICATE_KEY.
 */
SG_MUST_USE enum sg_err labels_add(struct labels *set,
				   const struct cbor_item *item);

#endif /* SG_LABELS_H */
