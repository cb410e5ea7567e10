/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PROPOSAL_H
#define SG_TOOLS_PROPOSAL_H

#include <jansson.h>

#include "ceremony/operation.h"
#include "ledger/checkpoint.h"

/* proposal: an operation that an officer makes.  Large, as opfile.h.  One
 * thread. */
struct proposal {
	struct operation operation; /* its spans lie in what it was made of */
	uint8_t nonce[OPERATION_NONCE_BYTES];
};

/* What all operations have. */
struct proposal_common {
	enum operation_kind kind;
	struct checkpoint checkpoint; /* of the ledger; origin and all */
	const char *proposer;
	const char *reason; /* NULL: none */
	int64_t now;	    /* seconds since 1970 */
	int64_t lifetime_s; /* until it expires */
};

enum {
	PROPOSAL_LIFETIME_S = 24 * 3600,	/* where nobody says */
	PROPOSAL_LIFETIME_MAX_S = 7 * 24 * 3600 /* signerd's own bound */
};

/* Begin P with what all have, and a fresh nonce.  Errors: SG_INTERNAL. */
SG_MUST_USE enum sg_err proposal_begin(const struct proposal_common *common,
				       struct proposal *p);
/* The checkpoint that DOCUMENT (document.h) tells of; it lies in it.
 * Errors: SG_MALFORMED. */
SG_MUST_USE enum sg_err proposal_checkpoint(const json_t *document,
					    struct checkpoint *out);
/* P's bytes, in OUT of OPERATION_BYTES_MAX, read again as everybody will.
 * Errors, with WHY: SG_MALFORMED, SG_TOO_BIG. */
SG_MUST_USE enum sg_err proposal_encode(const struct proposal *p, uint8_t *out,
					size_t *n, char *why, size_t cap);

#endif /* SG_TOOLS_PROPOSAL_H */
