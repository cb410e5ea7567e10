/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_apply: times that come, stops, compromise. */
#include <sys/stat.h>
#include <unistd.h>

#include "ceremony_operations.h"

static struct answer *issue(struct world *w, uint64_t id, unsigned serial)
{
	const struct ask ask = {.serial = serial};

	front_issue(&w->o->front[0], id, &ask);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], id) != NULL);
	return front_answer(&w->o->front[0], id);
}

static bool is_by(struct world *w, const struct answer *a,
		  const struct signer *s)
{
	bool by;

	assert_int_equal(a->type, WIRE_ISSUED);
	w->o->second = *s;
	by = office_signer(w->o, a) == &w->o->second;
	w->o->second = (struct signer){0};
	return by;
}

static void test_scheduled(void **state)
{
	struct world *w = world_open();
	static struct entry e;
	static uint8_t room[8192];
	struct signer *fresh;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_refused(w, activate(w, "dsc-2", clock_wall_s() - 1), SG_CONFLICT,
		       "passed");
	assert_done(w, activate(w, "dsc-2", soon()));
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	assert_false(is_by(w, issue(w, 1, 1), fresh));
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_ACTIVE);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_true(is_by(w, issue(w, 2, 2), fresh));
	/* generated, requested, certified, published, active; the old one */
	OFFICE_WAIT(w->o, entries(w, ENTRY_KEY_EVENT, &e, room) == 6);
	assert_true(span_is(e.label, "dsc-1"));
	assert_true(span_is(e.state, "retired"));
	assert_null(e.operation_hash);
	OFFICE_UNTIL(w->o, 300, false); /* and it has been noted that it is */
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-2"), KEY_ACTIVE);
	assert_true(is_by(w, issue(w, 3, 3), fresh));
	OFFICE_UNTIL(w->o, 300, false);
	assert_int_equal(entries(w, ENTRY_KEY_EVENT, NULL, NULL), 6);
	world_close(w);
}

/* At its time no HSM has the key: the one before it goes on, also over a
 * restart, until one has. */
static void test_no_gap(void **state)
{
	struct world *w = world_open();
	struct signer *fresh;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_done(w, activate(w, "dsc-2", soon()));
	w->token.n = 0; /* it is nowhere to be found */
	world_restart(w);
	OFFICE_UNTIL(w->o, 3200, false);
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	assert_false(is_by(w, issue(w, 1, 1), fresh));
	assert_true(w->o->front[0].ready);
	world_restart(w);
	assert_false(is_by(w, issue(w, 2, 2), fresh));
	/* Somebody has put it back; it is asked for again. */
	w->token.n = 1;
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_ACTIVE);
	assert_true(is_by(w, issue(w, 3, 3), fresh));
	world_close(w);
}

/* That it came into force cannot be written down: nothing may build on it, or
 * the key before it would sign again after a start. */
static void test_unwritten(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	char events[PLACE_PATH];

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	place_path(w->p, events, "operations/events");
	assert_int_equal(mkdir(events, 0700), 0);
	assert_done(w, activate(w, "dsc-2", soon()));
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_ACTIVE);
	OFFICE_WAIT(w->o, entries(w, ENTRY_KEY_EVENT, NULL, NULL) == 6);
	OFFICE_UNTIL(w->o, 300, false);
	begin_operation(w, &o, OPERATION_RETIRE, "dsc-2", nonce);
	o.last = true;
	assert_refused(w, operate(w, &o, EVERYBODY), SG_IO,
		       "could not be kept");
	assert_int_equal(state_of(w, "dsc-2"), KEY_ACTIVE);
	/* What is urgent holds, and is kept once that can be. */
	assert_done(w, simple(w, OPERATION_COMPROMISE, "dsc-2"));
	OFFICE_UNTIL(w->o, 2500, false);
	assert_int_equal(state_of(w, "dsc-2"), KEY_ACTIVE);
	assert_int_equal(rmdir(events), 0);
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_COMPROMISED);
	world_end(w);
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-2"), KEY_COMPROMISED);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	world_close(w);
}

static void test_stop(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	const struct answer *a;

	(void)state;
	assert_done(w, genesis(w));
	w->o->hsm[0].mood = HSM_HOLDS;
	front_issue(&w->o->front[0], 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(w->o, w->o->hsm[0].nheld == 1);
	/* One officer, the proposer. */
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
	assert_done(w, operate(w, &o, 1));
	assert_int_equal(state_of(w, "dsc-1"), KEY_STOPPED);
	/* It is done, and said what that means. */
	assert_non_null(memmem(w->heard.document, w->heard.document_n,
			       "nothing-signs\x63vtr", 17));
	/* What was being signed with it is not given out. */
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], 1) != NULL);
	assert_int_equal(front_answer(&w->o->front[0], 1)->type, WIRE_PROBLEM);
	hsm_release_held(&w->o->hsm[0]);
	w->o->hsm[0].mood = HSM_SIGNS;
	a = issue(w, 2, 2);
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_NO_KEY);
	assert_false(w->o->front[0].ready);
	begin_operation(w, &o, OPERATION_START, "dsc-1", nonce);
	assert_refused(w, operate(w, &o, 1), SG_FORBIDDEN, "0 of the 2");
	assert_done(w, simple(w, OPERATION_START, "dsc-1"));
	assert_null(memmem(w->heard.document, w->heard.document_n,
			   "nothing-signs", 13));
	assert_int_equal(issue(w, 3, 3)->type, WIRE_ISSUED);
	world_close(w);
}

