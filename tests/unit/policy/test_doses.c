/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/doses.h"

#include "judged.h"

static struct judged j;

static void check(int64_t dn, int64_t sd, const char *lines)
{
	judged_init(&j, DCC_VACCINATION, 0);
	judged_number(&j, DOC_DN, dn);
	judged_number(&j, DOC_SD, sd);
	judged_check(&j, doses_judge, lines);
}

static void test_doses(void **state)
{
	(void)state;
	check(1, 2, "");
	check(2, 2, "");
	check(3, 2, "dose-exceeds-series /dcc/v/0/dn\n");
	check(INT64_MAX, 1, "dose-exceeds-series /dcc/v/0/dn\n");
	check(1, INT64_MAX, "");
}

/* What is not there, or of another kind, has no doses. */
static void test_absent(void **state)
{
	(void)state;
	judged_init(&j, DCC_VACCINATION, 0);
	judged_number(&j, DOC_DN, 9);
	judged_check(&j, doses_judge, "");
	judged_number(&j, DOC_SD, 1);
	judged_check(&j, doses_judge, "dose-exceeds-series /dcc/v/0/dn\n");
	j.document.has_kind = false;
	judged_check(&j, doses_judge, "");
	j.document.has_kind = true;
	j.document.kind = DCC_TEST;
	judged_check(&j, doses_judge, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doses),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
