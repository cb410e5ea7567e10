/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/bytes.h"

static void test_empty(void **state)
{
	struct bytes b = {0};
	uint8_t out[4];

	(void)state;
	assert_int_equal(bytes_view(&b).n, 0);
	assert_int_equal(bytes_take(&b, out, sizeof(out)), 0);
	assert_int_equal(bytes_add(&b, span_of(NULL, 0)), SG_OK);
	assert_null(b.p);
	bytes_free(&b);
}

/* Whatever is put in and taken out in any sizes: order and bytes stay. */
static void test_queue(void **state)
{
	struct bytes b = {0};
	uint8_t chunk[1000];
	uint8_t in = 0;
	uint8_t next = 0;

	(void)state;
	for (size_t round = 1; round < 400; round++) {
		const size_t put = round * 7 % sizeof(chunk);
		const size_t want = round * 11 % 900;
		size_t got;

		for (size_t i = 0; i < put; i++)
			chunk[i] = in++;
		assert_int_equal(bytes_add(&b, span_of(chunk, put)), SG_OK);
		got = bytes_take(&b, chunk, want);
		for (size_t i = 0; i < got; i++)
			assert_int_equal(chunk[i], next++);
	}
	while (b.len > 0) {
		assert_int_equal(bytes_view(&b).p[0], next++);
		bytes_drop(&b, 1);
	}
	assert_int_equal(next, in);
	bytes_free(&b);
}

static void test_memory_goes_with_the_last_byte(void **state)
{
	struct bytes b = {0};

	(void)state;
	assert_int_equal(bytes_add(&b, SPAN_LIT("abc")), SG_OK);
	bytes_drop(&b, 2);
	assert_true(span_is(bytes_view(&b), "c"));
	bytes_drop(&b, 1);
	assert_null(b.p);
	assert_int_equal(b.cap, 0);
}

static void test_absurd_size(void **state)
{
	struct bytes b = {0};
	const uint8_t c = 'x';

	(void)state;
	assert_int_equal(bytes_add(&b, SPAN_LIT("abc")), SG_OK);
	assert_int_equal(bytes_add(&b, span_of(&c, SIZE_MAX / 2)),
			 SG_NO_MEMORY);
	assert_true(span_is(bytes_view(&b), "abc"));
	bytes_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_memory_goes_with_the_last_byte),
		cmocka_unit_test(test_absurd_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
