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
	config_free(c);
	c = with("limits:\n", "limits:\n  connections: 1\n");
	assert_int_equal(c->front.client_connections_max, 1);
	config_free(c);
	c = with("limits:\n", "limits:\n  client_connections: 0\n"
			      "  failed_handshakes: 0\n");
	assert_int_equal(c->front.client_connections_max, 0);
	assert_int_equal(c->front.failures_max, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
