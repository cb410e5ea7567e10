/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_hold: what root could take out of the state directory, and what a
 * clock could: the ledger has it all the same. */
#include "base/fileio.h"
#include "ceremony_operations.h"
#include "core/approved_policy.h"

/* A desk that does not go on once it has read the ledger. */
static void open_and_wait(struct world *w)
{
	w->o->refused = w->o->stuck = 0;
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	add_hsms(w);
	link_smith(w);
	OFFICE_WAIT(w->o, w->o->refused + w->o->stuck > 0);
	assert_false(w->o->front[0].ready);
}

static void expect_refused_later(struct world *w)
{
	static const struct ask ask = {.serial = 1};
	struct answer *a;

	place_remove(w->p, "index");
	open_and_wait(w);
	assert_int_equal(w->o->refused, 1);
	/* Nothing is signed meanwhile, and whoever would take over as the first
	 * officers cannot. */
	front_issue(&w->o->front[0], 1, &ask);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], 1) != NULL);
	a = front_answer(&w->o->front[0], 1);
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_refused(w, genesis(w), SG_BUSY, "is being read");
	world_end(w);
}

/* The same where the index is gone, too. */
static void expect_refused(struct world *w)
{
	expect_no_desk(w);
	expect_refused_later(w);
}

static void copy(const struct world *w, const char *from, const char *to)
{
	char command[2 * PLACE_PATH + 16];

	(void)snprintf(command, sizeof(command), "cp -a '%s/%s' '%s/%s'",
		       w->p->dir, from, w->p->dir, to);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	assert_int_equal(system(command), 0);
}

/* As if from the backup. */
static void put_back(const struct world *w)
{
	place_remove(w->p, "operations");
	copy(w, "kept", "operations");
}

static void test_taken_away(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	copy(w, "operations", "kept");
	/* All of it: there would be no officers any more. */
	place_remove(w->p, "operations");
	expect_refused(w);
	/* The newest, with its line: the key would sign again. */
	put_back(w);
	place_remove(w->p, "operations/00000002.cose");
	place_remove(w->p, "operations/00000002.done");
	place_remove(w->p, "operations/recorded");
	expect_refused(w);
	put_back(w);
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	add_hsms(w);
	OFFICE_WAIT(w->o, ceremony_is_held(ceremony_of(w)));
	assert_int_equal(state_of(w, "dsc-1"), KEY_STOPPED);
	world_close(w);
}

/* What root puts in the place of one that is gone is not what was accepted,
 * also where officers have signed it. */
static void test_replaced(void **state)
{
	static uint8_t file[APPROVED_BYTES_MAX];
	struct world *w = world_open();
	struct store_item item = {.outcome = {.time = clock_wall_s()}};
	uint8_t nonce[OPERATION_NONCE_BYTES];
	struct ceremony_store *store;
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
	item.approved = span_of(file, sign_operation(w, &o, EVERYBODY, file));
	begin_operation(w, &o, OPERATION_RETIRE, "dsc-1", nonce);
	o.last = true;
	assert_done(w, operate(w, &o, EVERYBODY));
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	place_remove(w->p, "operations/00000002.cose");
	place_remove(w->p, "operations/00000002.done");
	place_remove(w->p, "operations/recorded");
	assert_int_equal(ceremony_store_open(w->p->dir, &store), SG_OK);
	assert_int_equal(ceremony_store_add(store, &item), SG_OK);
	ceremony_store_close(store);
	expect_refused(w);
	world_close(w);
}

/* Before any HSM could have it happen once more. */
static void open_and_look(struct world *w)
{
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-2"), KEY_ACTIVE);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
}

static void begin_again(struct world *w)
{
	open_and_look(w);
	office_add_front(w->o, 0);
	add_hsms(w);
	link_smith(w);
	OFFICE_WAIT(w->o, w->o->front[0].ready);
}

/* A key that came by its time, and one that left: no clock and no file says so,
 * but the ledger. */
static void test_times(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	assert_done(w, activate(w, "dsc-2", soon()));
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_ACTIVE);
	OFFICE_WAIT(w->o, entries(w, ENTRY_KEY_EVENT, NULL, NULL) == 6);
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	assert_true(place_has(w->p, "operations/events"));
	/* It is taken from the ledger at once, */
	place_remove(w->p, "operations/events");
	begin_again(w);
	assert_true(place_has(w->p, "operations/events"));
	world_end(w);
	/* or, where the index is made again, by a start once it is. */
	place_write(w->p, "operations/events", SPAN_LIT("1 5 retired dsc-2\n"));
	place_remove(w->p, "index");
	open_and_wait(w);
	assert_int_equal(w->o->stuck, 1);
	world_end(w);
	begin_again(w);
	/* None of that has put anything more on record. */
	assert_int_equal(entries(w, ENTRY_KEY_EVENT, NULL, NULL), 6);
	world_close(w);
}

