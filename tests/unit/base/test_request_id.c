/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/request_id.h"

enum { START_MS = 4000 };

static void assert_text(uint64_t id, uint32_t line, const char *want)
{
	char text[REQUEST_ID_TEXT];

	assert_ptr_equal(request_id_text(id, line, text), text);
	assert_string_equal(text, want);
}

static void test_text(void **state)
{
	const uint64_t connection = request_id_begin(0, START_MS);
	const uint64_t first = request_id_next(connection);

	(void)state;
	assert_text(0, 0, "-");
	assert_text(connection, 0, "0000000z9");
	assert_text(first, 0, "0000000z9.1");
	assert_text(request_id_next(first), 0, "0000000z9.2");
	assert_text(first, 7, "0000000z9.1:7");
	assert_true(request_id_connection(first) == connection);
	assert_true(request_id_connection(connection) == connection);
}

static void test_longest(void **state)
{
	(void)state;
	assert_text(UINT64_MAX, UINT32_MAX, "fzzzzzzzz.1048575:4294967295");
}

static void test_connections(void **state)
{
	uint64_t id = request_id_begin(63, START_MS);
	const uint64_t first = id;

	(void)state;
	id = request_id_next_connection(id);
	assert_true(id != first);
	assert_true(id == request_id_connection(id));
	/* The highest slot stays what it is, where the number is full. */
	id = first | ((UINT64_C(1) << REQUEST_ID_CONNECTIONS) - 1)
			     << REQUEST_ID_REQUESTS;
	id = request_id_next_connection(id);
	assert_text(id, 0, "fr0000000");
}

/* The 2^20th request has the name of the first, and not of the connection. */
static void test_many_requests(void **state)
{
	const uint64_t connection = request_id_begin(1, START_MS);
	uint64_t id = connection;

	(void)state;
	for (uint32_t i = 1; i < 1U << REQUEST_ID_REQUESTS; i++)
		id = request_id_next(id);
	assert_text(id, 0, "0800000z9.1048575");
	assert_text(request_id_next(id), 0, "0800000z9.1");
}

/* Two fronts that start together, and one front that starts twice. */
static void test_starts(void **state)
{
	(void)state;
	assert_true(request_id_begin(0, START_MS) !=
		    request_id_begin(1, START_MS));
	assert_true(request_id_begin(0, START_MS) <
		    request_id_begin(0, START_MS + 1000));
	assert_true(request_id_begin(0, 0) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_many_requests),
		cmocka_unit_test(test_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
