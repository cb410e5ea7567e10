/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "hcert/utf8.h"
#include "hex.h"

static void test_valid(void **state)
{
	static const char *const texts[] = {
		"",
		"a",
		"Bộ Y tế",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"eight by eight, then ộ and on and on",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_true(utf8_valid(span_str(texts[i])));
	assert_true(utf8_valid(hex("00")));
}

static void test_next(void **state)
{
	struct span rest = SPAN_LIT("a\xc2\x9bộ\xf0\x9f\x92\x89\xed\xa0\x80");
	static const uint32_t want[] = {'a',	    0x9b,	 0x1ed9,
					0x1f489,    UTF8_BROKEN, UTF8_BROKEN,
					UTF8_BROKEN};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(utf8_next(&rest), want[i]);
	assert_int_equal(rest.n, 0);
}

static void test_hidden(void **state)
{
	static const uint32_t hidden[] = {
		0,	0x1f,	0x7f,	0x80,	0x9f,	 0x2028, 0x2029, 0x202a,
		0x202e, 0x2066, 0x2069, 0xad,	0x200b,	 0x200d, 0x2060, 0x206f,
		0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xe0041, 0xe0fff};
	static const uint32_t seen[] = {
		' ',	0x7e,	0xa0,	 0xac,	  0xae,	   0x200a,
		0x2010, 0x2027, 0x202f,	 0x205f,  0x2070,  0x1ed9,
		0xfe10, 0xffa1, 0xdffff, 0xe1000, 0x10ffff};

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_true(utf8_is_hidden(hidden[i]));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		assert_false(utf8_is_hidden(seen[i]));
	assert_true(utf8_has_hidden(SPAN_LIT("Nguyễn\0")));
	assert_true(utf8_has_hidden(SPAN_LIT("a\xe2\x80\xac")));
	assert_false(utf8_has_hidden(SPAN_LIT("Nguyễn Bảo-Duy's")));
	assert_false(utf8_has_hidden(SPAN_LIT("")));
}

static void test_invalid(void **state)
{
	static const char *const texts[] = {
		"80",	       "bf",
		"c0 80",       "c1 bf",
		"c2",	       "c2 41",
		"c2 c2",       "e0 80 80",
		"e0 9f bf",    "e1 80",
		"e1 80 41",    "e1",
		"ed a0 80",    "ed bf bf", /* surrogates */
		"f0 80 80 80", "f0 8f bf bf",
		"f1 80 80",    "f1 80 80 41",
		"f4 90 80 80", /* U+110000 */
		"f5 80 80 80", "f8 88 80 80 80",
		"fe",	       "ff",
	};
	char at_end[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(utf8_valid(hex(texts[i])));
		/* Behind ASCII that is passed eight bytes at a time. */
		(void)snprintf(at_end, sizeof(at_end), "%s%s",
			       "61616161616161616161", texts[i]);
		assert_false(utf8_valid(hex(at_end)));
	}
}

/* Against the definition: every code point, encoded by the book. */
static void test_all_code_points(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c < 0x200000; c++) {
		uint8_t b[4];
		size_t n = 0;
		const bool want = c < 0x110000 && !(c >= 0xd800 && c < 0xe000);

		if (c < 0x800) {
			b[n++] = (uint8_t)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			b[n++] = (uint8_t)(0xe0 | c >> 12);
			b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		} else {
			b[n++] = (uint8_t)(0xf0 | c >> 18);
			b[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
			b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		}
		b[n++] = (uint8_t)(0x80 | (c & 0x3f));
		if (utf8_valid(span_of(b, n)) != want)
			fail_msg("U+%X", c);
		if (utf8_valid(span_of(b, n - 1)))
			fail_msg("U+%X cut", c);
	}
}

/* One byte that is not ASCII, at any place in a text of any length. */
static void test_places(void **state)
{
	uint8_t text[40];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t n = 1; n <= sizeof(text); n++)
		for (size_t at = 0; at < n; at++) {
			text[at] = 0x80;
			assert_false(utf8_valid(span_of(text, n)));
			text[at] = 'a';
			assert_true(utf8_valid(span_of(text, n)));
		}
}

static void test_trimmed(void **state)
{
	static const char *const trimmed[] = {
		"", "a", "a b", "Bộ Y tế", "ộ", "\xc4\x90", "z\xe2\x80\x8bz"};
	static const char *const loose[] = {" ",
					    "a ",
					    " a",
					    "a\t",
					    "\na",
					    "\x0b",
					    "a\xc2\x85",
					    "\xc2\xa0z",
					    "\xe1\x9a\x80",
					    "a\xe2\x80\x80",
					    "a\xe2\x80\x8b",
					    "\xe2\x80\xa8",
					    "a\xe2\x80\xaf",
					    "\xe2\x81\x9fz",
					    "z\xe3\x80\x80",
					    "\xef\xbb\xbfz"};

	(void)state;
	for (size_t i = 0; i < sizeof(trimmed) / sizeof(trimmed[0]); i++)
		assert_true(utf8_is_trimmed(span_str(trimmed[i])));
	for (size_t i = 0; i < sizeof(loose) / sizeof(loose[0]); i++)
		assert_false(utf8_is_trimmed(span_str(loose[i])));
	/* What is no text at all is walked over, not beyond. */
	assert_true(utf8_is_trimmed(SPAN_LIT("\x80\x80")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_all_code_points),
		cmocka_unit_test(test_trimmed),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
