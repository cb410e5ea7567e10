/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hcert/deflate.h"
#include "hex.h"

enum { BIG = 1 << 16 };

static struct deflate *deflater;
static uint8_t plain[BIG];
static uint8_t packed[2 * BIG];
static uint8_t back[BIG];

static int setup(void **state)
{
	(void)state;
	return deflate_create(&deflater) == SG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	deflate_free(deflater);
	deflate_free(NULL);
	return hex_free(state);
}

/* Bytes that compress, or noise that does not. */
static void fill(bool noise)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(plain); i++) {
		x = x * 1664525 + 1013904223;
		plain[i] = (uint8_t)(noise ? x >> 24 : i % 7);
	}
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 500, 4096, BIG};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t size = sizes[i / 2];
		size_t n;
		size_t m;

		fill(i % 2 == 0);
		assert_int_equal(
			deflate_zlib(deflater, span_of(plain, size), packed,
				     deflate_bound(deflater, size), &n),
			SG_OK);
		assert_int_equal(packed[0] & 0x0f, 8); /* RFC 1950: deflate */
		assert_int_equal((packed[0] << 8 | packed[1]) % 31, 0);
		assert_int_equal(inflate_zlib(deflater, span_of(packed, n),
					      back, size, &m),
				 SG_OK);
		assert_int_equal(m, size);
		assert_memory_equal(back, plain, size);
		if (size == 0)
			continue;
		assert_int_equal(inflate_zlib(deflater, span_of(packed, n),
					      back, size - 1, &m),
				 SG_TOO_BIG);
		assert_int_equal(deflate_zlib(deflater, span_of(plain, size),
					      packed, n - 1, &m),
				 SG_TOO_BIG);
	}
}

/* A stored block with "abc", written by hand. */
static const char STORED[] = "7801 01 0300 fcff 616263 024d0127";

static void test_foreign(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(inflate_zlib(deflater, hex(STORED), back, 3, &n),
			 SG_OK);
	assert_true(span_is(span_of(back, n), "abc"));
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"78",
		"7801",
		"7801 01 0300 fcff 616263 024d01",	/* cut */
		"7801 01 0300 fcff 616263 024d0128",	/* checksum */
		"7801 01 0300 fcff 616263 024d0127 00", /* trailing byte */
		"7801 01 0300 fcfe 616263 024d0127",	/* complement */
		"7802 01 0300 fcff 616263 024d0127",	/* header check */
		"7701 01 0300 fcff 616263 024d0127",	/* not deflate */
		"78bb 00000000 01 0300 fcff 616263 024d0127", /* dictionary */
		"7801 07 0000",				      /* block type 3 */
		"1f8b0800000000000003",			      /* gzip */
	};
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (inflate_zlib(deflater, hex(texts[i]), back, sizeof(back),
				 &n) != SG_BAD_ZLIB)
			fail_msg("%s", texts[i]);
}

/* A thousandfold: stops at the room given, whatever the stream promises. */
static void test_bomb(void **state)
{
	const size_t size = (size_t)8 << 20;
	uint8_t *zeros = calloc(1, size);
	size_t n;
	size_t m;

	(void)state;
	assert_non_null(zeros);
	assert_int_equal(deflate_zlib(deflater, span_of(zeros, size), packed,
				      sizeof(packed), &n),
			 SG_OK);
	assert_true(n < size / 500);
	memset(back, 0xee, sizeof(back));
	assert_int_equal(inflate_zlib(deflater, span_of(packed, n), back,
				      sizeof(back) - 1, &m),
			 SG_TOO_BIG);
	assert_int_equal(back[sizeof(back) - 1], 0xee);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
