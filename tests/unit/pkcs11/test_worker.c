/* SPDX-License-Identifier: Apache-2.0 */
/* The hsm role at work: signing, links, drains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "worker_child.h"

enum { JOBS = 1000 };

static void take_answers(bool *seen, size_t *done)
{
	struct span rest =
		span_of(packet, receive(core, packet, sizeof(packet)));
	struct wire_msg m;
	enum sg_err e;

	assert_true(rest.n > 0);
	while ((e = wire_next(&rest, &m)) == SG_OK) {
		assert_true(m.id >= 1 && m.id <= JOBS);
		assert_false(seen[m.id - 1]);
		seen[m.id - 1] = true;
		check_answer(&m, m.id % 10 == 0 ? 1 : 0);
		++*done;
	}
	assert_int_equal(e, SG_NOT_FOUND);
}

/* Packets of 1 to 7 jobs, a tenth of them RSA, no more than 64 under way. */
static void test_signs_a_thousand(void **state)
{
	static bool seen[JOBS];
	size_t sent = 0;
	size_t done = 0;

	(void)state;
	serve_begin_with(patch_nothing);
	while (done < JOBS) {
		_Alignas(8) uint8_t buf[2048];
		struct wire_packet w = {buf, sizeof(buf), 0};

		for (size_t i = sent % 7; i < 7 && sent < JOBS; i++) {
			sent++;
			put_job(&w, sent, sent % 10 == 0 ? 1 : 0, soon());
		}
		if (w.len > 0)
			send_packet(core, &w);
		while (done < sent && (sent - done > 64 || sent == JOBS))
			take_answers(seen, &done);
	}
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

static void test_takes_a_link_before_it_is_up(void **state)
{
	(void)state;
	start(patch_nothing);
	core = send_link(0);
	(void)close(core);
	core = send_link(0); /* the newest counts */
	expect_control(WIRE_UP);
	expect_ready();
	sign_one(1, 0);
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

static void test_serves_the_next_core(void **state)
{
	int old;

	(void)state;
	serve_begin_with(patch_nothing);
	sign_one(1, 0);
	/* The core dies and is replaced. */
	(void)close(core);
	core = send_link(0);
	expect_ready();
	for (uint64_t id = 2; id < 10; id++)
		sign_one(id, id % 2);
	/* It is replaced while its channel is still open, with work in it. */
	old = core;
	send_job(99, 1, soon());
	core = send_link(0);
	expect_ready();
	for (uint64_t id = 10; id < 20; id++)
		sign_one(id, id % 2);
	while (receive(old, packet, sizeof(packet)) > 0)
		;
	(void)close(old);
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

static void test_drops_what_is_late_or_wrong(void **state)
{
	_Alignas(8) uint8_t buf[256];
	struct wire_packet w = {buf, sizeof(buf), 0};
	struct wire_sign_failed failed;
	struct wire_msg m;

	(void)state;
	serve_begin_with(patch_nothing);
	send_job(5, 0, clock_mono_us() - 1);
	m = next_answer();
	assert_int_equal(m.type, WIRE_SIGN_FAILED);
	assert_int_equal(m.id, 5);
	assert_int_equal(wire_get_sign_failed(&m, &failed), SG_OK);
	assert_true(failed.expired);
	/* No digest. */
	w.len = 0;
	assert_int_equal(
		wire_put_sign(&w, 6,
			      &(struct wire_sign){.deadline_us = soon(),
						  .tbs = SPAN_LIT("short")}),
		SG_OK);
	send_packet(core, &w);
	m = next_answer();
	assert_int_equal(m.type, WIRE_SIGN_FAILED);
	assert_int_equal(wire_get_sign_failed(&m, &failed), SG_OK);
	assert_false(failed.expired);
	assert_int_equal(failed.ckr, CKR_DATA_LEN_RANGE);
	sign_one(7, 0);
}

/* Each is fatal for the core that sent it, and for nobody else. */
static void test_reports_a_bad_core(void **state)
{
	_Alignas(8) uint8_t buf[256];
	struct wire_packet w = {buf, sizeof(buf), 0};

	(void)state;
	serve_begin_with(patch_nothing);
	assert_int_equal(send(core, "nonsense", 8, MSG_NOSIGNAL), 8);
	expect_control(WIRE_PEER_BAD);
	assert_int_equal(receive(core, buf, sizeof(buf)), 0);
	(void)close(core);

	core = send_link(0);
	expect_ready();
	put_job(&w, 1, 2, soon()); /* there are keys 0 and 1 */
	send_packet(core, &w);
	expect_control(WIRE_PEER_BAD);
	assert_int_equal(receive(core, buf, sizeof(buf)), 0);
	(void)close(core);

	core = send_link(0);
	expect_ready();
	w.len = 0;
	assert_int_equal(wire_put_bare(&w, WIRE_DRAIN), SG_OK); /* not its */
	send_packet(core, &w);
	expect_control(WIRE_PEER_BAD);
	(void)close(core);

	core = send_link(0);
	expect_ready();
	sign_one(1, 1);
}

/* Ask for the anchor of key NUMBER, with VALUE to be put there. */
static void send_anchor(uint64_t id, uint16_t key, const char *value)
{
	_Alignas(8) uint8_t buf[2048];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_anchor job = {.key = key, .value = span_str(value)};

	assert_int_equal(wire_put_anchor(&w, id, &job), SG_OK);
	send_packet(core, &w);
}

static void expect_anchor(uint64_t id, const char *value)
{
	struct wire_anchored done;
	const struct wire_msg m = next_answer();

	assert_int_equal(m.type, WIRE_ANCHORED);
	assert_int_equal(m.id, id);
	assert_int_equal(wire_get_anchored(&m, &done), SG_OK);
	assert_true(done.ok);
	assert_int_equal(done.ckr, CKR_OK);
	assert_true(span_is(done.value, value));
}

static void add_ledger_key(enum cose_alg alg, const char *uri, bool ledger)
{
	settings.key[settings.nkeys] = (struct worker_key_settings){
		.label = "ledger", .alg = alg, .ledger = ledger};
	(void)snprintf(settings.key[settings.nkeys].uri, WORKER_PATH_MAX, "%s",
		       uri);
	settings.nkeys++;
}

static void test_keeps_an_anchor(void **state)
{
	(void)state;
	add_ledger_key(COSE_EDDSA, "pkcs11:token=alpha;object=ed", true);
	serve_begin_with(patch_nothing);
	send_anchor(1, 2, "");
	expect_anchor(1, "");
	send_anchor(2, 2, "size 5");
	expect_anchor(2, "size 5");
	send_anchor(3, 2, "");
	expect_anchor(3, "size 5");
	sign_one(4, 0);
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

/* Keys that are not the ledger's, or are not there, have none: who asks for
 * it is no core of ours. */
static void test_keeps_no_other_anchor(void **state)
{
	_Alignas(8) uint8_t buf[256];

	(void)state;
	add_ledger_key(COSE_EDDSA, "pkcs11:token=alpha;object=ed", false);
	add_ledger_key(COSE_ES256, "pkcs11:token=alpha;object=ec", true);
	serve_begin_with(patch_nothing);
	for (uint16_t key = 0; key <= 4; key++) {
		send_anchor(1, key, "x");
		expect_control(WIRE_PEER_BAD);
		assert_int_equal(receive(core, buf, sizeof(buf)), 0);
		(void)close(core);
		core = send_link(0);
		expect_ready();
	}
	sign_one(1, 0);
}

static void test_finishes_before_it_leaves(void **state)
{
	static bool seen[JOBS];
	size_t done = 0;

	(void)state;
	serve_begin_with(patch_nothing);
	for (uint64_t id = 1; id <= 50; id++)
		send_job(id, id % 10 == 0 ? 1 : 0, soon());
	send_bare(WIRE_DRAIN);
	while (done < 50)
		take_answers(seen, &done);
	expect_exit(0);
}

static void test_answers_a_reload(void **state)
{
	(void)state;
	serve_begin_with(patch_nothing);
	send_bare(WIRE_RELOAD);
	expect_control(WIRE_RELOADED);
	sign_one(1, 0);
}

#define WORKER_TEST(f) cmocka_unit_test_setup_teardown(f, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(test_signs_a_thousand),
		WORKER_TEST(test_takes_a_link_before_it_is_up),
		WORKER_TEST(test_serves_the_next_core),
		WORKER_TEST(test_drops_what_is_late_or_wrong),
		WORKER_TEST(test_reports_a_bad_core),
		WORKER_TEST(test_keeps_an_anchor),
		WORKER_TEST(test_keeps_no_other_anchor),
		WORKER_TEST(test_finishes_before_it_leaves),
		WORKER_TEST(test_answers_a_reload),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
