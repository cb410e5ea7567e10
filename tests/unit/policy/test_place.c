/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/place.h"

#include "judged.h"

static void test_places(void **state)
{
	static const char *const expected[DOC_FIELD_COUNT] = {
		[DOC_VER] = "/dcc/ver",	  [DOC_DOB] = "/dcc/dob",
		[DOC_FN] = "/dcc/nam/fn", [DOC_FNT] = "/dcc/nam/fnt",
		[DOC_GN] = "/dcc/nam/gn", [DOC_GNT] = "/dcc/nam/gnt",
		[DOC_TG] = "/dcc/t/0/tg", [DOC_VP] = "/dcc/t/0/vp",
		[DOC_MP] = "/dcc/t/0/mp", [DOC_MA] = "/dcc/t/0/ma",
		[DOC_DN] = "/dcc/t/0/dn", [DOC_SD] = "/dcc/t/0/sd",
		[DOC_DT] = "/dcc/t/0/dt", [DOC_TT] = "/dcc/t/0/tt",
		[DOC_NM] = "/dcc/t/0/nm", [DOC_SC] = "/dcc/t/0/sc",
		[DOC_TR] = "/dcc/t/0/tr", [DOC_TC] = "/dcc/t/0/tc",
		[DOC_FR] = "/dcc/t/0/fr", [DOC_DF] = "/dcc/t/0/df",
		[DOC_DU] = "/dcc/t/0/du", [DOC_CO] = "/dcc/t/0/co",
		[DOC_IS] = "/dcc/t/0/is", [DOC_CI] = "/dcc/t/0/ci",
	};
	struct judged j;
	char line[80];

	(void)state;
	judged_init(&j, DCC_TEST, 0);
	for (unsigned i = 0; i < DOC_FIELD_COUNT; i++) {
		verdict_init(&j.verdict);
		place_report(&j.context, &j.verdict, VIOLATION_TOO_LONG,
			     (enum document_field)i);
		(void)snprintf(line, sizeof(line), "too-long %s\n",
			       expected[i]);
		assert_string_equal(verdict_lines(&j.verdict), line);
	}
}

static void test_entry(void **state)
{
	struct judged j;

	(void)state;
	judged_init(&j, DCC_RECOVERY, 0);
	verdict_init(&j.verdict);
	place_report_entry(&j.context, &j.verdict, VIOLATION_TOO_LONG);
	place_report_kind(&j.context, &j.verdict, VIOLATION_TOO_LONG);
	assert_string_equal(verdict_lines(&j.verdict),
			    "too-long /dcc/r/0\ntoo-long /dcc/r\n");
	rule_profile_set(&j.profile, RULE_INCONSISTENT_VACCINE, RULE_OFF);
	verdict_init(&j.verdict);
	place_report_entry(&j.context, &j.verdict,
			   VIOLATION_INCONSISTENT_VACCINE);
	assert_int_equal(j.verdict.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
