/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hcert/base45.h"
#include "hcert/hc1.h"
#include "hcert/qr_version.h"

static const char PREFIX[4] = {'H', 'C', '1', ':'};

static struct deflate *deflater;
static char text[HC1_TEXT_MAX + 64];
static uint8_t back[HC1_COSE_MAX + 1];
static uint8_t noise[HC1_COSE_MAX + 1];

static int setup(void **state)
{
	uint32_t x = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (uint8_t)(x >> 24);
	}
	return deflate_create(&deflater) == SG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	deflate_free(deflater);
	return 0;
}

static enum sg_err decode(const char *s, size_t n, size_t *len)
{
	return hc1_decode(deflater, span_of(s, n), back, sizeof(back), len);
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 300, 301, 5000, HC1_COSE_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n;
		size_t m;

		assert_int_equal(hc1_encode(deflater, span_of(noise, sizes[i]),
					    text, HC1_TEXT_MAX, &n),
				 SG_OK);
		assert_memory_equal(text, "HC1:", 4);
		assert_int_equal(decode(text, n, &m), SG_OK);
		assert_int_equal(m, sizes[i]);
		assert_memory_equal(back, noise, m);
		assert_int_equal(hc1_encode(deflater, span_of(noise, sizes[i]),
					    text, n - 1, &m),
				 SG_TOO_BIG);
		assert_int_equal(hc1_encode(deflater, span_of(noise, sizes[i]),
					    text, n, &m),
				 SG_OK);
		if (sizes[i] > 0)
			assert_int_equal(hc1_decode(deflater, span_of(text, n),
						    back, sizes[i] - 1, &m),
					 SG_TOO_BIG);
	}
}

/* What N bytes of zlib become. */
static size_t characters(size_t n)
{
	return sizeof(PREFIX) + base45_encoded_bytes(n);
}

static size_t encode(struct span cose)
{
	size_t n;
	size_t m;

	assert_int_equal(hc1_encode(deflater, cose, text, sizeof(text), &n),
			 SG_OK);
	assert_int_equal(decode(text, n, &m), SG_OK);
	assert_true(span_eq(span_of(back, m), cose));
	return n;
}

/* Compressed where that makes a smaller QR code; else not, for the time. */
static void test_compressed_where_it_pays(void **state)
{
	static uint8_t zlib[2048];
	static uint8_t mixed[800];
	size_t compressed = 0;
	size_t stored = 0;

	(void)state;
	memset(mixed, 'A', sizeof(mixed));
	assert_true(encode(span_of(mixed, 400)) < 100);
	assert_int_equal(encode(span_of(noise, 400)),
			 characters(400 + DEFLATE_FRAME_BYTES));
	/* Letters and digits before the noise of a signature, ever more. */
	for (size_t size = 100; size <= sizeof(mixed); size++) {
		static const char letters[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:abcdefghijklmn"
			"opqrstuvwxyz-/., <fnt";
		const struct span cose = span_of(mixed, size);
		size_t best;
		size_t n;

		for (size_t i = 0; i < size; i++)
			mixed[i] =
				i + 90 < size
					? (uint8_t)
						  letters[noise[i] %
							  (sizeof(letters) - 1)]
					: noise[i];
		n = encode(cose);
		assert_int_equal(
			deflate_zlib(deflater, cose, zlib, sizeof(zlib), &best),
			SG_OK);
		assert_true(qr_version(n) <= qr_version(characters(best)));
		if (n == characters(size + DEFLATE_FRAME_BYTES))
			stored++;
		else
			compressed++;
	}
	assert_true(stored > 50);
	assert_true(compressed > 50);
}

static void test_too_big(void **state)
{
	static uint8_t zlib[2 * HC1_COSE_MAX];
	size_t n;
	size_t m;

	(void)state;
	assert_int_equal(hc1_encode(deflater,
				    span_of(noise, (size_t)HC1_COSE_MAX + 1),
				    text, sizeof(text), &n),
			 SG_TOO_BIG);
	/* One byte more than we unwrap, though the caller has room for it. */
	memset(back, 0, sizeof(back));
	assert_int_equal(deflate_zlib(deflater, span_of(back, sizeof(back)),
				      zlib, sizeof(zlib), &n),
			 SG_OK);
	memcpy(text, PREFIX, sizeof(PREFIX));
	n = 4 + base45_encode(span_of(zlib, n), text + 4);
	assert_int_equal(decode(text, n, &m), SG_TOO_BIG);
	memset(text, '0', sizeof(text));
	memcpy(text, PREFIX, sizeof(PREFIX));
	assert_int_equal(decode(text, HC1_TEXT_MAX + 1, &m), SG_TOO_BIG);
	/* As long as may be, and no zlib: read in full, without harm. */
	assert_int_equal(decode(text, HC1_TEXT_MAX - 2, &m), SG_BAD_ZLIB);
}

static void test_white_space(void **state)
{
	char padded[1200];
	size_t n;
	size_t m;
	int k;

	(void)state;
	for (size_t size = 1; size < 200; size++) {
		assert_int_equal(hc1_encode(deflater, span_of(noise, size),
					    text, sizeof(text), &n),
				 SG_OK);
		/* What is not stripped by mistake: see trim(). */
		assert_true(text[n - 1] != ' ');
		k = snprintf(padded, sizeof(padded), " \t\n%.*s \r\n", (int)n,
			     text);
		assert_int_equal(decode(padded, (size_t)k, &m), SG_OK);
		assert_true(span_eq(span_of(back, m), span_of(noise, size)));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		enum sg_err want;
	} cases[] = {
		{"", SG_BAD_PREFIX},	     {" ", SG_BAD_PREFIX},
		{"HC1", SG_BAD_PREFIX},	     {"hc1:000", SG_BAD_PREFIX},
		{"HC2:000", SG_BAD_PREFIX},  {"XHC1:000", SG_BAD_PREFIX},
		{"HC1:", SG_BAD_ZLIB},	     {"HC1:0", SG_BAD_BASE45},
		{"HC1:aaa", SG_BAD_BASE45},  {"HC1:BB8", SG_BAD_ZLIB},
		{"HC1: BB8", SG_BAD_BASE45},
	};
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (decode(cases[i].text, strlen(cases[i].text), &n) !=
		    cases[i].want)
			fail_msg("\"%s\"", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_compressed_where_it_pays),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_white_space),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
