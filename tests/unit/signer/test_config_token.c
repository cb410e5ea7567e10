/* SPDX-License-Identifier: Apache-2.0 */
/* hsms[].token of the configuration, and what it allows. */
#include "config_fixture.h"

#define TOKEN "    token: pkcs11:token=demo\n" /* after line 21 */

/* The good text with TOKEN for the HSM's token. */
static void with_token(const char *token, char *text)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "sessions: 4\n    token: '%s'\n",
		       token);
	fixture_edit(good, "sessions: 4\n", line, text);
}

static void test_takes_a_token(void **state)
{
	char text[FIXTURE_TEXT];
	struct faults faults = {0};
	struct config *c;

	(void)state;
	with_token("pkcs11:token=demo;serial=1", text);
	c = parse(text, &faults);
	assert_non_null(c);
	assert_string_equal(c->hsm[0].worker.token,
			    "pkcs11:token=demo;serial=1");
	assert_true(c->core.hsm[0].makes_keys);
	config_free(c);
	c = parse(good, &faults);
	assert_string_equal(c->hsm[0].worker.token, "");
	assert_false(c->core.hsm[0].makes_keys);
	config_free(c);
}

static void test_names_a_token_only(void **state)
{
	static const struct {
		const char *token;
		const char *fault;
	} bad[] = {
		{"demo", "must be a pkcs11: URI"},
		{"pkcs11:", "must be a pkcs11: URI"},
		{"pkcs11:token=demo;object=dsc-1",
		 "must name a token and no object"},
		{"pkcs11:token=demo;id=%01", "must name a token and no object"},
		{"pkcs11:token=demo;type=private",
		 "must name a token and no object"},
		{"pkcs11:serial=12", "must name its token: token=LABEL"},
		{"pkcs11:token=", "must name its token: token=LABEL"},
		{"pkcs11:token=demo;token=demo", "has an attribute twice"},
		{"pkcs11:token=demo;colour=red",
		 "has an attribute that is not known"},
		{"pkcs11:token=demo?pin-value=1", "PIN and module"},
		{"pkcs11:token=d%zz", "has a % without"},
	};
	char text[FIXTURE_TEXT];
	char fault[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		with_token(bad[i].token, text);
		(void)snprintf(fault, sizeof(fault), ":22: hsms[0].token: %s",
			       bad[i].fault);
		must_fail(text, strstr(bad[i].fault, "PIN and") != NULL
					? "hsms[0].token: must name a token"
					: fault);
	}
}

static void test_is_not_the_ledgers(void **state)
{
	char text[FIXTURE_TEXT];
	char hsm[2048];
	struct faults faults = {0};
	struct config *c;

	(void)state;
	/* Its own HSM makes keys beside it, for the ledger alone. */
	with_token("pkcs11:token=log", text);
	c = parse(text, &faults);
	assert_string_equal(faults.text, "");
	assert_true(c->core.hsm[0].makes_ledger_keys);
	config_free(c);
	with_token("pkcs11:token=demo", text);
	c = parse(text, &faults);
	assert_false(c->core.hsm[0].makes_ledger_keys);
	config_free(c);
	/* Another one of the same module does not. */
	c = parse(good, &faults);
	(void)snprintf(hsm, sizeof(hsm),
		       "hsms:\n"
		       "  - name: other\n"
		       "    module: %s\n"
		       "    pin_file: pin\n"
		       "    processes: 1\n"
		       "    sessions: 2\n"
		       "    token: pkcs11:token=log\n",
		       c->hsm[0].worker.module);
	config_free(c);
	fixture_edit(good, "hsms:\n", hsm, text);
	must_fail(text, "ledger.uri: is on the token for new keys of the "
			"HSM \"other\"");
}

static const char KEYS[] = "keys:\n"
			   "  - label: dsc-1\n"
			   "    hsm: demo\n"
			   "    uri: pkcs11:token=demo;object=dsc-1\n"
			   "    alg: ES256\n"
			   "    kinds: [v, t]\n"
			   "    country: VN\n"
			   "    certificate: dsc.pem\n";

/* Where officers can have keys made, there need not be any. */
static void test_keys_may_be_none(void **state)
{
	static const char *const none[] = {"", "keys: []\n"};
	char text[FIXTURE_TEXT];
	char other[FIXTURE_TEXT];
	struct faults faults = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config *c;

		fixture_edit(good, KEYS, none[i], other);
		must_fail(other, i == 0 ? "keys: is missing, and no HSM has"
					: "keys: must not be empty where");
		fixture_edit(other, "sessions: 4\n", "sessions: 4\n" TOKEN,
			     text);
		c = parse(text, &faults);
		assert_string_equal(faults.text, "");
		assert_int_equal(c->core.nkeys, 1); /* the ledger's */
		assert_true(c->core.key[0].ledger);
		config_free(c);
	}
}

/* It is of the sections that wait for a restart. */
static void test_stays_over_a_reload(void **state)
{
	char text[FIXTURE_TEXT];
	char names[128];
	struct faults faults = {0};
	struct config *began = parse(good, &faults);
	struct config *now;

	(void)state;
	with_token("pkcs11:token=demo", text);
	now = parse(text, &faults);
	config_keep_fixed(began, now, names, sizeof(names));
	assert_string_equal(names, "hsms");
	assert_string_equal(now->hsm[0].worker.token, "");
	assert_false(now->core.hsm[0].makes_keys);
	config_free(now);
	config_free(began);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_a_token),
		cmocka_unit_test(test_names_a_token_only),
		cmocka_unit_test(test_is_not_the_ledgers),
		cmocka_unit_test(test_keys_may_be_none),
		cmocka_unit_test(test_stays_over_a_reload),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
