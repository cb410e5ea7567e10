/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/valueset.h"

#include "policy/valueset_table.h"
#include "request.h"

static struct rule_profile profile;
static struct document document;
static struct valuesets sets;

static void put(enum document_field field, const char *text)
{
	document.present[field] = true;
	document.text[field] = span_str(text);
}

/* An entry of KIND, all right. */
static void make(enum dcc_kind kind)
{
	document = (struct document){.has_kind = true, .kind = kind};
	put(DOC_TG, "840539006");
	put(DOC_CO, "VN");
	if (kind == DCC_VACCINATION) {
		put(DOC_MP, "EU/1/20/1528");
		put(DOC_MA, "ORG-100030215");
		put(DOC_VP, "1119349007");
	} else if (kind == DCC_TEST) {
		put(DOC_TT, "LP6464-4");
		put(DOC_TR, "260415000");
		put(DOC_MA, "no list of these");
	}
}

static int reset(void **state)
{
	(void)state;
	rule_profile_init(&profile);
	memcpy(sets.set, VALUESET_TABLE, sizeof(sets.set));
	make(DCC_VACCINATION);
	return valueset_set_vaccines(&sets, VALUESET_VACCINES,
				     VALUESET_NVACCINES) == SG_OK
		       ? 0
		       : -1;
}

static int clear(void **state)
{
	(void)state;
	valueset_clear(&sets);
	return 0;
}

static void check(const char *lines)
{
	const struct rule_context context = {
		.profile = &profile, .document = &document, .valuesets = &sets};
	struct verdict v;

	verdict_init(&v);
	valueset_judge(&context, &v);
	assert_string_equal(verdict_lines(&v), lines);
}

static void test_find(void **state)
{
	static const struct span code[] = {
		{(const uint8_t *)"A", 1},  {(const uint8_t *)"AA", 2},
		{(const uint8_t *)"B", 1},  {(const uint8_t *)"D", 1},
		{(const uint8_t *)"DD", 2},
	};
	struct valueset s = {.n = 5, .code = code};

	(void)state;
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(valueset_find(&s, code[i]), i);
	assert_int_equal(valueset_find(&s, SPAN_LIT("")), VALUESET_NONE);
	assert_int_equal(valueset_find(&s, SPAN_LIT("AAA")), VALUESET_NONE);
	assert_int_equal(valueset_find(&s, SPAN_LIT("C")), VALUESET_NONE);
	assert_int_equal(valueset_find(&s, SPAN_LIT("DDD")), VALUESET_NONE);
	assert_int_equal(valueset_find(&s, SPAN_LIT("a")), VALUESET_NONE);
	assert_int_equal(valueset_find(&s, SPAN_LIT("A\0")), VALUESET_NONE);
	s.n = 0;
	assert_int_equal(valueset_find(&s, SPAN_LIT("A")), VALUESET_NONE);
}

static void test_vaccines(void **state)
{
	const struct span pfizer = SPAN_LIT("ORG-100030215");
	const struct span mrna = SPAN_LIT("1119349007");

	(void)state;
	assert_true(valueset_has_vaccine(&sets, SPAN_LIT("EU/1/20/1528"),
					 pfizer, mrna));
	assert_true(valueset_has_vaccine(&sets, SPAN_LIT("EU/1/20/1528"),
					 pfizer, SPAN_LIT("28531000087107")));
	assert_false(valueset_has_vaccine(&sets, SPAN_LIT("EU/1/20/1507"),
					  pfizer, mrna));
	assert_false(valueset_has_vaccine(&sets, SPAN_LIT("EU/1/20/1528"),
					  pfizer, SPAN_LIT("J07BX03")));
	assert_false(
		valueset_has_vaccine(&sets, SPAN_LIT("none"), pfizer, mrna));
	assert_true(valueset_has_product(&sets, SPAN_LIT("NVX-CoV2373")));
	assert_true(valueset_has_product(&sets, SPAN_LIT("AZD2816")));
	assert_true(valueset_has_product(&sets, SPAN_LIT("YS-SC2-010")));
	assert_false(valueset_has_product(&sets, SPAN_LIT("none")));
	/* One that has a code of no set is none. */
	valueset_clear(&sets);
	sets.set[VALUESET_VP].n = 1; /* 1119305005 */
	assert_int_equal(valueset_set_vaccines(&sets, VALUESET_VACCINES,
					       VALUESET_NVACCINES),
			 SG_OK);
	assert_int_equal(sets.nvaccines, 0);
	assert_false(valueset_has_product(&sets, SPAN_LIT("EU/1/20/1528")));
}

