/* SPDX-License-Identifier: Apache-2.0 */
/* The hsm role, and keys that a smith makes and destroys meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "worker_child.h"

#include "pkcs11/ckr.h"
#include "pkcs11/smith.h"

enum { SPKI_MAX = 600 };

static uint8_t made[SPKI_MAX]; /* the key's, DER */
static size_t made_n;
static uint64_t ids = 1000;

static int before_find(void **state)
{
	(void)before(state);
	(void)snprintf(settings.token, sizeof(settings.token),
		       "pkcs11:token=beta");
	return 0;
}

/* Have a smith do TASK, while the hsm process waits. */
static void forge(enum wire_task task, enum cose_alg alg, const char *label)
{
	_Alignas(8) uint8_t buf[4096];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_forge m = {.task = (uint8_t)task,
				     .alg = alg,
				     .label = span_str(label),
				     .spki = span_of(made, made_n)};
	const pid_t hsm_child = child;
	const int hsm_control = control;
	const int hsm_core = core;
	struct wire_forged done;
	struct wire_msg answer;

	role_run = smith_run;
	start(patch_nothing);
	expect_control(WIRE_UP);
	core = send_link(0);
	assert_int_equal(wire_put_forge(&w, 1, &m), SG_OK);
	send_packet(core, &w);
	answer = next_answer();
	assert_int_equal(wire_get_forged(&answer, &done), SG_OK);
	if (!done.ok)
		fail_msg("%.*s", (int)done.reason.n,
			 (const char *)done.reason.p);
	if (task == WIRE_TASK_GENERATE) {
		assert_in_range(done.spki.n, 1, SPKI_MAX);
		memcpy(made, done.spki.p, done.spki.n);
		made_n = done.spki.n;
	}
	expect_exit(ROLE_EXIT_DRAINED);
	(void)close(control);
	(void)close(core);
	child = hsm_child;
	control = hsm_control;
	core = hsm_core;
	role_run = worker_run;
}

/* Ask for LABEL: its number, or -1. */
static int find(enum cose_alg alg, const char *label)
{
	_Alignas(8) uint8_t buf[256];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_find_key m = {.alg = alg, .label = span_str(label)};
	struct wire_found_key found;
	struct wire_msg answer;

	assert_int_equal(wire_put_find_key(&w, ++ids, &m), SG_OK);
	send_packet(core, &w);
	answer = next_answer();
	assert_int_equal(answer.type, WIRE_FOUND_KEY);
	assert_int_equal(answer.id, ids);
	assert_int_equal(wire_get_found_key(&answer, &found), SG_OK);
	assert_true(span_is(found.key.label, label));
	if (!found.ok)
		return -1;
	assert_int_equal(found.key.alg, alg);
	assert_true(span_eq(found.key.spki, span_of(made, made_n)));
	return found.key.key;
}

/* Have key NUMBER sign; CKR_OK, or what it failed with. */
static CK_RV sign(int number)
{
	struct wire_sign_failed failed;
	struct wire_signed done;
	struct wire_msg m;
	char text[32];

	send_job(++ids, (uint16_t)number, soon());
	m = next_answer();
	assert_int_equal(m.id, ids);
	if (m.type == WIRE_SIGN_FAILED) {
		assert_int_equal(wire_get_sign_failed(&m, &failed), SG_OK);
		return failed.ckr;
	}
	assert_int_equal(wire_get_signed(&m, &done), SG_OK);
	assert_true(softhsm_verifies(span_of(made, made_n), COSE_ES256,
				     message_of(m.id, text), done.signature));
	return CKR_OK;
}

/* From its making to its end, with copies of keys and without. */
static void test_a_keys_life(void **state)
{
	for (int copies = 0; copies < 2; copies++) {
		CK_RV rv = CKR_OK;

		(void)before_find(state);
		settings.session_copies = copies != 0;
		made_n = 0;
		serve_begin_with(patch_nothing);
		assert_int_equal(find(COSE_ES256, "made"), -1);
		forge(WIRE_TASK_GENERATE, COSE_ES256, "made");
		assert_int_equal(find(COSE_ES256, "made"), 2);
		assert_int_equal(sign(2), CKR_OK);
		sign_one(1, 0);
		assert_int_equal(find(COSE_EDDSA, "made"), -1);

		/* The next core hears of it when it asks. */
		(void)close(core);
		core = send_link(0);
		expect_ready();
		assert_int_equal(find(COSE_ES256, "made"), 2);
		assert_int_equal(sign(2), CKR_OK);

		/* A copy signs for a second more. */
		forge(WIRE_TASK_DESTROY, COSE_ES256, "made");
		for (int ms = 0; ms < PATIENCE_MS && rv == CKR_OK; ms += 50) {
			(void)usleep(50000);
			rv = sign(2);
		}
		assert_int_equal(rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
		assert_int_equal(sign(2), CKR_KEY_FUNCTION_NOT_PERMITTED);
		assert_int_equal(find(COSE_ES256, "made"), -1);
		/* Nobody else has suffered. */
		sign_one(2, 0);
		sign_one(3, 1);
		send_bare(WIRE_DRAIN);
		expect_exit(0);
		(void)after(state);
	}
}

static void test_an_hsm_without_keys(void **state)
{
	struct span rest;
	struct wire_msg m;

	(void)state;
	settings.nkeys = 0;
	made_n = 0;
	start(patch_nothing);
	expect_control(WIRE_UP);
	core = send_link(0);
	rest = span_of(ready_bytes,
		       receive(core, ready_bytes, sizeof(ready_bytes)));
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(wire_get_hsm_ready(&m, &ready), SG_OK);
	assert_int_equal(ready.nkeys, 0);
	assert_int_equal(ready.sessions, 2);
	forge(WIRE_TASK_GENERATE, COSE_ES256, "only");
	assert_int_equal(find(COSE_ES256, "only"), 0);
	assert_int_equal(sign(0), CKR_OK);
	forge(WIRE_TASK_DESTROY, COSE_ES256, "only");
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

static void test_an_hsm_without_a_token(void **state)
{
	(void)state;
	settings.token[0] = '\0';
	made_n = 0;
	serve_begin_with(patch_nothing);
	assert_int_equal(find(COSE_ES256, "ec"), -1);
	sign_one(1, 0);
}

static void test_reports_a_bad_core(void **state)
{
	_Alignas(8) uint8_t buf[256];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_find_key m = {.alg = COSE_ES256,
					.label = SPAN_LIT("no \"label\"")};

	(void)state;
	serve_begin_with(patch_nothing);
	assert_int_equal(wire_put_find_key(&w, 1, &m), SG_OK);
	send_packet(core, &w);
	expect_control(WIRE_PEER_BAD);
	assert_int_equal(receive(core, buf, sizeof(buf)), 0);
}

#define FIND_TEST(f) cmocka_unit_test_setup_teardown(f, before_find, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIND_TEST(test_a_keys_life),
		FIND_TEST(test_an_hsm_without_keys),
		FIND_TEST(test_an_hsm_without_a_token),
		FIND_TEST(test_reports_a_bad_core),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
