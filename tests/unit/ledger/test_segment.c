/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "journal_dir.h"

static void test_name(void **state)
{
	char name[SEGMENT_NAME_SIZE];

	(void)state;
	segment_name(0, name);
	assert_string_equal(name, "00000000000000000000");
	segment_name(UINT64_MAX, name);
	assert_string_equal(name, "18446744073709551615");
}

static void check_head(int64_t newest_s)
{
	const struct segment_head h = {.origin = SPAN_LIT("log.example/a"),
				       .start = 1000000,
				       .leaf = 300,
				       .newest_s = newest_s};
	uint8_t out[SEGMENT_HEAD_MAX];
	struct segment_head got;
	size_t n;
	size_t used;

	assert_int_equal(segment_head_encode(&h, out, &n), SG_OK);
	assert_int_equal(segment_head_decode(span_of(out, n), &got, &used),
			 SG_OK);
	assert_int_equal(used, n);
	assert_true(span_eq(got.origin, h.origin));
	assert_int_equal(got.start, 1000000);
	assert_int_equal(got.leaf, 300);
	assert_int_equal(got.newest_s, newest_s);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(
			segment_head_decode(span_of(out, cut), &got, &used),
			SG_NOT_FOUND);
	out[n - 1] ^= 1;
	assert_int_equal(segment_head_decode(span_of(out, n), &got, &used),
			 SG_MALFORMED);
}

static void test_head(void **state)
{
	static char name[SEGMENT_ORIGIN_MAX + 1];
	struct segment_head h = {.origin = span_of(name, SEGMENT_ORIGIN_MAX),
				 .start = UINT64_MAX,
				 .leaf = UINT64_MAX,
				 .newest_s = INT64_MAX};
	uint8_t out[SEGMENT_HEAD_MAX];
	size_t n;

	(void)state;
	check_head(1700000000);
	check_head(-1);
	check_head(INT64_MIN);
	memset(name, 'x', sizeof(name));
	assert_int_equal(segment_head_encode(&h, out, &n), SG_OK);
	h.origin.n++;
	assert_int_equal(segment_head_encode(&h, out, &n), SG_TOO_BIG);
	/* A record is none. */
	n = dir_record(1, 5, out, sizeof(out));
	assert_int_equal(segment_head_decode(span_of(out, n), &h, &n),
			 SG_MALFORMED);
}

static void test_list(void **state)
{
	static const uint64_t starts[] = {7, 0, UINT64_MAX, 900};
	static const char *const others[] = {
		"0000000000000000000", "000000000000000000000",
		"18446744073709551616", "0000000000000000000x", "lock"};
	struct segment_list list = {0};
	const int dir = open(dir_path, O_RDONLY | O_DIRECTORY);
	char path[80];

	(void)state;
	dir_empty();
	assert_int_equal(segment_list_read(dir, &list), SG_OK);
	assert_int_equal(list.n, 0);
	assert_int_equal(segment_list_find(&list, 5), 0);
	for (size_t i = 0; i < 4; i++)
		(void)dir_write(starts[i], 0, 0, 0);
	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir_path,
			       others[i]);
		assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)),
				 0);
	}
	assert_int_equal(segment_list_read(dir, &list), SG_OK);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.start[0], 0);
	assert_int_equal(list.start[1], 7);
	assert_int_equal(list.start[2], 900);
	assert_true(list.start[3] == UINT64_MAX);
	assert_int_equal(segment_list_find(&list, 6), 0);
	assert_int_equal(segment_list_find(&list, 7), 1);
	assert_int_equal(segment_list_find(&list, 899), 1);
	assert_int_equal(segment_list_find(&list, 5000), 2);
	segment_list_free(&list);
	(void)close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
