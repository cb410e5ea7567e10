/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/approval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "officers.h"
#include "tests/unit/hcert/hex.h"
#include "vectors.h"

static uint8_t bytes[APPROVED_BYTES_MAX];
static uint8_t operation_bytes[OPERATION_BYTES_MAX];
static struct approved a;
static struct operation o;
static struct roll r;

/* --- what another program made -------------------------------------------- */

static void vector_roll(void)
{
	memset(&r, 0, sizeof(r));
	assert_int_equal(officer_make(SPAN_LIT("alice"), hex(VECTOR_SPKI_ALICE),
				      &r.officer[0]),
			 SG_OK);
	assert_int_equal(officer_make(SPAN_LIT("bob"), hex(VECTOR_SPKI_BOB),
				      &r.officer[1]),
			 SG_OK);
	assert_int_equal(officer_make(SPAN_LIT("carol"), hex(VECTOR_SPKI_CAROL),
				      &r.officer[2]),
			 SG_OK);
	r.n = 3;
	r.threshold = 2;
	r.stale_s = 1;
	r.proposer_may_approve = true;
	assert_null(roll_fault(&r));
}

static void test_vector(void **state)
{
	const struct span in = hex(VECTOR_SIGN);
	const struct span op = hex(VECTOR_OPERATION);
	struct approval_count count;
	const char *why;
	size_t n;

	(void)state;
	vector_roll();
	assert_int_equal(r.officer[0].alg, COSE_ES256);
	assert_int_equal(r.officer[1].alg, COSE_EDDSA);
	assert_int_equal(r.officer[2].alg, COSE_ES384);
	assert_int_equal(approved_decode(in, &a), SG_OK);
	assert_int_equal(a.n, 3);
	assert_true(span_eq(a.operation, op));
	assert_int_equal(operation_decode(a.operation, &o, &why), SG_OK);
	assert_null(why);
	assert_int_equal(o.kind, OPERATION_STOP);
	assert_true(span_is(o.key, "dsc-7"));
	assert_int_equal(operation_encode(&o, bytes, sizeof(bytes), &n), SG_OK);
	assert_true(span_eq(span_of(bytes, n), op));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(approval_verify(&a, i, &r.officer[i]), SG_OK);
	assert_int_equal(approval_verify(&a, 0, &r.officer[1]),
			 SG_BAD_SIGNATURE);
	assert_int_equal(approval_judge(&r, &a, &o, &count), SG_OK);
	assert_null(count.fault);
	assert_int_equal(count.officers, 3);
	assert_string_equal(count.first[2], "carol");
	/* Put together again it is the same. */
	assert_int_equal(approved_add(&a, &r.officer[1],
				      a.approval[1].signature, bytes,
				      sizeof(bytes), &n),
			 SG_OK);
	assert_true(span_eq(span_of(bytes, n), in));
}

/* Any other byte anywhere, and it is not accepted. */
static void test_changed(void **state)
{
	const struct span in = hex(VECTOR_SIGN);
	struct approval_count count;
	const char *why;

	(void)state;
	vector_roll();
	memcpy(bytes, in.p, in.n);
	for (size_t i = 0; i < in.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1U << bit);
			if (approved_decode(span_of(bytes, in.n), &a) ==
				    SG_OK &&
			    operation_decode(a.operation, &o, &why) == SG_OK) {
				assert_int_equal(
					approval_judge(&r, &a, &o, &count),
					SG_OK);
				assert_non_null(count.fault);
			}
			bytes[i] ^= (uint8_t)(1U << bit);
		}
	for (size_t n = 0; n < in.n; n++)
		assert_int_not_equal(approved_decode(span_of(bytes, n), &a),
				     SG_OK);
	bytes[in.n] = 0;
	assert_int_equal(approved_decode(span_of(bytes, in.n + 1), &a),
			 SG_MALFORMED);
}

/* --- our own -------------------------------------------------------------- */

static struct span operation_of(enum operation_kind kind)
{
	size_t n;

	officers_operation(kind, &o);
	if (kind == OPERATION_GENESIS)
		o.roll = r;
	pki_must(operation_encode(&o, operation_bytes, sizeof(operation_bytes),
				  &n) == SG_OK);
	return span_of(operation_bytes, n);
}

/* OPERATION_BYTES signed by those of WHO, a bit each, in their order. */
static size_t signed_by(struct span operation, unsigned who)
{
	size_t n = operation.n;

	memcpy(bytes, operation.p, n);
	for (size_t i = 0; i < OFFICERS; i++)
		if ((who & 1U << i) != 0)
			n = officers_approve(&officers[i], span_of(bytes, n),
					     bytes);
	return n;
}

static struct approval_count judged(size_t n)
{
	struct approval_count count;

	assert_int_equal(approved_decode(span_of(bytes, n), &a), SG_OK);
	assert_int_equal(approval_judge(&r, &a, &o, &count), SG_OK);
	return count;
}

