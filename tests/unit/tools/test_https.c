/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <string.h>

#include "tools/common/https.h"

static void test_say(void **state)
{
	char why[256];

	(void)state;
	assert_false(https_say(CURLE_COULDNT_CONNECT, "", why, sizeof(why)));
	assert_string_equal(why, curl_easy_strerror(CURLE_COULDNT_CONNECT));
	assert_true(https_say(
		CURLE_RECV_ERROR,
		"error:0A000414:SSL routines::sslv3 alert certificate "
		"revoked",
		why, sizeof(why)));
	assert_non_null(strstr(why, "(--cert) is revoked)"));
	assert_false(https_say(CURLE_RECV_ERROR, "Connection reset by peer",
			       why, sizeof(why)));
	assert_string_equal(why, "Connection reset by peer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
