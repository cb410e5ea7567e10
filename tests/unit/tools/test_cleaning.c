/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/issuer/cleaning.h"

static bool many(const char *text)
{
	return cleaning_is_many(span_str(text));
}

static void test_many(void **state)
{
	(void)state;
	assert_true(many("{\"dcc\":{}}\n{"));
	assert_true(many("\n{\"dcc\":{}}\n\n{\"dcc\":{}}\n"));
	assert_true(many("{}\r\nnot JSON"));
	assert_false(many("{\"dcc\":{}}\n"));
	assert_false(many("{\"dcc\":{}}\n \n\n"));
	assert_false(many("{\n  \"dcc\": {}\n}\n"));
	assert_false(many("{\"dcc\":\n{}}\n"));
	assert_false(many(""));
}

static void test_names(void **state)
{
	(void)state;
	assert_true(cleaning_is_ndjson("a.ndjson"));
	assert_true(cleaning_is_ndjson("a.ndjson.gz"));
	assert_true(cleaning_is_ndjson("a.jsonl"));
	assert_false(cleaning_is_ndjson("a.json"));
	assert_false(cleaning_is_ndjson("-"));
	assert_false(cleaning_is_ndjson("gz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
