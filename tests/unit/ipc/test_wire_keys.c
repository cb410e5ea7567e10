/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of operations, and of keys that are made. */
#include "wire_packet.h"

READER(operate)
READER(handshake)
READER(find_key)
READER(found_key)
READER(forge)
READER(forged)

static void test_operate(void **state)
{
	struct wire_operate in = {.identity = SPAN_LIT("who"),
				  .operation = SPAN_LIT("\xd8\x62\x84")};
	struct wire_packet w = fresh();
	struct wire_operate out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_operate(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(m.type, WIRE_OPERATE);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_operate(&m, &out), SG_OK);
	assert_span(out.identity, in.identity);
	assert_span(out.operation, in.operation);
	check_lengths(&m, read_operate, &out);
	in.operation = span_of(big, WIRE_OPERATION_MAX);
	w = fresh();
	assert_int_equal(wire_put_operate(&w, ID, &in), SG_OK);
	in.operation.n++;
	w = fresh();
	assert_int_equal(wire_put_operate(&w, ID, &in), SG_TOO_BIG);
}

static void test_handshake(void **state)
{
	struct wire_handshake in = {
		.deadline_us = 5, .content = SPAN_LIT("content"), .name = 77};
	struct wire_packet w = fresh();
	struct wire_handshake out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_handshake(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(m.type, WIRE_HANDSHAKE);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_handshake(&m, &out), SG_OK);
	assert_int_equal(out.deadline_us, 5);
	assert_int_equal(out.name, 77);
	assert_span(out.content, in.content);
	check_lengths(&m, read_handshake, &out);
	in.content = span_of(big, WIRE_HANDSHAKE_MAX + 1);
	w = fresh();
	assert_int_equal(wire_put_handshake(&w, ID, &in), SG_TOO_BIG);
}

static void test_find_key(void **state)
{
	const struct wire_find_key in = {.label = SPAN_LIT("dsc-2"), .alg = -7};
	const struct wire_found_key found = {.ok = true,
					     .key = {.key = 3,
						     .alg = -7,
						     .label = SPAN_LIT("dsc-2"),
						     .spki = SPAN_LIT("spki")}};
	struct wire_packet w = fresh();
	struct wire_find_key out;
	struct wire_found_key out_found;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_find_key(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_find_key(&m, &out), SG_OK);
	assert_span(out.label, in.label);
	assert_int_equal(out.alg, -7);
	check_lengths(&m, read_find_key, &out);
	w = fresh();
	assert_int_equal(wire_put_found_key(&w, ID, &found), SG_OK);
	m = only(&w);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_found_key(&m, &out_found), SG_OK);
	assert_true(out_found.ok);
	assert_int_equal(out_found.key.key, 3);
	assert_span(out_found.key.label, in.label);
	assert_span(out_found.key.spki, found.key.spki);
	check_lengths(&m, read_found_key, &out_found);
	packet[HEAD] = 2; /* ok */
	assert_int_equal(wire_get_found_key(&m, &out_found), SG_MALFORMED);
}

static void test_forge(void **state)
{
	const struct wire_forge in = {.task = WIRE_TASK_CSR,
				      .kinds = 5,
				      .alg = -37,
				      .bits = 3072,
				      .label = SPAN_LIT("dsc-2"),
				      .subject = SPAN_LIT("name"),
				      .spki = SPAN_LIT("spki")};
	const struct wire_forged done = {.ok = true,
					 .ckr = 7,
					 .reason = SPAN_LIT("why"),
					 .spki = SPAN_LIT("spki"),
					 .csr = SPAN_LIT("csr")};
	struct wire_packet w = fresh();
	struct wire_forge out;
	struct wire_forged out_done;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_forge(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_forge(&m, &out), SG_OK);
	assert_int_equal(out.task, WIRE_TASK_CSR);
	assert_int_equal(out.kinds, 5);
	assert_int_equal(out.alg, -37);
	assert_int_equal(out.bits, 3072);
	assert_span(out.label, in.label);
	assert_span(out.subject, in.subject);
	assert_span(out.spki, in.spki);
	check_lengths(&m, read_forge, &out);
	packet[HEAD] = WIRE_TASK_COUNT;
	assert_int_equal(wire_get_forge(&m, &out), SG_MALFORMED);
	w = fresh();
	assert_int_equal(wire_put_forged(&w, ID, &done), SG_OK);
	m = only(&w);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_forged(&m, &out_done), SG_OK);
	assert_true(out_done.ok && out_done.ckr == 7);
	assert_span(out_done.reason, done.reason);
	assert_span(out_done.spki, done.spki);
	assert_span(out_done.csr, done.csr);
	check_lengths(&m, read_forged, &out_done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operate),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_find_key),
		cmocka_unit_test(test_forge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
