/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/gateway.h"

#include "base/hex.h"
#include "gateways.h"
#include "request.h"

static const uint8_t PERSON[32] = {7};

/* Add TEXT to a gateway of its own. */
static enum sg_err add(const char *text)
{
	struct gateway g = {.n = 0};
	const enum sg_err err = gateway_add_key(&g, span_str(text));

	assert_int_equal(g.n, err == SG_OK);
	gateway_clear(&g);
	return err;
}

static void test_forms(void **state)
{
	struct gate gate = gate_make(COSE_ES256);
	char text[3000];

	(void)state;
	assert_int_equal(add(gate.text), SG_OK);
	(void)snprintf(text, sizeof(text),
		       "-----BEGIN PUBLIC KEY-----\n%.64s\n%s\n"
		       "-----END PUBLIC KEY-----\n",
		       gate.text, gate.text + 64);
	assert_int_equal(add(text), SG_OK);
	(void)snprintf(text, sizeof(text),
		       "-----BEGIN PUBLIC KEY----- %.64s %s "
		       "-----END PUBLIC KEY-----",
		       gate.text, gate.text + 64);
	assert_int_equal(add(text), SG_OK);
	(void)snprintf(text, sizeof(text), "-----BEGIN PUBLIC KEY-----%s",
		       gate.text);
	assert_int_equal(add(text), SG_MALFORMED);
	(void)snprintf(text, sizeof(text),
		       "-----BEGIN CERTIFICATE-----\n%s\n"
		       "-----END CERTIFICATE-----\n",
		       gate.text);
	assert_int_equal(add(text), SG_MALFORMED);
	(void)snprintf(text, sizeof(text), "%s%s", gate.text, gate.text);
	assert_int_equal(add(text), SG_MALFORMED);
	assert_int_equal(add(""), SG_MALFORMED);
	assert_int_equal(add("AAAA"), SG_MALFORMED);
	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(add(text), SG_MALFORMED);
	gate_free(&gate);
}

/* An RSA key of N with the exponent E: what anybody could sign with. */
static EVP_PKEY *rsa_with(EVP_PKEY *real, unsigned e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *out = NULL;

	assert_int_equal(EVP_PKEY_todata(real, EVP_PKEY_PUBLIC_KEY, &params),
			 1);
	for (OSSL_PARAM *p = params; p->key != NULL; p++)
		if (strcmp(p->key, "e") == 0) {
			memset(p->data, 0, p->data_size);
			((uint8_t *)p->data)[0] = (uint8_t)e;
		}
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return out;
}

/* Takes PKEY over. */
static enum sg_err add_key(EVP_PKEY *pkey)
{
	struct gate gate = gate_of(pkey, COSE_NONE);
	const enum sg_err err = add(gate.text);

	gate_free(&gate);
	return err;
}

static void test_weak(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048);

	(void)state;
	assert_int_equal(add_key(EVP_RSA_gen(1024)), SG_BAD_KEY);
	assert_int_equal(add_key(EVP_EC_gen("P-384")), SG_BAD_KEY);
	assert_int_equal(add_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED448")),
			 SG_BAD_KEY);
	assert_int_equal(add_key(rsa_with(rsa, 1)), SG_BAD_KEY);
	assert_int_equal(add_key(rsa), SG_OK);
}

/* By these, signatures that anybody can make are good. */
static void test_small_order(void **state)
{
	static const char *const y[] = {
		/* NOLINTBEGIN(bugprone-suspicious-missing-comma) */
		"00000000000000000000000000000000"
		"00000000000000000000000000000000",
		"00000000000000000000000000000000"
		"00000000000000000000000000000080",
		"01000000000000000000000000000000"
		"00000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0"
		"d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0"
		"d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f"
		"2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffffff",
		/* NOLINTEND(bugprone-suspicious-missing-comma) */
	};
	uint8_t bytes[32];

	(void)state;
	for (size_t i = 0; i < sizeof(y) / sizeof(y[0]); i++) {
		assert_int_equal(strlen(y[i]), 64);
		assert_true(hex_decode(y[i], bytes, sizeof(bytes)));
		assert_int_equal(
			add_key(EVP_PKEY_new_raw_public_key(
				EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes))),
			SG_BAD_KEY);
	}
	assert_int_equal(add_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")),
			 SG_OK);
}

static void verify_with(enum cose_alg alg)
{
	static struct gate gate, other;
	static struct attested sealed;
	struct gateway g = {.n = 0};
	struct attestation_claims c = gate_claims("U:1", PERSON, 5);
	const struct gateway_key *key;
	struct attestation a;

	gate = gate_make(alg);
	other = gate_make(alg);
	sealed = gate_attest(&gate, &c);

	assert_int_equal(gateway_add_key(&g, span_str(other.text)), SG_OK);
	assert_int_equal(gateway_add_key(&g, span_str(gate.text)), SG_OK);
	assert_int_equal(attestation_decode(attested_span(&sealed), &a), SG_OK);
	key = gateway_find(&g, a.kid);
	assert_ptr_equal(key, &g.key[1]);
	assert_int_equal(gateway_verify(key, &a), SG_OK);
	assert_int_equal(gateway_verify(key, &a), SG_OK);
	assert_int_equal(gateway_verify(&g.key[0], &a), SG_BAD_SIGNATURE);
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
	gateway_clear(&g);
	assert_null(gateway_find(&g, a.kid));
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
	struct gateway g = {.n = 0};
	struct attestation_claims c;
	struct attestation a;
	uint8_t bytes[sizeof(hex) / 2];

	(void)state;
	assert_true(hex_decode(hex, bytes, sizeof(bytes)));
	assert_int_equal(gateway_add_key(&g, span_str(key)), SG_OK);
	assert_int_equal(attestation_decode(span_of(bytes, sizeof(bytes)), &a),
			 SG_OK);
	assert_ptr_equal(gateway_find(&g, a.kid), &g.key[0]);
	assert_int_equal(gateway_verify(&g.key[0], &a), SG_OK);
	assert_int_equal(attestation_claims_decode(a.claims, &c), SG_OK);
	assert_true(span_is(c.uvci, "URN:UVCI:01:VN:DEMO/1"));
	assert_int_equal(c.time, 1700000000);
	assert_true(c.verdict);
	gateway_clear(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_small_order),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
