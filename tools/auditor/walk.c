/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bar.h"
#include "proven.h"

struct walk {
	struct source *source;
	struct proven *proven; /* NULL: the log is empty */
	bool quiet;
	struct walk_head head;
};

static enum sg_err take_tile(void *ctx, const struct tile *t, uint8_t *buf,
			     size_t cap, size_t *len)
{
	return source_tile(ctx, t, buf, cap, len);
}

/* The signed checkpoint; what is wrong with it goes to F. */
static enum sg_err read_head(struct walk *w, const struct args *args,
			     size_t first, struct findings *f,
			     char why[WHY_MAX])
{
	const struct trust_wanted wanted = {
		.vkey = args->value[first + WALK_VKEY],
		.witnesses = args->value[first + WALK_WITNESS],
		.quorum = args->value[first + WALK_QUORUM],
		.cosigned_within = args->value[first + WALK_WITHIN],
	};
	struct walk_head *h = &w->head;
	enum sg_err err =
		trust_load(&h->trust, &wanted, w->source, f, why, WHY_MAX);

	if (err == SG_OK)
		err = trust_fetch(&h->trust, w->source, &h->checkpoint, f, why,
				  WHY_MAX);
	if (err == SG_OK)
		err = note_parse(span_of(h->checkpoint.note, h->checkpoint.n),
				 &h->note);
	findings_print(f, stderr);
	if (findings_errors(f) == 0)
		return err;
	(void)snprintf(why, WHY_MAX, "there is no checkpoint to go by");
	return SG_BAD_SIGNATURE;
}

/* The words for ERR of proven. */
static enum sg_err say(const struct walk *w, enum sg_err err,
		       const struct tile *t, char why[WHY_MAX])
{
	char path[TILE_PATH_MAX];

	tile_path(t, path);
	if (err == SG_BAD_SIGNATURE || err == SG_MALFORMED)
		(void)snprintf(why, WHY_MAX,
			       "%s is not what the log's key has signed; "
			       "\"signer-auditor verify\" tells more",
			       path);
	else
		(void)snprintf(why, WHY_MAX, "%s: %s", path,
			       source_why(w->source));
	/* What the checkpoint covers must be there. */
	return err == SG_NOT_FOUND ? SG_MALFORMED : err;
}

static enum sg_err prove_head(struct walk *w, char why[WHY_MAX])
{
	const struct proven_from from = {take_tile, w->source};
	const struct checkpoint *c = &w->head.checkpoint.c;
	struct merkle_hash empty;
	enum sg_err err;

	if (c->size == 0) {
		merkle_empty_root(&empty);
		err = memcmp(&empty, &c->root, sizeof(empty)) == 0
			      ? SG_OK
			      : SG_BAD_SIGNATURE;
	} else {
		err = proven_open(&from, c->size, &c->root, &w->proven);
	}
	if (err == SG_OK)
		return SG_OK;
	if (err == SG_NO_MEMORY || err == SG_INTERNAL)
		(void)snprintf(why, WHY_MAX, "%s", err_text(err));
	else if (err == SG_BAD_SIGNATURE)
		(void)snprintf(why, WHY_MAX,
			       "the log's tiles do not have the root that its "
			       "key has signed; \"signer-auditor verify\" "
			       "tells more");
	else
		(void)snprintf(why, WHY_MAX, "the log's tiles: %s",
			       source_why(w->source));
	return err == SG_NOT_FOUND ? SG_MALFORMED : err;
}

static enum sg_err open_log(struct walk *w, const struct args *args,
			    size_t first, const char *where, char why[WHY_MAX])
{
	const struct source_settings settings = auditor_source(args, where);
	struct findings *f;
	enum sg_err err = source_open(&settings, &w->source, why, WHY_MAX);

	if (err != SG_OK)
		return err;
	err = findings_create(&f);
	if (err != SG_OK) {
		(void)snprintf(why, WHY_MAX, "%s", err_text(err));
		return err;
	}
	err = read_head(w, args, first, f, why);
	findings_free(f);
	return err == SG_OK ? prove_head(w, why) : err;
}

