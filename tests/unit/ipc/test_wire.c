/* SPDX-License-Identifier: Apache-2.0 */
#include "wire_packet.h"

static void test_bare(void **state)
{
	static const enum wire_type bare[] = {WIRE_RELOAD, WIRE_DRAIN, WIRE_UP};
	struct span rest;
	struct wire_msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		struct wire_packet w = fresh();

		assert_int_equal(wire_put_bare(&w, bare[i]), SG_OK);
		assert_int_equal(w.len, HEAD);
		assert_int_equal(only(&w).type, bare[i]);
		packet[0] = HEAD + 1; /* with a body, which it may not have */
		memset(packet + HEAD, 0, 8);
		rest = span_of(packet, HEAD + 8);
		assert_int_equal(wire_next(&rest, &m), SG_MALFORMED);
	}
}

/* A head's fields, one after the other, made wrong. */
static void test_head(void **state)
{
	const struct wire_credit in = {.credit = 1};
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {
		{0, HEAD - 1},	      /* size: less than the head */
		{0, 0},		      /* size */
		{0, HEAD + 16},	      /* size: more than the packet */
		{3, 0x80},	      /* size: far more */
		{4, 0},		      /* type: none */
		{4, WIRE_TYPE_COUNT}, /* type: the first unknown one */
		{5, 1},		      /* type: far beyond */
		{6, 1},		      /* reserved */
		{7, 1},		      /* reserved */
		{8, 1},		      /* an id where there is none */
		{15, 1},	      /* an id where there is none */
		{HEAD + 4, 1},	      /* padding */
		{HEAD + 7, 1},	      /* padding */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct wire_packet w = fresh();
		struct span rest;
		struct wire_msg m;

		assert_int_equal(wire_put_credit(&w, &in), SG_OK);
		assert_int_equal(w.len, HEAD + 8);
		packet[wrong[i].at] = wrong[i].value;
		rest = span_of(packet, w.len);
		assert_int_equal(wire_next(&rest, &m), SG_MALFORMED);
		assert_int_equal(rest.n, w.len);
	}
}

static void test_truncated_packet(void **state)
{
	const struct wire_credit in = {.credit = 1};
	struct wire_packet w = fresh();
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_credit(&w, &in), SG_OK);
	for (size_t n = 1; n < w.len; n++) {
		struct span rest = span_of(packet, n);

		assert_int_equal(wire_next(&rest, &m), SG_MALFORMED);
	}
}

static void test_several(void **state)
{
	const struct wire_credit credit = {.credit = 3};
	const struct wire_answer answer = {.document = SPAN_LIT("12345")};
	struct wire_packet w = fresh();
	struct span rest;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_answer(&w, 1, &answer), SG_OK);
	assert_int_equal(wire_put_credit(&w, &credit), SG_OK);
	assert_int_equal(wire_put_answer(&w, 2, &answer), SG_OK);
	rest = span_of(packet, w.len);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.id, 1);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.type, WIRE_CREDIT);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.id, 2);
	assert_int_equal(wire_next(&rest, &m), SG_NOT_FOUND);
}

/* In each size of buffer: all or nothing, and not a byte beyond. */
static void test_small_buffers(void **state)
{
	const struct wire_answer in = {.document = SPAN_LIT("12345")};
	const size_t need = 32; /* 16 + 4 + 5, padded */

	(void)state;
	for (size_t cap = 0; cap < need + 4; cap++) {
		struct wire_packet w = fresh();
		const enum sg_err want = cap < need ? SG_TOO_BIG : SG_OK;

		w.cap = cap;
		assert_int_equal(wire_put_answer(&w, 1, &in), want);
		assert_int_equal(w.len, want == SG_OK ? need : 0);
		assert_int_equal(packet[cap], 0xee);
	}
}

static void test_packet_max(void **state)
{
	struct wire_answer in = {
		.document = span_of(big, WIRE_PACKET_MAX - HEAD - 4)};
	struct wire_packet w = fresh();

	(void)state;
	assert_int_equal(wire_put_answer(&w, 1, &in), SG_OK);
	assert_int_equal(w.len, WIRE_PACKET_MAX);
	w = fresh();
	w.cap = (size_t)2 * WIRE_PACKET_MAX; /* a promise that is too large */
	in.document.n++;
	assert_int_equal(wire_put_answer(&w, 1, &in), SG_TOO_BIG);
	assert_int_equal(w.len, 0);
}

static void test_violations(void **state)
{
	const struct wire_violation a = {.warning = true,
					 .pointer = SPAN_LIT("/dcc/v/0/ci"),
					 .code = SPAN_LIT("missing-field"),
					 .detail = SPAN_LIT("why")};
	const struct wire_violation b = {.code = SPAN_LIT("entry-count")};
	struct wire_violation out;
	uint8_t buf[256];
	size_t len = 0;
	size_t first;
	struct span rest;

	(void)state;
	assert_int_equal(wire_violation_put(buf, sizeof(buf), &len, &a), SG_OK);
	first = len;
	assert_int_equal(wire_violation_put(buf, sizeof(buf), &len, &b), SG_OK);
	for (size_t cap = first; cap < len; cap++) {
		size_t at = first;

		assert_int_equal(wire_violation_put(buf, cap, &at, &b),
				 SG_TOO_BIG);
		assert_int_equal(at, first);
	}
	rest = span_of(buf, len);
	assert_int_equal(wire_violation_next(&rest, &out), SG_OK);
	assert_true(out.warning);
	assert_span(out.pointer, a.pointer);
	assert_span(out.code, a.code);
	assert_span(out.detail, a.detail);
	assert_int_equal(wire_violation_next(&rest, &out), SG_OK);
	assert_false(out.warning);
	assert_span(out.code, b.code);
	assert_int_equal(wire_violation_next(&rest, &out), SG_NOT_FOUND);
	for (size_t n = 1; n < first; n++) {
		rest = span_of(buf, n);
		assert_int_equal(wire_violation_next(&rest, &out),
				 SG_MALFORMED);
	}
	buf[0] = 2;
	rest = span_of(buf, len);
	assert_int_equal(wire_violation_next(&rest, &out), SG_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_truncated_packet),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_small_buffers),
		cmocka_unit_test(test_packet_max),
		cmocka_unit_test(test_violations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
