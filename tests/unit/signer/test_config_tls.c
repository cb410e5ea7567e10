/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_fixture.h"

static struct config *with(const char *what, const char *instead)
{
	char text[FIXTURE_TEXT];
	struct faults faults = {0};
	struct config *c;

	fixture_edit(good, what, instead, text);
	c = parse(text, &faults);
	if (c == NULL)
		fail_msg("%s", faults.text);
	return c;
}

static void test_defaults(void **state)
{
	struct config *c = with("tls:\n", "tls:\n");

	(void)state;
	assert_false(c->front.tls12);
	assert_int_equal(c->front.client_rsa_bits, 3072);
	assert_int_equal(c->front.client_ec_bits, 256);
	assert_int_equal(c->front.client_chain, 3);
	assert_true(c->tls_watch);
	assert_string_equal(c->front.ocsp, "");
	config_free(c);
}

static void test_values(void **state)
{
	struct config *c = with("tls:\n", "tls:\n"
					  "  min_version: \"1.2\"\n"
					  "  client_rsa_bits: 2048\n"
					  "  client_ec_bits: 384\n"
					  "  client_chain: 0\n"
					  "  watch: false\n"
					  "  ocsp_response: server.ocsp\n");

	(void)state;
	assert_true(c->front.tls12);
	assert_int_equal(c->front.client_rsa_bits, 2048);
	assert_int_equal(c->front.client_ec_bits, 384);
	assert_int_equal(c->front.client_chain, 0);
	assert_false(c->tls_watch);
	assert_string_equal(c->front.ocsp, fixture_path(&fix, "server.ocsp"));
	config_free(c);
}

static void test_limits(void **state)
{
	struct config *c = with("tls:\n", "tls:\n");

	(void)state;
	assert_int_equal(c->front.client_connections_max, 15000);
	assert_int_equal(c->front.failures_max, 20);
	assert_int_equal(c->front.address_handshakes_max, 500);
	config_free(c);
	c = with("limits:\n", "limits:\n  connections: 1\n");
	assert_int_equal(c->front.client_connections_max, 1);
	config_free(c);
	c = with("limits:\n", "limits:\n  client_connections: 0\n"
			      "  failed_handshakes: 0\n"
			      "  address_handshakes: 7\n");
	assert_int_equal(c->front.client_connections_max, 0);
	assert_int_equal(c->front.failures_max, 0);
	assert_int_equal(c->front.address_handshakes_max, 7);
	config_free(c);
}

static void test_faults(void **state)
{
	static const struct {
		const char *line, *fault;
	} cases[] = {
		{"client_rsa_bits: 1024", ":9: tls.client_rsa_bits: must be"},
		{"client_ec_bits: 192", ":9: tls.client_ec_bits: must be"},
		{"client_chain: 11", ":9: tls.client_chain: must be"},
		{"client_chain: few", ":9: tls.client_chain: must be"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[FIXTURE_TEXT];
		char lines[128];

		(void)snprintf(lines, sizeof(lines), "tls:\n  %s\n",
			       cases[i].line);
		fixture_edit(good, "tls:\n", lines, text);
		must_fail(text, cases[i].fault);
	}
}

/* --- the key in an HSM ---------------------------------------------------- */

#define PLACE(token)                                                           \
	"  hsm_key:\n"                                                         \
	"    hsm: demo\n"                                                      \
	"    uri: pkcs11:token=" token ";object=server\n"                      \
	"    alg: EdDSA\n"

static void test_hsm_key(void **state)
{
	struct config *c = with("  key: server.key\n", PLACE("tls"));
	const size_t n = c->core.nkeys;
	const struct worker_settings *w = &c->hsm[0].worker;
	size_t i = 0;

	(void)state;
	assert_string_equal(c->front.key, "");
	assert_int_equal(c->front.key_alg, COSE_EDDSA);
	/* Behind the keys of certificates, before the ledger's. */
	assert_string_equal(c->core.key[n - 2].label, "tls");
	assert_true(c->core.key[n - 2].tls);
	assert_int_equal(c->core.key[n - 2].kinds, 0);
	assert_string_equal(c->core.key[n - 2].hsm, w->name);
	assert_true(c->core.key[n - 1].ledger);
	while (i < w->nkeys && strcmp(w->key[i].label, "tls") != 0)
		i++;
	assert_true(i < w->nkeys);
	assert_string_equal(w->key[i].uri, "pkcs11:token=tls;object=server");
	config_free(c);
	c = with("tls:\n", "tls:\n");
	assert_int_equal(c->front.key_alg, COSE_NONE);
	config_free(c);
}

static void test_hsm_key_faults(void **state)
{
	static const struct {
		const char *key, *fault;
	} cases[] = {
		{"", "tls.key: is missing, and so is hsm_key"},
		{"  key: server.key\n" PLACE("tls"),
		 "tls.hsm_key: stands beside key: one of them"},
		{PLACE("tls") "  min_version: \"1.2\"\n",
		 "tls.hsm_key: needs min_version \"1.3\""},
		{PLACE("log"), "ledger.uri: may be on the token of the key "
			       "\"tls\""},
		{PLACE("tls") "    label: dsc-1\n",
		 "tls.hsm_key.label: another key has this label"},
		{PLACE("tls") "    kinds: [v]\n",
		 "tls.hsm_key: unknown key \"kinds\""},
		{"  hsm_key: {hsm: demo, uri: 'pkcs11:token=t;object=s'}\n",
		 "tls.hsm_key.alg: is missing"},
		{"  hsm_key: {hsm: none, uri: 'pkcs11:token=t;object=s', "
		 "alg: ES256}\n",
		 "tls.hsm_key.hsm: there is no HSM \"none\""},
		{"  hsm_key: x\n", "tls.hsm_key: must be a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[FIXTURE_TEXT];

		fixture_edit(good, "  key: server.key\n", cases[i].key, text);
		must_fail(text, cases[i].fault);
	}
}

/* From a file to an HSM, or to another place, takes a restart. */
static void test_hsm_key_stays(void **state)
{
	struct config *file = with("tls:\n", "tls:\n");
	struct config *hsm = with("  key: server.key\n", PLACE("tls"));
	struct config *other = with("  key: server.key\n", PLACE("other"));
	char names[256];

	(void)state;
	config_keep_fixed(hsm, other, names, sizeof(names));
	assert_string_equal(names, "keys, tls");
	config_free(other);
	other = with("  key: server.key\n", PLACE("tls"));
	config_keep_fixed(hsm, other, names, sizeof(names));
	assert_string_equal(names, "");
	config_keep_fixed(hsm, file, names, sizeof(names));
	assert_string_equal(names, "keys, tls");
	assert_int_equal(file->front.key_alg, COSE_EDDSA);
	assert_string_equal(file->front.key, "");
	config_free(file);
	file = with("tls:\n", "tls:\n");
	config_keep_fixed(file, other, names, sizeof(names));
	assert_string_equal(names, "keys, tls");
	assert_int_equal(other->front.key_alg, COSE_NONE);
	assert_string_equal(other->front.key, fixture_path(&fix, "server.key"));
	config_free(file);
	config_free(hsm);
	config_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_hsm_key),
		cmocka_unit_test(test_hsm_key_faults),
		cmocka_unit_test(test_hsm_key_stays),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
