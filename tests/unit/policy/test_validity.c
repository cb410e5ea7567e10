/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/validity.h"

#include "request.h"

enum { NOW = 1000000, YEAR = 1000 };

static struct rule_profile profile;
static struct client client;
static struct document document;
static struct policy_bounds bounds[DCC_KINDS];

static int reset(void **state)
{
	(void)state;
	rule_profile_init(&profile);
	client = (struct client){.kinds = DCC_KIND_BIT(DCC_TEST),
				 .validity_s = {[DCC_TEST] = YEAR}};
	document = (struct document){.has_kind = true, .kind = DCC_TEST};
	memset(bounds, 0, sizeof(bounds));
	bounds[DCC_TEST] = (struct policy_bounds){
		.present = true, .not_before = NOW, .not_after = NOW + YEAR};
	return 0;
}

/* Judged at TIME, the document gets LINES. */
static void check_at(int64_t time, const char *lines)
{
	const struct rule_context context = {
		.client = &client,
		.profile = &profile,
		.document = &document,
		.bounds = bounds,
		.now = time,
		.exp = validity_exp(&client, &document, time)};
	struct verdict v;

	verdict_init(&v);
	validity_judge(&context, &v);
	assert_string_equal(verdict_lines(&v), lines);
}

static void check_exp(int64_t exp, const char *lines)
{
	document.asks_exp = document.has_exp = true;
	document.exp = exp;
	check_at(NOW, lines);
}

static void test_without_exp(void **state)
{
	(void)state;
	assert_int_equal(validity_exp(&client, &document, NOW), NOW + YEAR);
	check_at(NOW, "");
	/* One second later it would outlive its signer's certificate; one
	 * earlier it would be older than it. */
	check_at(NOW + 1, "beyond-signer-certificate /exp\n");
	check_at(NOW - 1, "beyond-signer-certificate /exp\n");
	bounds[DCC_TEST].present = false;
	check_at(NOW + 1, "");
}

static void test_with_exp(void **state)
{
	(void)state;
	document.has_exp = true;
	document.exp = 5;
	assert_int_equal(validity_exp(&client, &document, NOW), 5);
	check_exp(NOW + YEAR, "");
	check_exp(NOW + 1, "");
	check_exp(NOW, "validity-in-past /exp\n");
	check_exp(NOW - 1, "validity-in-past /exp\n");
	check_exp(0, "validity-in-past /exp\n");
	check_exp(INT64_MIN, "validity-in-past /exp\n");
	check_exp(NOW + YEAR + 1, "validity-too-long /exp\n"
				  "beyond-signer-certificate /exp\n");
	check_exp(INT64_MAX, "validity-too-long /exp\n"
			     "beyond-signer-certificate /exp\n");
	bounds[DCC_TEST].not_after = NOW + YEAR + 1;
	check_exp(NOW + YEAR + 1, "validity-too-long /exp\n");
	bounds[DCC_TEST].not_after = NOW + YEAR - 1;
	check_exp(NOW + YEAR, "beyond-signer-certificate /exp\n");
}

static void test_levels(void **state)
{
	(void)state;
	bounds[DCC_TEST].present = false;
	rule_profile_set(&profile, RULE_VALIDITY_IN_PAST, RULE_WARNING);
	rule_profile_set(&profile, RULE_VALIDITY_TOO_LONG, RULE_OFF);
	check_exp(0, "validity-in-past /exp warning\n");
	check_exp(INT64_MAX, "");
}

static void test_extreme_clock(void **state)
{
	(void)state;
	bounds[DCC_TEST].present = false;
	assert_int_equal(validity_exp(&client, &document, INT64_MAX),
			 INT64_MAX);
	check_at(INT64_MAX, "");
	check_at(INT64_MIN, "");
	document.has_exp = true;
	document.exp = INT64_MAX;
	check_at(INT64_MAX - 1, "");
	check_at(INT64_MIN, "validity-too-long /exp\n");
}

/* Where the request is refused for what there is to measure by. */
static void test_nothing_to_judge(void **state)
{
	(void)state;
	document.asks_exp = true; /* but it is no integer */
	bounds[DCC_TEST].not_after = 0;
	check_at(NOW, "");
	document.kind = DCC_RECOVERY; /* not granted: no validity is known */
	check_exp(INT64_MAX, "");
	check_exp(1, "validity-in-past /exp\n");
	document.has_kind = false;
	check_exp(INT64_MAX, "");
	check_exp(1, "validity-in-past /exp\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_without_exp, reset),
		cmocka_unit_test_setup(test_with_exp, reset),
		cmocka_unit_test_setup(test_levels, reset),
		cmocka_unit_test_setup(test_extreme_clock, reset),
		cmocka_unit_test_setup(test_nothing_to_judge, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
