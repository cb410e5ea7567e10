/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/issuer/renewing.h"

static struct renewing renewing;

static void becomes(const char *line, const char *request)
{
	struct span out;
	struct span local;

	assert_int_equal(
		renewing_request(&renewing, span_str(line), &out, &local),
		SG_OK);
	assert_int_equal(local.n, 0);
	assert_true(span_is(out, request));
}

/* Requests go as they are, also with a time, and what is no JSON at all. */
static void test_requests(void **state)
{
	static const char *const same[] = {
		"{\"hcert\":\"HC1:A\",\"exp\":5}",
		"{\"id\":\"a\",\"dcc\":{\"v\":[]}}",
		"{\"dcc\":{},\"uvci\":\"x\"}",
		"nothing",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		becomes(same[i], same[i]);
}

static void test_answers(void **state)
{
	(void)state;
	becomes("{\"id\":\"a\\u0041\",\"hcert\":\"HC1:A\",\"uvci\":\"U\","
		"\"kid\":\"k\",\"alg\":\"ES256\",\"iat\":1,\"exp\":2,"
		"\"ledger\":{\"origin\":\"o\",\"index\":0}}",
		"{\"id\":\"a\\u0041\",\"hcert\":\"HC1:A\"}");
	becomes("{\"hcert\":\"HC1:B\",\"uvci\":\"U\",\"exp\":2}",
		"{\"hcert\":\"HC1:B\"}");
}

static void test_problems(void **state)
{
	struct span out;
	struct span local;

	(void)state;
	assert_int_equal(
		renewing_request(&renewing,
				 SPAN_LIT("{\"type\":\"/problems/policy\","
					  "\"status\":422}"),
				 &out, &local),
		SG_OK);
	assert_true(local.n > 0);
	assert_non_null(memmem(local.p, local.n, "\"status\":400", 12));
	renewing_clear(&renewing);
	assert_null(renewing.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_problems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
