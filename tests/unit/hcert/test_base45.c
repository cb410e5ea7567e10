/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hcert/base45.h"

/* RFC 9285 s. 4.3 and 4.4, and the ends of the ranges. */
static const struct {
	struct span plain;
	const char *text;
} CASES[] = {
	{{(const uint8_t *)"", 0}, ""},
	{{(const uint8_t *)"AB", 2}, "BB8"},
	{{(const uint8_t *)"Hello!!", 7}, "%69 VD92EX0"},
	{{(const uint8_t *)"base-45", 7}, "UJCLQE7W581"},
	{{(const uint8_t *)"ietf!", 5}, "QED8WEX0"},
	{{(const uint8_t *)"\0", 1}, "00"},
	{{(const uint8_t *)"\xff", 1}, "U5"},
	{{(const uint8_t *)"\0\0", 2}, "000"},
	{{(const uint8_t *)"\xff\xff", 2}, "FGW"},
};
enum { CASE_COUNT = sizeof(CASES) / sizeof(CASES[0]) };

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASE_COUNT; i++) {
		const struct span text = span_str(CASES[i].text);
		char encoded[32];
		uint8_t decoded[32];
		size_t n;

		assert_int_equal(base45_encoded_bytes(CASES[i].plain.n),
				 text.n);
		n = base45_encode(CASES[i].plain, encoded);
		assert_true(span_eq(span_of(encoded, n), text));
		assert_int_equal(
			base45_decode(text, decoded, sizeof(decoded), &n),
			SG_OK);
		assert_true(span_eq(span_of(decoded, n), CASES[i].plain));
	}
}

/* Every pair of bytes, and every single one, there and back. */
static void test_all(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
		const size_t width = v < 256 ? 1 : 2;
		const struct span in = span_of(b + 2 - width, width);
		char text[3];
		uint8_t back[2];
		size_t n = base45_encode(in, text);

		assert_int_equal(
			base45_decode(span_of(text, n), back, width, &n),
			SG_OK);
		assert_true(span_eq(span_of(back, n), in));
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"0",   "0000",	"GGW", /* 65,536 */
		":::", "::",	"V5",  /* 256 */
		"aaa", "00a",	"0a0",	 "a00",	   "0a",   "a0",
		"!!!", "BB8a0", "BB8V5", "00\x80", "00\n", "0,0",
	};
	uint8_t out[32];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (base45_decode(span_str(texts[i]), out, sizeof(out), &n) !=
		    SG_BAD_BASE45)
			fail_msg("\"%s\"", texts[i]);
	assert_int_equal(base45_decode(SPAN_LIT("00\0"), out, sizeof(out), &n),
			 SG_BAD_BASE45);
}

/* Of all characters, 45 decode. */
static void test_alphabet(void **state)
{
	size_t count = 0;

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const uint8_t text[2] = {(uint8_t)c, '0'};
		uint8_t out[1];
		size_t n;

		count += base45_decode(span_of(text, 2), out, 1, &n) == SG_OK;
	}
	assert_int_equal(count, 45);
}

static void test_room(void **state)
{
	uint8_t out[8];
	size_t n;

	(void)state;
	for (size_t cap = 0; cap < 7; cap++) {
		memset(out, 0xee, sizeof(out));
		assert_int_equal(
			base45_decode(SPAN_LIT("%69 VD92EX0"), out, cap, &n),
			SG_TOO_BIG);
		assert_int_equal(out[cap], 0xee);
	}
	assert_int_equal(base45_decode(SPAN_LIT("%69 VD92EX0"), out, 7, &n),
			 SG_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_alphabet),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
