/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_gateway.h"

#include "policy/policy.h"
#include "policy_text.h"
#include "two_gates.h"

#define REST                                                                   \
	"    identities: [\"uri:u:a\"]\n"                                      \
	"    operations: [issue]\n"                                            \
	"    kinds: [v]\n"                                                     \
	"    countries: [VN]\n"                                                \
	"    issuers: [\"*\"]\n"                                               \
	"    profile: full\n"                                                  \
	"    validity: {v: 1d}\n"
#define HEAD "version: 1\nprofiles: [{name: full}]\n"

/* HEAD, then FMT, in which the first %s are GATE's key, OTHER's, ... */
static const char *file_of(const char *fmt, const char *a, const char *b,
			   const char *c)
{
	static char text[16384];
	const char *key[] = {a, b, c};
	size_t n = 0;
	size_t used = 0;

	for (; *fmt != '\0'; fmt++) {
		if (*fmt != '@') {
			text[n++] = *fmt;
			continue;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
				      key[used++]);
	}
	text[n] = '\0';
	return text;
}

static void test_read(void **state)
{
	struct faults faults = {.n = 0};
	struct policy_file f;
	const char *text =
		file_of(HEAD "gateways:\n"
			     "  - name: a\n"
			     "    keys: ['@']\n"
			     "    max_age: 90m\n"
			     "  - name: b\n"
			     "    keys:\n"
			     "      - |\n"
			     "        -----BEGIN PUBLIC KEY-----\n"
			     "        @\n"
			     "        -----END PUBLIC KEY-----\n"
			     "    max_age: 1d\n"
			     "clients:\n"
			     "  - name: x\n"
			     "    gateways: [b, a]\n"
			     "    require: [attestation]\n" REST "  - name: y\n"
			     "    identities: [\"uri:u:b\"]\n"
			     "    operations: [audit]\n"
			     "    gateways: [b]\n"
			     "  - name: z\n"
			     "    identities: [\"uri:u:c\"]\n"
			     "    operations: [audit]\n",
			gate.text, other.text, "");

	(void)state;
	assert_int_equal(policy_file_read(span_str(text), "p", &f, &faults),
			 SG_OK);
	assert_int_equal(f.ngateways, 2);
	assert_int_equal(f.gateway[0].max_age_s, 5400);
	assert_int_equal(f.gateway[1].max_age_s, 86400);
	assert_memory_equal(f.gateway[0].keys.key[0].kid, gate.kid, 8);
	assert_memory_equal(f.gateway[1].keys.key[0].kid, other.kid, 8);
	assert_int_equal(f.client[0].ngateways, 2);
	assert_ptr_equal(f.client[0].gateway[0], &f.gateway[1]);
	assert_ptr_equal(f.client[0].gateway[1], &f.gateway[0]);
	assert_true(f.client[0].must_attest);
	assert_int_equal(f.client[1].ngateways, 1);
	assert_false(f.client[1].must_attest);
	assert_int_equal(f.client[2].ngateways, 0);
	policy_file_clear(&f);
}

#define CLIENTS "clients:\n  - name: x\n" REST

static void test_gateways(void **state)
{
	(void)state;
	check(file_of(HEAD "gateways:\n"
			   "  - {name: a b, max_age: 1w, keys: [AAAA]}\n"
			   "  - {}\n"
			   "  - {name: c, max_age: 1d, keys: ['@', '@']}\n"
			   "  - {name: c, max_age: 1d, keys: ['@'], key: x}\n"
			   "  - {name: d, max_age: 1d, keys: []}\n" CLIENTS,
		      gate.text, gate.text, gate.text),
	      "p:7: gateways[3]: unknown key \"key\" (known: name, keys, "
	      "max_age)\n"
	      "p:8: gateways[4].keys: must not be empty\n");
	check(file_of(HEAD "gateways:\n"
			   "  - {name: a b, max_age: 1w, keys: [AAAA]}\n"
			   "  - {}\n"
			   "  - {name: c, max_age: 1d, keys: ['@', '@']}\n"
			   "  - {name: c, max_age: 1d, keys: ['@']}\n" CLIENTS,
		      gate.text, gate.text, gate.text),
	      "p:4: gateways[0].name: must be 1 to 64 of the letters "
	      "A-Z a-z 0-9 . _ -\n"
	      "p:4: gateways[0].max_age: must be an integer from 1 on and one "
	      "of s, m, h, d, such as 24h; at most 36525d\n"
	      "p:4: gateways[0].keys[0]: must be a public key in PEM, or its "
	      "DER in base64\n"
	      "p:5: gateways[1].name: is missing\n"
	      "p:5: gateways[1].max_age: is missing\n"
	      "p:5: gateways[1].keys: is missing\n"
	      "p:6: gateways[2].keys[1]: is there twice\n"
	      "p:7: gateways[3]: there are two gateways 'c'\n"
	      "p:7: gateways[3].keys[0]: belongs to gateways[2] as well\n");
}

static void test_keys(void **state)
{
	struct gate weak = gate_of(EVP_EC_gen("P-384"), COSE_NONE);

	(void)state;
	check(file_of(HEAD "gateways:\n"
			   "  - {name: a, max_age: 1h, keys: ['@']}\n" CLIENTS,
		      weak.text, "", ""),
	      "p:4: gateways[0].keys[0]: must be a key on P-256, of RSA with "
	      "2048 to 4096 bits, or Ed25519\n");
	gate_free(&weak);
	check(file_of(HEAD "gateways:\n"
			   "  - {name: a, max_age: 1h, keys: "
			   "[a, b, c, d, e, f, g, h, i]}\n" CLIENTS,
		      "", "", "") /* nine */,
	      "p:4: gateways[0].keys: more than 8 keys\n"
#define BAD(i)                                                                 \
	"p:4: gateways[0].keys[" #i "]: must be a public key in PEM, or its "  \
	"DER in base64\n"
	      BAD(0) BAD(1) BAD(2) BAD(3) BAD(4) BAD(5) BAD(6) BAD(7));
#undef BAD
}

static void test_client(void **state)
{
	(void)state;
	check(HEAD CLIENTS "    require: [attestation]\n",
	      "p:12: clients[0].require[0]: needs gateways whose attestations "
	      "count\n");
	check(file_of(HEAD "gateways: [{name: a, max_age: 1h, keys: "
			   "['@']}]\n" CLIENTS "    gateways: [a, b, a]\n"
			   "    require: [attestation, quota, "
			   "attestation]\n",
		      gate.text, "", ""),
	      "p:13: clients[0].gateways[1]: there is no gateway 'b'\n"
	      "p:13: clients[0].gateways[2]: 'a' is there twice\n"
	      "p:14: clients[0].require[1]: unknown: 'quota'\n"
	      "p:14: clients[0].require[2]: 'attestation' is there twice\n");
	check(HEAD CLIENTS, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_client),
	};

	return cmocka_run_group_tests(tests, open_gates, close_gates);
}
