/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/verifiers.h"

#include "base/hex.h"
#include "gateways.h"
#include "request.h"

/* Add TEXT to a set of its own. */
static enum sg_err add(const char *text)
{
	struct verifiers v = {.n = 0};
	const enum sg_err err = verifiers_add(&v, span_str(text));

	assert_int_equal(v.n, err == SG_OK);
	verifiers_clear(&v);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_small_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
