/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/record.h"

static const uint8_t UCI[32] = {1};
static const uint8_t COUNTRY_UCI[32] = {2};
static const uint8_t PAYLOAD[32] = {3};

static struct record certificate(void)
{
	return (struct record){.index = 70000,
			       .entry = SPAN_LIT("entry"),
			       .signature = SPAN_LIT("signature"),
			       .country = SPAN_LIT("VN"),
			       .uci = UCI,
			       .country_uci = COUNTRY_UCI,
			       .payload = PAYLOAD};
}

static void test_certificate(void **state)
{
	const struct record r = certificate();
	struct record got;
	uint8_t out[300];
	size_t n;
	size_t used;

	(void)state;
	assert_int_equal(record_encode(&r, NULL, 0, &used), SG_TOO_BIG);
	for (size_t cap = 0; cap < used; cap++)
		assert_int_equal(record_encode(&r, out, cap, &n), SG_TOO_BIG);
	assert_int_equal(record_encode(&r, out, used, &n), SG_OK);
	assert_int_equal(n, used);
	out[n] = 0xff; /* whatever follows */
	assert_int_equal(record_decode(span_of(out, n + 1), &got, &used),
			 SG_OK);
	assert_int_equal(used, n);
	assert_int_equal(got.index, 70000);
	assert_true(span_eq(got.entry, r.entry));
	assert_true(span_eq(got.signature, r.signature));
	assert_true(span_eq(got.country, r.country));
	assert_memory_equal(got.uci, UCI, 32);
	assert_memory_equal(got.country_uci, COUNTRY_UCI, 32);
	assert_memory_equal(got.payload, PAYLOAD, 32);
	/* Cut anywhere, there is more to come; with any bit flipped, damage
	 * (or a length that reaches beyond). */
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(record_decode(span_of(out, cut), &got, &used),
				 SG_NOT_FOUND);
	for (size_t bit = 0; bit < n * 8; bit++) {
		enum sg_err err;

		out[bit / 8] ^= (uint8_t)(1U << bit % 8);
		err = record_decode(span_of(out, n), &got, &used);
		assert_true(err == SG_MALFORMED ||
			    (bit < 32 && err == SG_NOT_FOUND));
		out[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

/* {1: 5, 2: 'e'}, its length, and the CRC-32 of both, computed elsewhere. */
static void test_plain(void **state)
{
	static const uint8_t want[] = {0x06, 0,	   0,	 0,    0xab, 0x4e, 0xc0,
				       0x67, 0xa2, 0x01, 0x05, 0x02, 0x41, 'e'};
	const struct record r = {.index = 5, .entry = SPAN_LIT("e")};
	struct record got;
	uint8_t out[64];
	size_t n;

	(void)state;
	assert_int_equal(record_encode(&r, out, sizeof(out), &n), SG_OK);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(out, want, n);
	assert_int_equal(record_decode(span_of(out, n), &got, &n), SG_OK);
	assert_int_equal(got.index, 5);
	assert_int_equal(got.signature.n, 0);
	assert_null(got.uci);
}

static void test_unsound(void **state)
{
	static uint8_t big[RECORD_BYTES_MAX];
	static uint8_t out[2 * RECORD_BYTES_MAX];
	struct record r = certificate();
	size_t n;

	(void)state;
	r.entry = span_of(big, ENTRY_BYTES_MAX);
	r.signature = span_of(big, COSE_SIG_MAX);
	r.country = span_of("ABCDEFGH", RECORD_COUNTRY_MAX);
	r.index = UINT64_MAX;
	assert_int_equal(record_encode(&r, out, RECORD_BYTES_MAX, &n), SG_OK);
	r.entry.n++;
	assert_int_equal(record_encode(&r, out, sizeof(out), &n), SG_MALFORMED);
	r = certificate();
	r.signature = span_of(big, COSE_SIG_MAX + 1);
	assert_int_equal(record_encode(&r, out, sizeof(out), &n), SG_MALFORMED);
	r = certificate();
	r.country = span_of("ABCDEFGHI", RECORD_COUNTRY_MAX + 1);
	assert_int_equal(record_encode(&r, out, sizeof(out), &n), SG_MALFORMED);
	r = certificate();
	r.payload = NULL;
	assert_int_equal(record_encode(&r, out, sizeof(out), &n), SG_MALFORMED);
	r = certificate();
	r.entry.n = 0;
	assert_int_equal(record_encode(&r, out, sizeof(out), &n), SG_MALFORMED);
}

/* A frame whose CRC is right around a body that is not. */
static enum sg_err decode_body(const char *body, size_t body_n)
{
	uint8_t out[200];
	struct record got;
	size_t n;

	memcpy(out + RECORD_HEAD_BYTES, body, body_n);
	record_frame(out, body_n);
	return record_decode(span_of(out, RECORD_HEAD_BYTES + body_n), &got,
			     &n);
}
#define BODY(s) decode_body(s, sizeof(s) - 1)

static void test_body(void **state)
{
	(void)state;
	assert_int_equal(BODY("\xa2\x01\x05\x02\x41x"), SG_OK);
	assert_int_equal(BODY("\xa2\x01\x05\x02\x41x\x00"), SG_MALFORMED);
	assert_int_equal(BODY("\xa2\x01\x05\x02\x40"), SG_MALFORMED);
	assert_int_equal(BODY("\xa2\x01\x18\x05\x02\x41x"), SG_MALFORMED);
	assert_int_equal(BODY("\xa2\x02\x41x\x01\x05"), SG_MALFORMED);
	assert_int_equal(BODY("\xa3\x01\x05\x02\x41x\x03\x41y"), SG_MALFORMED);
	assert_int_equal(BODY("\xa7\x01\x05\x02\x41x\x03\x41y\x04\x60\x05\x41z"
			      "\x06\x41z\x07\x41z"),
			 SG_MALFORMED);
	assert_int_equal(BODY("\x01"), SG_MALFORMED);
	assert_int_equal(BODY(""), SG_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_unsound),
		cmocka_unit_test(test_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
