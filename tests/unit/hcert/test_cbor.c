/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "hcert/cbor.h"
#include "hex.h"

/* Read the one item of TEXT; the whole of it must be taken. */
static enum sg_err read_one(const char *text, enum cbor_mode mode,
			    struct cbor_item *item)
{
	const struct span in = hex(text);
	struct cbor_reader r = cbor_read(in, mode);
	const enum sg_err e = cbor_next(&r, item);

	if (e == SG_OK)
		assert_int_equal(r.at, item->all.n);
	else
		assert_int_equal(r.at, 0);
	return e;
}

static struct cbor_item take(const char *text)
{
	struct cbor_item item;
	struct cbor_item lax;

	assert_int_equal(read_one(text, CBOR_LAX, &lax), SG_OK);
	assert_int_equal(read_one(text, CBOR_DETERMINISTIC, &item), SG_OK);
	assert_int_equal(item.type, lax.type);
	return item;
}

static void assert_bad(const char *text)
{
	struct cbor_item item;

	assert_int_equal(read_one(text, CBOR_LAX, &item), SG_MALFORMED);
	assert_int_equal(read_one(text, CBOR_DETERMINISTIC, &item),
			 SG_MALFORMED);
}

/* Well-formed, and not deterministic. */
static void assert_lax_only(const char *text)
{
	struct cbor_item item;

	assert_int_equal(read_one(text, CBOR_LAX, &item), SG_OK);
	assert_int_equal(read_one(text, CBOR_DETERMINISTIC, &item),
			 SG_MALFORMED);
}

static void assert_integer(const char *text, enum cbor_type type, uint64_t arg)
{
	const struct cbor_item item = take(text);

	assert_int_equal(item.type, type);
	assert_true(item.arg == arg);
}

static void test_integers(void **state)
{
	(void)state;
	assert_integer("00", CBOR_UINT, 0);
	assert_integer("17", CBOR_UINT, 23);
	assert_integer("1818", CBOR_UINT, 24);
	assert_integer("18ff", CBOR_UINT, 255);
	assert_integer("190100", CBOR_UINT, 256);
	assert_integer("19ffff", CBOR_UINT, 65535);
	assert_integer("1a00010000", CBOR_UINT, 65536);
	assert_integer("1b0000000100000000", CBOR_UINT, UINT64_C(1) << 32);
	assert_integer("1bffffffffffffffff", CBOR_UINT, UINT64_MAX);
	assert_integer("20", CBOR_NINT, 0);
	assert_integer("3818", CBOR_NINT, 24);
	assert_integer("390103", CBOR_NINT, 259);
	assert_integer("3a00010000", CBOR_NINT, 65536);
	assert_integer("3bffffffffffffffff", CBOR_NINT, UINT64_MAX);
}

static void test_int_value(void **state)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t value;
	} cases[] = {
		{"00", true, 0},
		{"20", true, -1},
		{"390103", true, -260},
		{"1b7fffffffffffffff", true, INT64_MAX},
		{"3b7fffffffffffffff", true, INT64_MIN},
		{"1b8000000000000000", false, 0},
		{"3b8000000000000000", false, 0},
		{"40", false, 0},
		{"f6", false, 0},
		{"c0", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cbor_item item = take(cases[i].text);
		int64_t value = 0;

		assert_true(cbor_int(&item, &value) == cases[i].fits);
		assert_true(value == cases[i].value);
	}
}

static void test_strings(void **state)
{
	struct cbor_item item = take("43010203");

	(void)state;
	assert_int_equal(item.type, CBOR_BYTES);
	assert_int_equal(item.all.n, 4);
	assert_int_equal(item.run.n, 3);
	assert_ptr_equal(item.run.p, item.all.p + 1);
	item = take("62c3bc");
	assert_int_equal(item.type, CBOR_TEXT);
	assert_true(span_is(item.run, "ü"));
	assert_int_equal(take("40").run.n, 0);
	assert_int_equal(take("60").run.n, 0);
	assert_bad("62c328");
	assert_bad("63eda080");
	assert_bad("61ff");
}

