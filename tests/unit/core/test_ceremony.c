/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony: from what officers sign to keys that sign. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ceremony_operations.h"

static const struct ask ONE = {.serial = 1}, TWO = {.serial = 2};

static struct answer *issue(struct world *w, uint64_t id, const struct ask *ask)
{
	front_issue(&w->o->front[0], id, ask);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], id) != NULL);
	return front_answer(&w->o->front[0], id);
}

/* Is A signed by S? */
static void expect_signer(struct world *w, struct answer *a, struct signer *s,
			  const struct ask *ask)
{
	w->o->second = *s;
	assert_certificate(w->o, a, ask);
	assert_ptr_equal(office_signer(w->o, a), &w->o->second);
	w->o->second = (struct signer){0};
}

/* The last refusal on record says so. */
static void expect_recorded_refusal(struct world *w, size_t n,
				    const char *words)
{
	static struct entry e;
	static uint8_t room[8192];

	OFFICE_WAIT(w->o, entries(w, ENTRY_CEREMONY, &e, room) == n);
	assert_true(e.refusal.n > 0);
	assert_true(span_is(e.refusal, words));
}

static void test_rotation(void **state)
{
	struct world *w = world_open();
	struct signer *fresh;

	(void)state;
	assert_certificate(w->o, issue(w, 1, &ONE), &ONE);
	assert_done(w, genesis(w));
	assert_done(w, generate(w, "dsc-2"));
	assert_int_equal(state_of(w, "dsc-2"), KEY_GENERATED);
	assert_int_equal(w->smith.task.task, WIRE_TASK_GENERATE);
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_done(w, request(w, "dsc-2"));
	assert_int_equal(w->smith.task.task, WIRE_TASK_CSR);
	assert_int_equal(w->smith.task.kinds, DCC_ALL_KINDS);
	/* Nobody looks for what cannot sign yet. */
	assert_int_equal(w->token.asked, 0);
	assert_done(w, import(w, "dsc-2", fresh));
	assert_int_equal(state_of(w, "dsc-2"), KEY_CERTIFIED);
	OFFICE_WAIT(w->o, good(w, "dsc-2") > 0);
	assert_done(w, simple(w, OPERATION_PUBLISH, "dsc-2"));
	assert_certificate(w->o, issue(w, 2, &TWO), &TWO);
	assert_done(w, activate(w, "dsc-2", 0));
	assert_int_equal(state_of(w, "dsc-2"), KEY_ACTIVE);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_true(w->o->front[0].ready);
	expect_signer(w, issue(w, 3, &(struct ask){.serial = 3}), fresh,
		      &(struct ask){.serial = 3});
	/* What the old key has signed is given out again. */
	assert_certificate(w->o, issue(w, 4, &ONE), &ONE);
	assert_true(front_answer(&w->o->front[0], 4)->issued.replayed);
	OFFICE_WAIT(w->o, entries(w, ENTRY_KEY_EVENT, NULL, NULL) == 6);
	assert_int_equal(entries(w, ENTRY_CEREMONY, NULL, NULL), 6);
	/* And all of it is so after a restart. */
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_int_equal(state_of(w, "dsc-2"), KEY_ACTIVE);
	expect_signer(w, issue(w, 5, &(struct ask){.serial = 5}), fresh,
		      &(struct ask){.serial = 5});
	assert_certificate(w->o, issue(w, 6, &ONE), &ONE);
	OFFICE_UNTIL(w->o, 300, false);
	assert_int_equal(entries(w, ENTRY_KEY_EVENT, NULL, NULL), 6);
	assert_int_equal(entries(w, ENTRY_CEREMONY, NULL, NULL), 6);
	world_close(w);
}

/* --- refusals ------------------------------------------------------------- */

/* Generating a key, signed by the officers of SIGNERS. */
static size_t proposal(struct world *w, const char *key, unsigned signers,
		       uint8_t out[APPROVED_BYTES_MAX])
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_GENERATE, key, nonce);
	o.hsm = SPAN_LIT("one");
	o.alg = COSE_EDDSA;
	o.kinds = DCC_ALL_KINDS;
	return sign_operation(w, &o, signers, out);
}

static uint8_t text[APPROVED_BYTES_MAX];

