/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/identity.h"

static const struct identity SAMPLE = {
	.spki = {1, 2, 3, [31] = 32},
	.n = 2,
	.name = {{IDENTITY_URI, {(const uint8_t *)"urn:demo", 8}},
		 {IDENTITY_DNS, {(const uint8_t *)"a.example", 9}}},
};

static const uint8_t NAMES[] = {
	0, 8, 0, 'u', 'r', 'n', ':', 'd', 'e', 'm', 'o', /* URI */
	1, 9, 0, 'a', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e'};

static void test_bytes(void **state)
{
	uint8_t want[33 + 3 + 8 + 3 + 9] = {1, 2, 3, [31] = 32, [32] = 2};
	uint8_t out[100];
	size_t n;

	(void)state;
	memcpy(want + 33, NAMES, sizeof(NAMES));
	assert_int_equal(identity_encode(&SAMPLE, out, sizeof(out), &n), SG_OK);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(out, want, n);
	for (size_t cap = 0; cap < n; cap++) {
		size_t k;

		memset(out, 0xee, sizeof(out));
		assert_int_equal(identity_encode(&SAMPLE, out, cap, &k),
				 SG_TOO_BIG);
		assert_int_equal(out[cap], 0xee);
	}
}

static void test_round_trip(void **state)
{
	struct identity id;
	uint8_t out[100];
	size_t n;

	(void)state;
	assert_int_equal(identity_encode(&SAMPLE, out, sizeof(out), &n), SG_OK);
	assert_int_equal(identity_decode(span_of(out, n), &id), SG_OK);
	assert_memory_equal(id.spki, SAMPLE.spki, sizeof(id.spki));
	assert_int_equal(id.n, 2);
	for (size_t i = 0; i < id.n; i++) {
		assert_int_equal(id.name[i].type, SAMPLE.name[i].type);
		assert_true(span_eq(id.name[i].text, SAMPLE.name[i].text));
	}
}

/* No part of an encoding, and none with one byte more, is an encoding. */
static void test_lengths(void **state)
{
	struct identity id;
	uint8_t out[100] = {0};
	size_t n;

	(void)state;
	assert_int_equal(identity_encode(&SAMPLE, out, sizeof(out), &n), SG_OK);
	for (size_t k = 0; k < n; k++)
		assert_int_equal(identity_decode(span_of(out, k), &id),
				 SG_MALFORMED);
	assert_int_equal(identity_decode(span_of(out, n + 1), &id),
			 SG_MALFORMED);
}

static void test_false_fields(void **state)
{
	struct identity id;
	uint8_t out[100];
	size_t n;

	(void)state;
	assert_int_equal(identity_encode(&SAMPLE, out, sizeof(out), &n), SG_OK);
	out[33] = IDENTITY_TYPE_COUNT;
	assert_int_equal(identity_decode(span_of(out, n), &id), SG_MALFORMED);
	out[33] = 0;
	out[35] = 1; /* a length of 264 */
	assert_int_equal(identity_decode(span_of(out, n), &id), SG_MALFORMED);
	out[35] = 0;
	out[32] = IDENTITY_NAMES_MAX + 1;
	assert_int_equal(identity_decode(span_of(out, n), &id), SG_MALFORMED);
}

static void test_bounds(void **state)
{
	static uint8_t text[IDENTITY_BYTES_MAX];
	static uint8_t out[2 * IDENTITY_BYTES_MAX];
	const size_t most = IDENTITY_BYTES_MAX - 33 - 3;
	struct identity id = {.n = 1};
	size_t n;

	(void)state;
	id.name[0].text = span_of(text, most);
	assert_int_equal(identity_encode(&id, out, sizeof(out), &n), SG_OK);
	assert_int_equal(n, IDENTITY_BYTES_MAX);
	assert_int_equal(identity_decode(span_of(out, n), &id), SG_OK);
	assert_int_equal(id.name[0].text.n, most);
	id.name[0].text = span_of(text, most + 1);
	assert_int_equal(identity_encode(&id, out, sizeof(out), &n),
			 SG_TOO_BIG);
	id = (struct identity){.n = IDENTITY_NAMES_MAX};
	assert_int_equal(identity_encode(&id, out, sizeof(out), &n), SG_OK);
	assert_int_equal(identity_decode(span_of(out, n), &id), SG_OK);
	assert_int_equal(id.n, IDENTITY_NAMES_MAX);
	id.n++;
	assert_int_equal(identity_encode(&id, out, sizeof(out), &n),
			 SG_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_false_fields),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