/* One that is stopped is looked for and proved all the same, or nobody could
 * start it again once its hsms were. */
static void test_start_after_restart(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	struct signer *fresh;
	size_t k = 0;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_done(w, activate(w, "dsc-2", 0));
	begin_operation(w, &o, OPERATION_STOP, "dsc-2", nonce);
	assert_done(w, operate(w, &o, 1));
	assert_int_equal(state_of(w, "dsc-2"), KEY_STOPPED);
	assert_true(keyring_find(w->o->desk->keys, SPAN_LIT("dsc-2"), &k));
	add_hsms(w); /* new processes, in the place of those before */
	assert_int_equal(hsm_pool_good(w->o->desk->pool, k), 0);
	OFFICE_WAIT(w->o, hsm_pool_good(w->o->desk->pool, k) == 1);
	assert_int_equal(issue(w, 1, 1)->err, SG_NO_KEY);
	assert_done(w, simple(w, OPERATION_START, "dsc-2"));
	assert_true(is_by(w, issue(w, 2, 2), fresh));
	world_close(w);
}

/* Also one of signerd.yaml: its hsms have to prove it first. */
static void test_start_proved(void **state)
{
	struct world *w = world_open();
	size_t k = 0;

	(void)state;
	assert_done(w, genesis(w));
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	assert_true(keyring_find(w->o->desk->keys, SPAN_LIT("dsc-1"), &k));
	add_hsms(w);
	assert_int_equal(hsm_pool_good(w->o->desk->pool, k), 0);
	assert_refused(w, simple(w, OPERATION_START, "dsc-1"), SG_TOKEN_DOWN,
		       "no HSM has proved");
	OFFICE_WAIT(w->o, hsm_pool_good(w->o->desk->pool, k) > 0);
	assert_done(w, simple(w, OPERATION_START, "dsc-1"));
	world_close(w);
}

/* Its certificates are not given out again: the same request is signed anew by
 * the key that is active. */
static void test_compromise(void **state)
{
	struct world *w = world_open();
	struct signer *fresh;
	const struct answer *a;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_int_equal(issue(w, 1, 1)->type, WIRE_ISSUED);
	assert_done(w, activate(w, "dsc-2", 0));
	a = issue(w, 2, 1);
	assert_true(a->issued.replayed);
	assert_false(is_by(w, a, fresh));
	assert_done(w, simple(w, OPERATION_COMPROMISE, "dsc-1"));
	a = issue(w, 3, 1);
	assert_false(a->issued.replayed);
	assert_true(is_by(w, a, fresh));
	a = issue(w, 4, 1);
	assert_true(a->issued.replayed);
	assert_true(is_by(w, a, fresh));
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-1"), KEY_COMPROMISED);
	assert_true(is_by(w, issue(w, 5, 1), fresh));
	world_close(w);
}

/* Nor when it was destroyed, and the process started again. */
static void test_compromise_destroyed(void **state)
{
	struct world *w = world_open();
	struct signer *fresh;
	const struct answer *a;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	bring_up(w, "dsc-3");
	fresh = made(w, SPAN_LIT("dsc-3"));
	assert_done(w, activate(w, "dsc-2", 0));
	assert_true(is_by(w, issue(w, 1, 1), made(w, SPAN_LIT("dsc-2"))));
	assert_done(w, simple(w, OPERATION_COMPROMISE, "dsc-2"));
	assert_done(w, simple(w, OPERATION_DESTROY, "dsc-2"));
	assert_done(w, activate(w, "dsc-3", 0));
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-2"), KEY_DESTROYED);
	a = issue(w, 2, 1);
	assert_false(a->issued.replayed);
	assert_true(is_by(w, a, fresh));
	world_close(w);
}

/* Nor those with the kid of a certificate that it had before a start, which
 * nobody knows any more. */
static void test_compromise_renewed(void **state)
{
	static const struct signer_shape renewed = {
		.alg = COSE_ES256,
		.key_usage = "critical,digitalSignature",
		.from_s = -1800,
		.to_s = 365L * 86400};
	struct world *w = world_open();
	struct signer *fresh;
	const struct answer *a;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_int_equal(issue(w, 1, 1)->type, WIRE_ISSUED);
	world_end(w);
	OPENSSL_free(w->o->signer.der);
	OPENSSL_free(w->o->signer.spki);
	signer_certify(&w->o->signer, &renewed);
	world_begin(w);
	OFFICE_WAIT(w->o, good(w, "dsc-2") > 0);
	assert_done(w, activate(w, "dsc-2", 0));
	assert_true(issue(w, 2, 1)->issued.replayed);
	assert_done(w, simple(w, OPERATION_COMPROMISE, "dsc-1"));
	a = issue(w, 3, 1);
	assert_false(a->issued.replayed);
	assert_true(is_by(w, a, fresh));
	world_close(w);
}

