/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_replay: what was accepted, after a start. */
#include "ceremony_operations.h"

#include <errno.h>

static size_t read_file(const struct world *w, const char *name, uint8_t *out,
			size_t cap)
{
	char path[PLACE_PATH];
	FILE *f;
	size_t n;

	place_path(w->p, path, name);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(out, 1, cap, f);
	assert_int_equal(fclose(f), 0);
	return n;
}

static uint8_t file[APPROVED_BYTES_MAX];

/* The process ends after the operation's file, and before its outcome's. */
static void test_unfinished(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	size_t n;

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", nonce);
	n = sign_operation(w, &o, EVERYBODY, file);
	world_end(w);
	place_write(w->p, "operations/00000002.cose", span_of(file, n));
	world_begin(w);
	assert_false(place_has(w->p, "operations/00000002.cose"));
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	/* It can be sent again, and is the second one. */
	assert_done(w, bring(w, span_of(file, n)));
	assert_int_equal(state_of(w, "dsc-1"), KEY_STOPPED);
	assert_true(place_has(w->p, "operations/00000002.done"));
	world_close(w);
}

/* After the outcome's, and before the ledger has it. */
static void test_unrecorded(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	OFFICE_UNTIL(w->o, 300, false);
	assert_int_equal(entries(w, ENTRY_CEREMONY, NULL, NULL), 5);
	world_end(w);
	place_remove(w->p, "operations/recorded");
	world_begin(w);
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	OFFICE_WAIT(w->o, entries(w, ENTRY_CEREMONY, NULL, NULL) == 10);
	OFFICE_WAIT(w->o, place_has(w->p, "operations/recorded"));
	OFFICE_UNTIL(w->o, 300, false);
	world_restart(w);
	OFFICE_UNTIL(w->o, 300, false);
	assert_int_equal(entries(w, ENTRY_CEREMONY, NULL, NULL), 10);
	world_close(w);
}

/* What root could do to the files. */
static void test_damage(void **state)
{
	struct world *w = world_open();
	uint8_t done[4096];
	size_t n;
	size_t m;

	(void)state;
	assert_done(w, genesis(w));
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	OFFICE_UNTIL(w->o, 300, false);
	world_end(w);
	n = read_file(w, "operations/00000002.cose", file, sizeof(file));
	m = read_file(w, "operations/00000002.done", done, sizeof(done));
	/* A byte of the operation; it is gone; its outcome is. */
	file[n - 1] ^= 1;
	place_write(w->p, "operations/00000002.cose", span_of(file, n));
	expect_no_desk(w);
	file[n - 1] ^= 1;
	place_remove(w->p, "operations/00000002.cose");
	expect_no_desk(w);
	place_remove(w->p, "operations/00000002.done");
	expect_no_desk(w);
	/* The second in the place of the third, too. */
	place_write(w->p, "operations/00000002.cose", span_of(file, n));
	place_write(w->p, "operations/00000002.done", span_of(done, m));
	place_write(w->p, "operations/00000003.cose", span_of(file, n));
	place_write(w->p, "operations/00000003.done", span_of(done, m));
	expect_no_desk(w);
	place_remove(w->p, "operations/00000003.cose");
	place_remove(w->p, "operations/00000003.done");
	place_write(w->p, "operations/recorded", SPAN_LIT("nonsense"));
	expect_no_desk(w);
	world_close(w);
}

/* Put O, by SIGNERS, where the next operation would be, and end the world. */
static void slip_in(struct world *w, const struct operation *o,
		    unsigned signers)
{
	struct store_item item = {.outcome = {.time = clock_wall_s()}};
	struct ceremony_store *store;

	item.approved = span_of(file, sign_operation(w, o, signers, file));
	world_end(w);
	assert_int_equal(ceremony_store_open(w->p->dir, &store), SG_OK);
	assert_int_equal(ceremony_store_add(store, &item), SG_OK);
	ceremony_store_close(store);
}