/* 2 of 3: what the issue names, each with its reason, and on record. */
static void test_approvals(void **state)
{
	struct world *w = world_open();
	size_t n;

	(void)state;
	assert_done(w, genesis(w));
	n = proposal(w, "dsc-2", 2, text);
	assert_refused(w, bring(w, span_of(text, n)), SG_FORBIDDEN,
		       "its proposer has not signed");
	/* The proposer's own does not count. */
	n = proposal(w, "dsc-2", 3, text);
	assert_refused(w, bring(w, span_of(text, n)), SG_FORBIDDEN,
		       "1 of the 2");
	expect_recorded_refusal(w, 3,
				"it has 1 of the 2 approvals that it "
				"needs");
	/* But without it two could decide in the name of the third. */
	n = proposal(w, "dsc-2", 6, text);
	assert_refused(w, bring(w, span_of(text, n)), SG_FORBIDDEN,
		       "its proposer has not signed");
	expect_recorded_refusal(w, 4, "its proposer has not signed it");
	n = proposal(w, "dsc-2", EVERYBODY, text);
	text[n - 1] ^= 1;
	assert_refused(w, bring(w, span_of(text, n)), SG_FORBIDDEN,
		       "does not verify");
	expect_recorded_refusal(w, 5, "a signature does not verify");
	assert_int_equal(w->smith.asked, 0);
	text[n - 1] ^= 1;
	assert_done(w, bring(w, span_of(text, n)));
	assert_refused(w, bring(w, span_of(text, n)), SG_FORBIDDEN,
		       "accepted before");
	expect_recorded_refusal(w, 7, "it was accepted before");
	assert_int_equal(w->smith.asked, 1);
	assert_int_equal(office_metric(w->o, METRIC_OPERATIONS), 2);
	assert_int_equal(office_metric(w->o, METRIC_OPERATIONS_REFUSED), 5);
	world_close(w);
}

/* One officer, twice: in a COSE_Sign that approved_add() would not make. */
static void test_twice(void **state)
{
	struct world *w = world_open();
	static uint8_t twice[APPROVED_BYTES_MAX];
	static struct approved a;
	size_t n;
	size_t sig;

	(void)state;
	assert_done(w, genesis(w));
	n = proposal(w, "dsc-2", 2, text);
	assert_int_equal(approved_decode(span_of(text, n), &a), SG_OK);
	/* The array of one COSE_Signature is at the end. */
	sig = (size_t)(text + n - a.approval[0].prot.p) + 2;
	while (text[n - sig] != 0x81)
		sig++;
	memcpy(twice, text, n);
	twice[n - sig] = 0x82;
	memcpy(twice + n, text + n - sig + 1, sig - 1);
	assert_refused(w, bring(w, span_of(twice, n + sig - 1)), SG_FORBIDDEN,
		       "an officer has signed twice");
	expect_recorded_refusal(w, 2, "an officer has signed twice");
	world_close(w);
}

static void test_times(void **state)
{
	struct world *w = world_open();
	const int64_t now = clock_wall_s();

	(void)state;
	assert_done(w, genesis(w));
	w->created = now - 100;
	w->expires = now - 10;
	assert_refused(w, generate(w, "dsc-2"), SG_FORBIDDEN, "expired");
	expect_recorded_refusal(w, 2, "it has expired");
	w->expires = now + 8 * INT64_C(86400);
	assert_refused(w, generate(w, "dsc-2"), SG_FORBIDDEN, "7 days");
	w->created = now + 300;
	w->expires = now + 3600;
	assert_refused(w, generate(w, "dsc-2"), SG_FORBIDDEN, "in the future");
	w->created = now - 4000;
	assert_refused(w, generate(w, "dsc-2"), SG_FORBIDDEN, "stale");
	assert_int_equal(w->smith.asked, 0);
	w->created = w->expires = 0;
	assert_done(w, generate(w, "dsc-2"));
	world_close(w);
}

static void test_ledger(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
	o.root.b[3] ^= 1;
	assert_refused(w, operate(w, &o, EVERYBODY), SG_FORBIDDEN,
		       "not of this ledger");
	expect_recorded_refusal(w, 2, "its checkpoint is not of this ledger");
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
	o.size += 1000;
	assert_refused(w, operate(w, &o, EVERYBODY), SG_FORBIDDEN,
		       "not of this ledger");
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
	o.origin = SPAN_LIT("other.example/log");
	assert_refused(w, operate(w, &o, EVERYBODY), SG_FORBIDDEN,
		       "another ledger");
	assert_refused(w, bring(w, SPAN_LIT("nonsense")), SG_MALFORMED, "");
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	world_close(w);
}

