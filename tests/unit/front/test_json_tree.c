/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "front/json_tree.h"

enum { DEPTH = 4 };

static struct json_tree *tree;
static struct json_tree_value root;

static int setup(void **state)
{
	(void)state;
	return json_tree_create(DEPTH, &tree) == SG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	json_tree_free(tree);
	json_tree_free(NULL);
	return 0;
}

static enum sg_err parse(const char *text)
{
	return json_tree_read(tree, span_str(text), &root);
}

/* Everything that there is, in order. */
static void test_kinds(void **state)
{
	static const enum json_tree_kind kinds[] = {
		JSON_TREE_INT,	 JSON_TREE_INT,	  JSON_TREE_REAL,
		JSON_TREE_REAL,	 JSON_TREE_REAL,  JSON_TREE_TEXT,
		JSON_TREE_TRUE,	 JSON_TREE_FALSE, JSON_TREE_NULL,
		JSON_TREE_OBJECT};
	struct json_tree_value item[10];
	struct json_tree_walk walk;
	size_t n = 0;

	(void)state;
	assert_int_equal(parse("[-9223372036854775808,0,18446744073709551615,"
			       "2.5,3e2,\"a\\u0000\\u1ebf\",true,false,null,"
			       "{}]"),
			 SG_OK);
	assert_int_equal(json_tree_kind(&root), JSON_TREE_ARRAY);
	walk = json_tree_begin(&root);
	while (n < 10 && json_tree_next(&walk, NULL, &item[n]))
		n++;
	assert_int_equal(n, 10);
	assert_false(json_tree_next(&walk, NULL, &item[0]));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_tree_kind(&item[i]), kinds[i]);
	assert_true(json_tree_int(&item[0]) == INT64_MIN);
	assert_true(json_tree_int(&item[1]) == 0);
	assert_true(json_tree_real(&item[2]) == 18446744073709551616.0);
	assert_true(json_tree_real(&item[3]) == 2.5);
	assert_true(json_tree_real(&item[4]) == 300);
	assert_true(span_eq(json_tree_text(&item[5]),
			    span_of("a\0\xe1\xba\xbf", 5)));
	walk = json_tree_begin(&item[9]);
	assert_false(json_tree_next(&walk, NULL, &item[0]));
}

static void test_members(void **state)
{
	struct json_tree_value value;
	struct json_tree_walk walk;
	struct span name;

	(void)state;
	assert_int_equal(parse("{\"b\":[1,[2]],\"a\":{\"x\":0},\"b\":7}"),
			 SG_OK);
	walk = json_tree_begin(&root);
	assert_true(json_tree_next(&walk, &name, &value));
	assert_true(span_is(name, "b"));
	assert_int_equal(json_tree_kind(&value), JSON_TREE_ARRAY);
	assert_true(json_tree_next(&walk, &name, &value));
	assert_true(span_is(name, "a"));
	assert_int_equal(json_tree_kind(&value), JSON_TREE_OBJECT);
	assert_true(json_tree_next(&walk, &name, &value));
	assert_true(span_is(name, "b"));
	assert_int_equal(json_tree_int(&value), 7);
	assert_false(json_tree_next(&walk, &name, &value));
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		enum sg_err err;
	} bad[] = {
		{"", SG_MALFORMED},
		{" ", SG_MALFORMED},
		{"{", SG_MALFORMED},
		{"{} {}", SG_MALFORMED},
		{"{\"a\":1,}", SG_MALFORMED},
		{"{'a':1}", SG_MALFORMED},
		{"[nul]", SG_MALFORMED},
		{"\"\xff\"", SG_MALFORMED},
		{"\"\xc0\x80\"", SG_MALFORMED},
		{"\"\xed\xa0\x80\"", SG_MALFORMED},
		{"\"\\ud800\"", SG_MALFORMED},
		{"\"\\udc00\"", SG_MALFORMED},
		{"\"\\ud800\\u0041\"", SG_MALFORMED},
		{"\"\t\"", SG_MALFORMED},
		{"[18446744073709551616]", SG_TOO_BIG},
		{"[1e999]", SG_TOO_BIG},
		{"[01]", SG_TOO_BIG},
		{"[-]", SG_TOO_BIG},
		{"[[[[1]]]]", SG_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i].text), bad[i].err);
	assert_int_equal(json_tree_read(tree, span_of("[2\0]", 4), &root),
			 SG_TOO_BIG);
	assert_int_equal(parse("[[[1]]]"), SG_OK);
}

/* A long text after a short one and the other way about; nothing behind a text
 * is looked at. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {1, 100, 200000, 3, 70000, 2};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t n = sizes[i] + 2;
		char *text = malloc(n);

		assert_non_null(text);
		memset(text, 'x', n);
		text[0] = text[n - 1] = '"';
		assert_int_equal(json_tree_read(tree, span_of(text, n), &root),
				 SG_OK);
		assert_int_equal(json_tree_text(&root).n, sizes[i]);
		assert_int_equal(
			json_tree_read(tree, span_of(text, n - 1), &root),
			SG_MALFORMED);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_members, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
