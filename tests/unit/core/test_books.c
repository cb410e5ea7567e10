/* SPDX-License-Identifier: Apache-2.0 */
/* books: a whole desk with its ledger, from the request to the checkpoint. */
#include "core/books.h"

#include "ledger/tiles.h"
#include "office.h"
#include "officers.h"
#include "place.h"

enum { LEDGER_KEY = 1, LEDGER_HSM = 1 };

struct world {
	struct office *o;
	struct place *p; /* the state directory */
	struct signer ledger;
	struct signatory officer;
	struct note_key key;
};

static struct fake_front *front(struct world *w)
{
	return &w->o->front[0];
}

/* The hsm with the ledger's key, in the second slot. */
static void add_ledger_hsm(struct world *w)
{
	office_link_hsm(w->o, LEDGER_HSM, HSM_SIGNS);
	w->o->hsm[LEDGER_HSM].signer = &w->ledger;
	w->o->hsm[LEDGER_HSM].label = "ledger";
	hsm_say_ready(&w->o->hsm[LEDGER_HSM], false);
}

/* Open the desk, as after a start. */
static void begin(struct world *w)
{
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	office_add_hsm(w->o, 0, HSM_SIGNS);
	add_ledger_hsm(w);
}

static void begin_ready(struct world *w)
{
	begin(w);
	OFFICE_WAIT(w->o, front(w)->ready);
}

/* As a process that is killed, or after a drain. */
static void end(struct world *w)
{
	front_clear(front(w));
	for (size_t i = 0; i < OFFICE_HSMS; i++)
		office_kill_hsm(w->o, i);
	desk_free(w->o->desk);
	w->o->desk = NULL;
	w->o->drained = w->o->refused = 0;
	OFFICE_UNTIL(w->o, 10, false);
}

static void drain(struct world *w)
{
	desk_drain(w->o->desk);
	OFFICE_WAIT(w->o, w->o->drained == 1);
	end(w);
}

static struct world *world_open(void)
{
	struct world *w = calloc(1, sizeof(*w));
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	size_t n = sizeof(public_key);
	struct core_settings *s;

	assert_non_null(w);
	w->p = place_open();
	w->o = office_make(COSE_ES256);
	w->ledger = signer_usual(COSE_EDDSA);
	w->officer = signatory_make(NULL, "anne");
	assert_int_equal(
		EVP_PKEY_get_raw_public_key(w->ledger.key, public_key, &n), 1);
	assert_int_equal(note_key_make(SPAN_LIT("test.example/log"),
				       NOTE_ED25519, public_key, &w->key),
			 SG_OK);
	s = &w->o->settings;
	s->nkeys = 2;
	s->key[LEDGER_KEY] = (struct core_key_settings){
		.label = "ledger", .alg = COSE_EDDSA, .ledger = true};
	(void)snprintf(s->state, sizeof(s->state), "%s", w->p->dir);
	(void)snprintf(s->ledger.origin, sizeof(s->ledger.origin),
		       "test.example/log");
	s->ledger.checkpoint_ms = 50;
	s->ledger.stale_ms = 60000;
	s->ledger.approvals = 1;
	officer_appoint(&w->officer, &s->ledger);
	return w;
}

static void world_close(struct world *w)
{
	struct office *o = w->o;

	place_limit_files(RLIM_INFINITY);
	if (o->desk != NULL)
		end(w);
	signer_free(&w->ledger);
	EVP_PKEY_free(w->officer.pkey);
	policy_unref(o->policy);
	uv_close((uv_handle_t *)&o->alarm, NULL);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	signer_free(&o->signer);
	free(o);
	place_close(w->p);
	free(w);
}

static struct answer *ask_for(struct world *w, uint64_t id,
			      const struct ask *ask)
{
	front_issue(front(w), id, ask);
	OFFICE_WAIT(w->o, front_answer(front(w), id) != NULL);
	return front_answer(front(w), id);
}

static struct answer *issue(struct world *w, uint64_t id, unsigned serial)
{
	const struct ask ask = {.serial = serial};

	return ask_for(w, id, &ask);
}

