/* SPDX-License-Identifier: Apache-2.0 */
#include "wire_packet.h"

READER(issue)
READER(ask)
READER(credit)
READER(issued)
READER(problem)
READER(answer)
READER(later)
READER(status)
READER(sign)
READER(hsm_ready)
READER(signed)
READER(sign_failed)
READER(link)
READER(reloaded)
READER(peer_bad)

static void test_issue(void **state)
{
	const struct wire_issue in = {.deadline_us = UINT64_MAX - 1,
				      .dry_run = true,
				      .bulk = true,
				      .language = WIRE_VIETNAMESE,
				      .identity = SPAN_LIT("who"),
				      .request = SPAN_LIT("\xa1\x00what"),
				      .presented = SPAN_LIT("\x00sig"),
				      .signature = SPAN_LIT("\xd2its own"),
				      .name = UINT64_MAX,
				      .line = 7};
	struct wire_packet w = fresh();
	struct wire_issue out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_issue(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(m.type, WIRE_ISSUE);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_issue(&m, &out), SG_OK);
	assert_true(out.deadline_us == in.deadline_us);
	assert_true(out.dry_run);
	assert_true(out.bulk);
	assert_int_equal(out.language, WIRE_VIETNAMESE);
	assert_span(out.identity, in.identity);
	assert_span(out.request, in.request);
	assert_span(out.presented, in.presented);
	assert_span(out.signature, in.signature);
	assert_true(out.name == in.name);
	assert_int_equal(out.line, in.line);
	assert_true(out.request.p > packet && out.request.p < packet + w.len);
	check_lengths(&m, read_issue, &out);
}

static void test_later(void **state)
{
	struct wire_later in = {.wait_ms = 250,
				.per_second = UINT32_MAX,
				.request = SPAN_LIT("\xa1\x00what"),
				.presented = SPAN_LIT("\x00sig"),
				.signature = SPAN_LIT("\xd2its own")};
	struct wire_packet w = fresh();
	struct wire_later out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_later(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(m.type, WIRE_LATER);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_later(&m, &out), SG_OK);
	assert_int_equal(out.wait_ms, 250);
	assert_true(out.per_second == UINT32_MAX);
	assert_span(out.request, in.request);
	assert_span(out.presented, in.presented);
	assert_span(out.signature, in.signature);
	check_lengths(&m, read_later, &out);
	memset(packet + HEAD, 0, 4); /* no time at all */
	assert_int_equal(wire_get_later(&m, &out), SG_MALFORMED);
	packet[HEAD] = 1;
	assert_int_equal(wire_get_later(&m, &out), SG_OK);
	memset(packet + HEAD + 4, 0, 4); /* no rate */
	assert_int_equal(wire_get_later(&m, &out), SG_MALFORMED);
}

static void test_issue_strict(void **state)
{
	const struct wire_issue in = {.identity = SPAN_LIT("who"),
				      .request = SPAN_LIT("what")};
	struct wire_packet w = fresh();
	struct wire_issue out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_issue(&w, ID, &in), SG_OK);
	m = only(&w);
	packet[HEAD + 8] = 2; /* dry_run */
	assert_int_equal(wire_get_issue(&m, &out), SG_MALFORMED);
	packet[HEAD + 8] = 1;
	assert_int_equal(wire_get_issue(&m, &out), SG_OK);
	packet[HEAD + 9] = 1; /* renew, too */
	assert_int_equal(wire_get_issue(&m, &out), SG_MALFORMED);
	packet[HEAD + 8] = 0;
	assert_int_equal(wire_get_issue(&m, &out), SG_OK);
	assert_true(out.renew && !out.dry_run);
	packet[HEAD + 10] = 2; /* bulk */
	assert_int_equal(wire_get_issue(&m, &out), SG_MALFORMED);
	packet[HEAD + 10] = 0;
	packet[HEAD + 11] = WIRE_LANGUAGE_COUNT;
	assert_int_equal(wire_get_issue(&m, &out), SG_MALFORMED);
	packet[HEAD + 11] = 0;
	packet[HEAD + 12] = 4; /* the identity takes a byte of what follows */
	assert_int_equal(wire_get_issue(&m, &out), SG_MALFORMED);
	memset(packet + HEAD + 12, 0xff, 4);
	assert_int_equal(wire_get_issue(&m, &out), SG_MALFORMED);
}

static void test_issue_limits(void **state)
{
	struct wire_issue in = {.identity = span_of(big, IDENTITY_BYTES_MAX),
				.request = span_of(big, WIRE_REQUEST_MAX),
				.presented = span_of(big, WIRE_PRESENTED_MAX),
				.signature = span_of(big, WIRE_SIGNATURE_MAX)};
	struct wire_packet w = fresh();
	struct wire_issue out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_issue(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_issue(&m, &out), SG_OK);
	in.request.n++;
	w = fresh();
	assert_int_equal(wire_put_issue(&w, ID, &in), SG_TOO_BIG);
	in.request.n--;
	in.identity.n++;
	assert_int_equal(wire_put_issue(&w, ID, &in), SG_TOO_BIG);
	in.identity.n--;
	in.signature.n++;
	assert_int_equal(wire_put_issue(&w, ID, &in), SG_TOO_BIG);
	assert_int_equal(w.len, 0);
}

