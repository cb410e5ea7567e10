/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/http.h"

static void test_dates(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} dates[] = {
		/* The example of RFC 9110, section 5.6.7. */
		{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
		{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
		{1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
		{4102444800, "Fri, 01 Jan 2100 00:00:00 GMT"},
	};
	char out[HTTP_DATE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		http_date(dates[i].seconds, out);
		assert_string_equal(out, dates[i].text);
	}
	http_date(INT64_MAX, out);
	assert_string_equal(out, "");
}

/* Every status of the error table has its phrase. */
static void test_reasons(void **state)
{
	(void)state;
	assert_string_equal(http_reason(200), "OK");
	for (int e = 0; e < SG_ERR_COUNT; e++)
		assert_string_not_equal(http_reason(err_http((enum sg_err)e)),
					"Status");
	assert_string_equal(http_reason(299), "Status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
