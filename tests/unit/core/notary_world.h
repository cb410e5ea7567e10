/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_NOTARY_WORLD_H
#define TEST_NOTARY_WORLD_H

#include "core/notary.h"
#include "ledger/tree.h"
#include "office.h"
#include "officers.h"
#include "place.h"

/*
 * notary_world: a notary between an hsm in software, which keeps the anchor,
 * and trees on the disk.  The office lends its loop and its fake hsms; there is
 * no desk.
 */
enum { OFFICERS = 2 };

struct world {
	struct office o;
	struct place *p; /* its directory */
	struct keyring *keys;
	struct hsm_pool *pool;
	uv_timer_t tick;
	struct signer ledger;
	/* A key that comes after it. */
	struct signer heir;
	struct fake_token token;
	struct fake_anchor heir_anchor;
	struct core_ledger_settings settings;
	struct signatory officer[OFFICERS];
	struct notary *notary;
	/* What it was told to publish. */
	size_t published, given_up;
	uint8_t note[WIRE_ANCHOR_MAX];
	size_t note_n;
	struct note_key newest; /* the log's verifier key with it */
	size_t recovered;
	size_t consulted; /* times that it has had the witnesses asked */
	bool witnesses;	  /* there are some, in the next notary */
	uint8_t statement[RECOVERY_NOTE_MAX];
	size_t statement_n;
	/* The tree on the disk. */
	uint64_t size;
	struct merkle_hash root;
};

static inline void world_on_publish(void *ctx, struct span note,
				    const struct note_key *newest)
{
	struct world *w = ctx;

	if (note.n == 0) {
		w->given_up++;
		return;
	}
	w->published++;
	w->newest = *newest;
	assert_true(note.n <= sizeof(w->note));
	memcpy(w->note, note.p, note.n);
	w->note_n = note.n;
}

static inline void world_on_consult(void *ctx, struct span note)
{
	struct world *w = ctx;

	w->consulted++;
	memcpy(w->note, note.p, note.n);
	w->note_n = note.n;
}

static inline void world_on_recovered(void *ctx, struct span statement)
{
	struct world *w = ctx;

	w->recovered++;
	memcpy(w->statement, statement.p, statement.n);
	w->statement_n = statement.n;
}

static inline void world_on_tick(uv_timer_t *t)
{
	hsm_pool_tick(((struct world *)t->data)->pool);
}

static inline void world_on_pool(void *ctx)
{
	(void)ctx;
}

static inline void world_on_bad(void *ctx, uint16_t slot)
{
	(void)ctx;
	fail_msg("hsm %u is bad", slot);
}

static inline void world_begin(struct world *w)
{
	const struct notary_parts parts = {
		.keys = w->keys,
		.pool = w->pool,
		.settings = &w->settings,
		.state_dir = w->p->dir,
		.ledger_dir = w->p->ledger,
		.publish = world_on_publish,
		.consult = w->witnesses ? world_on_consult : NULL,
		.recovered = world_on_recovered,
		.ctx = w};

	notary_free(w->notary);
	w->published = w->given_up = w->recovered = w->consulted = 0;
	assert_int_equal(notary_create(&parts, &w->notary), SG_OK);
}

static inline void world_add_hsm(struct world *w)
{
	static const struct channel_events events = {.message = hsm_on_message,
						     .packet_done =
							     hsm_on_packet,
						     .end = hsm_on_end};
	struct fake_hsm *h = &w->o.hsm[0];
	int fd[2];

	*h = (struct fake_hsm){.mood = HSM_SIGNS,
			       .signer = &w->ledger,
			       .label = "ledger",
			       .anchor = &w->o.anchor,
			       .made_anchor = &w->heir_anchor,
			       .token = &w->token,
			       .sessions = 1};
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&w->o.loop, fd[0], &events, h, &h->channel),
		SG_OK);
	assert_int_equal(hsm_pool_link(w->pool, 0, fd[1]), SG_OK);
	hsm_say_ready(h, false);
	OFFICE_WAIT(&w->o, hsm_pool_good(w->pool, 0) == 1);
}

static inline struct world *world_open(void)
{
	static const struct hsm_pool_events events = {.changed = world_on_pool,
						      .bad = world_on_bad};
	struct world *w = calloc(1, sizeof(*w));
	struct office *o;

	assert_non_null(w);
	o = &w->o;
	w->p = place_open();
	assert_int_equal(uv_loop_init(&o->loop), 0);
	uv_timer_init(&o->loop, &o->alarm);
	o->alarm.data = o;
	w->ledger = signer_usual(COSE_EDDSA);
	w->heir = signer_usual(COSE_EDDSA);
	o->settings = (struct core_settings){.nkeys = 1,
					     .verify_ecdsa_one_in = 1,
					     .verify_all_ms = 60000,
					     .test_sign_ms = 100};
	o->settings.key[0] = (struct core_key_settings){
		.label = "ledger", .alg = COSE_EDDSA, .ledger = true};
	(void)snprintf(w->settings.origin, sizeof(w->settings.origin),
		       "test.example/log");
	w->settings.stale_ms = 10000;
	w->settings.approvals = OFFICERS;
	w->officer[0] = signatory_make(NULL, "anne");
	w->officer[1] = signatory_make(NULL, "bao");
	for (size_t i = 0; i < OFFICERS; i++)
		officer_appoint(&w->officer[i], &w->settings);
	assert_int_equal(keyring_create(&o->settings, &w->keys), SG_OK);
	assert_int_equal(hsm_pool_create(&o->loop, w->keys, &o->settings,
					 &events, w, &w->pool),
			 SG_OK);
	uv_timer_init(&o->loop, &w->tick);
	w->tick.data = w;
	uv_timer_start(&w->tick, world_on_tick, 20, 20);
	world_add_hsm(w);
	world_begin(w);
	return w;
}

