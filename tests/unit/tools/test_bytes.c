/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hex.h"
#include "tools/common/bytes.h"

static const uint8_t KID[8] = {0xfb, 0xef, 0xff, 0x00, 1, 2, 3, 0xfe};

static void test_write(void **state)
{
	char hex[HEX_TEXT(8)];
	char base64[BYTES_BASE64(8)];

	(void)state;
	assert_string_equal(hex_encode(KID, 8, hex), "fbefff00010203fe");
	assert_string_equal(bytes_base64(KID, 8, base64), "++//AAECA/4=");
}

static void test_read(void **state)
{
	static const char *const GOOD[] = {
		"fbefff00010203fe", "FBEFFF00010203FE", "++//AAECA/4=",
		"++//AAECA/4",	    "--__AAECA_4=",	"--__AAECA_4",
	};
	static const char *const BAD[] = {
		"",
		"fbefff00010203f",
		"fbefff00010203fe0",
		"fbefff00010203fg",
		"++//AAECA/4==",
		"++//AAECA/5=",
		"++//AAECA/4 ",
		"++//AAECA/ =",
		"++//AAECA=4=",
		"++//AAECA/",
		"====",
		"+\n//AAECA/4=",
		"fbefff00010203fe=",
		" fbefff00010203f",
		"++//AAECA/4A=",
	};
	uint8_t out[8];

	(void)state;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		memset(out, 0, sizeof(out));
		assert_true(bytes_parse(GOOD[i], out, sizeof(out)));
		assert_memory_equal(out, KID, sizeof(out));
	}
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		assert_false(bytes_parse(BAD[i], out, sizeof(out)));
}

static void test_all_lengths(void **state)
{
	uint8_t in[BYTES_MAX];
	uint8_t out[BYTES_MAX];
	char text[HEX_TEXT(BYTES_MAX)];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 37 + 200);
	for (size_t n = 5; n <= BYTES_MAX; n++) {
		memset(out, 0, sizeof(out));
		assert_true(bytes_parse(hex_encode(in, n, text), out, n));
		assert_memory_equal(out, in, n);
		memset(out, 0, sizeof(out));
		assert_true(bytes_parse(bytes_base64(in, n, text), out, n));
		assert_memory_equal(out, in, n);
		text[strcspn(text, "=")] = '\0';
		assert_true(bytes_parse(text, out, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_all_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
