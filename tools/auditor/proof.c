/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/common/receipt.h"

struct proof {
	struct source *source;
	const struct trust_checkpoint *checkpoint;
	uint64_t index;
	struct merkle *m;
	uint8_t *bundle; /* TILE_BUNDLE_MAX */
	struct span entry;
};

/* The entry, if S gives it.  SG_OK also where not: entries are not for all. */
static enum sg_err read_entry(struct proof *p)
{
	const uint64_t n = p->index / TILE_WIDTH;
	const struct tile t = {TILE_ENTRIES, n,
			       tile_width(0, n, p->checkpoint->c.size)};
	struct span rest;
	size_t len;
	const enum sg_err err =
		source_tile(p->source, &t, p->bundle, TILE_BUNDLE_MAX, &len);

	if (err == SG_NOT_FOUND || err == SG_FORBIDDEN)
		return SG_OK;
	if (err != SG_OK)
		return err;
	rest = span_of(p->bundle, len);
	for (uint64_t i = n * TILE_WIDTH; i <= p->index; i++)
		if (tile_next_entry(&rest, &p->entry) != SG_OK)
			return SG_MALFORMED;
	return SG_OK;
}

/* Is what was put together a proof? */
static enum sg_err check(const struct proof *p,
			 const struct merkle_source *hashes,
			 const struct merkle_proof *proof)
{
	struct merkle_hash leaf;
	const enum sg_err err =
		p->entry.n > 0 ? merkle_leaf(p->m, p->entry, &leaf)
			       : hashes->get(hashes->ctx, 0, p->index, &leaf);

	return err != SG_OK
		       ? err
		       : merkle_check(p->m, proof, p->checkpoint->c.size,
				      p->index, &leaf, &p->checkpoint->c.root);
}

static enum sg_err put_together(struct proof *p, struct proof_text *out)
{
	const struct merkle_source hashes =
		source_hashes(p->source, p->m, p->checkpoint->c.size);
	struct merkle_proof proof;
	enum sg_err err = read_entry(p);

	if (err == SG_OK)
		err = merkle_prove(p->m, &hashes, p->checkpoint->c.size,
				   p->index, &proof);
	if (err == SG_OK)
		err = check(p, &hashes, &proof);
	if (err != SG_OK)
		return err;
	out->p = malloc(RECEIPT_PROOF_MAX);
	if (out->p == NULL)
		return SG_NO_MEMORY;
	err = checkpoint_proof_text(
		p->index, &proof,
		span_of(p->checkpoint->note, p->checkpoint->n), p->entry,
		out->p, RECEIPT_PROOF_MAX, &out->n);
	if (err != SG_OK) {
		free(out->p);
		out->p = NULL;
	}
	return err;
}

static void say(const struct proof *p, enum sg_err err, char *why, size_t cap)
{
	if (p->checkpoint->c.size == 0)
		(void)snprintf(why, cap, "the log has no entries yet");
	else if (p->index >= p->checkpoint->c.size)
		(void)snprintf(
			why, cap,
			"the log has %" PRIu64 " entries, the last is %" PRIu64,
			p->checkpoint->c.size, p->checkpoint->c.size - 1);
	else if (err == SG_BAD_SIGNATURE)
		(void)snprintf(
			why, cap,
			"the log is damaged: its hashes do not lead from "
			"the entry to the root that was signed");
	else if (err == SG_NO_MEMORY || err == SG_INTERNAL)
		(void)snprintf(why, cap, "%s", err_text(err));
	else
		(void)snprintf(why, cap, "%s", source_why(p->source));
}

enum sg_err proof_make(struct source *s,
		       const struct trust_checkpoint *checkpoint,
		       uint64_t index, struct proof_text *out, char *why,
		       size_t cap)
{
	struct proof p = {
		.source = s,
		.checkpoint = checkpoint,
		.index = index,
	};
	enum sg_err err = SG_NOT_FOUND;

	out->p = NULL;
	if (index < checkpoint->c.size) {
		p.bundle = malloc(TILE_BUNDLE_MAX);
		err = p.bundle == NULL ? SG_NO_MEMORY : merkle_create(&p.m);
		if (err == SG_OK)
			err = put_together(&p, out);
		/* A tile that is missing or too short is a damaged log. */
		if (err == SG_NOT_FOUND || err == SG_MALFORMED)
			err = SG_BAD_SIGNATURE;
	}
	if (err != SG_OK)
		say(&p, err, why, cap);
	merkle_free(p.m);
	free(p.bundle);
	return err;
}
