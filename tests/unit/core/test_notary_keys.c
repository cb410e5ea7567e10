/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's key is changed for another one. */
#include "core/notary.h"

#include "notary_world.h"

/* A key is made, which an hsm finds; it signs nothing yet. */
static void make_heir(struct world *w)
{
	struct life l = {.label = "ledger-2",
			 .alg = COSE_EDDSA,
			 .ledger = true,
			 .state = KEY_GENERATED,
			 .spki_n = (size_t)w->heir.spki_n};
	size_t k = 0;

	memcpy(l.spki, w->heir.spki, l.spki_n);
	w->token.n = 1;
	w->token.key[0].label = "ledger-2";
	w->token.key[0].signer = &w->heir;
	assert_int_equal(keyring_add(w->keys, &l, &k), SG_OK);
	assert_int_equal(k, 1);
	hsm_pool_find(w->pool);
	OFFICE_WAIT(&w->o, hsm_pool_good(w->pool, 1) == 1);
}

static void overlap(struct world *w)
{
	keyring_set_ledger(w->keys, 0, KEY_ACTIVE, true);
	keyring_set_ledger(w->keys, 1, KEY_ACTIVE, false);
}

static void end_overlap(struct world *w)
{
	keyring_set_ledger(w->keys, 0, KEY_RETIRED, false);
}

static struct world *open_with_heir(void)
{
	struct world *w = world_open();

	make_heir(w);
	world_tree(w, 0, 0, 'a');
	world_sign(w);
	world_tree(w, 300, 300, 'a');
	world_sign(w);
	assert_int_equal(w->heir_anchor.asked, 0);
	return w;
}

/* The lines of signatures in what was published last. */
static size_t lines(const struct world *w)
{
	struct note n;

	assert_int_equal(note_parse(span_of(w->note, w->note_n), &n), SG_OK);
	return n.n;
}

static void test_change(void **state)
{
	struct world *w = open_with_heir();
	struct note_key key[KEYRING_LEDGER_MAX];
	const struct note_key old = w->newest;

	(void)state;
	assert_int_equal(lines(w), 1);
	assert_int_equal(notary_handed_over(w->notary), 0);
	overlap(w);
	assert_int_equal(notary_handed_over(w->notary), 0);
	world_tree(w, 400, 400, 'a');
	world_sign(w);
	assert_int_equal(lines(w), 2);
	assert_int_equal(notary_handed_over(w->notary), 400);
	assert_int_equal(notary_keys(w->notary, key), 2);
	assert_memory_equal(&key[0], &old, sizeof(old));
	assert_memory_equal(&key[1], &w->newest, sizeof(old));
	world_begin(w); /* a restart */
	assert_int_equal(notary_handed_over(w->notary), 0);
	world_sign(w);
	assert_int_equal(notary_handed_over(w->notary), 400);
	end_overlap(w);
	world_tree(w, 500, 500, 'a');
	world_sign(w);
	assert_int_equal(lines(w), 1);
	assert_int_equal(notary_handed_over(w->notary), 0);
	assert_memory_equal(&key[1], &w->newest, sizeof(old));
	world_begin(w);
	world_tree(w, 600, 600, 'a');
	world_sign(w);
	assert_int_equal(notary_keys(w->notary, key), 1);
	world_close(w);
}

/* The process ends after the operation, and at each step of the first
 * checkpoint by both. */
static void test_crash(void **state)
{
	struct world *w = open_with_heir();

	(void)state;
	overlap(w);
	world_begin(w); /* nothing beside the new key yet */
	world_sign(w);
	world_tree(w, 400, 400, 'a');
	w->o.anchor.fails = true;
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	w->o.anchor.fails = false;
	world_begin(w);
	world_sign(w);
	/* Beside the old key, and not beside the new one. */
	world_tree(w, 500, 500, 'a');
	w->heir_anchor.fails = true;
	world_offer(w);
	OFFICE_WAIT(&w->o, w->given_up == 1);
	assert_int_equal(notary_handed_over(w->notary), 400);
	w->heir_anchor.fails = false;
	world_begin(w);
	world_sign(w);
	assert_int_equal(notary_handed_over(w->notary), 500);
	world_close(w);
}

static void test_rolled_back(void **state)
{
	struct world *w = open_with_heir();

	(void)state;
	overlap(w);
	world_tree(w, 400, 400, 'a');
	world_sign(w);
	world_tree(w, 399, 399, 'a');
	world_begin(w);
	world_refuse(w, "it was rolled back");
	/* To before the operation, which is gone with the rest. */
	keyring_set_ledger(w->keys, 0, KEY_ACTIVE, false);
	keyring_set_ledger(w->keys, 1, KEY_GENERATED, false);
	world_tree(w, 300, 300, 'a');
	world_begin(w);
	world_refuse(w, "it was rolled back");
	/* After the end, to before it. */
	overlap(w);
	end_overlap(w);
	world_tree(w, 500, 500, 'a');
	world_begin(w);
	world_sign(w);
	world_tree(w, 450, 450, 'a');
	world_begin(w);
	world_refuse(w, "it was rolled back");
	world_tree(w, 600, 450, 'b');
	world_begin(w);
	world_refuse(w, "it is a fork");
	/* Into the overlap: the new key's record tells. */
	overlap(w);
	world_tree(w, 450, 450, 'a');
	world_begin(w);
	world_refuse(w, "it was rolled back");
	world_close(w);
}

/* The old key's record is gone, or the only one of a new key. */
static void test_another_anchor(void **state)
{
	struct world *w = open_with_heir();

	(void)state;
	overlap(w);
	world_tree(w, 400, 400, 'a');
	world_sign(w);
	w->o.anchor.n = 0;
	world_begin(w);
	world_refuse(w, "the HSM knows of no such ledger");
	end_overlap(w);
	world_begin(w);
	world_sign(w);
	w->heir_anchor.n = 0;
	world_begin(w);
	world_refuse(w, "the HSM knows of no such ledger");
	world_close(w);
}

/* A key that no hsm has is waited for. */
static void test_unknown(void **state)
{
	struct world *w = world_open();
	const char *reason;

	(void)state;
	world_tree(w, 0, 0, 'a');
	keyring_set_ledger(w->keys, 0, KEY_RETIRED, false);
	world_offer(w);
	assert_int_equal(w->given_up, 1);
	assert_int_equal(notary_look(w->notary, &reason), NOTARY_WAITING);
	assert_non_null(strstr(reason, "key"));
	keyring_set_ledger(w->keys, 0, KEY_ACTIVE, false);
	world_sign(w);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_rolled_back),
		cmocka_unit_test(test_another_anchor),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