/* A file with too few signatures is not believed, whoever put it there. */
static void test_slipped_in(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_RETIRE, "dsc-1", nonce);
	slip_in(w, &o, 2);
	expect_no_desk(w);
	world_close(w);
}

/* Nor is a genesis that has all the signatures which it asks for itself: it
 * would make its signer the only officer. */
static void test_second_genesis(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_GENESIS, NULL, nonce);
	w->proposer_approves = true;
	fill_roll(w, &o.roll, 1, 1);
	slip_in(w, &o, 1);
	expect_no_desk(w);
	world_close(w);
}

/* A start at which the first HSM has the key of SIGNER in the place of its own.
 */
static void begin_with(struct world *w, struct signer *signer)
{
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	w->o->hsm[0].signer = signer;
	office_link_hsm(w->o, 0, HSM_SIGNS);
	w->o->hsm[0].signer = signer; /* linking puts the usual one there */
	hsm_say_ready(&w->o->hsm[0], true);
	OFFICE_UNTIL(w->o, 300, false);
}

/* A key that came to signerd.yaml after the genesis signs nothing. */
static void test_unapproved(void **state)
{
	struct world *w = world_open();
	struct signer stranger = signer_usual(COSE_ES256);
	struct core_settings *s = &w->o->settings;

	(void)state;
	assert_done(w, genesis(w));
	world_end(w);
	s->key[2] = (struct core_key_settings){.label = "dsc-x",
					       .hsm = "one",
					       .alg = COSE_ES256,
					       .kinds = DCC_ALL_KINDS};
	s->nkeys = 3;
	world_begin(w);
	assert_null(lifecycle_find(&ceremony_of(w)->life, SPAN_LIT("dsc-x")));
	assert_int_equal(w->o->desk->keys->key[2].state, KEY_GENERATED);
	world_end(w);
	/* Nor does another one under the label of one that was adopted. */
	s->nkeys = 2;
	begin_with(w, &stranger);
	assert_false(w->o->desk->keys->key[0].has_dsc);
	signer_free(&stranger);
	world_close(w);
}

/* Root has put the certificate of another key into the place of an adopted
 * one's, under its label: that is not the one that officers know, so it is not
 * shown as theirs, and nothing that they decide has it sign. */
static void test_another_certificate(void **state)
{
	struct world *w = world_make();
	struct signer stranger = signer_usual(COSE_ES256);
	struct core_key_settings *key = &w->o->settings.key[0];
	const struct key *in_ring;
	const struct life *l;
	size_t k;

	(void)state;
	(void)snprintf(key->certificate, sizeof(key->certificate), "%s/dsc.der",
		       w->p->dir);
	place_write(w->p, "dsc.der",
		    span_of(w->o->signer.der, (size_t)w->o->signer.der_n));
	world_begin(w);
	assert_done(w, genesis(w));
	world_restart(w);
	l = lifecycle_find(&ceremony_of(w)->life, SPAN_LIT("dsc-1"));
	assert_non_null(l);
	assert_true(ceremony_find_key(ceremony_of(w), l, &k));
	assert_int_equal(l->state, KEY_ACTIVE);
	world_end(w);
	place_write(w->p, "dsc.der",
		    span_of(stranger.der, (size_t)stranger.der_n));
	begin_with(w, &stranger);
	in_ring = &w->o->desk->keys->key[0];
	assert_true(in_ring->unapproved);
	assert_int_equal(in_ring->state, KEY_GENERATED);
	l = lifecycle_find(&ceremony_of(w)->life, SPAN_LIT("dsc-1"));
	assert_non_null(l);
	assert_false(ceremony_find_key(ceremony_of(w), l, &k));
	assert_int_equal(l->state, KEY_RETIRED);
	signer_free(&stranger);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_unrecorded),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_slipped_in),
		cmocka_unit_test(test_second_genesis),
		cmocka_unit_test(test_unapproved),
		cmocka_unit_test(test_another_certificate)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
