/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hcert/cwt.h"
#include "hex.h"

static void test_encode(void **state)
{
	const struct cwt_claims claims = {.iss = SPAN_LIT("VN"),
					  .has_exp = true,
					  .exp = 1700000000,
					  .has_iat = true,
					  .iat = 1600000000,
					  .dcc = hex("a1 61 76 80")};
	const struct span want =
		hex("a4 01 62 564e 04 1a6553f100 06 1a5f5e1000 "
		    "390103 a1 01 a1 6176 80");
	uint8_t out[64];
	size_t n;

	(void)state;
	for (size_t cap = 0; cap < want.n; cap++) {
		memset(out, 0xee, sizeof(out));
		assert_int_equal(cwt_encode(&claims, out, cap, &n), SG_TOO_BIG);
		assert_int_equal(n, want.n);
		assert_int_equal(out[cap], 0xee);
	}
	assert_int_equal(cwt_encode(&claims, out, sizeof(out), &n), SG_OK);
	assert_true(span_eq(span_of(out, n), want));
}

static void test_encode_less(void **state)
{
	struct cwt_claims claims = {.has_exp = true, .exp = -1};
	uint8_t out[64];
	size_t n;

	(void)state;
	assert_int_equal(cwt_encode(&claims, out, sizeof(out), &n), SG_OK);
	assert_true(span_eq(span_of(out, n), hex("a1 04 20")));
	claims.has_exp = false;
	claims.dcc = hex("a0");
	assert_int_equal(cwt_encode(&claims, out, sizeof(out), &n), SG_OK);
	assert_true(span_eq(span_of(out, n), hex("a1 390103 a1 01 a0")));
}

static struct cwt_claims decoded(const char *text)
{
	struct cwt_claims claims;

	if (cwt_decode(hex(text), &claims) != SG_OK)
		fail_msg("%s", text);
	return claims;
}

static void test_decode(void **state)
{
	const struct cwt_claims c =
		decoded("a4 390103 a1 01 a2 6176 80 6161 01 06 1a5f5e1000 "
			"04 1a6553f100 01 62 564e");

	(void)state;
	assert_true(span_is(c.iss, "VN"));
	assert_true(c.has_exp && c.exp == 1700000000);
	assert_true(c.has_iat && c.iat == 1600000000);
	assert_true(span_eq(c.dcc, hex("a2 6176 80 6161 01")));
}

static void test_decode_forms(void **state)
{
	struct cwt_claims c = decoded("a0");

	(void)state;
	assert_false(c.has_exp || c.has_iat);
	assert_int_equal(c.iss.n, 0);
	assert_int_equal(c.dcc.n, 0);
	/* In tag 61, indefinite, heads longer than needed, other claims. */
	c = decoded("d83d bf 1804 1901f4 07 42 0b71 6178 9f ff 390103 bf 03 "
		    "80 1801 9f 01 ff ff ff");
	assert_true(c.has_exp && c.exp == 500);
	assert_true(span_eq(c.dcc, hex("9f 01 ff")));
	/* Times as floats, rounded down. */
	c = decoded("a2 04 fb41d954fc40200000 06 f9be00");
	assert_true(c.exp == 1700000000 && c.has_exp);
	assert_true(c.iat == -2 && c.has_iat);
}

static void assert_refused(const char *text, enum sg_err want)
{
	struct cwt_claims claims;

	if (cwt_decode(hex(text), &claims) != want)
		fail_msg("%s", text);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"80",
		"f6",
		"01",
		"a1",
		"a1 04",
		"a0 00",
		"c1 a0",
		"d83d d83d a0",
		"a1 04 c1 00", /* tagged time */
		"a1 04 60",
		"a1 04 f6",
		"a1 04 1b8000000000000000", /* beyond int64 */
		"a1 04 f97e00",
		"a1 04 f97c00",
		"a1 04 fb4341000000000000", /* beyond 2^53 */
		"a1 01 01",
		"a1 01 42 564e",
		"a1 01 7f 62 564e ff",
		"a1 390103 80",
		"a1 390103 f6",
		"a1 390103 a1 01",
		"a1 80 00",
		"a1 40 00", /* keys that are no claim keys */
		"bf 01 7f ff",
		"bf 04 ff",
		"bf 07 ff",
		"bf 390103 ff",
		"bf 04 00",
		"a1 07 ff",
		"a1 390103 bf 01 ff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_refused(texts[i], SG_MALFORMED);
}

static void test_duplicates(void **state)
{
	(void)state;
	assert_refused("a2 04 00 04 00", SG_DUPLICATE_KEY);
	assert_refused("a2 04 00 1804 00", SG_DUPLICATE_KEY);
	assert_refused("a2 6178 00 6178 00", SG_DUPLICATE_KEY);
	assert_refused("a1 390103 a2 01 80 01 80", SG_DUPLICATE_KEY);
	assert_refused("a2 390103 a0 390103 a0", SG_DUPLICATE_KEY);
}

/* What is not decoded is not touched. */
static void test_untouched(void **state)
{
	struct cwt_claims claims = {.exp = 42};

	(void)state;
	assert_int_equal(cwt_decode(hex("a2 04 01 06"), &claims), SG_MALFORMED);
	assert_int_equal(claims.exp, 42);
	assert_false(claims.has_exp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_less),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
