/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hcert/cose.h"
#include "hex.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(cose_alg_name(COSE_ES256), "ES256");
	assert_string_equal(cose_alg_name(COSE_PS256), "PS256");
	assert_string_equal(cose_alg_name(COSE_EDDSA), "EdDSA");
	assert_string_equal(cose_alg_name(COSE_NONE), "none");
	assert_string_equal(cose_alg_name((enum cose_alg) - 999), "none");
	assert_int_equal(cose_alg_of(SPAN_LIT("ES256")), COSE_ES256);
	assert_int_equal(cose_alg_of(SPAN_LIT("PS256")), COSE_PS256);
	assert_int_equal(cose_alg_of(SPAN_LIT("EdDSA")), COSE_EDDSA);
	assert_int_equal(cose_alg_of(SPAN_LIT("es256")), COSE_NONE);
	assert_int_equal(cose_alg_of(SPAN_LIT("ES25")), COSE_NONE);
	assert_int_equal(cose_alg_of(SPAN_LIT("none")), COSE_NONE);
	assert_int_equal(cose_alg_of(span_of(NULL, 0)), COSE_NONE);
}

static void test_protected(void **state)
{
	static const struct {
		enum cose_alg alg;
		const char *want;
	} cases[] = {
		{COSE_ES256, "a2 01 26 04 48 0102030405060708"},
		{COSE_EDDSA, "a2 01 27 04 48 0102030405060708"},
		{COSE_PS256, "a2 01 3824 04 48 0102030405060708"},
	};
	const uint8_t kid[COSE_KID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t out[COSE_PROTECTED_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			cose_protected(cases[i].alg, kid, out, sizeof(out), &n),
			SG_OK);
		assert_true(span_eq(span_of(out, n), hex(cases[i].want)));
		assert_int_equal(
			cose_protected(cases[i].alg, kid, out, n - 1, &n),
			SG_TOO_BIG);
	}
}

static void test_sig_structure(void **state)
{
	const struct span want = hex("84 6a 5369676e617475726531 43 a10126 "
				     "42 aabb 44 01020304");
	uint8_t out[64];
	size_t n;

	(void)state;
	for (size_t cap = 0; cap < want.n; cap++) {
		memset(out, 0xee, sizeof(out));
		assert_int_equal(cose_sig_structure(hex("a10126"), hex("aabb"),
						    hex("01020304"), out, cap,
						    &n),
				 SG_TOO_BIG);
		assert_int_equal(n, want.n);
		assert_int_equal(out[cap], 0xee);
	}
	assert_int_equal(cose_sig_structure(hex("a10126"), hex("aabb"),
					    hex("01020304"), out, sizeof(out),
					    &n),
			 SG_OK);
	assert_true(span_eq(span_of(out, n), want));
	assert_int_equal(cose_sig_structure(span_of(NULL, 0), span_of(NULL, 0),
					    span_of(NULL, 0), out, sizeof(out),
					    &n),
			 SG_OK);
	assert_true(span_eq(span_of(out, n),
			    hex("84 6a 5369676e617475726531 40 40 40")));
}

/* The widths of a string's head, at the sizes where they change. */
static void test_sig_structure_widths(void **state)
{
	static const struct {
		size_t payload;
		size_t head;
	} cases[] = {{23, 1},  {24, 2},	   {255, 2},
		     {256, 3}, {65535, 3}, {65536, 5}};
	static uint8_t payload[65536];
	static uint8_t out[70000];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			cose_sig_structure(hex("a10126"), span_of(NULL, 0),
					   span_of(payload, cases[i].payload),
					   out, sizeof(out), &n),
			SG_OK);
		assert_int_equal(n, 1 + 11 + 4 + 1 + cases[i].head +
					    cases[i].payload);
	}
	assert_int_equal(cose_sig_structure(hex("a10126"), span_of(NULL, 0),
					    span_of(payload, SIZE_MAX), NULL, 0,
					    &n),
			 SG_TOO_BIG);
	assert_int_equal(n, 0);
}

