/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

/* RFC 4648 s. 10 */
static const char *const VECTORS[][2] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static void test_vectors(void **state)
{
	char text[16];
	uint8_t bytes[16];
	struct span in;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		in = span_str(VECTORS[i][0]);
		n = base64_encode(in, BASE64_STANDARD, text);
		assert_int_equal(n, base64_encoded_bytes(in.n));
		assert_true(span_is(span_of(text, n), VECTORS[i][1]));
		assert_true(base64_decode(span_str(VECTORS[i][1]), bytes, &n));
		assert_true(span_eq(span_of(bytes, n), in));
	}
}

static void test_url_form(void **state)
{
	static const uint8_t in[] = {0xfb, 0xff, 0xfe, 0xff};
	char text[16];
	size_t n;

	(void)state;
	n = base64_encode(span_of(in, 4), BASE64_STANDARD, text);
	assert_true(span_is(span_of(text, n), "+//+/w=="));
	n = base64_encode(span_of(in, 4), BASE64_URL, text);
	assert_true(span_is(span_of(text, n), "-__-_w"));
}

static void test_all_bytes(void **state)
{
	uint8_t in[256];
	uint8_t back[258];
	char text[352];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t len = 0; len <= sizeof(in); len++) {
		n = base64_encode(span_of(in, len), BASE64_STANDARD, text);
		assert_true(base64_decode(span_of(text, n), back, &n));
		assert_true(span_eq(span_of(back, n), span_of(in, len)));
	}
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {
		"Z",	  "Zg",	   "Zg=",  "Zh==", "Zm9=",
		"====",	  "Z===",  "=g==", "Zg=a", "Zg==Zg==",
		"Zm9v\n", "Zm 9v", "Zm9-", "Zm9_", "Zm9\xc3",
	};
	uint8_t bytes[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (base64_decode(span_str(bad[i]), bytes, &n))
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_url_form),
		cmocka_unit_test(test_all_bytes),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