/* The size of the checkpoint on the disk. */
static uint64_t checkpoint_size(const struct world *w)
{
	uint8_t text[CHECKPOINT_NOTE_MAX];
	struct checkpoint c;
	struct tiles *tiles;
	size_t n;

	assert_int_equal(tiles_open(w->p->ledger, false, &tiles), SG_OK);
	assert_int_equal(
		tiles_read_file(tiles, "checkpoint", text, sizeof(text), &n),
		SG_OK);
	tiles_close(tiles);
	assert_int_equal(checkpoint_open(span_of(text, n), &w->key, &c, NULL),
			 SG_OK);
	return c.size;
}

static enum entry_type type_of(const struct world *w, uint64_t index)
{
	uint8_t room[8192];
	struct entry entry;

	assert_true(place_records(w->p, index, &entry, room) > index);
	return entry.type;
}

/* It must say, soon, that it is not ready, with WORDS among its reasons. */
static bool has_reason(struct world *w, const char *words)
{
	const char *reason;

	return !desk_ready(w->o->desk, &reason) &&
	       strstr(reason, words) != NULL;
}

static void expect_reason(struct world *w, const char *words)
{
	OFFICE_WAIT(w->o, has_reason(w, words));
}

/* From the first start to the drain. */
static void test_a_run(void **state)
{
	struct world *w = world_open();
	const struct answer *a;
	const struct ask ask = {.serial = 7};

	(void)state;
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	office_add_hsm(w->o, 0, HSM_SIGNS);
	expect_reason(w, "key ledger: no HSM has offered it");
	assert_false(front(w)->ready);
	/* Nothing is signed that could not go on record. */
	a = issue(w, 1, 7);
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_LEDGER_DOWN);
	assert_int_equal(w->o->hsm[0].jobs, 0);
	add_ledger_hsm(w);
	OFFICE_WAIT(w->o, front(w)->ready);
	a = issue(w, 2, 7);
	assert_certificate(w->o, a, &ask);
	assert_int_equal(a->issued.ledger_index, 2);
	assert_int_equal(issue(w, 3, 8)->issued.ledger_index, 3);
	drain(w);
	assert_int_equal(place_records(w->p, 0, NULL, NULL), 5);
	assert_int_equal(type_of(w, 0), ENTRY_STARTED);
	assert_int_equal(type_of(w, 1), ENTRY_POLICY);
	assert_int_equal(type_of(w, 2), ENTRY_ISSUED);
	assert_int_equal(type_of(w, 4), ENTRY_STOPPED);
	/* The stop too is signed for. */
	assert_int_equal(checkpoint_size(w), 5);
	world_close(w);
}

/* The same request gets the same bytes, after a start, a kill, and without the
 * index or the ledger's files. */
static void test_again(void **state)
{
	static const char *const missing[] = {NULL, NULL, "index",
					      "ledger/tile", "ledger"};
	struct world *w = world_open();
	struct answer *first = calloc(1, sizeof(*first));

	(void)state;
	assert_non_null(first);
	begin_ready(w);
	*first = *issue(w, 1, 7);
	assert_int_equal(first->type, WIRE_ISSUED);
	first->issued.cose.p = first->cose;
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		const struct answer *a;

		if (i % 2 == 0)
			end(w);
		else
			drain(w);
		if (missing[i] != NULL)
			place_remove(w->p, missing[i]);
		begin_ready(w);
		a = issue(w, 1, 7);
		assert_int_equal(a->type, WIRE_ISSUED);
		assert_true(a->issued.replayed);
		assert_true(span_eq(a->issued.cose, first->issued.cose));
		assert_int_equal(a->issued.ledger_index, 2);
		assert_int_equal(w->o->hsm[0].jobs, 0);
		assert_int_equal(issue(w, 2, 100 + (unsigned)i)->type,
				 WIRE_ISSUED);
	}
	free(first);
	world_close(w);
}

/* What has run out is not told before the journal has been read to its end: the
 * index may lack what renewed it. */
