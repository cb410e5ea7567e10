/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rule.h"

#include "request.h"

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RULE_COUNT; i++)
		assert_string_equal(
			rule_name((enum rule)i),
			violation_code_text(rule_code((enum rule)i)));
}

static void test_levels(void **state)
{
	enum rule_level level;

	(void)state;
	for (unsigned i = 0; i < RULE_LEVEL_COUNT; i++) {
		assert_true(rule_level_of(rule_level_name((enum rule_level)i),
					  &level));
		assert_int_equal(level, i);
	}
	assert_false(rule_level_of("Error", &level));
	assert_false(rule_level_of("", &level));
	assert_false(rule_level_of("of", &level));
}

static void test_report(void **state)
{
	const struct pointer at = {.key = SPAN_LIT("exp")};
	struct rule_profile p;
	struct verdict v;

	(void)state;
	memset(&p, 0xEE, sizeof(p));
	rule_profile_init(&p);
	rule_profile_set(&p, RULE_VALIDITY_IN_PAST, RULE_OFF);
	rule_profile_set(&p, RULE_UNKNOWN_FIELD, RULE_WARNING);
	assert_int_equal(rule_profile_level(&p, RULE_VALIDITY_IN_PAST),
			 RULE_OFF);
	assert_int_equal(rule_profile_level(&p, RULE_VALIDITY_TOO_LONG),
			 RULE_ERROR);
	verdict_init(&v);
	for (unsigned i = 0; i < VIOLATION_COUNT; i++)
		rule_report(&p, &v, (enum violation_code)i, &at);
	assert_int_equal(v.n, VIOLATION_COUNT - 1);
	assert_int_equal(v.errors, VIOLATION_COUNT - 2);
	for (size_t i = 0; i < v.n; i++) {
		assert_int_not_equal(v.violation[i].code,
				     VIOLATION_VALIDITY_IN_PAST);
		assert_int_equal(v.violation[i].warning,
				 v.violation[i].code ==
					 VIOLATION_UNKNOWN_FIELD);
		assert_true(span_is(verdict_pointer(&v, i), "/exp"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
