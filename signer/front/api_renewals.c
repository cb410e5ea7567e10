/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/renewals, where it differs from /v1/certificates: the request may
 * bring the certificate in place of its payload. */
#include "api.h"

enum sg_err api_unwrap(struct api_call *c, struct brought *b, struct problem *p)
{
	struct api *a = c->api;
	struct renewal_fault fault;
	struct wire_violation v = {.warning = false};
	size_t n = 0;

	*p = (struct problem){.err = SG_OK};
	b->presented = span_of(NULL, 0);
	/* What is signed stays as it is, or nobody could verify it. */
	if (!api_is_renewal(c) || b->signature.n > 0)
		return SG_OK;
	p->err = renewal_read(&a->renewal, a->deflate, &a->dcc, &b->request,
			      &b->presented, &fault);
	if (p->err != SG_REFUSED)
		return p->err;
	v.pointer = span_str(fault.pointer);
	v.code = span_str(fault.code);
	v.detail = span_str(fault.detail[api_language(c)]);
	if (wire_violation_put(a->violation, sizeof(a->violation), &n, &v) ==
	    SG_OK)
		p->violations = span_of(a->violation, n);
	return p->err;
}
