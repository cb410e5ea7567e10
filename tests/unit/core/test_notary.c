/* SPDX-License-Identifier: Apache-2.0 */
#include "../hcert/starved.h"
#include "core/notary.h"

#include "notary_world.h"

static const uint64_t STALE_US = UINT64_C(10) * 1000 * 1000;

/* From nothing on, and again after a start. */
static void test_signs(void **state)
{
	struct world *w = world_open();
	const char *reason;

	(void)state;
	assert_int_equal(notary_look(w->notary, &reason), NOTARY_WAITING);
	assert_true(strlen(reason) > 0);
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	(void)notary_look(w->notary, &reason);
	assert_string_equal(reason, "");
	world_tree(w, 5, 9, 'a');
	world_sign(w);
	world_begin(w);
	world_sign(w); /* the same */
	world_tree(w, 700, 700, 'a');
	world_begin(w);
	world_sign(w); /* more */
	assert_int_equal(w->recovered, 0);
	assert_false(place_has(w->p, "recovery.request"));
	world_close(w);
}

static void test_rolled_back(void **state)
{
	struct world *w = world_open();

	(void)state;
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	world_tree(w, 300, 300, 'a');
	world_sign(w);
	world_tree(w, 299, 299, 'a');
	world_begin(w);
	world_refuse(w, "it was rolled back");
	/* It does not help to write something else at its end. */
	world_tree(w, 300, 299, 'b');
	world_begin(w);
	world_refuse(w, "it is a fork");
	world_tree(w, 600, 299, 'b');
	world_begin(w);
	world_refuse(w, "it is a fork");
	world_tree(w, 600, 300, 'b');
	world_begin(w);
	world_sign(w);
	world_close(w);
}

/* The files have the anchored root, but the tree in memory is another one. */
static void test_files_lie(void **state)
{
	struct world *w = world_open();
	struct merkle_hash forged;
	const char *reason;

	(void)state;
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	world_tree(w, 300, 300, 'a');
	world_sign(w);
	world_tree(w, 600, 299, 'b');
	forged = w->root;
	world_tree(w, 600, 600, 'a');
	world_begin(w);
	notary_offer(w->notary, 600, &forged);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	assert_int_equal(notary_look(w->notary, &reason), NOTARY_WAITING);
	assert_non_null(strstr(reason, "ledger/tile"));
	/* A tile that is missing: the same. */
	place_remove(w->p, "ledger/tile");
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 2);
	assert_int_equal(w->published, 0);
	world_close(w);
}

static void test_another_anchor(void **state)
{
	struct world *w = world_open();

	(void)state;
	world_tree(w, 5, 5, 'a');
	world_refuse(w, "the HSM knows of no such ledger");
	w->o.anchor.n = 8;
	memcpy(w->o.anchor.value, "nonsense", 8);
	world_begin(w);
	world_refuse(w, "is no checkpoint of this ledger");
	/* One of another log. */
	w->o.anchor.n = 0;
	world_tree(w, 0, 0, 'a');
	world_begin(w);
	world_sign(w);
	(void)snprintf(w->settings.origin, sizeof(w->settings.origin),
		       "test.example/other");
	world_begin(w);
	world_refuse(w, "is no checkpoint of this ledger");
	world_close(w);
}

static void test_recovery(void **state)
{
	struct world *w = world_open();
	char used[PLACE_PATH];
	char again[PLACE_PATH];

	(void)state;
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	world_tree(w, 300, 300, 'a');
	world_sign(w);
	world_tree(w, 200, 200, 'a');
	world_begin(w);
	world_refuse(w, "rolled back");
	world_sign_request(w, 1);
	world_begin(w);
	world_refuse(w, "rolled back");
	assert_int_equal(w->recovered, 0);
	world_sign_request(w, OFFICERS);
	/* A crash before it is anchored: it counts still. */
	w->o.anchor.fails = true;
	world_begin(w);
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	w->o.anchor.fails = false;
	world_begin(w);
	world_sign(w);
	assert_int_equal(w->recovered, 1);
	assert_true(place_has(w->p, "recovery"));
	/* A crash before it is on record: it is to be recorded again. */
	world_begin(w);
	w->statement_n = 0;
	world_sign(w);
	assert_int_equal(w->recovered, 1);
	assert_true(w->statement_n > 0);
	world_sign(w);
	assert_int_equal(w->recovered, 1);
	/* On record: no more. */
	recovery_used(w->p->dir);
	world_begin(w);
	world_sign(w);
	assert_int_equal(w->recovered, 0);
	/* It counts for that once: the same disk, but another state is known.
	 */
	world_tree(w, 250, 250, 'a');
	world_begin(w);
	world_sign(w);
	place_path(w->p, used, "recovery.used");
	place_path(w->p, again, "recovery");
	assert_int_equal(rename(used, again), 0);
	world_tree(w, 200, 200, 'a');
	world_begin(w);
	world_refuse(w, "rolled back");
	world_close(w);
}

