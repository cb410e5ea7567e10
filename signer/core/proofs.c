/* SPDX-License-Identifier: Apache-2.0 */
#include "proofs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/throttle.h"
#include "caller.h"
#include "ledger/entry.h"
#include "ledger/tiles.h"

enum {
	LINE_BYTES = 45, /* of a hash in base64, with its line end */
	/* An entry of a client's is small; a larger one stays where it is. */
	EXTRA_MAX = 2048,
	TEXT_MAX = CHECKPOINT_NOTE_MAX + MERKLE_PROOF_MAX * LINE_BYTES +
		   2 * EXTRA_MAX + 128
};

struct proofs {
	struct tiles *tiles;
	struct merkle *merkle;
	struct throttle faults;
	uint8_t checkpoint[CHECKPOINT_NOTE_MAX];
	uint8_t text[TEXT_MAX];
	uint8_t bundle[TILE_BUNDLE_MAX]; /* touched as far as it is used */
};

enum sg_err proofs_create(const char *dir, struct proofs **out)
{
	struct proofs *p = calloc(1, sizeof(*p));
	enum sg_err err;

	*out = NULL;
	if (p == NULL)
		return SG_NO_MEMORY;
	err = merkle_create(&p->merkle);
	if (err == SG_OK)
		err = tiles_open(dir, true, &p->tiles);
	if (err != SG_OK) {
		proofs_free(p);
		return err;
	}
	*out = p;
	return SG_OK;
}

void proofs_free(struct proofs *p)
{
	if (p == NULL)
		return;
	tiles_close(p->tiles);
	merkle_free(p->merkle);
	free(p);
}

/* ERR of READING is not the asker's fault. */
static enum sg_err fail(struct proofs *p, enum sg_err err, const char *reading)
{
	uint64_t dropped;

	if (err == SG_NO_MEMORY)
		return err;
	if (throttle_allows(&p->faults, clock_wall_s(), &dropped))
		log_event(LOG_ERROR, "proof-failed",
			  "reading=\"%s\" reason=\"%s\" unlogged=%llu", reading,
			  err_text(err), (unsigned long long)dropped);
	return SG_INTERNAL;
}

/* The newest checkpoint, as NOTE and taken apart; one of size 0 where there is
 * none yet. */
static enum sg_err read_checkpoint(struct proofs *p, struct span *note,
				   struct checkpoint *out)
{
	struct note parts;
	size_t n;
	enum sg_err err = tiles_read_file(p->tiles, "checkpoint", p->checkpoint,
					  sizeof(p->checkpoint), &n);

	*out = (struct checkpoint){0};
	*note = span_of(p->checkpoint, n);
	if (err == SG_NOT_FOUND)
		return SG_OK;
	if (err == SG_OK)
		err = note_parse(*note, &parts);
	if (err == SG_OK)
		err = checkpoint_parse(parts.text, out);
	return err == SG_OK ? SG_OK : fail(p, err, "checkpoint");
}

/* Leaf INDEX of a log of SIZE. */
static enum sg_err read_entry(struct proofs *p, uint64_t index, uint64_t size,
			      struct span *entry)
{
	const struct tile tile = {
		.level = TILE_ENTRIES,
		.n = index / TILE_WIDTH,
		.width = tile_width(TILE_ENTRIES, index / TILE_WIDTH, size)};
	struct span rest;
	size_t n;
	enum sg_err err =
		tiles_read(p->tiles, &tile, p->bundle, sizeof(p->bundle), &n);

	rest = span_of(p->bundle, n);
	for (uint64_t i = 0; err == SG_OK && i <= index % TILE_WIDTH; i++)
		err = tile_next_entry(&rest, entry);
	return err;
}

/* What a proof of leaf INDEX brings ASKER along: the entry, or nothing. */
static enum sg_err read_extra(struct proofs *p, uint64_t index, uint64_t size,
			      const struct client *asker, struct span *extra)
{
	struct entry entry;
	enum sg_err err;

	*extra = span_of(NULL, 0);
	if (asker == NULL)
		return SG_OK;
	err = read_entry(p, index, size, extra);
	if (err == SG_OK && extra->n <= EXTRA_MAX &&
	    (client_may(asker, CLIENT_AUDIT) ||
	     (entry_decode(*extra, &entry) == SG_OK &&
	      span_is(entry.client, client_name(asker)))))
		return SG_OK;
	*extra = span_of(NULL, 0);
	/* The proof is one without it, too: of a log whose old entries have
	 * been put away, for example. */
	return err == SG_NOT_FOUND ? SG_OK : err;
}

enum sg_err proofs_answer(struct proofs *p, uint64_t index,
			  uint64_t journal_end, const struct client *asker,
			  struct span *text)
{
	struct merkle_source source;
	struct merkle_proof proof;
	struct checkpoint c;
	struct span note;
	struct span extra;
	size_t n;
	enum sg_err err = read_checkpoint(p, &note, &c);

	if (err != SG_OK)
		return err;
	if (index >= c.size)
		return index < journal_end ? SG_NOT_YET : SG_NOT_FOUND;
	source = tiles_source(p->tiles, p->merkle, c.size);
	err = merkle_prove(p->merkle, &source, c.size, index, &proof);
	if (err == SG_OK)
		err = read_extra(p, index, c.size, asker, &extra);
	if (err != SG_OK)
		return fail(p, err, "tiles");
	err = checkpoint_proof_text(index, &proof, note, extra, p->text,
				    sizeof(p->text), &n);
	if (err != SG_OK)
		return fail(p, err, "checkpoint");
	*text = span_of(p->text, n);
	return SG_OK;
}

enum sg_err proofs_newest(struct proofs *p, uint64_t *size,
			  struct merkle_hash *root)
{
	struct checkpoint c;
	struct span note;
	const enum sg_err err = read_checkpoint(p, &note, &c);

	if (err != SG_OK)
		return err;
	if (c.size == 0)
		merkle_empty_root(&c.root);
	*size = c.size;
	*root = c.root;
	return SG_OK;
}

enum sg_err proofs_prefix(struct proofs *p, uint64_t size,
			  const struct merkle_hash *root)
{
	struct merkle_source source;
	struct merkle_hash ours;
	struct checkpoint c;
	struct span note;
	enum sg_err err = read_checkpoint(p, &note, &c);

	if (err != SG_OK)
		return err;
	if (size > c.size)
		return SG_NOT_FOUND;
	merkle_empty_root(&ours);
	source = tiles_source(p->tiles, p->merkle, c.size);
	if (size > 0)
		err = merkle_prefix(p->merkle, &source, size, &ours, c.size,
				    &c.root);
	if (err != SG_OK)
		return fail(p, err, "tiles");
	return memcmp(&ours, root, sizeof(ours)) == 0 ? SG_OK : SG_NOT_FOUND;
}

enum sg_err proofs_admit(const struct policy *policy, struct span identity,
			 const struct client **client)
{
	*client = NULL;
	return identity.n == 0 ? SG_OK : caller_find(policy, identity, client);
}
