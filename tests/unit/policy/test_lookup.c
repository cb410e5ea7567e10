/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/lookup.h"

#include "request.h"

static void test_spaces(void **state)
{
	struct lookup *l;

	(void)state;
	assert_int_equal(lookup_create(4, &l), SG_OK);
	assert_int_equal(lookup_find(l, LOOKUP_URI, SPAN_LIT("a")),
			 LOOKUP_NONE);
	assert_int_equal(lookup_add(l, LOOKUP_URI, SPAN_LIT("a"), 7),
			 LOOKUP_NONE);
	assert_int_equal(lookup_add(l, LOOKUP_DNS, SPAN_LIT("a"), 8),
			 LOOKUP_NONE);
	assert_int_equal(lookup_add(l, LOOKUP_URI, SPAN_LIT("a"), 9), 7);
	assert_int_equal(lookup_find(l, LOOKUP_URI, SPAN_LIT("a")), 7);
	assert_int_equal(lookup_find(l, LOOKUP_DNS, SPAN_LIT("a")), 8);
	assert_int_equal(lookup_find(l, LOOKUP_CLIENT, SPAN_LIT("a")),
			 LOOKUP_NONE);
	/* An empty key is a key. */
	assert_int_equal(lookup_add(l, LOOKUP_URI, span_of(NULL, 0), 1),
			 LOOKUP_NONE);
	assert_int_equal(lookup_find(l, LOOKUP_URI, SPAN_LIT("")), 1);
	lookup_free(l);
	lookup_free(NULL);
}

static void test_case(void **state)
{
	struct lookup *l;

	(void)state;
	assert_int_equal(lookup_create(2, &l), SG_OK);
	(void)lookup_add(l, LOOKUP_DNS, SPAN_LIT("Api.Example"), 1);
	(void)lookup_add(l, LOOKUP_URI, SPAN_LIT("urn:A"), 2);
	assert_int_equal(lookup_find(l, LOOKUP_DNS, SPAN_LIT("aPI.example")),
			 1);
	assert_int_equal(lookup_find(l, LOOKUP_URI, SPAN_LIT("urn:a")),
			 LOOKUP_NONE);
	assert_int_equal(lookup_find(l, LOOKUP_URI, SPAN_LIT("urn:A")), 2);
	lookup_free(l);
}

static void test_many(void **state)
{
	enum { MANY = 30000 };
	static char text[MANY][16];
	struct lookup *l;

	(void)state;
	assert_int_equal(lookup_create(MANY, &l), SG_OK);
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "client-%u", i);
		assert_int_equal(
			lookup_add(l, LOOKUP_CLIENT, span_str(text[i]), i),
			LOOKUP_NONE);
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(
			lookup_find(l, LOOKUP_CLIENT, span_str(text[i])), i);
	assert_int_equal(lookup_find(l, LOOKUP_CLIENT, SPAN_LIT("client-")),
			 LOOKUP_NONE);
	assert_int_equal(lookup_find(l, LOOKUP_CLIENT, SPAN_LIT("client-01")),
			 LOOKUP_NONE);
	lookup_free(l);
}

static void test_none(void **state)
{
	struct lookup *l;

	(void)state;
	assert_int_equal(lookup_create(0, &l), SG_OK);
	assert_int_equal(lookup_find(l, LOOKUP_URI, SPAN_LIT("a")),
			 LOOKUP_NONE);
	lookup_free(l);
	assert_int_equal(lookup_create(SIZE_MAX, &l), SG_NO_MEMORY);
	assert_null(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spaces),
		cmocka_unit_test(test_case),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
