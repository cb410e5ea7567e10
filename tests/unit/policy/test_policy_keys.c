/* SPDX-License-Identifier: Apache-2.0 */
/* policy_keys: the keys that clients sign their requests with. */
#include "policy/policy_keys.h"

#include "policy/policy.h"
#include "policy_text.h"
#include "two_gates.h"

#define HEAD "version: 1\nprofiles: [{name: full}]\nclients:\n"
#define CLIENT(name)                                                           \
	"  - name: " name "\n"                                                 \
	"    identities: [\"uri:u:" name "\"]\n"                               \
	"    operations: [audit]\n"

/* FMT, in which each @ is GATE's key and each ^ is OTHER's. */
static const char *file_of(const char *fmt)
{
	static char text[16384];
	size_t n = 0;

	for (; *fmt != '\0'; fmt++) {
		const char one[] = {*fmt, '\0'};
		const char *part = one;

		if (*fmt == '@')
			part = gate.text;
		else if (*fmt == '^')
			part = other.text;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", part);
	}
	return text;
}

static void test_read(void **state)
{
	struct faults faults = {.n = 0};
	struct policy_file f;
	const char *text = file_of(HEAD CLIENT(
		"x") "    request_keys: ['@', '^']\n"
		     "    request_age: 90m\n"
		     "    require: [signature]\n" CLIENT("y") CLIENT(
			     "z") "    request_keys:\n"
				  "      - |\n"
				  "        -----BEGIN PUBLIC KEY-----\n"
				  "        MCowBQYDK2VwAyEAA6EHv/POEL4dc\n"
				  "        N0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
				  "        -----END PUBLIC KEY-----\n");

	(void)state;
	assert_int_equal(policy_file_read(span_str(text), "p", &f, &faults),
			 SG_OK);
	assert_int_equal(f.client[0].keys.n, 2);
	assert_memory_equal(f.client[0].keys.key[0].kid, gate.kid, 8);
	assert_memory_equal(f.client[0].keys.key[1].kid, other.kid, 8);
	assert_int_equal(f.client[0].signature_age_s, 5400);
	assert_true(f.client[0].must_sign);
	assert_false(f.client[0].must_attest);
	assert_int_equal(f.client[1].keys.n, 0);
	assert_int_equal(f.client[1].signature_age_s, 0);
	assert_false(f.client[1].must_sign);
	/* May sign, and need not: a day's file, signed the night before. */
	assert_int_equal(f.client[2].keys.n, 1);
	assert_memory_equal(f.client[2].keys.key[0].kid,
			    "\xa0\x50\x83\x7d\x85\x07\x05\x82", 8);
	assert_int_equal(f.client[2].signature_age_s, 86400);
	assert_false(f.client[2].must_sign);
	policy_file_clear(&f);
}

/* Nobody signs in the name of two clients. */
static void test_whose(void **state)
{
	(void)state;
	check(file_of(HEAD CLIENT("x") "    request_keys: ['@', '@']\n"),
	      "p:7: clients[0].request_keys[1]: is there twice\n");
	check(file_of(HEAD CLIENT("x") "    request_keys: ['^', '@']\n" CLIENT(
		      "y") "    request_keys: ['@']\n"),
	      "p:11: clients[1].request_keys[0]: belongs to clients[0] as "
	      "well\n");
	/* A gateway's key is another matter: what it signs is no request. */
	check(file_of("gateways: [{name: g, max_age: 1h, keys: ['@']}]\n" HEAD
			      CLIENT("x") "    request_keys: ['@']\n"),
	      "");
}

#define BAD(i)                                                                 \
	"p:7: clients[0].request_keys[" #i "]: must be a public key in PEM, "  \
	"or its DER in base64\n"

static void test_keys(void **state)
{
	struct gate weak = gate_of(EVP_EC_gen("P-384"), COSE_NONE);
	static char text[2048];

	(void)state;
	(void)snprintf(text, sizeof(text),
		       HEAD CLIENT("x") "    request_keys: ['%s']\n",
		       weak.text);
	check(text, "p:7: clients[0].request_keys[0]: must be a key on P-256, "
		    "of RSA with 2048 to 4096 bits, or Ed25519\n");
	gate_free(&weak);
	check(HEAD CLIENT("x") "    request_keys: [a, b, c, d, e, f, g, h, "
			       "i]\n" /* nine */,
	      "p:7: clients[0].request_keys: more than 8 keys\n" BAD(0) BAD(1)
		      BAD(2) BAD(3) BAD(4) BAD(5) BAD(6) BAD(7));
	check(HEAD CLIENT("x") "    request_keys: []\n",
	      "p:7: clients[0].request_keys: must not be empty\n");
	check(HEAD CLIENT("x") "    request_keys: {a: b}\n",
	      "p:7: clients[0].request_keys: must be a list\n");
}

static void test_age(void **state)
{
	(void)state;
	check(HEAD CLIENT("x") "    request_age: 1h\n",
	      "p:7: clients[0].request_age: needs request_keys\n");
	check(file_of(HEAD CLIENT("x") "    request_keys: ['@']\n"
				       "    request_age: 0s\n"),
	      "p:8: clients[0].request_age: must be an integer from 1 on and "
	      "one of s, m, h, d, such as 24h; at most 36525d\n");
	check(file_of(HEAD CLIENT("x") "    request_keys: ['@']\n"
				       "    request_age: 36525d\n"),
	      "");
}

static void test_require(void **state)
{
	(void)state;
	check(HEAD CLIENT("x") "    require: [signature]\n",
	      "p:7: clients[0].require[0]: needs request_keys\n");
	check(file_of(HEAD CLIENT("x") "    request_keys: ['@']\n"
				       "    require: [signature, attestation, "
				       "Signature]\n"),
	      "p:8: clients[0].require[1]: needs gateways whose attestations "
	      "count\n"
	      "p:8: clients[0].require[2]: unknown: 'Signature'\n");
	check(file_of("gateways: [{name: g, max_age: 1h, keys: ['^']}]\n" HEAD
			      CLIENT("x") "    gateways: [g]\n"
					  "    request_keys: ['@']\n"
					  "    require: [attestation, "
					  "signature]\n"),
	      "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	cmocka_unit_test(test_whose),
		cmocka_unit_test(test_keys),	cmocka_unit_test(test_age),
		cmocka_unit_test(test_require),
	};

	return cmocka_run_group_tests(tests, open_gates, close_gates);
}