static void test_sign1_encode(void **state)
{
	const struct span want = hex("d2 84 43 a10126 a0 42 0102 43 030405");
	uint8_t out[64];
	size_t n;

	(void)state;
	assert_int_equal(cose_sign1_encode(hex("a10126"), hex("0102"),
					   hex("030405"), out, sizeof(out), &n),
			 SG_OK);
	assert_true(span_eq(span_of(out, n), want));
	assert_int_equal(cose_sign1_encode(hex("a10126"), hex("0102"),
					   hex("030405"), out, n - 1, &n),
			 SG_TOO_BIG);
	assert_int_equal(n, want.n);
}

/* --- decoding ------------------------------------------------------------ */

static struct cose_sign1 decoded(const char *text)
{
	struct cose_sign1 s;

	if (cose_sign1_decode(hex(text), &s) != SG_OK)
		fail_msg("%s", text);
	return s;
}

static void test_decode(void **state)
{
	const struct cose_sign1 s =
		decoded("d2 84 47 a20126044212ff a0 42 0102 43 030405");

	(void)state;
	assert_true(s.tagged);
	assert_false(s.detached);
	assert_int_equal(s.alg, COSE_ES256);
	assert_true(s.has_kid);
	assert_true(span_eq(s.kid, hex("12ff")));
	assert_true(span_eq(s.prot, hex("a20126044212ff")));
	assert_true(span_eq(s.unprotected, hex("a0")));
	assert_true(span_eq(s.payload, hex("0102")));
	assert_true(span_eq(s.signature, hex("030405")));
}

static void test_tags(void **state)
{
	(void)state;
	assert_false(decoded("84 40 a0 40 40").tagged);
	assert_true(decoded("d83d d2 84 40 a0 40 40").tagged);
	assert_true(decoded("d9d9f7 d2 84 40 a0 40 40").tagged);
	assert_true(decoded("d9d9f7 d83d d2 84 40 a0 40 40").tagged);
	assert_false(decoded("d9d9f7 84 40 a0 40 40").tagged);
	assert_true(decoded("d812 84 40 a0 40 40").tagged);
}

static void test_headers(void **state)
{
	struct cose_sign1 s = decoded("84 40 a0 40 40");

	(void)state;
	assert_int_equal(s.alg, COSE_NONE);
	assert_false(s.has_kid);
	/* kid and alg from the unprotected bucket. */
	s = decoded("84 40 a2 01 3824 04 41 07 40 40");
	assert_int_equal(s.alg, COSE_PS256);
	assert_true(s.has_kid && span_eq(s.kid, hex("07")));
	/* A map without parameters counts as no bytes: RFC 9052 s. 4.4. */
	assert_int_equal(decoded("84 41 a0 a0 40 40").prot.n, 0);
	assert_int_equal(decoded("84 42 bfff a0 40 40").prot.n, 0);
	/* Unknown algorithms, by number (ES384) and by name. */
	assert_int_equal(decoded("84 44 a1013822 a0 40 40").alg, COSE_NONE);
	assert_int_equal(decoded("84 45 a101624853 a0 40 40").alg, COSE_NONE);
	assert_int_equal(decoded("84 4b a1013bffffffffffffffff a0 40 40").alg,
			 COSE_NONE);
	/* Other labels are passed, whatever they hold. */
	s = decoded("84 49 a3 0126 0300 617881f6 a1 05 a1 01 80 40 40");
	assert_int_equal(s.alg, COSE_ES256);
	assert_true(span_eq(s.unprotected, hex("a1 05 a1 01 80")));
	/* An empty kid is one. */
	s = decoded("84 43 a1 0440 a0 40 40");
	assert_true(s.has_kid && s.kid.n == 0);
}

