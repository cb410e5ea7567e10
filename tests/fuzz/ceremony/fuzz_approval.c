/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an operation with signatures: what is decoded, put together
 * again signature by signature, is the same bytes; and nobody's signature is
 * taken for another one's. */
#include <stdlib.h>

#include "ceremony/approval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A again, in AGAIN: each signature added to what there is. */
static size_t assemble(const struct approved *a,
		       uint8_t again[APPROVED_BYTES_MAX])
{
	static uint8_t next[APPROVED_BYTES_MAX];
	static struct approved part;
	size_t n = a->operation.n;

	memcpy(again, a->operation.p, n);
	for (size_t i = 0; i < a->n; i++) {
		struct officer o = {.alg = a->approval[i].alg};

		memcpy(o.kid, a->approval[i].kid, sizeof(o.kid));
		part = *a;
		part.n = 0;
		if (i > 0 && approved_decode(span_of(again, n), &part) != SG_OK)
			abort();
		if (approved_add(&part, &o, a->approval[i].signature, next,
				 sizeof(next), &n) != SG_OK)
			abort();
		memcpy(again, next, n);
	}
	return n;
}

static bool has_twins(const struct approved *a)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < i; j++)
			if (memcmp(a->approval[i].kid, a->approval[j].kid,
				   ROLL_KID_BYTES) == 0)
				return true;
	return false;
}

/* Each of those who have signed takes it back: less and less is left, and in
 * the end the operation alone. */
static void take_back(const struct approved *a)
{
	static uint8_t message[APPROVED_BYTES_MAX];
	static uint8_t rest[APPROVED_BYTES_MAX];
	static struct approved less;
	struct officer o = {.name = "o"};
	size_t n;

	for (size_t i = 0; i < a->n; i++) {
		o.alg = a->approval[i].alg;
		memcpy(o.kid, a->approval[i].kid, sizeof(o.kid));
		if (approval_message(&o, a->operation, message, sizeof(message),
				     &n) != SG_OK ||
		    approved_drop(a, o.kid, rest, sizeof(rest), &n) != SG_OK)
			abort();
		/* What was signed need not be an operation. */
		if (span_eq(span_of(rest, n), a->operation))
			continue;
		if (approved_decode(span_of(rest, n), &less) != SG_OK ||
		    less.n >= a->n || !span_eq(less.operation, a->operation))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[APPROVED_BYTES_MAX];
	static struct approval_count count;
	static struct approved a;
	static struct operation o;
	static struct roll nobody;
	const char *why;
	size_t n;

	if (approved_decode(span_of(data, size), &a) != SG_OK)
		return 0;
	if (!has_twins(&a)) {
		n = assemble(&a, again);
		if (!span_eq(span_of(again, n), span_of(data, size)))
			abort();
	}
	take_back(&a);
	if (operation_decode(a.operation, &o, &why) != SG_OK)
		return 0;
	if (approval_judge(&nobody, &a, &o, &count) != SG_OK ||
	    count.fault == NULL || count.officers > 0 || count.signed_by_any)
		abort();
	/* By the roll that it brings along: real keys. */
	if (o.kind == OPERATION_GENESIS &&
	    approval_judge(&o.roll, &a, &o, &count) == SG_OK &&
	    count.officers > a.n)
		abort();
	return 0;
}
