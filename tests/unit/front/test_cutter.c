/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "front/cutter.h"

enum { MAX = 16, RESULTS_MAX = 64, INPUT_MAX = 4096 };

/* What came of an input: a letter a result, and the records behind it. */
struct outcome {
	char kinds[RESULTS_MAX]; /* r record, b too big, l lost */
	char records[INPUT_MAX];
	bool within;
};

/* Cut IN as it comes in pieces of STEP bytes. */
static struct outcome cut(enum cutter_form form, struct span in, size_t step)
{
	static uint8_t buf[INPUT_MAX];
	struct cutter c = cutter_begin(form, MAX);
	struct outcome o = {0};
	size_t have = 0;
	size_t at = 0;
	size_t kinds = 0;
	size_t text = 0;
	bool lost = false;

	assert_true(in.n <= sizeof(buf));
	while (!lost) {
		const size_t left = in.n - at;
		const size_t n = left < step ? left : step;
		const bool end = n == left;
		enum cutter_result got;

		if (n > 0)
			memcpy(buf + have, in.p + at, n);
		at += n;
		have += n;
		do {
			struct span record = {0};
			size_t used = 0;

			got = cutter_next(&c, span_of(buf, have), end, &record,
					  &used);
			assert_true(used <= have);
			assert_true(kinds + 1 < RESULTS_MAX);
			if (got == CUTTER_RECORD) {
				assert_true(record.n <= MAX);
				assert_true(text + record.n + 1 < INPUT_MAX);
				memcpy(o.records + text, record.p, record.n);
				text += record.n;
				o.records[text++] = '|';
			}
			if (got != CUTTER_MORE)
				o.kinds[kinds++] =
					"rb?l"[got == CUTTER_LOST ? 3 : got];
			lost = got == CUTTER_LOST;
			memmove(buf, buf + used, have - used);
			have -= used;
		} while (got == CUTTER_RECORD || got == CUTTER_TOO_BIG);
		if (end)
			break;
	}
	o.within = cutter_is_within(&c);
	return o;
}

static void expect(enum cutter_form form, struct span in, const char *kinds,
		   const char *records)
{
	for (size_t step = 1; step <= in.n + 1; step++) {
		const struct outcome o = cut(form, in, step);

		assert_string_equal(o.kinds, kinds);
		if (records != NULL)
			assert_string_equal(o.records, records);
	}
}

static void test_lines(void **state)
{
	(void)state;
	expect(CUTTER_LINES, SPAN_LIT(""), "", "");
	expect(CUTTER_LINES, SPAN_LIT("{}\n{\"a\":1}\n"), "rr",
	       "{}|{\"a\":1}|");
	/* Empty lines are records, the last line needs no end. */
	expect(CUTTER_LINES, SPAN_LIT("\n\na\r\n\nb"), "rrrrr", "||a\r||b|");
	expect(CUTTER_LINES, SPAN_LIT("a\n"), "r", "a|");
}

static void test_long_lines(void **state)
{
	(void)state;
	expect(CUTTER_LINES, SPAN_LIT("0123456789abcdef\nx\n"), "rr",
	       "0123456789abcdef|x|");
	expect(CUTTER_LINES, SPAN_LIT("0123456789abcdefg\nx\n"), "br", "x|");
	expect(CUTTER_LINES,
	       SPAN_LIT("0123456789abcdef0123456789abcdef0123456789\n\nx"),
	       "brr", "|x|");
	expect(CUTTER_LINES, SPAN_LIT("x\n0123456789abcdefg"), "rb", "x|");
}

static void test_items(void **state)
{
	(void)state;
	expect(CUTTER_ITEMS, SPAN_LIT(""), "", "");
	/* 1, "a", {"a": 1}, [[], [1, 2]], 1.5, null, h'', false */
	expect(CUTTER_ITEMS,
	       SPAN_LIT("\x01\x61\x61\xa1\x61\x61\x01\x82\x80\x82\x01\x02"
			"\xf9\x3e\x00\xf6\x40\xf4"),
	       "rrrrrrrr", NULL);
	/* A text of 5 with every form of its head. */
	expect(CUTTER_ITEMS,
	       SPAN_LIT("\x65"
			"hello"
			"\x78\x05"
			"hello"
			"\x79\x00\x05"
			"hello"
			"\x7a\x00\x00\x00\x05"
			"hello"),
	       "rrrr", NULL);
	/* A tag belongs to its item. */
	expect(CUTTER_ITEMS, SPAN_LIT("\xc0\x61\x61\xc1\xd8\x20\x01\x02"),
	       "rrr", NULL);
}

