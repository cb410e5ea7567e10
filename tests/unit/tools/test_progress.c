/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/common/number.h"
#include "tools/issuer/progress.h"

static void test_numbers(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(number_text(0, out), "0");
	assert_string_equal(number_text(999, out), "999");
	assert_string_equal(number_text(1000, out), "1,000");
	assert_string_equal(number_text(1234567, out), "1,234,567");
	assert_string_equal(number_text(UINT64_MAX, out),
			    "18,446,744,073,709,551,615");
}

static void test_line(void **state)
{
	struct tally t = {
		.records = 3000, .good = 2000, .refused = 990, .again = 10};
	struct progress p = {.good_word = "signed",
			     .start_records = 1000,
			     .start_bytes = 100};
	struct progress_state s = {
		.tally = &t, .bytes = 300, .size = 1000, .note = ""};
	char out[PROGRESS_TEXT];

	(void)state;
	/* 200 bytes in 2 s: 700 are left. */
	progress_line(&p, &s, 2000000, out);
	assert_string_equal(out, "3,000 records: 2,000 signed, 990 refused, 10 "
				 "for later; 1,000/s, 0:07 left");
	s.size = 0;
	s.note = "away";
	t.again = 0;
	progress_line(&p, &s, 0, out);
	assert_string_equal(
		out, "3,000 records: 2,000 signed, 990 refused; 0/s; away");
	s.size = 1000000;
	progress_line(&p, &s, 2000000, out);
	assert_non_null(strstr(out, ", 2:46:37 left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
