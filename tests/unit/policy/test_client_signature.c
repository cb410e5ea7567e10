/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/client_signature.h"

#include "../hcert/starved.h"
#include "policy/client.h"
#include "request.h"
#include "signing_client.h"

enum { NOW = 1700000000, DAY = 86400 };

static struct gate gate, other;
static struct client client;

static int open_client(void **state)
{
	(void)state;
	gate = gate_make(COSE_ES256);
	other = gate_make(COSE_EDDSA);
	client = (struct client){
		.name = "a", .must_sign = true, .signature_age_s = DAY};
	return verifiers_add(&client.keys, span_str(gate.text)) == SG_OK ? 0
									 : -1;
}

static int close_client(void **state)
{
	(void)state;
	verifiers_clear(&client.keys);
	gate_free(&gate);
	gate_free(&other);
	return 0;
}

static struct policy_question question(void)
{
	return (struct policy_question){.client = &client,
					.operation = CLIENT_ISSUE,
					.request = SPAN_LIT("\xa1\x61\x61\x01"),
					.audience = SPAN_LIT("ledger.test"),
					.now = NOW};
}

static struct signed_purpose purpose_of(const struct policy_question *q)
{
	return (struct signed_purpose){
		.operation = span_str(client_operation_name(q->operation)),
		.audience = q->audience};
}

/* What is said of Q with SIGNATURE: CODE, or VIOLATION_COUNT for nothing. */
static void expect(struct policy_question q, struct span signature,
		   enum violation_code code)
{
	static struct verdict v;
	struct signed_request s;
	int64_t at = 0;

	q.signature = signature;
	verdict_init(&v);
	assert_int_equal(client_signature_judge(&q, &v, &at), SG_OK);
	if (code == VIOLATION_COUNT) {
		assert_int_equal(v.n, 0);
		if (signature.n > 0)
			assert_int_equal(signed_request_decode(signature, &s),
					 SG_OK);
		assert_int_equal(at, signature.n > 0 ? s.time : INT64_MAX);
		return;
	}
	assert_int_equal(at, INT64_MAX);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.errors, 1);
	assert_int_equal(v.violation[0].code, code);
}

static void test_signed(void **state)
{
	static const enum cose_alg algs[] = {COSE_ES256, COSE_PS256,
					     COSE_EDDSA};

	(void)state;
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		struct gate g = gate_make(algs[i]);
		struct policy_question q = question();
		struct signed_purpose purpose = purpose_of(&q);
		struct detached d;

		assert_int_equal(verifiers_add(&client.keys, span_str(g.text)),
				 SG_OK);
		d = client_sign(&g, q.request, &purpose, NOW);
		expect(q, detached_span(&d), VIOLATION_COUNT);
		q.operation = CLIENT_RENEW;
		expect(q, detached_span(&d), VIOLATION_SIGNATURE_INVALID);
		q.operation = CLIENT_VALIDATE;
		expect(q, detached_span(&d), VIOLATION_SIGNATURE_INVALID);
		q = question();
		q.audience = SPAN_LIT("ledger.other");
		expect(q, detached_span(&d), VIOLATION_SIGNATURE_INVALID);
		q = question();
		q.request = SPAN_LIT("\xa1\x61\x61\x02");
		expect(q, detached_span(&d), VIOLATION_SIGNATURE_INVALID);
		/* one bit of it anywhere */
		for (size_t at = 0; at < d.n; at++) {
			d.bytes[at] ^= 1;
			expect(question(), detached_span(&d),
			       VIOLATION_SIGNATURE_INVALID);
			d.bytes[at] ^= 1;
		}
		gate_free(&g);
	}
}

static void test_whose(void **state)
{
	const struct policy_question q = question();
	const struct signed_purpose purpose = purpose_of(&q);
	struct client stranger = client;
	struct detached d = client_sign(&other, q.request, &purpose, NOW);
	struct policy_question in_its_name = q;

	(void)state;
	expect(q, detached_span(&d), VIOLATION_SIGNATURE_INVALID);
	/* Who has no keys, and signs, is not believed either. */
	stranger.keys.n = 0;
	stranger.must_sign = false;
	in_its_name.client = &stranger;
	d = client_sign(&gate, q.request, &purpose, NOW);
	expect(in_its_name, detached_span(&d), VIOLATION_SIGNATURE_INVALID);
	expect(in_its_name, span_of(NULL, 0), VIOLATION_COUNT);
}

static void test_missing(void **state)
{
	struct client may = client;
	struct policy_question q = question();

	(void)state;
	expect(q, span_of(NULL, 0), VIOLATION_SIGNATURE_MISSING);
	expect(q, SPAN_LIT("\xd2"), VIOLATION_SIGNATURE_INVALID);
	may.must_sign = false;
	q.client = &may;
	expect(q, span_of(NULL, 0), VIOLATION_COUNT);
	expect(q, SPAN_LIT("\xd2"), VIOLATION_SIGNATURE_INVALID);
}

static void test_age(void **state)
{
	static const struct {
		int64_t time;
		enum violation_code code;
	} cases[] = {
		{NOW - DAY, VIOLATION_COUNT},
		{NOW - DAY - 1, VIOLATION_SIGNATURE_STALE},
		{NOW + SIGNED_REQUEST_SKEW_S, VIOLATION_COUNT},
		{NOW + SIGNED_REQUEST_SKEW_S + 1, VIOLATION_SIGNATURE_STALE},
		{INT64_MIN, VIOLATION_SIGNATURE_STALE},
		{INT64_MAX, VIOLATION_SIGNATURE_STALE},
	};
	const struct policy_question q = question();
	const struct signed_purpose purpose = purpose_of(&q);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct detached d =
			client_sign(&gate, q.request, &purpose, cases[i].time);

		expect(q, detached_span(&d), cases[i].code);
	}
}

/* Without memory nobody can say that a signature is none. */
static void test_no_memory(void **state)
{
	static struct verdict v;
	struct policy_question q = question();
	const struct signed_purpose purpose = purpose_of(&q);
	const struct detached d = client_sign(&gate, q.request, &purpose, NOW);
	int64_t at = 0;
	enum sg_err err;

	(void)state;
	q.signature = detached_span(&d);
	verdict_init(&v);
	starved = true;
	err = client_signature_judge(&q, &v, &at);
	starved = false;
	assert_int_equal(err, SG_NO_MEMORY);
	assert_int_equal(v.n, 0);
	assert_int_equal(at, INT64_MAX);
	expect(q, q.signature, VIOLATION_COUNT);
}

/* Nor where the audience is none that a client can have signed for. */
static void test_audience_of_ours(void **state)
{
	static struct verdict v;
	static char text[SIGNED_REQUEST_AUDIENCE_MAX + 1];
	struct policy_question q = question();
	const struct signed_purpose purpose = purpose_of(&q);
	const struct detached d = client_sign(&gate, q.request, &purpose, NOW);
	int64_t at = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	q.audience = span_of(text, sizeof(text));
	q.signature = detached_span(&d);
	verdict_init(&v);
	assert_int_equal(client_signature_judge(&q, &v, &at), SG_INTERNAL);
	assert_int_equal(v.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_audience_of_ours),
	};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, open_client, close_client);
}