static void test_algorithms(void **state)
{
	const struct span op = operation_of(OPERATION_PUBLISH);
	struct approval_count count;

	(void)state;
	officers_roll(4, 3, &r);
	count = judged(signed_by(op, 0));
	assert_null(count.fault);
	assert_int_equal(count.officers, 0);
	assert_false(count.signed_by_any);
	for (unsigned who = 1; who < 16; who++) {
		count = judged(signed_by(op, who));
		assert_null(count.fault);
		assert_int_equal(count.officers, __builtin_popcount(who));
		assert_true(count.signed_by_any);
	}
}

static void test_refused(void **state)
{
	struct span op = operation_of(OPERATION_PUBLISH);
	struct approval_count count;
	size_t n;

	(void)state;
	officers_roll(3, 2, &r);
	/* Somebody else, also one who was an officer once. */
	count = judged(signed_by(op, 1 | 1U << 4));
	assert_string_equal(count.fault, "somebody has signed who is no "
					 "officer");
	count = judged(signed_by(op, 1 | 1U << 3));
	assert_string_equal(count.fault, "somebody has signed who is no "
					 "officer");
	/* Twice: approved_add() puts the second in place of the first. */
	n = signed_by(op, 1);
	n = officers_approve(&officers[0], span_of(bytes, n), bytes);
	assert_int_equal(judged(n).officers, 1);
	assert_int_equal(a.n, 1);
	a.approval[1] = a.approval[0];
	a.n = 2;
	assert_int_equal(approval_judge(&r, &a, &o, &count), SG_OK);
	assert_string_equal(count.fault, "an officer has signed twice");
	/* Another operation under the same signatures. */
	n = signed_by(op, 3);
	assert_int_equal(approved_decode(span_of(bytes, n), &a), SG_OK);
	op = operation_of(OPERATION_DESTROY);
	a.operation = op;
	assert_int_equal(approval_judge(&r, &a, &o, &count), SG_OK);
	assert_string_equal(count.fault, "a signature does not verify");
	/* One officer's under the name of another. */
	n = signed_by(op, 3);
	assert_int_equal(approved_decode(span_of(bytes, n), &a), SG_OK);
	a.approval[0].kid = r.officer[2].kid;
	assert_int_equal(approval_judge(&r, &a, &o, &count), SG_OK);
	assert_string_equal(count.fault, "a signature does not verify");
	/* A proposer whom nobody knows. */
	o.proposer = SPAN_LIT("eve");
	count = judged(n);
	assert_string_equal(count.fault, "its proposer is no officer");
}

static void test_proposer(void **state)
{
	struct span op = operation_of(OPERATION_PUBLISH);
	struct approval_count count;

	(void)state;
	officers_roll(3, 2, &r);
	r.proposer_may_approve = false;
	count = judged(signed_by(op, 3)); /* alice proposes */
	assert_null(count.fault);
	assert_int_equal(count.officers, 1);
	assert_string_equal(count.first[0], "bob");
	count = judged(signed_by(op, 1));
	assert_int_equal(count.officers, 0);
	assert_true(count.signed_by_any);
	/* Nobody is made its proposer by others. */
	count = judged(signed_by(op, 6));
	assert_int_equal(count.officers, 2);
	assert_string_equal(count.fault, "its proposer has not signed it");
	assert_true(count.lacks_proposer);
	count = judged(signed_by(op, 7));
	assert_null(count.fault);
	assert_int_equal(count.officers, 2);
	assert_false(count.lacks_proposer);
	r.proposer_may_approve = true;
	assert_null(judged(signed_by(op, 6)).fault);
	r.proposer_may_approve = false;
	op = operation_of(OPERATION_STOP);
	count = judged(signed_by(op, 1));
	assert_int_equal(count.officers, 1);
	assert_null(count.fault);
	assert_null(judged(signed_by(op, 2)).fault);
	op = operation_of(OPERATION_GENESIS);
	assert_int_equal(judged(signed_by(op, 7)).officers, 3);
}

static void test_drop(void **state)
{
	static uint8_t less[APPROVED_BYTES_MAX];
	const struct span op = operation_of(OPERATION_PUBLISH);
	size_t n = signed_by(op, 7);
	size_t m;

	(void)state;
	officers_roll(3, 2, &r);
	assert_int_equal(approved_decode(span_of(bytes, n), &a), SG_OK);
	assert_int_equal(
		approved_drop(&a, officers[4].o.kid, less, sizeof(less), &m),
		SG_NOT_FOUND);
	assert_int_equal(approved_drop(&a, r.officer[1].kid, less, n / 2, &m),
			 SG_TOO_BIG);
	assert_int_equal(
		approved_drop(&a, r.officer[1].kid, less, sizeof(less), &m),
		SG_OK);
	n = signed_by(op, 5);
	assert_int_equal(m, n);
	/* ECDSA signs anew each time: the same are left all the same. */
	memcpy(bytes, less, m);
	assert_int_equal(judged(m).officers, 2);
	/* The operation alone, when the last is gone. */
	n = signed_by(op, 2);
	assert_int_equal(approved_decode(span_of(bytes, n), &a), SG_OK);
	assert_int_equal(
		approved_drop(&a, r.officer[1].kid, less, op.n - 1, &m),
		SG_TOO_BIG);
	assert_int_equal(
		approved_drop(&a, r.officer[1].kid, less, sizeof(less), &m),
		SG_OK);
	assert_true(span_eq(span_of(less, m), op));
}