static void test_expired_at_a_start(void **state)
{
	struct world *w = world_open();
	const struct ask ask = {.serial = 7, .exp = clock_wall_s() + 2};

	(void)state;
	begin_ready(w);
	assert_int_equal(ask_for(w, 1, &ask)->type, WIRE_ISSUED);
	drain(w);
	OFFICE_WAIT(w->o, clock_wall_s() >= ask.exp);
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	office_add_hsm(w->o, 0, HSM_SIGNS);
	assert_int_equal(ask_for(w, 1, &ask)->err, SG_LEDGER_DOWN);
	add_ledger_hsm(w);
	OFFICE_WAIT(w->o, front(w)->ready);
	assert_int_equal(ask_for(w, 2, &ask)->err, SG_CONFLICT);
	assert_string_equal(front_answer(front(w), 2)->code, "expired");
	world_close(w);
}

/* The disk is full: refused, and as before when it is not. */
static void test_disk_full(void **state)
{
	struct world *w = world_open();
	const struct answer *a;

	(void)state;
	begin_ready(w);
	assert_int_equal(issue(w, 9, 6)->type, WIRE_ISSUED);
	place_limit_files(1);
	a = issue(w, 1, 7);
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_LEDGER_DOWN);
	OFFICE_WAIT(w->o, !front(w)->ready);
	expect_reason(w, "the journal cannot be written");
	place_limit_files(RLIM_INFINITY);
	OFFICE_WAIT(w->o, front(w)->ready);
	a = issue(w, 2, 7);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_false(a->issued.replayed);
	drain(w);
	assert_int_equal(checkpoint_size(w),
			 place_records(w->p, 0, NULL, NULL));
	world_close(w);
}

/* Without its hsm checkpoints cannot be made: signed on for a while, and then
 * no more. */
static void test_stale(void **state)
{
	struct world *w = world_open();

	(void)state;
	w->o->settings.ledger.stale_ms = 400;
	w->o->settings.test_sign_ms = 60000;
	begin_ready(w);
	OFFICE_WAIT(w->o, place_has(w->p, "ledger/checkpoint"));
	w->o->anchor.fails = true;
	assert_int_equal(issue(w, 1, 7)->type, WIRE_ISSUED);
	OFFICE_WAIT(w->o, !front(w)->ready);
	expect_reason(w, "wait for a signed checkpoint");
	assert_int_equal(issue(w, 2, 8)->err, SG_LEDGER_DOWN);
	w->o->anchor.fails = false;
	OFFICE_WAIT(w->o, front(w)->ready);
	assert_int_equal(issue(w, 3, 8)->type, WIRE_ISSUED);
	world_close(w);
}

/* Its hsm is gone: ready, with a remark, for as long as signing goes on. */
static void test_hsm_away(void **state)
{
	struct world *w = world_open();

	(void)state;
	w->o->settings.ledger.stale_ms = 400;
	begin_ready(w);
	OFFICE_WAIT(w->o, place_has(w->p, "ledger/checkpoint") &&
				  checkpoint_size(w) ==
					  place_records(w->p, 0, NULL, NULL));
	assert_false(front(w)->remarked);
	office_kill_hsm(w->o, LEDGER_HSM);
	OFFICE_WAIT(w->o, front(w)->remarked);
	assert_true(front(w)->ready);
	assert_int_equal(office_metric(w->o, METRIC_READY), 1);
	assert_int_equal(issue(w, 1, 7)->type, WIRE_ISSUED);
	OFFICE_WAIT(w->o, !front(w)->ready);
	expect_reason(w, "key ledger: no HSM signs with it");
	assert_int_equal(issue(w, 2, 8)->err, SG_LEDGER_DOWN);
	add_ledger_hsm(w);
	OFFICE_WAIT(w->o, front(w)->ready && !front(w)->remarked);
	assert_int_equal(issue(w, 3, 8)->type, WIRE_ISSUED);
	world_close(w);
}

static void copy(const struct world *w, const char *from, const char *to)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cp -a '%s/%s' '%s/%s'",
		       w->p->dir, from, w->p->dir, to);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	assert_int_equal(system(command), 0);
}

