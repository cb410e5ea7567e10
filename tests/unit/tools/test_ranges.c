/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/auditor/ranges.h"

static char why[200];

static struct ranges read_good(const char *text)
{
	struct ranges r;

	assert_int_equal(ranges_read(text, &r, why, sizeof(why)), SG_OK);
	return r;
}

static void test_read(void **state)
{
	struct ranges r = read_good("30..39,5,7..9,6,35..50,100..");

	(void)state;
	assert_int_equal(r.n, 3);
	assert_int_equal(r.range[0].first, 5); /* 5, 6, 7..9 touch */
	assert_int_equal(r.range[0].last, 9);
	assert_int_equal(r.range[1].first, 30);
	assert_int_equal(r.range[1].last, 50);
	assert_int_equal(r.range[2].first, 100);
	assert_true(r.range[2].last == UINT64_MAX);
	ranges_clear(&r);
	r = read_good("0..,18446744073709551615");
	assert_int_equal(r.n, 1);
	ranges_clear(&r);
}

static void test_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		",",
		"a",
		"5-9",
		"9..5",
		"..5",
		"5...9",
		"5..x",
		"-1",
		"5 6",
		"18446744073709551616",
		"1..18446744073709551616",
		"@",
		"@/nowhere/at/all",
	};
	struct ranges r;

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		why[0] = '\0';
		assert_int_not_equal(ranges_read(BAD[i], &r, why, sizeof(why)),
				     SG_OK);
		assert_int_not_equal(why[0], '\0');
	}
}

static void test_file(void **state)
{
	char path[] = "/tmp/ranges-XXXXXX";
	char text[sizeof(path) + 1];
	const int fd = mkstemp(path);
	struct ranges r;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "7\n3, 4\r\n\t9..11\n\n", 16), 16);
	(void)close(fd);
	(void)snprintf(text, sizeof(text), "@%s", path);
	r = read_good(text);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.range[2].last, 11);
	ranges_clear(&r);
}

static void test_next(void **state)
{
	static const uint64_t WANT[] = {2, 3, 8, 20, 21, 22};
	struct ranges r = read_good("20..22,2..3,8");
	uint64_t i = 0;
	size_t at = 0;
	size_t n = 0;

	(void)state;
	while (ranges_next(&r, &at, i, &i)) {
		assert_int_equal(i, WANT[n]);
		n++;
		i++;
	}
	assert_int_equal(n, sizeof(WANT) / sizeof(WANT[0]));
	at = 0;
	n = 0;
	for (i = 0; i < 30; i++)
		if (ranges_has(&r, &at, i))
			assert_int_equal(i, WANT[n++]);
	assert_int_equal(n, sizeof(WANT) / sizeof(WANT[0]));
	ranges_clear(&r);
	at = 0;
	assert_true(ranges_has(&r, &at, 77)); /* the empty one is all */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