static void test_containers(void **state)
{
	struct cbor_item item;

	(void)state;
	assert_int_equal(take("80").type, CBOR_ARRAY);
	assert_int_equal(take("a0").type, CBOR_MAP);
	assert_integer("c1", CBOR_TAG, 1);
	assert_integer("d2", CBOR_TAG, 18);
	assert_integer("d7", CBOR_TAG, 23);
	assert_integer("d83d", CBOR_TAG, 61);
	assert_integer("d9d9f7", CBOR_TAG, 55799);
	assert_integer("dbffffffffffffffff", CBOR_TAG, UINT64_MAX);
	/* As many items as bytes, as many pairs as pairs of bytes. */
	{
		struct cbor_reader r =
			cbor_read(hex("82 00 00"), CBOR_DETERMINISTIC);
		assert_int_equal(cbor_next(&r, &item), SG_OK);
		assert_int_equal(item.arg, 2);
		assert_int_equal(r.at, 1);
	}
}

/* Promises that the rest of the input cannot keep. */
static void test_false_promises(void **state)
{
	(void)state;
	assert_bad("8300 00");
	assert_bad("81");
	assert_bad("a1 00");
	assert_bad("a2 00 00 00");
	assert_bad("9bffffffffffffffff");
	assert_bad("bbffffffffffffffff");
	assert_bad("bb8000000000000001 0000");
	assert_bad("5bffffffffffffffff");
	assert_bad("7b7fffffffffffffff 00");
	assert_bad("42 01");
}

