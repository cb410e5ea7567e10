/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_stops: a stop holds on a full disk. */
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

static bool heard_of(const struct world *w, const char *words)
{
	return memmem(w->heard.document, w->heard.document_n, words,
		      strlen(words)) != NULL;
}

static bool document_has(struct world *w, const char *words)
{
	static uint8_t bytes[CEREMONY_DOCUMENT_MAX];
	size_t n;

	assert_int_equal(
		ceremony_document(ceremony_of(w), bytes, sizeof(bytes), &n),
		SG_OK);
	return memmem(bytes, n, words, strlen(words)) != NULL;
}

static enum key_state in_keyring(struct world *w, const char *key)
{
	size_t k;

	assert_true(keyring_find(w->o->desk->keys, span_str(key), &k));
	return w->o->desk->keys->key[k].state;
}

/* What one officer brings once, and once more. */
struct stop {
	size_t n;
	uint8_t bytes[APPROVED_BYTES_MAX];
};

static void sign_into(struct world *w, enum operation_kind kind,
		      const char *key, unsigned by, struct stop *s)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, kind, key, nonce);
	s->n = sign_operation(w, &o, by, s->bytes);
}

static struct stop *sign_stop(struct world *w, const char *key)
{
	static struct stop s;

	sign_into(w, OPERATION_STOP, key, 1, &s);
	return &s;
}

static struct stop *sign_compromise(struct world *w, const char *key)
{
	static struct stop s;

	sign_into(w, OPERATION_COMPROMISE, key, EVERYBODY, &s);
	return &s;
}

static enum sg_err bring_stop(struct world *w, const struct stop *s)
{
	return bring(w, span_of(s->bytes, s->n));
}

/* Not one byte more can be written, of the ledger neither. */
static void test_full_disk(void **state)
{
	struct world *w = world_open();
	const struct stop *s;

	(void)state;
	assert_done(w, genesis(w));
	assert_int_equal(issue(w, 1, 1)->type, WIRE_ISSUED);
	s = sign_stop(w, "dsc-1");
	place_limit_files(0);
	assert_done(w, bring_stop(w, s));
	assert_true(issue(w, 3, 1)->issued.replayed);
	assert_true(heard_of(w, "until signerd restarts"));
	assert_true(heard_of(w, "stopped"));
	assert_true(heard_of(w, "nothing-signs\x63vtr"));
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_STOPPED);
	assert_int_equal(issue(w, 2, 2)->type, WIRE_PROBLEM);
	assert_true(document_has(w, "stopped"));
	assert_true(document_has(w, "not on record"));
	/* Once more: it holds already. */
	assert_done(w, bring_stop(w, s));
	assert_int_equal(ceremony_of(w)->nstops, 1);
	/* Nothing else does. */
	assert_true(simple(w, OPERATION_START, "dsc-1") != SG_OK);
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_STOPPED);
	place_limit_files(RLIM_INFINITY);
	OFFICE_WAIT(w->o, ceremony_of(w)->nstops == 0);
	assert_int_equal(state_of(w, "dsc-1"), KEY_STOPPED);
	assert_false(document_has(w, "not on record"));
	assert_int_equal(ceremony_store_last(ceremony_of(w)->store), 2);
	OFFICE_WAIT(w->o, ceremony_store_recorded(ceremony_of(w)->store) == 2);
	assert_refused(w, bring_stop(w, s), SG_FORBIDDEN, "accepted before");
	world_end(w);
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-1"), KEY_STOPPED);
	world_close(w);
}

/* A key that is compromised signs nothing from then on either, with a stop
 * before or without, and what it has signed is not given out again; that it is
 * for ever comes with the record. */