enum sg_err walk_open(const struct args *args, size_t first, const char *where,
		      struct walk **out, char why[WHY_MAX])
{
	struct walk *w = calloc(1, sizeof(*w));
	enum sg_err err;

	if (w == NULL) {
		(void)snprintf(why, WHY_MAX, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	w->quiet = args->value[first + WALK_QUIET] != NULL;
	err = open_log(w, args, first, where, why);
	if (err != SG_OK) {
		walk_close(w);
		return err;
	}
	if (!w->head.trust.given && !w->quiet)
		(void)fputs("signer-auditor: the key that the log itself names "
			    "is believed; --vkey names the one you know\n",
			    stderr);
	*out = w;
	return SG_OK;
}

void walk_close(struct walk *w)
{
	if (w == NULL)
		return;
	proven_close(w->proven);
	source_close(w->source);
	free(w);
}

const struct walk_head *walk_head(const struct walk *w)
{
	return &w->head;
}

struct run {
	struct walk *w;
	const struct ranges *ranges;
	size_t at; /* in RANGES */
	enum sg_err (*each)(void *ctx, const struct walk_entry *e,
			    char why[WHY_MAX]);
	void *ctx;
	char *why;
};

/* The entries of bundle N, in BYTES, that belong to it. */
static enum sg_err walk_bundle(struct run *r, uint64_t n, struct span bytes)
{
	struct walk_entry e;
	enum sg_err err;

	for (unsigned i = 0; bytes.n > 0; i++) {
		e.index = n * TILE_WIDTH + i;
		e.leaf = proven_leaf(r->w->proven, i);
		err = tile_next_entry(&bytes, &e.bytes);
		if (err == SG_OK && !ranges_has(r->ranges, &r->at, e.index))
			continue;
		if (err == SG_OK)
			err = entry_decode(e.bytes, &e.e);
		if (err != SG_OK) {
			(void)snprintf(r->why, WHY_MAX,
				       "entry %" PRIu64 " is signed, but is no "
				       "entry that is known here",
				       e.index);
			return SG_MALFORMED;
		}
		err = r->each(r->ctx, &e, r->why);
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

static uint64_t count_of(const struct ranges *r, uint64_t size)
{
	uint64_t n = 0;

	if (r->n == 0)
		return size;
	for (size_t i = 0; i < r->n && r->range[i].first < size; i++)
		n += (r->range[i].last < size ? r->range[i].last : size - 1) -
		     r->range[i].first + 1;
	return n;
}

enum sg_err walk_run(struct walk *w, const struct ranges *ranges,
		     enum sg_err (*each)(void *ctx, const struct walk_entry *e,
					 char why[WHY_MAX]),
		     void *ctx, char why[WHY_MAX])
{
	struct run r = {w, ranges, 0, each, ctx, why};
	const uint64_t size = w->head.checkpoint.c.size;
	struct bar bar;
	enum sg_err err = SG_OK;
	uint64_t done = 0;
	uint64_t index = 0;
	size_t at = 0;

	bar_begin(&bar, w->quiet, "entries", count_of(ranges, size));
	while (err == SG_OK && ranges_next(ranges, &at, index, &index) &&
	       index < size) {
		const uint64_t n = index / TILE_WIDTH;
		struct span bytes;

		err = proven_bundle(w->proven, n, &bytes);
		if (err != SG_OK) {
			err = say(w, err, proven_where(w->proven), why);
			break;
		}
		err = walk_bundle(&r, n, bytes);
		index = (n + 1) * TILE_WIDTH;
		done += TILE_WIDTH;
		bar_show(&bar, done < bar.total ? done : bar.total);
	}
	bar_end(&bar);
	return err == SG_CLOSED ? SG_OK : err;
}

int walk_trouble(enum sg_err err, const char *why)
{
	(void)auditor_trouble(why);
	return err == SG_BAD_SIGNATURE || err == SG_MALFORMED ? EXIT_REFUSED
							      : EXIT_TROUBLE;
}