static void test_indefinite_items(void **state)
{
	(void)state;
	/* [_ 1, [2, 3], {_ "a": (_ "b", "c")}], 4 */
	expect(CUTTER_ITEMS,
	       SPAN_LIT("\x9f\x01\x82\x02\x03\xbf\x61\x61\x7f\x61\x62\x61\x63"
			"\xff\xff\xff\x04"),
	       "rr", NULL);
	expect(CUTTER_ITEMS, SPAN_LIT("\x82\x9f\x01\xff\x9f\xff\x05"), "rr",
	       "\x82\x9f\x01\xff\x9f\xff|\x05|");
	/* An indefinite item is one of those around it. */
	expect(CUTTER_ITEMS, SPAN_LIT("\x9f\x82\x9f\xff\x02\xff\x06"), "rr",
	       "\x9f\x82\x9f\xff\x02\xff|\x06|");
}

static void test_lost(void **state)
{
	(void)state;
	expect(CUTTER_ITEMS, SPAN_LIT("\x01\xff\x01"), "rl", NULL);
	expect(CUTTER_ITEMS, SPAN_LIT("\x1c"), "l", NULL); /* reserved */
	expect(CUTTER_ITEMS, SPAN_LIT("\x1f"), "l", NULL); /* 31 of a number */
	expect(CUTTER_ITEMS, SPAN_LIT("\x82\x01\xff"), "l", NULL);
	/* A claim of 2^60 bytes, of 2^60 items, of 2^63 pairs. */
	expect(CUTTER_ITEMS, SPAN_LIT("\x5b\x10\0\0\0\0\0\0\0"), "l", NULL);
	expect(CUTTER_ITEMS, SPAN_LIT("\x9b\x10\0\0\0\0\0\0\0"), "l", NULL);
	expect(CUTTER_ITEMS, SPAN_LIT("\xbb\x80\0\0\0\0\0\0\0"), "l", NULL);
}

static void test_nesting(void **state)
{
	static uint8_t deep[2048];

	(void)state;
	/* Definite: as deep as it likes, though far too large here. */
	memset(deep, 0x81, 1000);
	deep[1000] = 0x01;
	deep[1001] = 0x02;
	expect(CUTTER_ITEMS, span_of(deep, 1002), "br", "\x02|");
	/* Indefinite: up to a limit. */
	memset(deep, 0x9f, CUTTER_OPEN_MAX);
	memset(deep + CUTTER_OPEN_MAX, 0xff, CUTTER_OPEN_MAX);
	deep[2 * CUTTER_OPEN_MAX] = 0x07;
	expect(CUTTER_ITEMS, span_of(deep, 2 * CUTTER_OPEN_MAX + 1), "br",
	       "\x07|");
	memset(deep, 0x9f, CUTTER_OPEN_MAX + 1);
	expect(CUTTER_ITEMS, span_of(deep, CUTTER_OPEN_MAX + 1), "l", NULL);
}

/* What ends in the middle is given as it is, for its reader to refuse. */
static void test_end_within(void **state)
{
	(void)state;
	expect(CUTTER_ITEMS, SPAN_LIT("\x01\x82\x01"), "rr", "\x01|\x82\x01|");
	expect(CUTTER_ITEMS, SPAN_LIT("\x01\x19\x01"), "rr", "\x01|\x19\x01|");
	expect(CUTTER_ITEMS, SPAN_LIT("\x65he"), "r", "\x65he|");
	expect(CUTTER_ITEMS, SPAN_LIT("\x9f"), "r", "\x9f|");
	expect(CUTTER_ITEMS,
	       SPAN_LIT("\x78\x40"
			"0123456789abcdef"),
	       "b", "");
}

static void test_within(void **state)
{
	struct cutter c = cutter_begin(CUTTER_LINES, MAX);
	struct span record;
	size_t used;

	(void)state;
	assert_false(cutter_is_within(&c));
	assert_int_equal(cutter_next(&c, SPAN_LIT("ab"), false, &record, &used),
			 CUTTER_MORE);
	assert_int_equal(used, 0);
	assert_true(cutter_is_within(&c));
	assert_int_equal(
		cutter_next(&c, SPAN_LIT("ab\n"), false, &record, &used),
		CUTTER_RECORD);
	assert_int_equal(used, 3);
	assert_false(cutter_is_within(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_indefinite_items),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_end_within),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
