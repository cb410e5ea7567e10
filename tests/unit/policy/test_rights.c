/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rights.h"

#include "policy/client.h"
#include "request.h"

static struct rule_profile profile;
static struct client client;
static struct document document;

/* A client that may issue vaccinations of VN, by "A", under "U:", and a
 * document of just that. */
static int reset(void **state)
{
	static struct span issuer = SPAN_LIT("A");
	static struct span prefix = SPAN_LIT("U:");

	(void)state;
	rule_profile_init(&profile);
	client = (struct client){.kinds = DCC_KIND_BIT(DCC_VACCINATION),
				 .issuers = {.n = 1, .text = &issuer},
				 .prefixes = {.n = 1, .text = &prefix},
				 .profile = &profile};
	client_grant_country(&client, client_country(SPAN_LIT("VN")));
	document = (struct document){.has_kind = true, .kind = DCC_VACCINATION};
	document.present[DOC_CO] = true;
	document.text[DOC_CO] = SPAN_LIT("VN");
	document.present[DOC_IS] = true;
	document.text[DOC_IS] = SPAN_LIT("A");
	document.present[DOC_CI] = true;
	document.text[DOC_CI] = SPAN_LIT("U:1");
	return 0;
}

static void check(const char *lines)
{
	const struct rule_context context = {
		.client = &client, .profile = &profile, .document = &document};
	struct verdict v;

	verdict_init(&v);
	rights_judge(&context, &v);
	assert_string_equal(verdict_lines(&v), lines);
	assert_int_equal(v.errors, v.n); /* never switchable */
}

static void test_granted(void **state)
{
	(void)state;
	check("");
}

static void test_each(void **state)
{
	(void)state;
	document.text[DOC_CO] = SPAN_LIT("DE");
	check("country-not-allowed /dcc/v/0/co\n");
	(void)reset(state);
	document.text[DOC_IS] = SPAN_LIT("B");
	check("issuer-not-allowed /dcc/v/0/is\n");
	(void)reset(state);
	document.text[DOC_CI] = SPAN_LIT("u:1");
	check("uvci-not-allowed /dcc/v/0/ci\n");
	(void)reset(state);
	document.kind = DCC_TEST;
	check("kind-not-allowed /dcc/t\n");
}

static void test_all_at_once(void **state)
{
	(void)state;
	client = (struct client){.profile = &profile};
	document.kind = DCC_RECOVERY;
	check("kind-not-allowed /dcc/r\ncountry-not-allowed /dcc/r/0/co\n"
	      "issuer-not-allowed /dcc/r/0/is\nuvci-not-allowed /dcc/r/0/ci\n");
}

/* What is absent is the schema's matter, and so is a missing entry. */
static void test_absent(void **state)
{
	(void)state;
	client = (struct client){.profile = &profile};
	memset(document.present, 0, sizeof(document.present));
	check("kind-not-allowed /dcc/v\n");
	document.has_kind = false;
	check("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_granted, reset),
		cmocka_unit_test_setup(test_each, reset),
		cmocka_unit_test_setup(test_all_at_once, reset),
		cmocka_unit_test_setup(test_absent, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
