/* SPDX-License-Identifier: Apache-2.0 */
#include "entry_finder.h"

#include <stdio.h>
#include <stdlib.h>

#include "core.h"
#include "ledger/journal_read.h"
#include "ledger/tiles.h"

enum { PATH_BYTES = CORE_PATH_MAX + 16 };

struct entry_finder {
	struct tiles *tiles;	       /* NULL: there are none */
	struct journal_reader *reader; /* likewise */
	uint8_t *bundle;	       /* TILE_BUNDLE_MAX */
};

enum sg_err entry_finder_open(const char *state, struct entry_finder **out)
{
	struct entry_finder *f = calloc(1, sizeof(*f));
	char path[PATH_BYTES];

	*out = NULL;
	if (f == NULL)
		return SG_NO_MEMORY;
	f->bundle = malloc(TILE_BUNDLE_MAX);
	if (f->bundle == NULL) {
		free(f);
		return SG_NO_MEMORY;
	}
	(void)snprintf(path, sizeof(path), "%s/ledger", state);
	if (tiles_open(path, false, &f->tiles) != SG_OK)
		f->tiles = NULL;
	(void)snprintf(path, sizeof(path), "%s/journal", state);
	if (journal_reader_open(path, &f->reader) != SG_OK)
		f->reader = NULL;
	*out = f;
	return SG_OK;
}

static enum sg_err from_bundle(struct entry_finder *f, uint64_t leaf,
			       struct span *out)
{
	const struct tile tile = {.level = TILE_ENTRIES,
				  .n = leaf / TILE_WIDTH,
				  .width = (unsigned)(leaf % TILE_WIDTH) + 1};
	struct span rest;
	size_t n = 0;
	enum sg_err err = SG_NOT_FOUND;

	if (f->tiles != NULL)
		err = tiles_read(f->tiles, &tile, f->bundle, TILE_BUNDLE_MAX,
				 &n);
	rest = span_of(f->bundle, n);
	for (unsigned i = 0; err == SG_OK && i < tile.width; i++)
		err = tile_next_entry(&rest, out);
	return err;
}

static enum sg_err from_journal(struct entry_finder *f, uint64_t leaf,
				struct span *out)
{
	struct record record;
	enum sg_err err = SG_NOT_FOUND;

	if (f->reader != NULL)
		err = journal_reader_find(f->reader, leaf);
	if (err == SG_OK)
		err = journal_reader_next(f->reader, UINT64_MAX, &record, NULL);
	if (err == SG_OK)
		*out = record.entry;
	return err;
}

enum sg_err entry_finder_read(struct entry_finder *f, uint64_t leaf,
			      struct span *out)
{
	return from_bundle(f, leaf, out) == SG_OK ? SG_OK
						  : from_journal(f, leaf, out);
}

void entry_finder_close(struct entry_finder *f)
{
	if (f == NULL)
		return;
	tiles_close(f->tiles);
	journal_reader_close(f->reader);
	free(f->bundle);
	free(f);
}
