/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/gateway.h"

#include "base/hex.h"
#include "gateways.h"
#include "request.h"

static const uint8_t PERSON[32] = {7};

static void verify_with(enum cose_alg alg)
{
	static struct gate gate;
	static struct gate other;
	static struct attested sealed;
	struct gateway g = {.keys = {.n = 0}};
	struct attestation_claims c = gate_claims("U:1", PERSON, 5);
	const struct verifier *key;
	struct attestation a;

	gate = gate_make(alg);
	other = gate_make(alg);
	sealed = gate_attest(&gate, &c);

	assert_int_equal(verifiers_add(&g.keys, span_str(other.text)), SG_OK);
	assert_int_equal(verifiers_add(&g.keys, span_str(gate.text)), SG_OK);
	assert_int_equal(attestation_decode(attested_span(&sealed), &a), SG_OK);
	key = verifiers_find(&g.keys, a.kid);
	assert_ptr_equal(key, &g.keys.key[1]);
	assert_int_equal(gateway_verify(key, &a), SG_OK);
	assert_int_equal(gateway_verify(key, &a), SG_OK);
	assert_int_equal(gateway_verify(&g.keys.key[0], &a), SG_BAD_SIGNATURE);
	/* A bit of the claims, of the signature; another algorithm. */
	sealed.bytes[a.claims.p - sealed.bytes + 5] ^= 1;
	assert_int_equal(gateway_verify(key, &a), SG_BAD_SIGNATURE);
	sealed.bytes[a.claims.p - sealed.bytes + 5] ^= 1;
	sealed.bytes[sealed.n - 1] ^= 1;
	assert_int_equal(gateway_verify(key, &a), SG_BAD_SIGNATURE);
	sealed.bytes[sealed.n - 1] ^= 1;
	assert_int_equal(gateway_verify(key, &a), SG_OK);
	a.alg = alg == COSE_ES256 ? COSE_PS256 : COSE_ES256;
	assert_int_equal(gateway_verify(key, &a), SG_BAD_KEY);
	/* The same claims signed as any other COSE_Sign1 is. */
	sealed = gate_seal(&gate, a.claims, true);
	assert_int_equal(attestation_decode(attested_span(&sealed), &a), SG_OK);
	assert_int_equal(gateway_verify(key, &a), SG_BAD_SIGNATURE);
	verifiers_clear(&g.keys);
	assert_null(verifiers_find(&g.keys, a.kid));
	gate_free(&gate);
	gate_free(&other);
}

static void test_verify(void **state)
{
	(void)state;
	verify_with(COSE_ES256);
	verify_with(COSE_PS256);
	verify_with(COSE_EDDSA);
}

/* The example of README.md, which another implementation has made. */
static void test_example(void **state)
{
	static const char hex[] =
		"d2844da201270448a050837d85070582a05878a6017555524e3a55564349"
		"3a30313a564e3a44454d4f2f310258209a4b35f988f094555b19010309a2"
		"678e209ef97a996d2df6845da18f54dc0bd2035010111213141516171819"
		"1a1b1c1d1e1f0458208b3da5d1de74d6e4e372a65313c07254588cc3ca8a"
		"265698e9b08a77852d4188051a6553f10006f5584034dd8fb1c3a22c1557"
		"c49b18f8d3da004cc522bf248e945440c6892149fa687e2b7cf7ca238a8b"
		"d019b9b8127fa012781dc5183da1f1787d34a0a184a0893a06";
	static const char key[] =
		"MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
	struct gateway g = {.keys = {.n = 0}};
	struct attestation_claims c;
	struct attestation a;
	uint8_t bytes[sizeof(hex) / 2];

	(void)state;
	assert_true(hex_decode(hex, bytes, sizeof(bytes)));
	assert_int_equal(verifiers_add(&g.keys, span_str(key)), SG_OK);
	assert_int_equal(attestation_decode(span_of(bytes, sizeof(bytes)), &a),
			 SG_OK);
	assert_ptr_equal(verifiers_find(&g.keys, a.kid), &g.keys.key[0]);
	assert_int_equal(gateway_verify(&g.keys.key[0], &a), SG_OK);
	assert_int_equal(attestation_claims_decode(a.claims, &c), SG_OK);
	assert_true(span_is(c.uvci, "URN:UVCI:01:VN:DEMO/1"));
	assert_int_equal(c.time, 1700000000);
	assert_true(c.verdict);
	verifiers_clear(&g.keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