/* One spelling only. */
static void test_spelling(void **state)
{
	static const struct {
		const char *hex;
		enum sg_err want;
	} cases[] = {
		{"", SG_MALFORMED},
		{"a0", SG_OK}, /* an operation, not looked into */
		{"80", SG_MALFORMED},
		{"d862", SG_MALFORMED},
		{"d86280", SG_MALFORMED},
		{"d28440a040f6", SG_MALFORMED},		/* COSE_Sign1 */
		{"d8628440a041a080", SG_MALFORMED},	/* another header */
		{"d8628441a0a041a080", SG_MALFORMED},	/* */
		{"d90062844040a041a080", SG_MALFORMED}, /* a long tag */
	};
	const struct span in = hex(VECTOR_SIGN);
	static uint8_t other[APPROVED_BYTES_MAX];
	const size_t head = 3 + 2 + 38; /* to the unprotected map */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(approved_decode(hex(cases[i].hex), &a),
				 cases[i].want);
	/* An unprotected header. */
	assert_int_equal(in.p[head], 0xa0);
	memcpy(other, in.p, head);
	memcpy(other + head, "\xa1\x04\x41\x01", 4);
	memcpy(other + head + 4, in.p + head + 1, in.n - head - 1);
	assert_int_equal(approved_decode(span_of(other, in.n + 3), &a),
			 SG_MALFORMED);
	/* No signature at all. */
	assert_int_equal(approved_decode(in, &a), SG_OK);
	memcpy(other, in.p, in.n);
	other[(size_t)(a.operation.p - in.p) + a.operation.n] = 0x80;
	assert_int_equal(
		approved_decode(span_of(other, (size_t)(a.operation.p - in.p) +
						       a.operation.n + 1),
				&a),
		SG_MALFORMED);
}

static void test_limits(void **state)
{
	static struct approved full;
	const struct span op = operation_of(OPERATION_PUBLISH);
	const uint8_t sig[COSE_SIG_MAX + 1] = {0};
	size_t n;

	(void)state;
	officers_roll(3, 2, &r);
	full.operation = op;
	assert_int_equal(approved_add(&full, &r.officer[0], span_of(sig, 0),
				      bytes, sizeof(bytes), &n),
			 SG_MALFORMED);
	assert_int_equal(approved_add(&full, &r.officer[0],
				      span_of(sig, sizeof(sig)), bytes,
				      sizeof(bytes), &n),
			 SG_TOO_BIG);
	assert_int_equal(approved_add(&full, &r.officer[0], span_of(sig, 64),
				      bytes, 10, &n),
			 SG_TOO_BIG);
	assert_true(n > 64 + op.n);
	full.n = APPROVALS_MAX;
	for (size_t i = 0; i < full.n; i++)
		full.approval[i] =
			(struct approval){.kid = officers[4].o.kid,
					  .prot = SPAN_LIT("p"),
					  .signature = span_of(sig, 64)};
	assert_int_equal(approved_add(&full, &r.officer[0], span_of(sig, 64),
				      bytes, sizeof(bytes), &n),
			 SG_TOO_BIG);
	/* All of them his own: one is left. */
	assert_int_equal(approved_add(&full, &officers[4].o, span_of(sig, 64),
				      bytes, sizeof(bytes), &n),
			 SG_OK);
	assert_int_equal(approved_decode(span_of(bytes, n), &a), SG_OK);
	assert_int_equal(a.n, 1);
	assert_int_equal(approval_message(&r.officer[0], op, bytes, 5, &n),
			 SG_TOO_BIG);
	memset(bytes, 0xa0, sizeof(bytes));
	assert_int_equal(
		approved_decode(span_of(bytes, OPERATION_BYTES_MAX), &a),
		SG_OK);
	assert_int_equal(
		approved_decode(span_of(bytes, OPERATION_BYTES_MAX + 1), &a),
		SG_TOO_BIG);
	assert_int_equal(
		approved_decode(span_of(bytes, APPROVED_BYTES_MAX), &a),
		SG_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_proposer),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_limits),
	};
	const int failed = cmocka_run_group_tests(tests, officers_setup,
						  officers_teardown);

	(void)hex_free(NULL);
	return failed;
}