static void test_indefinite(void **state)
{
	const struct cose_sign1 s =
		decoded("d2 9f 44 bf0126ff bf 04 41 01 ff f6 41 02 ff");

	(void)state;
	assert_int_equal(s.alg, COSE_ES256);
	assert_true(span_eq(s.prot, hex("bf0126ff")));
	assert_true(span_eq(s.kid, hex("01")));
	assert_true(s.detached);
	assert_int_equal(s.payload.n, 0);
	assert_true(span_eq(s.unprotected, hex("bf 04 41 01 ff")));
	assert_true(span_eq(s.signature, hex("02")));
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"d2",
		"84",
		"a0",
		"f6",
		"83 40 a0 40",
		"85 40 a0 40 40 40",
		"84 40 a0 40 40 00", /* trailing byte */
		"d1 84 40 a0 40 40",
		"d2 d2 84 40 a0 40 40",
		"d83d 84 40 a0 40 40", /* CWT tag on an untagged one */
		"d2 d83d 84 40 a0 40 40",
		"84 a0 a0 40 40",
		"84 60 a0 40 40",
		"84 40 80 40 40",
		"84 40 40 40 40",
		"84 40 f6 40 40",
		"84 40 a0 60 40",
		"84 40 a0 40 60",
		"84 40 a0 40 f6",
		"84 40 a0 f7 40",
		"84 41 80 a0 40 40",   /* protected: not a map */
		"84 42 a000 a0 40 40", /* bytes behind it */
		"84 41 a1 a0 40 40",   /* cut */
		"84 5f ff a0 40 40",   /* strings in chunks */
		"84 40 a0 5f 41 00 ff 40",
		"84 40 a0 40 5f 41 00 ff",
		"84 44 a1 02 81 04 a0 40 40", /* crit */
		"84 40 a1 02 81 04 40 40",
		"84 43 a1 04 00 a0 40 40", /* kid: not bytes */
		"84 43 a1 04 60 a0 40 40",
		"84 43 a1 01 40 a0 40 40", /* alg: not a number or text */
		"84 43 a1 01 f6 a0 40 40",
		"84 43 a1 40 00 a0 40 40", /* label: not a label */
		"84 5f a0 40 40",
		"84 40 a0 5f 40",
		"84 40 a0 40 5f",
		"9f 40 a0 40 40",
		"9f 40 a0 40 40 00 ff",
		"9f 40 a0 40 ff",
		"84 40 bf 04 ff 40 40",
		"84 40 bf 01 ff 40 40",
		"84 40 bf 05 ff 40 40",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cose_sign1 s;

		if (cose_sign1_decode(hex(texts[i]), &s) != SG_MALFORMED)
			fail_msg("%s", texts[i]);
	}
}

static void test_duplicates(void **state)
{
	static const char *const texts[] = {
		"84 45 a2 0126 0126 a0 40 40",
		"84 46 a2 0126 180126 a0 40 40",
		"84 43 a1 0126 a1 0126 40 40", /* across the buckets */
		"84 43 a1 0440 a1 0440 40 40",
		"84 40 a2 6178 00 6178 00 40 40",
		"84 44 a1 617800 a1 6178 00 40 40",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cose_sign1 s;

		if (cose_sign1_decode(hex(texts[i]), &s) != SG_DUPLICATE_KEY)
			fail_msg("%s", texts[i]);
	}
}

/* No beginning of a message is a message. */
static void test_cut_off(void **state)
{
	static const uint8_t whole[] = {0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26,
					0xa1, 0x04, 0x41, 0x07, 0x42, 0x01,
					0x02, 0x42, 0x03, 0x04};
	struct cose_sign1 s;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++)
		assert_int_equal(cose_sign1_decode(span_of(whole, n), &s),
				 SG_MALFORMED);
	assert_int_equal(cose_sign1_decode(span_of(whole, sizeof(whole)), &s),
			 SG_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_sig_structure),
		cmocka_unit_test(test_sig_structure_widths),
		cmocka_unit_test(test_sign1_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_indefinite),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
