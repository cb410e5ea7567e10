/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hcert/cbor.h"
#include "hex.h"

static const struct cbor_limits LIMITS = {.depth = 4, .items = 20};

static void assert_check(const char *text, enum sg_err want)
{
	const enum sg_err e = cbor_check(hex(text), LIMITS);

	if (e != want)
		fail_msg("%s: %d, not %d", text, (int)e, (int)want);
}

static void test_check(void **state)
{
	(void)state;
	assert_check("00", SG_OK);
	assert_check("80", SG_OK);
	assert_check("a0", SG_OK);
	assert_check("82 01 82 02 03", SG_OK);
	assert_check("a2 61 61 01 61 62 82 02 03", SG_OK);
	assert_check("d2 84 43 a10126 a0 43 010203 40", SG_OK);
	assert_check("a1 01 c1 1a514b67b0", SG_OK);
	assert_check("", SG_MALFORMED);
	assert_check("00 00", SG_MALFORMED);
	assert_check("80 f6", SG_MALFORMED);
	assert_check("81", SG_MALFORMED);
	assert_check("82 81 00", SG_MALFORMED);
	assert_check("c1", SG_MALFORMED);
	assert_check("82 00 c1", SG_MALFORMED);
	assert_check("1800", SG_MALFORMED);
	assert_check("9f ff", SG_MALFORMED);
	assert_check("a1 01 5f 41 00 ff", SG_MALFORMED);
	assert_check("81 61 ff", SG_MALFORMED);
}

/* Bytewise order of the encoded keys: shorter text first, integers before
 * text, negative ones between. */
static void test_key_order(void **state)
{
	(void)state;
	assert_check("a4 01 f6 04 f6 06 f6 390103 f6", SG_OK);
	assert_check("a3 0a f6 1864 f6 20 f6", SG_OK);
	assert_check("a3 20 f6 617a f6 626161 f6", SG_OK);
	assert_check("a2 02 f6 01 f6", SG_MALFORMED);
	assert_check("a2 20 f6 01 f6", SG_MALFORMED);
	assert_check("a2 6161 f6 01 f6", SG_MALFORMED);
	assert_check("a2 626161 f6 617a f6", SG_MALFORMED);
	assert_check("a2 6162 f6 6161 f6", SG_MALFORMED);
	/* Each map has an order of its own. */
	assert_check("a2 02 a1 01 f6 03 a1 01 f6", SG_OK);
	assert_check("82 a1 02 f6 a1 01 f6", SG_OK);
	assert_check("a2 03 a1 05 f6 04 f6", SG_OK);
}

static void test_duplicate_keys(void **state)
{
	(void)state;
	assert_check("a2 01 f6 01 f6", SG_DUPLICATE_KEY);
	assert_check("a2 6161 f6 6161 f5", SG_DUPLICATE_KEY);
	assert_check("a2 60 f6 60 f5", SG_DUPLICATE_KEY);
	assert_check("81 a3 01 f6 390103 f6 390103 f6", SG_DUPLICATE_KEY);
	assert_check("a2 01 a1 02 f6 01 f6", SG_DUPLICATE_KEY);
}

