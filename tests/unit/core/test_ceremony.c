/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony: from what officers sign to keys that sign. */
#include "ceremony_world.h"

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
	uint8_t room[8192];

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rotation)};

	(void)expect_recorded_refusal;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