static inline void world_close(struct world *w)
{
	struct office *o = &w->o;

	notary_free(w->notary);
	office_kill_hsm(o, 0);
	hsm_pool_free(w->pool);
	keyring_free(w->keys);
	uv_close((uv_handle_t *)&o->alarm, NULL);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	signer_free(&w->ledger);
	signer_free(&w->heir);
	for (size_t i = 0; i < OFFICERS; i++)
		EVP_PKEY_free(w->officer[i].pkey);
	place_close(w->p);
	free(w);
}

/* Have a log of SIZE leaves on the disk: the first FORK are those of every log
 * here, the others are marked by BRANCH. */
static inline void world_tree(struct world *w, uint64_t size, uint64_t fork,
			      char branch)
{
	struct tiles *tiles;
	struct tree *tree;
	char entry[32];

	place_remove(w->p, "ledger");
	assert_int_equal(tiles_open(w->p->ledger, true, &tiles), SG_OK);
	merkle_empty_root(&w->root);
	assert_int_equal(tree_open(tiles, 0, &w->root, &tree), SG_OK);
	for (uint64_t i = 0; i < size; i++) {
		(void)snprintf(entry, sizeof(entry), "%llu %c",
			       (unsigned long long)i, i < fork ? '=' : branch);
		assert_int_equal(tree_add(tree, span_str(entry)), SG_OK);
	}
	assert_int_equal(tree_flush(tree), SG_OK);
	assert_int_equal(tree_root(tree, &w->root), SG_OK);
	w->size = size;
	tree_close(tree);
	tiles_close(tiles);
}

static inline void world_offer(struct world *w)
{
	notary_offer(w->notary, w->size, &w->root);
}

/* Is NOTE, by all of the keys that sign, on record beside each? */
static inline void world_check_note(struct world *w, struct span note)
{
	struct note_key key[KEYRING_LEDGER_MAX];
	const size_t n = notary_keys(w->notary, key);
	struct checkpoint c;

	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(checkpoint_open(note, &key[i], &c, NULL),
				 SG_OK);
		assert_int_equal(c.size, w->size);
		assert_memory_equal(&c.root, &w->root, sizeof(c.root));
	}
}

/* Offer the tree; it must be signed, anchored and published. */
static inline void world_sign(struct world *w)
{
	const size_t before = w->published;
	const bool old = w->keys->key[0].state == KEY_ACTIVE;

	world_offer(w);
	OFFICE_WAIT(&w->o, w->published == before + 1);
	world_check_note(w, span_of(w->note, w->note_n));
	if (old)
		assert_true(span_eq(span_of(w->note, w->note_n),
				    span_of(w->o.anchor.value, w->o.anchor.n)));
	if (w->keys->n > 1 && w->keys->key[1].state == KEY_ACTIVE)
		assert_true(span_eq(
			span_of(w->note, w->note_n),
			span_of(w->heir_anchor.value, w->heir_anchor.n)));
	assert_int_equal(notary_covered(w->notary), w->size);
	assert_int_equal(notary_look(w->notary, NULL), NOTARY_OPEN);
}

/* Offer it; it must be refused, with WORDS in the reason, and nothing signed.
 */
static inline void world_refuse(struct world *w, const char *words)
{
	const size_t jobs = w->o.hsm[0].jobs;
	const size_t written = w->o.anchor.written;
	const char *reason;

	world_offer(w);
	OFFICE_WAIT(&w->o, notary_look(w->notary, NULL) == NOTARY_REFUSED);
	(void)notary_look(w->notary, &reason);
	if (strstr(reason, words) == NULL)
		fail_msg("%s", reason);
	OFFICE_UNTIL(&w->o, 30, false);
	world_offer(w); /* nothing comes of it */
	OFFICE_UNTIL(&w->o, 30, false);
	assert_int_equal(w->o.hsm[0].jobs, jobs);
	assert_int_equal(w->o.anchor.written, written);
	assert_int_equal(w->published, 0);
	assert_true(place_has(w->p, "recovery.request"));
}

/* Sign what the notary has asked for. */
static inline void world_sign_request(struct world *w, size_t officers)
{
	uint8_t note[RECOVERY_NOTE_MAX];
	uint8_t text[RECOVERY_TEXT_MAX];
	char path[PLACE_PATH];
	size_t n;
	FILE *f;

	place_path(w->p, path, "recovery.request");
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	assert_int_equal(fclose(f), 0);
	n = officers_sign(span_of(text, n), w->officer, officers, note);
	place_write(w->p, "recovery", span_of(note, n));
}

#endif /* TEST_NOTARY_WORLD_H */