/* Nor where another key has taken its place in signerd.yaml under its label, so
 * that no key has its kid any more. */
static void test_compromise_replaced(void **state)
{
	struct world *w = world_make();
	struct core_key_settings *key = &w->o->settings.key[0];
	struct signer usual = w->o->signer;
	struct signer *fresh;
	const struct answer *a;

	(void)state;
	(void)snprintf(key->certificate, sizeof(key->certificate), "%s/dsc.der",
		       w->p->dir);
	place_write(w->p, "dsc.der", span_of(usual.der, (size_t)usual.der_n));
	world_begin(w);
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	assert_int_equal(issue(w, 1, 1)->type, WIRE_ISSUED);
	assert_done(w, activate(w, "dsc-2", 0));
	assert_done(w, simple(w, OPERATION_COMPROMISE, "dsc-1"));
	world_end(w);
	w->o->signer = signer_usual(COSE_ES256);
	place_write(w->p, "dsc.der",
		    span_of(w->o->signer.der, (size_t)w->o->signer.der_n));
	world_begin(w);
	assert_true(w->o->desk->keys->key[0].unapproved);
	a = issue(w, 2, 1);
	assert_false(a->issued.replayed);
	assert_true(is_by(w, a, fresh));
	assert_true(issue(w, 3, 1)->issued.replayed);
	signer_free(&usual);
	world_close(w);
}

/* A request that is at the HSM when its key is retired is finished with it. */
static void test_in_flight(void **state)
{
	struct world *w = world_open();
	struct signer *fresh;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	fresh = made(w, SPAN_LIT("dsc-2"));
	w->o->hsm[0].mood = HSM_HOLDS;
	front_issue(&w->o->front[0], 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(w->o, w->o->hsm[0].nheld == 1);
	assert_done(w, activate(w, "dsc-2", 0));
	w->o->hsm[0].mood = HSM_SIGNS;
	assert_true(is_by(w, issue(w, 2, 2), fresh));
	hsm_release_held(&w->o->hsm[0]);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], 1) != NULL);
	assert_false(is_by(w, front_answer(&w->o->front[0], 1), fresh));
	world_close(w);
}

static struct policy *another_policy(void)
{
	static const char more[] = "# by somebody alone\n";
	static char text[sizeof(POLICY_TEXT) + sizeof(more)];

	(void)snprintf(text, sizeof(text), "%s%s", POLICY_TEXT, more);
	return office_policy(text);
}

static enum sg_err decide_policy(struct world *w, const struct policy *p)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_POLICY, NULL, nonce);
	o.policy = policy_hash(p);
	return operate(w, &o, EVERYBODY);
}

/* Officers who approve policies: no other comes into force, by a reload or by a
 * restart. */
static void test_policy(void **state)
{
	struct world *w = world_open();
	struct policy *other = another_policy();
	struct policy *usual = policy_ref(w->o->policy);
	const char *reason;

	(void)state;
	w->policy_approval = true;
	assert_done(w, genesis(w));
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, other),
			 SG_FORBIDDEN);
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, usual),
			 SG_OK);
	/* It is the file's now: the core starts with it, and signs nothing. */
	world_end(w);
	policy_unref(w->o->policy);
	w->o->policy = other;
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	add_hsms(w);
	OFFICE_UNTIL(w->o, 500, false);
	assert_false(desk_ready(w->o->desk, &reason));
	assert_non_null(strstr(reason, "policy-unapproved"));
	assert_int_equal(issue(w, 1, 1)->type, WIRE_PROBLEM);
	/* But by the one that was approved, all goes on. */
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, usual),
			 SG_OK);
	OFFICE_WAIT(w->o, w->o->front[0].ready);
	assert_int_equal(issue(w, 2, 2)->type, WIRE_ISSUED);
	assert_done(w, decide_policy(w, other));
	/* That is approved, and the other one stays until it comes. */
	assert_int_equal(issue(w, 3, 3)->type, WIRE_ISSUED);
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, usual),
			 SG_OK);
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, other),
			 SG_OK);
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, usual),
			 SG_FORBIDDEN);
	assert_int_equal(issue(w, 4, 4)->type, WIRE_ISSUED);
	policy_unref(usual);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheduled),
		cmocka_unit_test(test_no_gap),
		cmocka_unit_test(test_unwritten),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_start_after_restart),
		cmocka_unit_test(test_start_proved),
		cmocka_unit_test(test_compromise),
		cmocka_unit_test(test_compromise_renewed),
		cmocka_unit_test(test_compromise_destroyed),
		cmocka_unit_test(test_compromise_replaced),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_policy)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