/* Others take over: who was removed has no say. */
static void test_officers(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_refused(w, generate(w, "dsc-2"), SG_FORBIDDEN,
		       "a genesis comes");
	begin_operation(w, &o, OPERATION_GENESIS, NULL, nonce);
	fill_roll(w, &o.roll, OFFICERS, 2);
	assert_refused(w, operate(w, &o, 3), SG_FORBIDDEN, "2 of the 3");
	assert_done(w, genesis(w));
	assert_refused(w, genesis(w), SG_CONFLICT, "");
	begin_operation(w, &o, OPERATION_OFFICERS, NULL, nonce);
	w->proposer_approves = true;
	fill_roll(w, &o.roll, 2, 2);
	assert_done(w, operate(w, &o, EVERYBODY));
	assert_refused(w, generate(w, "dsc-2"), SG_FORBIDDEN, "no officer");
	begin_operation(w, &o, OPERATION_RETIRE, "dsc-1", nonce);
	assert_refused(w, operate(w, &o, 3), SG_CONFLICT, "the last one");
	begin_operation(w, &o, OPERATION_RETIRE, "dsc-1", nonce);
	o.last = true;
	assert_done(w, operate(w, &o, 3));
	world_close(w);
}

/* Ten refusals of nobody we know go on record, and no more. */
static void test_strangers(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	for (int i = 0; i < 13; i++) {
		begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
		assert_refused(w, operate(w, &o, 0), SG_FORBIDDEN,
			       "0 of the 1");
	}
	OFFICE_UNTIL(w->o, 300, false);
	assert_int_equal(entries(w, ENTRY_CEREMONY, NULL, NULL), 1 + 10);
	world_close(w);
}

/* Nor does whoever may connect fill the log's disk. */
static void test_log(void **state)
{
	enum { TIMES = 2000 };
	struct world *w = world_open();
	const struct ceremony_caller who = {
		.link = w, .id = 7, .answer = on_heard};
	const int log = memfd_create("log", MFD_CLOEXEC);
	const int before = dup(STDERR_FILENO);
	struct stat at;

	(void)state;
	assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
	log_limit(LOG_WARNING);
	(void)sleep(2); /* what came before counts for its own second */
	for (int i = 0; i < TIMES; i++)
		ceremony_operate(ceremony_of(w), SPAN_LIT("nonsense"), &who);
	log_limit(LOG_ERROR);
	assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(office_metric(w->o, METRIC_OPERATIONS_REFUSED), TIMES);
	assert_int_equal(fstat(log, &at), 0);
	assert_in_range(at.st_size, 1, TIMES * 20);
	assert_int_equal(close(log), 0);
	assert_int_equal(close(before), 0);
	world_close(w);
}

/* --- the smith ------------------------------------------------------------ */

static void test_smith(void **state)
{
	struct world *w = world_open();
	const struct ceremony_caller who = {
		.link = w, .id = 9, .answer = on_heard};
	size_t n;

	(void)state;
	assert_done(w, genesis(w));
	w->smith.fails = true;
	assert_refused(w, generate(w, "dsc-2"), SG_TOKEN_DOWN,
		       "could not do it: no ?room");
	expect_recorded_refusal(w, 2, "the HSM could not do it: no ?room");
	w->smith.fails = false;
	w->smith.dies = true;
	assert_refused(w, generate(w, "dsc-2"), SG_TOKEN_DOWN,
		       "ended before it was done");
	w->smith.dies = false;
	w->smith.silent = true;
	link_smith(w);
	n = proposal(w, "dsc-2", EVERYBODY, text);
	ceremony_operate(ceremony_of(w), span_of(text, n), &who);
	/* One at a time, but for what is urgent. */
	assert_refused(w, generate(w, "dsc-3"), SG_BUSY, "another operation");
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	/* Its caller goes away: what is done is done. */
	ceremony_forget(ceremony_of(w), w);
	w->smith.silent = false;
	n = w->heard.n;
	link_smith(w);
	OFFICE_UNTIL(w->o, 50, false);
	assert_int_equal(w->heard.n, n);
	assert_done(w, generate(w, "dsc-3"));
	world_close(w);
}

/* Nothing can be recorded: only what is urgent is done. */
static void test_no_ledger(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	release_hold(w->o->desk->release, true);
	assert_refused(w, generate(w, "dsc-2"), SG_LEDGER_DOWN, "ledger");
	release_hold(w->o->desk->release, true);
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rotation),
					   cmocka_unit_test(test_approvals),
					   cmocka_unit_test(test_twice),
					   cmocka_unit_test(test_times),
					   cmocka_unit_test(test_ledger),
					   cmocka_unit_test(test_officers),
					   cmocka_unit_test(test_strangers),
					   cmocka_unit_test(test_log),
					   cmocka_unit_test(test_smith),
					   cmocka_unit_test(test_no_ledger)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
