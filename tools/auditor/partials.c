/* SPDX-License-Identifier: Apache-2.0 */
#include "partials.h"

#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "ledger/tiles.h"

struct partials {
	struct tiles *tiles;
	uint64_t size;
	struct findings *findings;
	uint8_t *now; /* TILE_BUNDLE_MAX */
};

/* Bytes that the first WIDTH of what LEN bytes of P->now hold take. */
static size_t beginning(const struct partials *p, const struct tile *t,
			size_t len)
{
	struct span rest = span_of(p->now, len);
	struct span entry;

	if (t->level != TILE_ENTRIES)
		return (size_t)t->width * MERKLE_HASH_BYTES;
	for (unsigned i = 0; i < t->width; i++)
		if (tile_next_entry(&rest, &entry) != SG_OK)
			break;
	return len - rest.n;
}

/* The bytes of PATH, partial tile T, against the tile as it is now. */
static void compare(struct partials *p, const char *path, const struct tile *t)
{
	const struct finding_place place = findings_tile(t);
	struct tile now = *t;
	uint8_t *old;
	size_t old_n;
	size_t now_n;

	now.width = tile_width(t->level, t->n, p->size);
	/* The widest one was read as part of the log; a log that is written to
	 * has wider ones, of its next checkpoint. */
	if (t->width >= now.width)
		return;
	if (fileio_read(path, TILE_BUNDLE_MAX, &old, &old_n) != SG_OK)
		return; /* removed meanwhile, as they are */
	/* What misses the newer one has said so. */
	if (tiles_read(p->tiles, &now, p->now, TILE_BUNDLE_MAX, &now_n) ==
		    SG_OK &&
	    !span_eq(span_of(old, old_n),
		     span_of(p->now, beginning(p, t, now_n))))
		findings_add(p->findings, FINDING_PARTIAL_ALTERED, &place, "%s",
			     "");
	free(old);
}

static void look(struct partials *p, FTS *fts, const char *root)
{
	const size_t skip = strlen(root);
	FTSENT *e;

	while (!findings_full(p->findings) && (e = fts_read(fts)) != NULL) {
		struct tile t;

		if (e->fts_info != FTS_F && e->fts_info != FTS_NSOK)
			continue;
		if (tile_parse(span_str(e->fts_path + skip + 1), &t) == SG_OK &&
		    t.width < TILE_WIDTH)
			compare(p, e->fts_path, &t);
	}
}

enum sg_err partials_check(const char *dir, uint64_t size, struct findings *f,
			   char *why, size_t cap)
{
	struct partials p = {.size = size, .findings = f};
	char root[4096];
	char *paths[] = {root, NULL};
	enum sg_err err = SG_NO_MEMORY;
	FTS *fts;

	if (snprintf(root, sizeof(root), "%s/tile", dir) >= (int)sizeof(root))
		return SG_OK;
	p.now = malloc(TILE_BUNDLE_MAX);
	if (p.now == NULL)
		goto done;
	err = tiles_open(dir, false, &p.tiles);
	if (err != SG_OK)
		goto done;
	/* Names and kinds are enough: no look at each of a million files. */
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	if (fts == NULL) {
		err = SG_IO;
		goto done;
	}
	look(&p, fts, root);
	(void)fts_close(fts);
done:
	if (err != SG_OK)
		(void)snprintf(why, cap, "%s: %s", root,
			       err == SG_IO ? strerrordesc_np(errno)
					    : err_text(err));
	tiles_close(p.tiles);
	free(p.now);
	return err;
}
