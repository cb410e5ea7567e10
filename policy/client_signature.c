/* SPDX-License-Identifier: Apache-2.0 */
#include "client_signature.h"

#include <stdlib.h>

#include "client.h"
#include "signed_request.h"

/* Is it by KEY, over the request of Q?  SG_BAD_SIGNATURE: no.  Other errors:
 * SG_NO_MEMORY, SG_INTERNAL: nobody knows. */
static enum sg_err verify(const struct policy_question *q,
			  const struct signed_request *s,
			  const struct verifier *key)
{
	const struct signed_purpose purpose = {
		.operation = span_str(client_operation_name(q->operation)),
		.audience = q->audience};
	const size_t cap = q->request.n + SIGNED_REQUEST_FRAME_MAX;
	uint8_t *tbs = malloc(cap);
	enum sg_err err = SG_INTERNAL; /* our own audience is too long */
	size_t n;

	if (tbs == NULL)
		return SG_NO_MEMORY;
	if (signed_request_tbs(s->prot, &purpose, q->request, tbs, cap, &n) ==
	    SG_OK)
		err = cose_key_verify(key->key, s->alg, span_of(tbs, n),
				      s->signature);
	free(tbs);
	return err == SG_BAD_KEY ? SG_BAD_SIGNATURE : err;
}

/* Older than the client's age, or more than the skew from the future?  The
 * difference of any two times fits an unsigned integer. */
static bool is_stale(int64_t time, int64_t now, int64_t age)
{
	if (time > now)
		return (uint64_t)time - (uint64_t)now > SIGNED_REQUEST_SKEW_S;
	return (uint64_t)now - (uint64_t)time > (uint64_t)age;
}

enum sg_err client_signature_judge(const struct policy_question *q,
				   struct verdict *v, int64_t *signed_at)
{
	const struct client *c = q->client;
	const struct verifier *key = NULL;
	struct signed_request s;
	enum sg_err err = SG_BAD_SIGNATURE;

	*signed_at = INT64_MAX;
	if (q->signature.n == 0) {
		if (c->must_sign)
			verdict_add(v, VIOLATION_SIGNATURE_MISSING, false,
				    SPAN_LIT(""));
		return SG_OK;
	}
	if (signed_request_decode(q->signature, &s) == SG_OK)
		key = verifiers_find(&c->keys, s.kid);
	if (key != NULL)
		err = verify(q, &s, key);
	if (err != SG_OK && err != SG_BAD_SIGNATURE)
		return err;
	if (err == SG_BAD_SIGNATURE)
		verdict_add(v, VIOLATION_SIGNATURE_INVALID, false,
			    SPAN_LIT(""));
	else if (is_stale(s.time, q->now, c->signature_age_s))
		verdict_add(v, VIOLATION_SIGNATURE_STALE, false, SPAN_LIT(""));
	else
		*signed_at = s.time;
	return SG_OK;
}
