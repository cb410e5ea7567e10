/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void test_both_ways(void **state)
{
	uint8_t all[256];
	uint8_t back[256];
	char text[HEX_TEXT(256)];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	memset(text, 'x', sizeof(text));
	assert_ptr_equal(hex_encode(all, sizeof(all), text), text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
	assert_string_equal(text + 506, "fdfeff");
	assert_true(hex_decode(text, back, sizeof(back)));
	assert_memory_equal(back, all, sizeof(all));
	assert_string_equal(hex_encode(NULL, 0, text), "");
	assert_true(hex_decode("", back, 0));
}

static void test_either_case_and_in_place(void **state)
{
	char text[] = "DEADbeefx";

	(void)state;
	assert_true(hex_decode(text, (uint8_t *)text, 4));
	assert_memory_equal(text, "\xde\xad\xbe\xef", 4);
}

/* Every character at either place; none is read behind the end. */
static void test_no_digits(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	uint8_t out;

	(void)state;
	for (int c = 0; c < 256; c++) {
		const bool good = c != 0 && strchr(digits, (char)c) != NULL;
		const char first[] = {(char)c, '0'};
		const char second[] = {'0', (char)c};

		assert_int_equal(hex_decode(first, &out, 1), good);
		assert_int_equal(hex_decode(second, &out, 1), good);
		assert_int_equal(hex_digit((char)c) >= 0, good);
	}
	assert_false(hex_decode("", &out, 1));
	assert_int_equal(hex_digit('9'), 9);
	assert_int_equal(hex_digit('a'), 10);
	assert_int_equal(hex_digit('F'), 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_either_case_and_in_place),
		cmocka_unit_test(test_no_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