/* Put the state back to what copy() kept. */
static void restore(const struct world *w)
{
	static const char *const parts[] = {"journal", "ledger", "index"};
	char from[32];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(from, sizeof(from), "old-%s", parts[i]);
		place_remove(w->p, parts[i]);
		copy(w, from, parts[i]);
	}
}

/* Sign, as the officer, what the core has asked for. */
static void sign_request(struct world *w)
{
	uint8_t text[RECOVERY_TEXT_MAX];
	uint8_t note[RECOVERY_NOTE_MAX];
	char path[PLACE_PATH];
	size_t n;
	FILE *f;

	place_path(w->p, path, "recovery.request");
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	assert_int_equal(fclose(f), 0);
	n = officers_sign(span_of(text, n), &w->officer, 1, note);
	place_write(w->p, "recovery", span_of(note, n));
}

/* A state that was put back to what it was: *RECORDS are left. */
static struct world *world_rolled_back(uint64_t *records)
{
	struct world *w = world_open();

	begin_ready(w);
	assert_int_equal(issue(w, 1, 7)->type, WIRE_ISSUED);
	drain(w);
	copy(w, "journal", "old-journal");
	copy(w, "ledger", "old-ledger");
	copy(w, "index", "old-index");
	*records = place_records(w->p, 0, NULL, NULL);
	begin_ready(w);
	assert_int_equal(issue(w, 1, 8)->type, WIRE_ISSUED);
	drain(w);
	restore(w);
	return w;
}

/* An older copy of the state is refused; officers may let it go on, which goes
 * on record. */
static void test_rolled_back(void **state)
{
	uint64_t records;
	struct world *w = world_rolled_back(&records);

	(void)state;
	begin(w);
	OFFICE_WAIT(w->o, w->o->refused == 1);
	expect_reason(w, "it was rolled back");
	assert_int_equal(issue(w, 1, 9)->err, SG_LEDGER_DOWN);
	assert_int_equal(w->o->hsm[0].jobs, 0);
	OFFICE_UNTIL(w->o, 300, false);
	assert_int_equal(w->o->refused, 1);
	end(w);
	/* Nothing was written. */
	assert_int_equal(place_records(w->p, 0, NULL, NULL), records);
	sign_request(w);
	begin_ready(w);
	assert_int_equal(w->o->refused, 0);
	assert_int_equal(issue(w, 1, 9)->type, WIRE_ISSUED);
	OFFICE_WAIT(w->o, place_has(w->p, "recovery.used"));
	assert_false(place_has(w->p, "recovery"));
	drain(w);
	assert_int_equal(type_of(w, records), ENTRY_CEREMONY);
	assert_int_equal(type_of(w, records + 1), ENTRY_STARTED);
	/* It holds from then on. */
	begin_ready(w);
	world_close(w);
}

/* The end comes while certificates are with the hsm and the journal. */
static void test_killed(void **state)
{
	struct world *w = world_open();
	const struct ask ask = {.serial = 7};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		begin_ready(w);
		w->o->hsm[0].mood = HSM_HOLDS;
		for (unsigned k = 0; k < 20; k++) {
			const struct ask one = {.serial = 100 * (i + 1) + k};

			front_issue(front(w), k + 1, &one);
		}
		front_issue(front(w), 99, &ask);
		OFFICE_WAIT(w->o, w->o->hsm[0].nheld > 0);
		w->o->hsm[0].mood = HSM_SIGNS;
		hsm_release_held(&w->o->hsm[0]);
		/* At another moment each time. */
		for (unsigned k = 0; k < 4 * i; k++)
			uv_run(&w->o->loop, UV_RUN_ONCE);
		end(w);
	}
	begin_ready(w);
	assert_int_equal(issue(w, 1, 7)->type, WIRE_ISSUED);
	drain(w);
	assert_int_equal(checkpoint_size(w),
			 place_records(w->p, 0, NULL, NULL));
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_run),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_expired_at_a_start),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_hsm_away),
		cmocka_unit_test(test_rolled_back),
		cmocka_unit_test(test_killed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
