/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_values.h"

#include "policy/policy.h"
#include "policy/valueset_table.h"
#include "request.h"

#define CLIENT                                                                 \
	"version: 1\n"                                                         \
	"clients:\n"                                                           \
	"  - {name: a, identities: [\"uri:u:a\"], operations: [audit]}\n"

static struct policy_file file;

static enum sg_err read_text(const char *text, struct faults *faults)
{
	*faults = (struct faults){.n = 0};
	return policy_file_read(span_str(text), "p", &file, faults);
}

static void check_good(const char *text)
{
	struct faults faults;

	assert_int_equal(read_text(text, &faults), SG_OK);
	assert_string_equal(faults.text, "");
}

static void check(const char *text, const char *expected)
{
	struct faults faults;

	assert_int_equal(read_text(text, &faults), SG_CONFIG);
	assert_string_equal(faults.text, expected);
}

static bool has(enum valueset_id id, const char *code)
{
	return valueset_find(&file.valuesets.set[id], span_str(code)) !=
	       VALUESET_NONE;
}

static bool has_vaccine(const char *mp, const char *ma, const char *vp)
{
	return valueset_has_vaccine(&file.valuesets, span_str(mp), span_str(ma),
				    span_str(vp));
}

static void test_built_in(void **state)
{
	(void)state;
	check_good(CLIENT);
	for (size_t i = 0; i < VALUESET_COUNT; i++)
		assert_ptr_equal(file.valuesets.set[i].code,
				 VALUESET_TABLE[i].code);
	assert_true(has_vaccine("EU/1/20/1528", "ORG-100030215", "1119349007"));
	policy_file_clear(&file);
}

/* A set that is named takes the place of the built-in one; others stay. */
static void test_own(void **state)
{
	(void)state;
	check_good(CLIENT "value_sets:\n"
			  "  co: [VN, LA]\n"
			  "  tr: [\"260415000\"]\n"
			  "  test_devices: [\"1232\", 345]\n");
	assert_true(has(VALUESET_CO, "LA"));
	assert_false(has(VALUESET_CO, "DE"));
	assert_false(has(VALUESET_TR, "260373001"));
	assert_true(has(VALUESET_TEST_DEVICES, "345"));
	assert_true(has(VALUESET_TT, "LP6464-4"));
	assert_true(has_vaccine("EU/1/20/1528", "ORG-100030215", "1119349007"));
	policy_file_clear(&file);
}

static void test_own_vaccines(void **state)
{
	(void)state;
	check_good(CLIENT "value_sets:\n"
			  "  mp: [Nanocovax, EU/1/20/1528]\n"
			  "  ma: [Nanogen, ORG-100030215]\n"
			  "  vaccines:\n"
			  "    - {mp: Nanocovax, ma: Nanogen, vp: 1162643001}\n"
			  "    - {mp: EU/1/20/1528, ma: ORG-100030215,\n"
			  "       vp: 1119349007}\n");
	assert_true(has_vaccine("Nanocovax", "Nanogen", "1162643001"));
	assert_true(has_vaccine("EU/1/20/1528", "ORG-100030215", "1119349007"));
	assert_false(has_vaccine("Nanocovax", "Nanogen", "1119349007"));
	assert_false(
		has_vaccine("EU/1/20/1528", "ORG-100030215", "28531000087107"));
	policy_file_clear(&file);
	/* Fewer products: the built-in vaccines that are left. */
	check_good(CLIENT "value_sets: {mp: [CoronaVac, EU/1/20/1528]}\n");
	assert_true(has_vaccine("CoronaVac", "Sinovac-Biotech", "1157024006"));
	assert_false(
		has_vaccine("EU/1/20/1507", "ORG-100031184", "1119349007"));
	policy_file_clear(&file);
}

static void test_faults(void **state)
{
	(void)state;
	check(CLIENT "value_sets:\n"
		     "  co: []\n"
		     "  dn: [1]\n"
		     "  tg: 840539006\n"
		     "  tt: [{}]\n",
	      "p:5: value_sets.co: must not be empty\n"
	      "p:6: value_sets: unknown key \"dn\" (known: mp, ma, vp, tt, tr, "
	      "tg, co, test_devices, vaccines)\n"
	      "p:7: value_sets.tg: must be a list\n"
	      "p:8: value_sets.tt[0]: must be a single value\n");
	check(CLIENT "value_sets:\n"
		     "  co: [VN, LA, VN]\n"
		     "  vaccines:\n"
		     "    - mp: EU/1/20/1528\n"
		     "      ma: nobody\n"
		     "      vp: 1119349007\n"
		     "    - mp: EU/1/20/1528\n",
	      "p:5: value_sets.co: a code is there twice\n"
	      "p:8: value_sets.vaccines[0].ma: 'nobody' is not in the value "
	      "set ma\n"
	      "p:10: value_sets.vaccines[1].ma: is missing\n"
	      "p:10: value_sets.vaccines[1].vp: is missing\n");
	check(CLIENT "value_sets:\n"
		     "  vaccines:\n"
		     "    - {mp: CIGB, ma: CIGB, vp: J07BX03}\n"
		     "    - {mp: Abdala, ma: CIGB, vp: J07BX03}\n"
		     "    - {mp: Abdala, ma: CIGB, vp: J07BX03}\n",
	      "p:6: value_sets.vaccines[0].mp: 'CIGB' is not in the value set "
	      "mp\n"
	      "p:6: value_sets.vaccines: a vaccine is there twice\n");
}

/* A product that no certificate could have is a mistake. */
static void test_products(void **state)
{
	(void)state;
	check(CLIENT "value_sets:\n"
		     "  mp:\n"
		     "    - Abdala\n"
		     "    - Nanocovax\n",
	      "p:7: value_sets.mp[1]: no vaccine has 'Nanocovax'\n");
	check(CLIENT "value_sets:\n"
		     "  mp: [Abdala, Nanocovax]\n"
		     "  vaccines: [{mp: Nanocovax, ma: CIGB, vp: J07BX03}]\n",
	      "p:5: value_sets.mp[0]: no vaccine has 'Abdala'\n");
}

static void test_limits(void **state)
{
	const size_t n = SOURCE_LIST_MAX + 1;
	char *text = malloc(sizeof(CLIENT) + 64 + n * 8);
	struct faults faults;
	int len;

	(void)state;
	assert_non_null(text);
	len = sprintf(text, CLIENT "value_sets:\n  test_devices: [d0");
	for (size_t i = 1; i < n - 1; i++)
		len += sprintf(text + len, ", d%zu", i);
	(void)sprintf(text + len, "]\n");
	check_good(text);
	assert_int_equal(file.valuesets.set[VALUESET_TEST_DEVICES].n,
			 SOURCE_LIST_MAX);
	assert_true(has(VALUESET_TEST_DEVICES, "d9999"));
	policy_file_clear(&file);
	(void)sprintf(text + len, ", more]\n");
	assert_int_equal(read_text(text, &faults), SG_CONFIG);
	assert_string_equal(faults.text,
			    "p:5: value_sets.test_devices: has 10001 items, at "
			    "most 10000 are allowed\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_own_vaccines),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
