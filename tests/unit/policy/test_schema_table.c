/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schema_table.h"

#include "request.h"

/* Is A before B in the order of encoded keys (RFC 8949 s. 4.2.1)? */
static bool before(const struct schema_field *a, const struct schema_field *b)
{
	if (a->name_n != b->name_n)
		return a->name_n < b->name_n;
	return memcmp(a->name, b->name, a->name_n) < 0;
}

/* Check O and what it leads to; LEAVES gets how often each leaf is there. */
static void check_object(const struct schema_object *o,
			 unsigned leaves[DOC_FIELD_COUNT])
{
	assert_true(o->n > 0 && o->n <= 32); /* the bits of what is seen */
	for (size_t i = 0; i < o->n; i++) {
		const struct schema_field *f = &o->field[i];

		assert_int_equal(strlen(f->name), f->name_n);
		if (i > 0)
			assert_true(before(f - 1, f));
		if (f->type == SCHEMA_TEXT || f->type == SCHEMA_POSITIVE)
			leaves[f->leaf]++;
		if (f->object != NULL)
			check_object(f->object, leaves);
	}
}

static void test_tables(void **state)
{
	static const unsigned expected[DOC_FIELD_COUNT] = {
		[DOC_VER] = 1, [DOC_DOB] = 1, [DOC_FN] = 1, [DOC_FNT] = 1,
		[DOC_GN] = 1,  [DOC_GNT] = 1, [DOC_TG] = 3, [DOC_VP] = 1,
		[DOC_MP] = 1,  [DOC_MA] = 2,  [DOC_DN] = 1, [DOC_SD] = 1,
		[DOC_DT] = 1,  [DOC_TT] = 1,  [DOC_NM] = 1, [DOC_SC] = 1,
		[DOC_TR] = 1,  [DOC_TC] = 1,  [DOC_FR] = 1, [DOC_DF] = 1,
		[DOC_DU] = 1,  [DOC_CO] = 3,  [DOC_IS] = 3, [DOC_CI] = 3};
	unsigned leaves[DOC_FIELD_COUNT] = {0};

	(void)state;
	check_object(&SCHEMA_REQUEST, leaves);
	assert_memory_equal(leaves, expected, sizeof(leaves));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
