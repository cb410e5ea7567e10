/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/valueset_table.h"

#include "request.h"

/* As many codes as the EU's sets have, in the order that a look-up needs. */
static void test_sets(void **state)
{
	static const size_t size[VALUESET_COUNT] = {
		[VALUESET_MP] = 39, [VALUESET_MA] = 31, [VALUESET_VP] = 9,
		[VALUESET_TT] = 2,  [VALUESET_TR] = 2,	[VALUESET_TG] = 1,
		[VALUESET_CO] = 250};

	(void)state;
	for (size_t i = 0; i < VALUESET_COUNT; i++) {
		const struct valueset *s = &VALUESET_TABLE[i];

		assert_int_equal(s->n, size[i]);
		for (size_t k = 0; k < s->n; k++)
			assert_int_equal(valueset_find(s, s->code[k]), k);
	}
}

static void test_countries(void **state)
{
	const struct valueset *s = &VALUESET_TABLE[VALUESET_CO];

	(void)state;
	for (size_t i = 0; i < s->n; i++) {
		assert_int_equal(s->code[i].n, 2);
		assert_in_range(s->code[i].p[0], 'A', 'Z');
		assert_in_range(s->code[i].p[1], 'A', 'Z');
	}
	assert_true(valueset_find(s, SPAN_LIT("VN")) >= 0);
	assert_true(valueset_find(s, SPAN_LIT("EU")) < 0);
}

/* Every vaccine is of codes that are in their sets, none is there twice, and
 * every product has one. */
static void test_vaccines(void **state)
{
	struct valuesets v;
	const struct valueset *mp = &VALUESET_TABLE[VALUESET_MP];

	(void)state;
	memcpy(v.set, VALUESET_TABLE, sizeof(v.set));
	assert_int_equal(valueset_set_vaccines(&v, VALUESET_VACCINES,
					       VALUESET_NVACCINES),
			 SG_OK);
	assert_int_equal(v.nvaccines, 66);
	for (size_t i = 1; i < v.nvaccines; i++)
		assert_true(v.vaccine[i - 1] < v.vaccine[i]);
	for (size_t i = 0; i < mp->n; i++)
		assert_true(valueset_has_product(&v, mp->code[i]));
	valueset_clear(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_vaccines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
