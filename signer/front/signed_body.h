/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SIGNED_BODY_H
#define SG_SIGNED_BODY_H

#include "dcc_scratch.h"

/*
 * signed_body: a request that its client has signed: a COSE_Sign1 (RFC 9052
 * s. 4.2) whose payload is the request in deterministic CBOR, as a body of its
 * own or as {"signed": COSE_Sign1}.  Taken apart here, and verified by the core
 * alone: what the payload says goes on byte for byte.
 */

/* Working memory; one per front. */
struct signed_body {
	uint8_t cose[WIRE_REQUEST_MAX];
	uint8_t signature[WIRE_SIGNATURE_MAX];
};

/*
 * Take COSE apart: *REQUEST is its payload, in S, and *SIGNATURE the COSE_Sign1
 * with the payload detached, in B; both until the next use.
 * Errors: SG_MALFORMED (with S->detail), SG_DUPLICATE_KEY, SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err signed_body_read(struct signed_body *b,
					 struct dcc_scratch *s,
					 struct span cose, struct span *request,
					 struct span *signature);

/* The same where *REQUEST, a result of a dcc_*_read() in S, is
 * {"signed": bytes}; any other one stays as it is, and *SIGNATURE is empty. */
SG_MUST_USE enum sg_err signed_body_open(struct signed_body *b,
					 struct dcc_scratch *s,
					 struct span *request,
					 struct span *signature);

#endif /* SG_SIGNED_BODY_H */