static void test_right(void **state)
{
	(void)state;
	check("");
	make(DCC_TEST);
	check("");
	make(DCC_RECOVERY);
	check("");
	document.has_kind = false;
	put(DOC_CO, "??");
	check("");
}

static void test_each(void **state)
{
	(void)state;
	put(DOC_TG, "1");
	put(DOC_CO, "vn");
	check("not-in-value-set /dcc/v/0/tg\nnot-in-value-set /dcc/v/0/co\n");
	make(DCC_TEST);
	put(DOC_TT, "LP6464");
	put(DOC_TR, "negative");
	check("not-in-value-set /dcc/t/0/tt\nnot-in-value-set /dcc/t/0/tr\n");
	put(DOC_TG, "");
	put(DOC_CO, "XX");
	check("not-in-value-set /dcc/t/0/tg\nnot-in-value-set /dcc/t/0/tt\n"
	      "not-in-value-set /dcc/t/0/tr\nnot-in-value-set /dcc/t/0/co\n");
	make(DCC_RECOVERY);
	put(DOC_TG, "COVID-19");
	put(DOC_CO, "VNM");
	check("not-in-value-set /dcc/r/0/tg\nnot-in-value-set /dcc/r/0/co\n");
}

/* A vaccine is judged when each of its codes is right by itself. */
static void test_vaccine(void **state)
{
	(void)state;
	put(DOC_MA, "ORG-100013793");
	check("inconsistent-vaccine /dcc/v/0\n");
	put(DOC_MA, "none");
	check("not-in-value-set /dcc/v/0/ma\n");
	put(DOC_MP, "EU/1/20/9999");
	put(DOC_VP, "1119349007 ");
	check("not-in-value-set /dcc/v/0/vp\nnot-in-value-set /dcc/v/0/mp\n"
	      "not-in-value-set /dcc/v/0/ma\n");
	make(DCC_VACCINATION);
	put(DOC_MA, "ORG-100013793");
	document.present[DOC_VP] = false;
	check("");
}

static void test_devices(void **state)
{
	static const struct span code[] = {{(const uint8_t *)"1232", 4}};

	(void)state;
	make(DCC_TEST);
	sets.set[VALUESET_TEST_DEVICES] =
		(struct valueset){.n = 1, .code = code};
	check("not-in-value-set /dcc/t/0/ma\n");
	put(DOC_MA, "1232");
	check("");
	document.present[DOC_MA] = false;
	check("");
}

static void test_levels(void **state)
{
	(void)state;
	put(DOC_CO, "XX");
	put(DOC_MA, "ORG-100013793");
	rule_profile_set(&profile, RULE_NOT_IN_VALUE_SET, RULE_WARNING);
	check("not-in-value-set /dcc/v/0/co warning\n"
	      "inconsistent-vaccine /dcc/v/0\n");
	rule_profile_set(&profile, RULE_NOT_IN_VALUE_SET, RULE_OFF);
	rule_profile_set(&profile, RULE_INCONSISTENT_VACCINE, RULE_OFF);
	check("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test_setup_teardown(test_vaccines, reset, clear),
		cmocka_unit_test_setup_teardown(test_right, reset, clear),
		cmocka_unit_test_setup_teardown(test_each, reset, clear),
		cmocka_unit_test_setup_teardown(test_vaccine, reset, clear),
		cmocka_unit_test_setup_teardown(test_devices, reset, clear),
		cmocka_unit_test_setup_teardown(test_levels, reset, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