static void test_ask(void **state)
{
	const struct wire_ask in = {.question = WIRE_ASK_CLIENT,
				    .index = 1,
				    .identity = SPAN_LIT("who")};
	struct wire_packet w = fresh();
	struct wire_ask out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_ask(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(m.id, ID);
	assert_int_equal(wire_get_ask(&m, &out), SG_OK);
	assert_int_equal(out.question, WIRE_ASK_CLIENT);
	assert_int_equal(out.index, in.index);
	assert_span(out.identity, in.identity);
	check_lengths(&m, read_ask, &out);
	packet[HEAD] = WIRE_QUESTION_COUNT;
	assert_int_equal(wire_get_ask(&m, &out), SG_MALFORMED);
}

static void test_credit(void **state)
{
	const struct wire_credit in = {.credit = 2048};
	struct wire_packet w = fresh();
	struct wire_credit out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_credit(&w, &in), SG_OK);
	m = only(&w);
	assert_int_equal(m.id, 0);
	assert_int_equal(wire_get_credit(&m, &out), SG_OK);
	assert_int_equal(out.credit, 2048);
	check_lengths(&m, read_credit, &out);
}

static void test_issued(void **state)
{
	const struct wire_issued in = {.replayed = true,
				       .alg = -37,
				       .iat = -1,
				       .exp = INT64_MAX,
				       .ledger_index = WIRE_NO_LEDGER_INDEX,
				       .kid = {1, 2, 3, 4, 5, 6, 7, 8},
				       .cose = SPAN_LIT("cose"),
				       .uvci = SPAN_LIT("URN:UVCI:01:VN:1"),
				       .violations = SPAN_LIT("")};
	struct wire_packet w = fresh();
	struct wire_issued out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_issued(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_issued(&m, &out), SG_OK);
	assert_false(out.dry_run);
	assert_true(out.replayed);
	assert_int_equal(out.alg, -37);
	assert_true(out.iat == -1 && out.exp == INT64_MAX);
	assert_true(out.ledger_index == WIRE_NO_LEDGER_INDEX);
	assert_memory_equal(out.kid, in.kid, sizeof(in.kid));
	assert_span(out.cose, in.cose);
	assert_span(out.uvci, in.uvci);
	assert_int_equal(out.violations.n, 0);
	check_lengths(&m, read_issued, &out);
	packet[HEAD + 1] = 3; /* replayed */
	assert_int_equal(wire_get_issued(&m, &out), SG_MALFORMED);
}