static void test_key_types(void **state)
{
	static const char *const texts[] = {
		"a1 40 f6", "a1 80 f6",	    "a1 a0 f6",	   "a1 f6 f6",
		"a1 f5 f6", "a1 f93e00 f6", "a1 c1 01 f6", "a1 e0 f6",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_check(texts[i], SG_MALFORMED);
}

static void test_limits(void **state)
{
	(void)state;
	assert_check("81 81 81 80", SG_OK);
	assert_check("81 81 81 81 80", SG_TOO_BIG);
	assert_check("81 81 81 81 00", SG_OK);
	assert_check("a1 01 a1 01 a1 01 a1 01 a0", SG_TOO_BIG);
	/* Tags are items, and no level. */
	assert_check("c1 c1 c1 c1 c1 c1 00", SG_OK);
	assert_check("93 00000000000000000000000000000000000000", SG_OK);
	assert_check("94 0000000000000000000000000000000000000000", SG_TOO_BIG);
	assert_int_equal(cbor_check(hex("00"), (struct cbor_limits){0, 1}),
			 SG_OK);
	assert_int_equal(cbor_check(hex("80"), (struct cbor_limits){0, 1}),
			 SG_TOO_BIG);
	assert_int_equal(cbor_check(hex("00"), (struct cbor_limits){1, 0}),
			 SG_TOO_BIG);
}

enum { DEEP = 100000 };

/* The stack has an end, whatever depth is asked for. */
static void test_hostile_depth(void **state)
{
	static uint8_t deep[DEEP + 1];
	const struct cbor_limits limits = {.depth = UINT32_MAX,
					   .items = SIZE_MAX};

	(void)state;
	memset(deep, 0x81, DEEP);
	for (size_t n = 1; n < 100; n++) {
		struct span in = span_of(deep + DEEP - n, n + 1);
		struct cbor_reader r = cbor_read(in, CBOR_LAX);
		const bool fits = n <= CBOR_DEPTH_MAX;

		assert_int_equal(cbor_check(in, limits),
				 fits ? SG_OK : SG_TOO_BIG);
		assert_int_equal(cbor_skip(&r, UINT32_MAX, NULL),
				 fits ? SG_OK : SG_MALFORMED);
	}
	memset(deep, 0x9f, DEEP);
	{
		struct cbor_reader r =
			cbor_read(span_of(deep, sizeof(deep)), CBOR_LAX);

		assert_int_equal(cbor_skip(&r, UINT32_MAX, NULL), SG_MALFORMED);
		assert_int_equal(r.at, 0);
	}
	memset(deep, 0xc1, DEEP); /* tags upon tags: long, and not deep */
	assert_int_equal(cbor_check(span_of(deep, sizeof(deep)), limits),
			 SG_OK);
}

/* Skip the first item of TEXT, which must take N bytes. */
static void assert_skip(const char *text, unsigned depth, size_t n)
{
	const struct span in = hex(text);
	struct cbor_reader r = cbor_read(in, CBOR_LAX);
	struct span all;

	if (cbor_skip(&r, depth, &all) != SG_OK)
		fail_msg("%s is not skipped", text);
	assert_int_equal(r.at, n);
	assert_ptr_equal(all.p, in.p);
	assert_int_equal(all.n, n);
}

static void assert_no_skip(const char *text, unsigned depth)
{
	struct cbor_reader r = cbor_read(hex(text), CBOR_LAX);

	if (cbor_skip(&r, depth, NULL) != SG_MALFORMED)
		fail_msg("%s is skipped", text);
	assert_int_equal(r.at, 0);
}

static void test_skip(void **state)
{
	(void)state;
	assert_skip("00 00", 0, 1);
	assert_skip("43 010203 00", 0, 4);
	assert_skip("80 00", 1, 1);
	assert_skip("82 01 82 02 03 04", 2, 5);
	assert_skip("a2 02 f6 01 f6", 1, 5); /* order is not its matter */
	assert_skip("a1 80 a0", 2, 3);
	assert_skip("c1 c1 00 00", 0, 3);
	assert_skip("9f ff 00", 1, 2);
	assert_skip("9f 01 82 02 03 ff 00", 2, 6);
	assert_skip("bf ff", 1, 2);
	assert_skip("bf 01 02 03 04 ff", 1, 6);
	assert_skip("5f 41 00 42 0102 ff", 1, 7);
	assert_skip("7f 6161 60 ff", 1, 5);
	assert_skip("82 9f ff bf ff 00", 2, 5);
	assert_skip("9f 9f 9f ff ff ff", 3, 6);
}

static void test_skip_refuses(void **state)
{
	static const char *const texts[] = {
		"",
		"ff",
		"81",
		"81 ff",
		"a1 01 ff",
		"9f",
		"9f 01",
		"bf 01 ff",	  /* ends after a key */
		"5f 61 61 ff",	  /* text among bytes */
		"7f 41 00 ff",	  /* bytes among text */
		"5f 5f ff ff",	  /* chunks in chunks */
		"5f c1 41 00 ff", /* a tagged chunk */
		"5f 00 ff",
		"7f 61 ff ff", /* not UTF-8 by itself */
		"c1 ff",
		"9f c1 ff",
		"9f c1 ff 00",
		"c1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_no_skip(texts[i], 8);
	assert_no_skip("80", 0);
	assert_no_skip("82 01 82 02 03", 1);
	assert_no_skip("5f ff", 0);
}

static size_t count_items(const char *text, uint64_t *taken, size_t *at)
{
	struct cbor_reader r = cbor_read(hex(text), CBOR_LAX);
	struct cbor_item head;
	size_t n = 0;

	*taken = 0;
	assert_int_equal(cbor_next(&r, &head), SG_OK);
	while (cbor_more(&r, &head, taken)) {
		if (cbor_skip(&r, 4, NULL) != SG_OK)
			break;
		n++;
	}
	*at = r.at;
	return n;
}

static void test_more(void **state)
{
	uint64_t taken;
	size_t at;

	(void)state;
	assert_int_equal(count_items("83 01 8102 03 00", &taken, &at), 3);
	assert_int_equal(at, 5);
	assert_int_equal(count_items("a2 01 02 03 04 05", &taken, &at), 4);
	assert_int_equal(at, 5);
	assert_int_equal(count_items("80 00", &taken, &at), 0);
	assert_int_equal(at, 1);
	assert_int_equal(count_items("9f 01 02 ff 00", &taken, &at), 2);
	assert_int_equal(at, 4);
	assert_int_equal(count_items("bf ff", &taken, &at), 0);
	assert_int_equal(at, 2);
	/* Without its end there is one more, which cannot be read. */
	assert_int_equal(count_items("9f 01", &taken, &at), 1);
	assert_int_equal(taken, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_key_order),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_key_types),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile_depth),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_skip_refuses),
		cmocka_unit_test(test_more),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