static void test_compromised(void **state)
{
	struct world *w = world_open();
	const struct stop *s;
	const struct stop *c;

	(void)state;
	assert_done(w, genesis(w));
	assert_int_equal(issue(w, 2, 2)->type, WIRE_ISSUED);
	assert_true(issue(w, 3, 2)->issued.replayed);
	s = sign_stop(w, "dsc-1");
	c = sign_compromise(w, "dsc-1");
	place_limit_files(0);
	assert_done(w, bring_stop(w, c));
	assert_true(heard_of(w, "not on record that it is compromised"));
	assert_true(heard_of(w, "stopped"));
	assert_true(heard_of(w, "nothing-signs\x63vtr"));
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_COMPROMISED);
	assert_int_equal(issue(w, 1, 1)->type, WIRE_PROBLEM);
	assert_int_equal(issue(w, 4, 2)->type, WIRE_PROBLEM);
	assert_true(document_has(w, "not on record"));
	assert_true(document_has(w, "stopped"));
	assert_done(w, bring_stop(w, c));
	assert_int_equal(ceremony_of(w)->nstops, 1);
	assert_done(w, bring_stop(w, s));
	assert_int_equal(ceremony_of(w)->nstops, 2);
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_COMPROMISED);
	assert_true(simple(w, OPERATION_RETIRE, "dsc-1") != SG_OK);
	place_limit_files(RLIM_INFINITY);
	OFFICE_WAIT(w->o, ceremony_of(w)->nstops == 0);
	/* The stop came too late for a key that is compromised. */
	assert_int_equal(state_of(w, "dsc-1"), KEY_COMPROMISED);
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_COMPROMISED);
	assert_int_equal(ceremony_store_last(ceremony_of(w)->store), 2);
	world_end(w);
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-1"), KEY_COMPROMISED);
	world_close(w);
}

/* As the guide has it: stopped first, then compromised; both are kept. */
static void test_stopped_then_compromised(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	place_limit_files(0);
	assert_done(w, bring_stop(w, sign_stop(w, "dsc-1")));
	assert_done(w, bring_stop(w, sign_compromise(w, "dsc-1")));
	assert_int_equal(ceremony_of(w)->nstops, 2);
	place_limit_files(RLIM_INFINITY);
	OFFICE_WAIT(w->o, ceremony_of(w)->nstops == 0);
	assert_int_equal(state_of(w, "dsc-1"), KEY_COMPROMISED);
	assert_int_equal(ceremony_store_last(ceremony_of(w)->store), 3);
	world_close(w);
}

/* The next operation cannot be kept while a directory has its name. */
static void block(struct world *w, char path[PLACE_PATH])
{
	char name[64];

	(void)snprintf(name, sizeof(name), "operations/%08u.cose",
		       ceremony_store_last(ceremony_of(w)->store) + 1);
	place_path(w->p, path, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* A restart forgets it, as the answer says; the same file stops it again. */
static void test_restart(void **state)
{
	struct world *w = world_open();
	char path[PLACE_PATH];
	const struct stop *s;

	(void)state;
	assert_done(w, genesis(w));
	s = sign_stop(w, "dsc-1");
	block(w, path);
	assert_done(w, bring_stop(w, s));
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_STOPPED);
	world_end(w);
	assert_int_equal(rmdir(path), 0);
	world_begin(w);
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_ACTIVE);
	assert_done(w, bring_stop(w, s));
	assert_false(heard_of(w, "warning"));
	assert_int_equal(state_of(w, "dsc-1"), KEY_STOPPED);
	world_close(w);
}

/* A key that is stopped so does not take over from the one before it; what is
 * decided as soon as there is room comes after the stop. */
static void test_meanwhile(void **state)
{
	struct world *w = world_open();
	char path[PLACE_PATH];

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	assert_done(w, activate(w, "dsc-2", soon()));
	block(w, path);
	assert_done(w, bring_stop(w, sign_stop(w, "dsc-2")));
	assert_false(heard_of(w, "nothing-signs"));
	OFFICE_UNTIL(w->o, 2500, false);
	assert_int_equal(in_keyring(w, "dsc-2"), KEY_STOPPED);
	assert_int_equal(in_keyring(w, "dsc-1"), KEY_ACTIVE);
	assert_int_equal(issue(w, 1, 1)->type, WIRE_ISSUED);
	assert_int_equal(rmdir(path), 0);
	assert_done(w, simple(w, OPERATION_START, "dsc-2"));
	assert_int_equal(ceremony_of(w)->nstops, 0);
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	world_close(w);
}

/* The key's time has come before the disk takes it: there is nothing to stop
 * any more, and the operation is on record as refused. */
static void test_too_late(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	char path[PLACE_PATH];

	(void)state;
	assert_done(w, genesis(w));
	begin_operation(w, &o, OPERATION_RETIRE, "dsc-1", nonce);
	o.retire = soon();
	o.last = true;
	assert_done(w, operate(w, &o, EVERYBODY));
	block(w, path);
	assert_done(w, bring_stop(w, sign_stop(w, "dsc-1")));
	OFFICE_WAIT(w->o, in_keyring(w, "dsc-1") == KEY_RETIRED);
	OFFICE_WAIT(w->o, ceremony_of(w)->nstops == 0);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_int_equal(rmdir(path), 0);
	world_end(w);
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_compromised),
		cmocka_unit_test(test_stopped_then_compromised),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