/* The clock of the next start is before all that has happened. */
static void test_clock_back(void **state)
{
	static const char ahead[] = "9999999999 6 active dsc-2\n"
				    "9999999999 6 retired dsc-1\n";
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	assert_done(w, activate(w, "dsc-2", soon()));
	OFFICE_WAIT(w->o, state_of(w, "dsc-2") == KEY_ACTIVE);
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	place_write(w->p, "operations/events", span_str(ahead));
	begin_again(w);
	world_close(w);
}

static void approve_policy(struct world *w, const uint8_t *hash)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_POLICY, NULL, nonce);
	o.policy = hash;
	assert_done(w, operate(w, &o, EVERYBODY));
}

/* What the state directory says, to others than the core, of HASH. */
static void assert_word(struct world *w, const uint8_t *hash,
			enum approved_policy expected, const uint8_t *newest)
{
	uint8_t found[APPROVED_POLICY_BYTES];
	enum approved_policy word;

	assert_int_equal(approved_policy_ask(w->p->dir, hash, &word, found),
			 SG_OK);
	assert_int_equal(word, expected);
	if (newest != NULL)
		assert_memory_equal(found, newest, sizeof(found));
}

static void damage_done(struct world *w, unsigned number, const char *text)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/operations/%08u.done", w->p->dir,
		       number);
	if (text == NULL)
		assert_int_equal(unlink(path), 0);
	else
		assert_int_equal(fileio_replace(path, span_str(text), 0600),
				 SG_OK);
}

static void test_asked(void **state)
{
	static const uint8_t first[32] = {1};
	struct world *w = world_open();
	uint8_t newest[APPROVED_POLICY_BYTES];
	enum approved_policy word;

	(void)state;
	assert_int_equal(approved_policy_ask(w->p->dir, first, &word, newest),
			 SG_NOT_FOUND);
	assert_int_equal(
		approved_policy_ask("/nonexistent", first, &word, newest),
		SG_NOT_FOUND);
	assert_done(w, genesis(w)); /* without approval of policies */
	assert_word(w, first, APPROVED_POLICY_FREE, NULL);
	approve_policy(w, first);
	assert_word(w, first, APPROVED_POLICY_FREE, NULL);
	/* The second is not accepted yet; then it is damaged. */
	damage_done(w, 2, NULL);
	assert_word(w, first, APPROVED_POLICY_FREE, NULL);
	damage_done(w, 2, "no outcome");
	assert_int_equal(approved_policy_ask(w->p->dir, first, &word, newest),
			 SG_MALFORMED);
	world_close(w);
}

/* Approved one after the other, and none of them loaded yet: what is in force
 * stays, also over a start; but nothing before that, ever. */
static void test_policies(void **state)
{
	static const uint8_t first[32] = {1};
	static const uint8_t second[32] = {2};
	struct world *w = world_open();
	uint8_t current[32];
	uint8_t wanted[CEREMONY_POLICIES_MAX][32];
	size_t n;

	(void)state;
	w->policy_approval = true;
	memcpy(current, policy_hash(w->o->policy), sizeof(current));
	assert_done(w, genesis(w));
	assert_word(w, current, APPROVED_POLICY_SAME, current);
	assert_word(w, first, APPROVED_POLICY_OTHER, current);
	approve_policy(w, first);
	assert_word(w, first, APPROVED_POLICY_SAME, first);
	assert_word(w, current, APPROVED_POLICY_BEFORE, first);
	approve_policy(w, current);
	approve_policy(w, first);
	approve_policy(w, second);
	assert_true(w->o->front[0].ready);
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	office_open_desk(w->o);
	assert_false(desk_lawful(w->o->desk, wanted, &n));
	/* What was approved before the one in force does not count. */
	assert_int_equal(n, 3);
	assert_memory_equal(wanted[0], second, sizeof(second));
	assert_memory_equal(wanted[1], first, sizeof(first));
	assert_memory_equal(wanted[2], current, sizeof(current));
	assert_int_equal(desk_reload(w->o->desk, &w->o->settings, w->o->policy),
			 SG_OK);
	assert_true(desk_lawful(w->o->desk, wanted, &n));
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken_away),
					   cmocka_unit_test(test_replaced),
					   cmocka_unit_test(test_times),
					   cmocka_unit_test(test_clock_back),
					   cmocka_unit_test(test_asked),
					   cmocka_unit_test(test_policies)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