static void test_problem(void **state)
{
	struct wire_problem in = {.err = SG_REFUSED,
				  .retry_after_s = 7,
				  .detail = SPAN_LIT("why"),
				  .violations = SPAN_LIT("list")};
	struct wire_packet w = fresh();
	struct wire_problem out;
	struct wire_msg m;
	const uint16_t beyond = SG_ERR_COUNT;

	(void)state;
	assert_int_equal(wire_put_problem(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_problem(&m, &out), SG_OK);
	assert_int_equal(out.err, SG_REFUSED);
	assert_int_equal(out.retry_after_s, 7);
	assert_span(out.detail, in.detail);
	assert_span(out.violations, in.violations);
	check_lengths(&m, read_problem, &out);
	memcpy(packet + HEAD, &beyond, sizeof(beyond));
	assert_int_equal(wire_get_problem(&m, &out), SG_MALFORMED);
	memset(packet + HEAD, 0, sizeof(beyond)); /* SG_OK is no problem */
	assert_int_equal(wire_get_problem(&m, &out), SG_MALFORMED);
}

static void test_answer(void **state)
{
	const struct wire_answer in = {.document = SPAN_LIT("\xa0")};
	struct wire_packet w = fresh();
	struct wire_answer out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_answer(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_answer(&m, &out), SG_OK);
	assert_span(out.document, in.document);
	check_lengths(&m, read_answer, &out);
}

static void test_status(void **state)
{
	struct wire_status in = {.reason = SPAN_LIT("no hsm"),
				 .ledger_origin = SPAN_LIT("example/log"),
				 .remark = SPAN_LIT("no log's key")};
	struct wire_packet w = fresh();
	struct wire_status out;
	struct wire_msg m;

	(void)state;
	memset(in.policy_hash, 0x5a, sizeof(in.policy_hash));
	assert_int_equal(wire_put_status(&w, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_status(&m, &out), SG_OK);
	assert_false(out.ready);
	assert_span(out.reason, in.reason);
	assert_memory_equal(out.policy_hash, in.policy_hash, 32);
	assert_span(out.ledger_origin, in.ledger_origin);
	assert_span(out.remark, in.remark);
	check_lengths(&m, read_status, &out);
}

static void test_sign(void **state)
{
	const struct wire_sign in = {.key = 65535,
				     .deadline_us = 1,
				     .tbs = SPAN_LIT("digest"),
				     .name = 8,
				     .line = 9};
	struct wire_packet w = fresh();
	struct wire_sign out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_sign(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_sign(&m, &out), SG_OK);
	assert_int_equal(out.key, 65535);
	assert_true(out.deadline_us == 1);
	assert_span(out.tbs, in.tbs);
	assert_true(out.name == 8);
	assert_int_equal(out.line, 9);
	check_lengths(&m, read_sign, &out);
}

static void test_hsm_ready(void **state)
{
	struct wire_hsm_ready in = {
		.hsm = SPAN_LIT("demo"), .sessions = 4, .nkeys = 2};
	struct wire_packet w = fresh();
	struct wire_hsm_ready out;
	struct wire_msg m;
	const uint32_t many = WIRE_HSM_KEYS_MAX + 1;

	(void)state;
	in.key[0] = (struct wire_hsm_key){.key = 0,
					  .alg = -7,
					  .label = SPAN_LIT("dsc-1"),
					  .certificate = SPAN_LIT("der"),
					  .spki = SPAN_LIT("spki")};
	in.key[1] = (struct wire_hsm_key){
		.key = 9, .alg = -37, .label = SPAN_LIT("dsc-2")};
	assert_int_equal(wire_put_hsm_ready(&w, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_hsm_ready(&m, &out), SG_OK);
	assert_span(out.hsm, in.hsm);
	assert_int_equal(out.sessions, 4);
	assert_int_equal(out.nkeys, 2);
	assert_int_equal(out.key[0].alg, -7);
	assert_span(out.key[0].spki, in.key[0].spki);
	assert_int_equal(out.key[1].key, 9);
	assert_span(out.key[1].label, in.key[1].label);
	assert_int_equal(out.key[1].certificate.n, 0);
	check_lengths(&m, read_hsm_ready, &out);
	memcpy(packet + HEAD + 4 + in.hsm.n + 4, &many, sizeof(many));
	assert_int_equal(wire_get_hsm_ready(&m, &out), SG_MALFORMED);
}

static void test_signed(void **state)
{
	const struct wire_signed in = {
		.queue_us = 1, .sign_us = 2, .signature = SPAN_LIT("rs")};
	struct wire_packet w = fresh();
	struct wire_signed out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_signed(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_signed(&m, &out), SG_OK);
	assert_int_equal(out.queue_us, 1);
	assert_int_equal(out.sign_us, 2);
	assert_span(out.signature, in.signature);
	check_lengths(&m, read_signed, &out);
}

static void test_sign_failed(void **state)
{
	const struct wire_sign_failed in = {.ckr = 0xb3, .expired = true};
	struct wire_packet w = fresh();
	struct wire_sign_failed out;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_sign_failed(&w, ID, &in), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_sign_failed(&m, &out), SG_OK);
	assert_true(out.ckr == 0xb3 && out.expired);
	check_lengths(&m, read_sign_failed, &out);
}

static void test_control(void **state)
{
	const struct wire_link link = {.role = WIRE_HSM, .slot = 300};
	const struct wire_reloaded reloaded = {.reason = SPAN_LIT("no")};
	const struct wire_peer_bad bad = {
		.role = WIRE_FRONT, .slot = 63, .left = true, .linked_us = 99};
	struct wire_packet w = fresh();
	struct wire_link out;
	struct wire_reloaded out_reloaded;
	struct wire_peer_bad out_bad;
	struct wire_msg m;

	(void)state;
	assert_int_equal(wire_put_link(&w, &link), SG_OK);
	m = only(&w);
	assert_int_equal(m.type, WIRE_LINK);
	assert_int_equal(wire_get_link(&m, &out), SG_OK);
	assert_int_equal(out.role, WIRE_HSM);
	assert_int_equal(out.slot, 300);
	check_lengths(&m, read_link, &out);
	packet[HEAD] = WIRE_ROLE_COUNT;
	assert_int_equal(wire_get_link(&m, &out), SG_MALFORMED);

	w = fresh();
	assert_int_equal(wire_put_page(&w, &link), SG_OK);
	m = only(&w);
	assert_int_equal(m.type, WIRE_PAGE);
	assert_int_equal(wire_get_link(&m, &out), SG_OK);

	w = fresh();
	assert_int_equal(wire_put_reloaded(&w, &reloaded), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_reloaded(&m, &out_reloaded), SG_OK);
	assert_false(out_reloaded.ok);
	assert_span(out_reloaded.reason, reloaded.reason);
	check_lengths(&m, read_reloaded, &out_reloaded);

	w = fresh();
	assert_int_equal(wire_put_peer_bad(&w, &bad), SG_OK);
	m = only(&w);
	assert_int_equal(wire_get_peer_bad(&m, &out_bad), SG_OK);
	assert_int_equal(out_bad.slot, 63);
	assert_true(out_bad.left && out_bad.linked_us == 99);
	check_lengths(&m, read_peer_bad, &out_bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_issue),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_issue_strict),
		cmocka_unit_test(test_issue_limits),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_issued),
		cmocka_unit_test(test_problem),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_hsm_ready),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_sign_failed),
		cmocka_unit_test(test_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
