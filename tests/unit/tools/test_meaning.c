/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/verdict.h"
#include "tools/common/meaning.h"

#define CODE(NAME, CODE, ...) CODE,

/* A code that comes to the policy gets its line in the report, too. */
static void test_each_code(void **state)
{
	static const char *const codes[] = {VERDICT_MAP(CODE)};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (meaning_of(codes[i]) == NULL)
			fail_msg("%s", codes[i]);
	assert_ptr_equal(meaning_of("rule:VR-VN-0001"), meaning_of("rule"));
	assert_null(meaning_of("rules"));
	assert_null(meaning_of("nonsense"));
	assert_null(meaning_of(""));
	assert_ptr_equal(meaning_of("rule:VR-VN-0001"), meaning_of("rule"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
