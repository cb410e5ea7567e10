/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the path of a tile, and as a bundle of entries.  A path that is
 * taken is written in just that way; a bundle that is taken apart, put together
 * again, is the same bytes. */
#include <stdlib.h>

#include "ledger/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_path(struct span in)
{
	char path[TILE_PATH_MAX];
	struct tile t;
	size_t skip;

	if (tile_parse(in, &t) != SG_OK)
		return;
	if (t.level < TILE_ENTRIES || t.level >= TILE_LEVELS || t.width == 0 ||
	    t.width > TILE_WIDTH)
		abort();
	tile_path(&t, path);
	skip = in.n < strlen(path) ? strlen(path) - in.n : 0;
	if (!span_is(in, path + skip) || (skip != 0 && skip != 5))
		abort();
}

static void read_bundle(struct span in)
{
	uint8_t *again = malloc(in.n);
	struct span rest = in;
	struct span entry;
	enum sg_err err;
	size_t n = 0;

	if (again == NULL)
		return;
	while ((err = tile_next_entry(&rest, &entry)) == SG_OK)
		if (tile_put_entry(again, in.n, &n, entry) != SG_OK)
			abort();
	if (n + rest.n != in.n || !span_eq(span_of(again, n), span_of(in.p, n)))
		abort();
	if ((err == SG_NOT_FOUND) != (rest.n == 0))
		abort();
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);

	read_path(in);
	if (size > 0)
		read_bundle(in);
	return 0;
}
