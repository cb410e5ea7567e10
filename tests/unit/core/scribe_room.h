/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SCRIBE_ROOM_H
#define TEST_SCRIBE_ROOM_H

#include "core/scribe.h"
#include "ledger/tiles.h"
#include "pki.h"
#include "place.h"

/*
 * scribe_room: a scribe at a real journal, index and ledger in a place, and
 * somebody who signs what it offers, or does not.
 */
enum room_mood { ROOM_SIGNS, ROOM_CANNOT, ROOM_SILENT };

struct room {
	struct place *p;
	struct signer signer;
	struct note_key key;
	const struct note_key *leaving; /* the key before it; or NULL */
	struct index *index;
	struct scribe *scribe;
	enum room_mood mood;
	size_t offers, changes;
	uint64_t size, watermark;
	struct merkle_hash root;
};

static inline size_t room_sign(const struct room *r, uint8_t note[1024])
{
	const struct checkpoint c = {.origin = SPAN_LIT("test.example/log"),
				     .size = r->size,
				     .root = r->root};
	uint8_t text[CHECKPOINT_TEXT_MAX];
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	uint8_t line[NOTE_LINE_MAX];
	size_t text_n;
	size_t line_n;
	size_t n = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_non_null(ctx);
	assert_int_equal(checkpoint_text(&c, text, sizeof(text), &text_n),
			 SG_OK);
	assert_int_equal(
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, r->signer.key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &n, text, text_n), 1);
	EVP_MD_CTX_free(ctx);
	assert_int_equal(note_signature_line(&r->key, 0, signature, line,
					     sizeof(line), &line_n),
			 SG_OK);
	assert_int_equal(note_join(span_of(text, text_n), span_of(line, line_n),
				   note, 1024, &n),
			 SG_OK);
	return n;
}

static inline void room_answer(struct room *r)
{
	static uint8_t note[1024];

	if (r->mood == ROOM_SIGNS)
		scribe_publish(r->scribe, span_of(note, room_sign(r, note)),
			       &r->key);
	else if (r->mood == ROOM_CANNOT)
		scribe_publish(r->scribe, span_of(NULL, 0), NULL);
}

static inline void room_on_offer(void *ctx, uint64_t size,
				 const struct merkle_hash *root)
{
	struct room *r = ctx;

	r->offers++;
	r->size = size;
	r->root = *root;
	room_answer(r);
}

static inline void room_on_changed(void *ctx)
{
	((struct room *)ctx)->changes++;
}

static inline void room_on_indexed(void *ctx, uint64_t watermark)
{
	struct room *r = ctx;

	assert_true(watermark >= r->watermark);
	r->watermark = watermark;
}

static inline void room_make_key(struct room *r)
{
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	size_t n = sizeof(public_key);

	signer_free(&r->signer);
	r->signer = signer_usual(COSE_EDDSA);
	assert_int_equal(
		EVP_PKEY_get_raw_public_key(r->signer.key, public_key, &n), 1);
	assert_int_equal(note_key_make(SPAN_LIT("test.example/log"),
				       NOTE_ED25519, public_key, &r->key),
			 SG_OK);
}

/* Begin to follow the journal, from what is on the disk. */
static inline void room_begin(struct room *r)
{
	static const struct scribe_events events = {.changed = room_on_changed,
						    .offer = room_on_offer,
						    .indexed = room_on_indexed};
	const struct note_key keys[] = {
		r->leaving != NULL ? *r->leaving : r->key, r->key};
	struct scribe_parts parts = {.loop = &r->p->loop,
				     .journal_dir = r->p->journal,
				     .ledger_dir = r->p->ledger,
				     .nkeys = r->leaving != NULL ? 2 : 1,
				     .key = keys,
				     .checkpoint_ms = 20,
				     .events = &events,
				     .ctx = r};

	if (r->p->release == NULL)
		place_open_release(r->p);
	assert_int_equal(index_open(r->p->index, &r->index), SG_OK);
	parts.journal = release_journal(r->p->release);
	parts.index = r->index;
	r->watermark = 0;
	assert_int_equal(scribe_create(&parts, &r->scribe), SG_OK);
}

static inline void room_end(struct room *r)
{
	scribe_free(r->scribe);
	r->scribe = NULL;
	index_close(r->index);
	place_close_release(r->p);
}

static inline struct room *room_open(void)
{
	struct room *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->p = place_open();
	room_make_key(r);
	return r;
}

static inline void room_close(struct room *r)
{
	signer_free(&r->signer);
	place_close(r->p);
	free(r);
}

/* N more certificates on record. */
static inline void room_record(struct room *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)place_submit(r->p, 1000);
	PLACE_WAIT(r->p, r->p->item[r->p->n - 1].told == 1);
	if (r->scribe != NULL)
		scribe_wake(r->scribe);
}

static inline uint64_t room_journal_end(const struct room *r)
{
	uint64_t leaf;
	uint64_t end;

	journal_end(release_journal(r->p->release), &leaf, &end);
	return end;
}

static inline struct scribe_state room_state(struct room *r)
{
	struct scribe_state s;

	scribe_look(r->scribe, &s);
	return s;
}

/* The size of the checkpoint on the disk, which must be the log's own. */
static inline uint64_t room_published(const struct room *r)
{
	static uint8_t text[CHECKPOINT_NOTE_MAX];
	struct checkpoint c;
	struct tiles *tiles;
	enum sg_err err;
	size_t n;

	if (!place_has(r->p, "ledger/checkpoint"))
		return 0;
	assert_int_equal(tiles_open(r->p->ledger, false, &tiles), SG_OK);
	err = tiles_read_file(tiles, "checkpoint", text, sizeof(text), &n);
	tiles_close(tiles);
	if (err != SG_OK)
		return 0;
	assert_int_equal(checkpoint_open(span_of(text, n), &r->key, &c, NULL),
			 SG_OK);
	return c.size;
}

/* Every certificate that was recorded is in the index, at its place. */
static inline void room_check_index(struct room *r, size_t from)
{
	uint64_t offset;

	for (size_t i = from; i < r->p->n; i++) {
		assert_int_equal(r->p->item[i].err, SG_OK);
		assert_int_equal(
			index_get(r->index, r->p->item[i].hash, &offset),
			SG_OK);
		assert_int_equal(offset, r->p->item[i].offset);
	}
}

#endif /* TEST_SCRIBE_ROOM_H */
