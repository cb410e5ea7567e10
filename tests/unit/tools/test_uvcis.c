/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/auditor/uvcis.h"

#define A16 "00112233445566778899aabbccddeeff"
#define A32 A16 "0000000000000000000000000000000f"
#define B16_BASE64 "AQAAAAAAAAAAAAAAAAAAAA=="

static char why[200];

static void test_find(void **state)
{
	static const uint8_t A[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
				      0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
				      0xcc, 0xdd, 0xee, 0xff};
	static const uint8_t B[16] = {1};
	static const uint8_t C[16] = {2};
	struct uvcis u;

	(void)state;
	/* The same one twice, whole and its beginning. */
	assert_int_equal(
		uvcis_read(B16_BASE64 "," A32 "," A16, &u, why, sizeof(why)),
		SG_OK);
	assert_int_equal(u.n, 2);
	assert_int_equal(uvcis_missing(&u), 2);
	assert_false(uvcis_find(&u, C));
	assert_true(uvcis_find(&u, A));
	assert_int_equal(uvcis_missing(&u), 1);
	assert_true(uvcis_find(&u, B));
	assert_int_equal(uvcis_missing(&u), 0);
	uvcis_clear(&u);
}

static void test_file(void **state)
{
	static const char TEXT[] = "\n" A16 "\r\n  " B16_BASE64 ", " A32 "\n";
	char path[] = "/tmp/uvcis-XXXXXX";
	char text[sizeof(path) + 1];
	const int fd = mkstemp(path);
	struct uvcis u;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, TEXT, sizeof(TEXT) - 1), sizeof(TEXT) - 1);
	(void)close(fd);
	(void)snprintf(text, sizeof(text), "@%s", path);
	assert_int_equal(uvcis_read(text, &u, why, sizeof(why)), SG_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(u.n, 2);
	uvcis_clear(&u);
}

/* What is refused is not repeated: it may be somebody's UVCI. */
static void test_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		",",
		"0011",
		A16 "00",
		A32 "00",
		"@/nowhere/at/all",
		"URN:UVCI:01:VN:SECRET#A",
		A16 ",URN:UVCI:01:VN:SECRET#A",
	};
	struct uvcis u;

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		why[0] = '\0';
		assert_int_not_equal(uvcis_read(BAD[i], &u, why, sizeof(why)),
				     SG_OK);
		assert_int_not_equal(why[0], '\0');
		assert_null(strstr(why, "SECRET"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
