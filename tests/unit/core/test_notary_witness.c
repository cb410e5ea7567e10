/* SPDX-License-Identifier: Apache-2.0 */
#include "core/notary.h"

#include "notary_world.h"

static const char NAME[] = "witness.example/w";

/* Offer the tree; the witnesses are to be asked about it, and nothing else
 * happens before they have been. */
static void consult(struct world *w)
{
	const size_t written = w->o.anchor.written;

	world_offer(w);
	OFFICE_WAIT(&w->o, w->consulted == 1);
	world_check_note(w, span_of(w->note, w->note_n));
	OFFICE_UNTIL(&w->o, 30, false);
	assert_int_equal(w->published, 0);
	assert_int_equal(w->o.anchor.written, written);
	assert_int_equal(notary_look(w->notary, NULL), NOTARY_WAITING);
}

static void expect_refused(struct world *w, const char *words)
{
	const char *reason;

	assert_int_equal(notary_look(w->notary, &reason), NOTARY_REFUSED);
	assert_non_null(strstr(reason, words));
	assert_non_null(strstr(reason, NAME));
	OFFICE_UNTIL(&w->o, 30, false);
	assert_int_equal(notary_look(w->notary, NULL), NOTARY_REFUSED);
}

static struct world *open_with_witnesses(void)
{
	struct world *w = world_open();

	w->witnesses = true;
	world_begin(w);
	world_tree(w, 0, 0, 'a');
	return w;
}

static void test_first_one(void **state)
{
	struct world *w = open_with_witnesses();

	(void)state;
	notary_consulted(w->notary); /* nobody was asked */
	consult(w);
	notary_consulted(w->notary);
	OFFICE_WAIT(&w->o, w->published == 1);
	notary_consulted(w->notary);
	/* Only the first one waits for them, */
	world_tree(w, 5, 5, 'a');
	world_sign(w);
	assert_int_equal(w->consulted, 1);
	/* also where it could not be anchored. */
	world_begin(w);
	consult(w);
	w->o.anchor.fails = true;
	notary_consulted(w->notary);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	w->o.anchor.fails = false;
	world_sign(w);
	assert_int_equal(w->consulted, 1);
	world_close(w);
}

static void test_contradicted_at_the_start(void **state)
{
	struct world *w = open_with_witnesses();
	const size_t written = w->o.anchor.written;

	(void)state;
	consult(w);
	notary_contradicted(w->notary, NAME, 300, false);
	expect_refused(w, "knows of 300 entries");
	notary_consulted(w->notary);
	OFFICE_UNTIL(&w->o, 30, false);
	assert_int_equal(w->published, 0);
	assert_int_equal(w->o.anchor.written, written);
	assert_true(place_has(w->p, "recovery.request"));
	world_begin(w);
	consult(w);
	notary_contradicted(w->notary, NAME, 3, true);
	expect_refused(w, "it is a fork");
	world_close(w);
}

static void test_contradicted_while_it_runs(void **state)
{
	struct world *w = open_with_witnesses();

	(void)state;
	consult(w);
	notary_consulted(w->notary);
	/* Between the witnesses and the anchor, */
	notary_contradicted(w->notary, NAME, 3, false);
	expect_refused(w, "somebody else writes under its key");
	assert_int_equal(w->published, 0);
	/* at rest, */
	w->witnesses = false;
	world_begin(w);
	world_sign(w);
	notary_contradicted(w->notary, NAME, 3, false);
	expect_refused(w, "knows of 3 entries");
	/* and while a signature is under way. */
	world_begin(w);
	world_sign(w);
	world_tree(w, 5, 5, 'a');
	world_offer(w);
	notary_contradicted(w->notary, NAME, 6, false);
	OFFICE_UNTIL(&w->o, 50, false);
	expect_refused(w, "knows of 6 entries");
	assert_int_equal(w->published, 1);
	world_close(w);
}

/* Officers have decided: nothing a witness says changes that. */
static void test_overruled(void **state)
{
	struct world *w = open_with_witnesses();

	(void)state;
	consult(w);
	notary_contradicted(w->notary, NAME, 300, false);
	expect_refused(w, "rolled back");
	world_sign_request(w, OFFICERS);
	world_begin(w);
	consult(w);
	notary_contradicted(w->notary, NAME, 300, false);
	OFFICE_WAIT(&w->o, w->published == 1);
	assert_int_equal(w->recovered, 1);
	notary_contradicted(w->notary, NAME, 300, false);
	assert_int_equal(notary_look(w->notary, NULL), NOTARY_OPEN);
	world_tree(w, 5, 5, 'a');
	world_sign(w);
	assert_int_equal(w->consulted, 1);
	world_close(w);
}

/* The statement is about what is anchored already: told once all the same. */
static void test_told_once(void **state)
{
	struct world *w = open_with_witnesses();

	(void)state;
	w->witnesses = false;
	world_tree(w, 0, 0, 'a');
	world_begin(w);
	world_sign(w);
	world_tree(w, 5, 5, 'a');
	world_sign(w);
	w->witnesses = true;
	world_begin(w);
	consult(w);
	notary_contradicted(w->notary, NAME, 300, false);
	expect_refused(w, "rolled back");
	world_sign_request(w, OFFICERS);
	world_begin(w);
	consult(w);
	assert_int_equal(w->recovered, 1);
	notary_contradicted(w->notary, NAME, 300, false);
	OFFICE_WAIT(&w->o, w->published == 1);
	assert_int_equal(w->recovered, 1);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_one),
		cmocka_unit_test(test_contradicted_at_the_start),
		cmocka_unit_test(test_contradicted_while_it_runs),
		cmocka_unit_test(test_overruled),
		cmocka_unit_test(test_told_once)};

	log_limit(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
