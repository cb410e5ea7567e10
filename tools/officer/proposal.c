/* SPDX-License-Identifier: Apache-2.0 */
#include "proposal.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "ceremony/operation_members.h"
#include "document.h"

enum sg_err proposal_begin(const struct proposal_common *common,
			   struct proposal *p)
{
	*p = (struct proposal){
		.operation = {.kind = common->kind,
			      .origin = common->checkpoint.origin,
			      .created = common->now,
			      .expires = common->now + common->lifetime_s,
			      .proposer = span_str(common->proposer),
			      .size = common->checkpoint.size,
			      .root = common->checkpoint.root}};
	if (common->reason != NULL)
		p->operation.reason = span_str(common->reason);
	p->operation.nonce = p->nonce;
	return RAND_bytes(p->nonce, sizeof(p->nonce)) == 1 ? SG_OK
							   : SG_INTERNAL;
}

enum sg_err proposal_checkpoint(const json_t *document, struct checkpoint *out)
{
	const char *root = document_text(document, "root");
	const int64_t size = document_int(document, "size");

	out->origin = span_str(document_text(document, "origin"));
	out->size = (uint64_t)size;
	if (out->origin.n == 0 || size < 0 ||
	    strlen(root) != 2 * sizeof(out->root.b) ||
	    !hex_decode(root, out->root.b, sizeof(out->root.b)))
		return SG_MALFORMED;
	return SG_OK;
}

enum sg_err proposal_encode(const struct proposal *p, uint8_t *out, size_t *n,
			    char *why, size_t cap)
{
	static struct operation again;
	const char *fault = NULL;
	enum sg_err err =
		operation_encode(&p->operation, out, OPERATION_BYTES_MAX, n);

	if (err == SG_OK)
		err = operation_decode(span_of(out, *n), &again, &fault);
	if (err != SG_OK && fault == NULL)
		fault = operation_fault(&p->operation);
	if (err != SG_OK)
		(void)snprintf(why, cap, "not such an operation: %s",
			       fault != NULL ? fault : err_text(err));
	return err;
}