static void test_cut_off(void **state)
{
	static const char *const texts[] = {
		"",   "18",   "19",   "1901", "1a010203", "1b01020304050607",
		"38", "58",   "59ff", "78",   "98",	  "b8",
		"d8", "d9d9", "f8",   "f97c", "fa7f8000", "fb7ff00000000000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_bad(texts[i]);
}

/* RFC 8949 s. 3: values 28 to 30 of the low five bits are reserved. */
static void test_reserved(void **state)
{
	static const uint8_t zeros[16];

	(void)state;
	for (unsigned head = 0; head < 256; head++) {
		const unsigned info = head & 0x1f;
		uint8_t b[sizeof(zeros)] = {(uint8_t)head};
		struct cbor_reader r =
			cbor_read(span_of(b, sizeof(b)), CBOR_LAX);
		struct cbor_item item;
		/* 31 has no meaning for integers and tags (majors 0, 1, 6). */
		const bool no_indefinite =
			info == 31 && (head < 0x40 || head >> 5 == 6);

		if ((info >= 28 && info <= 30) || no_indefinite)
			assert_int_equal(cbor_next(&r, &item), SG_MALFORMED);
	}
}

static void test_longer_than_needed(void **state)
{
	static const char *const texts[] = {
		"1800",
		"1817",
		"190000",
		"1900ff",
		"1a00000000",
		"1a0000ffff",
		"1b0000000000000000",
		"1b00000000ffffffff",
		"3817",
		"3900ff",
		"3a0000ffff",
		"3b00000000ffffffff",
		"5800",
		"580101",
		"590001ff",
		"5a0000000101",
		"5b000000000000000101",
		"7800",
		"780161",
		"79000161",
		"9800",
		"990000",
		"9a00000000",
		"9b0000000000000000",
		"b800",
		"b90000",
		"ba00000000",
		"d812",
		"d90012",
		"da00000012",
		"db0000000000000012",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_lax_only(texts[i]);
}

static void test_indefinite(void **state)
{
	static const struct {
		const char *text;
		enum cbor_type type;
	} cases[] = {
		{"5f", CBOR_BYTES}, {"7f", CBOR_TEXT},	{"9f", CBOR_ARRAY},
		{"bf", CBOR_MAP},   {"ff", CBOR_BREAK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cbor_item item;

		assert_lax_only(cases[i].text);
		assert_int_equal(read_one(cases[i].text, CBOR_LAX, &item),
				 SG_OK);
		assert_int_equal(item.type, cases[i].type);
		assert_true(item.indefinite == (item.type != CBOR_BREAK));
		assert_int_equal(item.run.n, 0);
	}
}

static void test_simple(void **state)
{
	(void)state;
	assert_int_equal(take("f4").type, CBOR_FALSE);
	assert_int_equal(take("f5").type, CBOR_TRUE);
	assert_int_equal(take("f6").type, CBOR_NULL);
	assert_int_equal(take("f7").type, CBOR_UNDEFINED);
	assert_integer("e0", CBOR_SIMPLE, 0);
	assert_integer("f0", CBOR_SIMPLE, 16);
	assert_integer("f3", CBOR_SIMPLE, 19);
	assert_integer("f820", CBOR_SIMPLE, 32);
	assert_integer("f8ff", CBOR_SIMPLE, 255);
	assert_bad("f800"); /* s. 3.3: not well-formed below 32 */
	assert_bad("f814");
	assert_bad("f81f");
}

static void test_reals(void **state)
{
	(void)state;
	assert_true(take("f93e00").real == 1.5);
	assert_true(take("f97bff").real == 65504.0);
	assert_true(take("f90001").real == 0x1p-24);
	assert_true(take("f98000").real == 0.0 && signbit(take("f98000").real));
	assert_true(take("f9c400").real == -4.0);
	assert_true(take("fa47c35000").real == 100000.0);
	assert_true(take("fb3ff199999999999a").real == 1.1);
	assert_true(isinf(take("f97c00").real));
	assert_true(isinf(take("f9fc00").real));
	assert_true(isnan(take("f97e00").real));
	assert_int_equal(take("f93e00").type, CBOR_FLOAT);
	assert_lax_only("fa3fc00000");	       /* 1.5 */
	assert_lax_only("fb3ff8000000000000"); /* 1.5 */
	assert_lax_only("fb40f86a0000000000"); /* 100000 */
	assert_lax_only("fa7f800000");
	assert_lax_only("fb7ff0000000000000");
	assert_lax_only("fa7fc00000");
	assert_lax_only("fb7ff8000000000000");
	assert_lax_only("f97e01");
	assert_lax_only("f9fe00");
	assert_lax_only("fa33800000"); /* 2^-24: the least half */
	assert_true(take("fa33000000").real == 0x1p-25);
}

/* Only a string of that type, in one piece; else nothing is taken. */
static void test_string_of_a_type(void **state)
{
	static const char *const others[] = {"",	 "01", "42ff", "60",
					     "5f4101ff", "f6", "80"};
	struct cbor_reader r = cbor_read(hex("420102626869"), CBOR_LAX);
	struct span run;

	(void)state;
	assert_int_equal(cbor_string(&r, CBOR_TEXT, &run), SG_MALFORMED);
	assert_int_equal(r.at, 0);
	assert_int_equal(cbor_string(&r, CBOR_BYTES, &run), SG_OK);
	assert_true(span_eq(run, hex("0102")));
	assert_int_equal(cbor_string(&r, CBOR_BYTES, &run), SG_MALFORMED);
	assert_int_equal(cbor_string(&r, CBOR_TEXT, &run), SG_OK);
	assert_true(span_is(run, "hi"));
	assert_true(cbor_at_end(&r));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		r = cbor_read(hex(others[i]), CBOR_LAX);
		assert_int_equal(cbor_string(&r, CBOR_BYTES, &run),
				 SG_MALFORMED);
		assert_int_equal(r.at, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_int_value),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_string_of_a_type),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_false_promises),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_longer_than_needed),
		cmocka_unit_test(test_indefinite),
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_reals),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