/* A record that could not be verified is no other log's. */
static void test_no_memory(void **state)
{
	struct world *w = world_open();
	const char *reason;

	(void)state;
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	world_begin(w);
	w->o.hsm[0].starves = &starved;
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up > 0);
	w->o.hsm[0].starves = NULL;
	starved = false;
	assert_int_equal(notary_look(w->notary, &reason), NOTARY_WAITING);
	assert_non_null(strstr(reason, "verifying the HSM's record"));
	world_sign(w);
	world_close(w);
}

/* Each step may fail; then nothing is published, and it is tried again. */
static void test_hsm_fails(void **state)
{
	struct world *w = world_open();
	const char *reason;

	(void)state;
	world_tree(w, 0, 0, 'a');
	w->o.anchor.fails = true;
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	assert_int_equal(notary_look(w->notary, &reason), NOTARY_WAITING);
	assert_non_null(strstr(reason, "reading the anchor"));
	assert_int_equal(w->o.hsm[0].jobs, 0);
	w->o.anchor.fails = false;
	world_sign(w);
	world_tree(w, 5, 5, 'a');
	/* The write of the anchor: what was signed is not published. */
	w->o.anchor.fails = true;
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 2);
	assert_int_equal(w->published, 1);
	assert_int_equal(notary_covered(w->notary), 0);
	w->o.anchor.fails = false;
	world_sign(w);
	world_close(w);
}

/* The hsm is away, or goes away in the middle of a step. */
static void test_hsm_dies(void **state)
{
	struct world *w = world_open();

	(void)state;
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	office_kill_hsm(&w->o, 0);
	OFFICE_WAIT(&w->o, hsm_pool_good(w->pool, 0) == 0);
	world_tree(w, 6, 6, 'a');
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	assert_int_equal(notary_look(w->notary, NULL), NOTARY_OPEN);
	world_add_hsm(w);
	world_sign(w);
	/* Gone in the middle, by a signature and by an anchor. */
	w->o.hsm[0].mood = HSM_HOLDS;
	world_tree(w, 7, 7, 'a');
	world_offer(w);
	OFFICE_UNTIL(&w->o, 30, false);
	office_kill_hsm(&w->o, 0);
	OFFICE_WAIT(&w->o, w->given_up == 2);
	world_add_hsm(w);
	world_sign(w);
	w->o.anchor.silent = true;
	world_tree(w, 8, 8, 'a');
	world_offer(w);
	OFFICE_UNTIL(&w->o, 50, false);
	office_kill_hsm(&w->o, 0);
	OFFICE_WAIT(&w->o, w->given_up == 3);
	w->o.anchor.silent = false;
	world_add_hsm(w);
	world_sign(w);
	world_close(w);
}

static void expect_state(struct world *w, uint64_t committed, uint64_t now_us,
			 enum notary_state state)
{
	notary_tick(w->notary, committed, now_us);
	assert_int_equal(notary_look(w->notary, NULL), state);
}

static void test_stale(void **state)
{
	struct world *w = world_open();
	const uint64_t now = clock_mono_us();
	const uint64_t stale = STALE_US;
	const char *reason;

	(void)state;
	/* Before the first one nothing is signed anyway. */
	expect_state(w, 5, now, NOTARY_WAITING);
	expect_state(w, 5, now + 2 * stale, NOTARY_WAITING);
	world_tree(w, 5, 5, 'a');
	w->o.anchor.n = 0;
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	/* Nothing waits. */
	expect_state(w, 0, now + 10 * stale, NOTARY_OPEN);
	expect_state(w, 0, now + 20 * stale, NOTARY_OPEN);
	/* Something does, from here on. */
	expect_state(w, 1, now + 20 * stale, NOTARY_OPEN);
	expect_state(w, 9, now + 21 * stale, NOTARY_OPEN);
	w->o.anchor.fails = true;
	world_tree(w, 9, 9, 'a');
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	expect_state(w, 9, now + 21 * stale + 1, NOTARY_STALE);
	(void)notary_look(w->notary, &reason);
	assert_string_equal(reason, "entries of the ledger wait for a signed "
				    "checkpoint for more than 10 s (anchor: "
				    "internal error)");
	w->o.anchor.fails = false;
	world_sign(w); /* which opens it */
	expect_state(w, 9, now, NOTARY_OPEN);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_rolled_back),
		cmocka_unit_test(test_files_lie),
		cmocka_unit_test(test_another_anchor),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_hsm_fails),
		cmocka_unit_test(test_hsm_dies),
		cmocka_unit_test(test_stale)};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
