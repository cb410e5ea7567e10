/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_world.h"

static void test_ops(void **state)
{
	struct exchange x = request(HTTP_GET, "/livez");

	(void)state;
	at_door(&x, DOOR_OPS);
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
	assert_string_equal(got.body, "alive\n");
	x = request(HTTP_GET, "/readyz");
	at_door(&x, DOOR_OPS);
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
	assert_string_equal(got.body, "ready\n");
	core_status_remarks(true, 0, SPAN_LIT("key ledger: away"));
	x.answered = false;
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
	assert_string_equal(got.body, "ready, but: key ledger: away\n");
	core_status_remarks(false, 0, SPAN_LIT("key ledger: away"));
	x.answered = false;
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 503);
	assert_string_equal(got.body, "not ready: no signing key\n");
	core_status_is(true, 0);
	front->draining = true;
	x.answered = false;
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 503);
	assert_string_equal(got.body, "not ready: draining\n");
	front->draining = false;
	core_dies();
	x.answered = false;
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 503);
	assert_non_null(strstr(got.body, "core"));
	x = request(HTTP_GET, "/metrics");
	at_door(&x, DOOR_OPS);
	play(&x, SPAN_LIT(""));
	api_gone(&x);
	assert_int_equal(got.r.status, 200);
	assert_memory_equal(got.r.content_type, "text/plain; version=0.0.4",
			    25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_ops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
