/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/exchange.h"
#include "front/http_head.h"

static void put(struct http_head *h, const char *name, const char *value)
{
	assert_int_equal(
		head_put(h, head_field_of(span_str(name)), span_str(value)),
		SG_OK);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(head_field_of(SPAN_LIT("Content-TYPE")),
			 HEAD_CONTENT_TYPE);
	assert_int_equal(head_field_of(SPAN_LIT("content-typ")), HEAD_IGNORED);
	assert_int_equal(head_field_of(SPAN_LIT("content-types")),
			 HEAD_IGNORED);
	assert_int_equal(head_field_of(span_of(NULL, 0)), HEAD_IGNORED);
}

static void test_values_are_trimmed(void **state)
{
	struct http_head h = {0};

	(void)state;
	put(&h, "accept", " \t a b \t");
	assert_true(span_is(head_get(&h, HEAD_ACCEPT), "a b"));
	put(&h, "expect", " \t ");
	assert_true(head_has(&h, HEAD_EXPECT));
	assert_int_equal(head_get(&h, HEAD_EXPECT).n, 0);
	assert_false(head_has(&h, HEAD_HOST));
	head_clear(&h);
	assert_false(head_has(&h, HEAD_ACCEPT));
}

static void test_lists_are_joined(void **state)
{
	struct http_head h = {0};

	(void)state;
	put(&h, "accept", "a");
	put(&h, "accept", "b"); /* right behind it */
	put(&h, "accept-language", "x");
	put(&h, "accept", "c"); /* has to move */
	put(&h, "accept-language", "y");
	assert_true(span_is(head_get(&h, HEAD_ACCEPT), "a, b, c"));
	assert_true(span_is(head_get(&h, HEAD_ACCEPT_LANGUAGE), "x, y"));
	head_clear(&h);
}

static void test_lists_do_not_explode(void **state)
{
	struct http_head h = {0};
	enum sg_err err = SG_OK;
	int i;

	(void)state;
	for (i = 0; i < 100000 && err == SG_OK; i++)
		err = head_put(&h,
			       i % 2 != 0 ? HEAD_ACCEPT : HEAD_ACCEPT_LANGUAGE,
			       SPAN_LIT("a"));
	assert_int_equal(err, SG_TOO_BIG);
	assert_true(h.text.len < 1 << 18);
	head_clear(&h);
}

static void test_single_fields_stand_once(void **state)
{
	static const enum head_field single[] = {HEAD_HOST,
						 HEAD_CONTENT_TYPE,
						 HEAD_CONTENT_ENCODING,
						 HEAD_CONTENT_LENGTH,
						 HEAD_TRANSFER_ENCODING,
						 HEAD_EXPECT};
	struct http_head h = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		assert_int_equal(head_put(&h, single[i], SPAN_LIT("a")), SG_OK);
		assert_int_equal(head_put(&h, single[i], SPAN_LIT("a")),
				 SG_MALFORMED);
	}
	head_clear(&h);
}

static const struct {
	const char *target, *path, *query; /* PATH NULL: malformed */
} TARGETS[] = {
	{"/", "/", ""},
	{"/a/b%2f", "/a/b%2f", ""},
	{"/a?b?c", "/a", "b?c"},
	{"/?", "/", ""},
	{"*", "*", ""},
	{"http://h/a", "/a", ""},
	{"HTTPS://h:1/a?b", "/a", "b"},
	{"https://h", "/", ""},
	{"", NULL, NULL},
	{"a", NULL, NULL},
	{"?a", NULL, NULL},
	{"**", NULL, NULL},
	{"ftp://h/a", NULL, NULL},
	{"h:443", NULL, NULL},
};

static void test_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++) {
		struct http_head h = {0};
		struct http_request r;

		put(&h, ":path", TARGETS[i].target);
		put(&h, ":method", "POST");
		if (TARGETS[i].path == NULL) {
			assert_int_equal(head_request(&h, &r), SG_MALFORMED);
		} else {
			assert_int_equal(head_request(&h, &r), SG_OK);
			assert_int_equal(r.method, HTTP_POST);
			assert_true(span_is(r.path, TARGETS[i].path));
			assert_true(span_is(r.query, TARGETS[i].query));
		}
		head_clear(&h);
	}
}

static void test_methods(void **state)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {{"GET", HTTP_GET},   {"HEAD", HTTP_HEAD},
		       {"POST", HTTP_POST}, {"post", HTTP_OTHER},
		       {"PUT", HTTP_OTHER}, {"", HTTP_OTHER}};

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct http_head h = {0};
		struct http_request r;

		put(&h, ":path", "/");
		put(&h, ":method", methods[i].name);
		assert_int_equal(head_request(&h, &r), SG_OK);
		assert_int_equal(r.method, methods[i].method);
		head_clear(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values_are_trimmed),
		cmocka_unit_test(test_lists_are_joined),
		cmocka_unit_test(test_lists_do_not_explode),
		cmocka_unit_test(test_single_fields_stand_once),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
