/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <stdio.h>
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

static void test_request(void **state)
{
	static const char *const bad[] = {
		"Signer-Request: \033[2J\r\n",
		"Signer-Request: a b\r\n",
		"Signer-Request:\r\n",
		"Signer-Requests: a\r\n",
		"Vary: accept\r\n",
	};
	char request[HTTPS_TEXT_MAX] = "before.1";
	char why[40] = "status 503";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		https_take_request(span_str(bad[i]), request);
		assert_string_equal(request, "before.1");
	}
	https_take_request(span_str("signer-request: 0c5k3v9qa.17\r\n"),
			   request);
	assert_string_equal(request, "0c5k3v9qa.17");
	https_add_request("", why, sizeof(why));
	assert_string_equal(why, "status 503");
	https_add_request(request, why, sizeof(why));
	assert_string_equal(why, "status 503 (request 0c5k3v9qa.17)");
	/* Without room it is the reason that is cut. */
	(void)snprintf(why, sizeof(why), "%s",
		       "a reason that takes all of the room to ");
	https_add_request(request, why, sizeof(why));
	assert_string_equal(why, "a reason that ta (request 0c5k3v9qa.17)");
	https_add_request(request, why, 5);
	assert_int_equal(strlen(why), 39);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_say),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
