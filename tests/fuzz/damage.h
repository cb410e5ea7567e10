/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FUZZ_DAMAGE_H
#define SG_FUZZ_DAMAGE_H

#include "files.h"
#include "ledger/tile.h"

/*
 * damage: what an input does to a good log in the directory of files.h:
 * changes, each of four bytes: what, which file, where (the lower byte first);
 * and then, where something is written, a chunk.
 */
enum { DAMAGE_BYTES = 4, DAMAGE_WITHIN = 16384 /* of a file */ };

enum damage_kind {
	DAMAGE_WRITE,
	DAMAGE_CUT,
	DAMAGE_REMOVE,
	DAMAGE_NO_SYNC, /* some syncs from now on fail */
	DAMAGE_KINDS
};

/* The tile that NUMBER means, of a log of N leaves. */
static inline void damage_name(unsigned number, uint32_t n,
			       char out[TILE_PATH_MAX])
{
	struct tile tile = {.level = (int)(number % 3) - 1,
			    .n = number / 3 % 8};

	tile.width = tile_width(tile.level, tile.n, n);
	if (tile.width == 0) {
		tile.n = 0;
		tile.width = tile_width(tile.level, 0, n);
	}
	if (tile.width == 0)
		tile = (struct tile){0, 0, tile_width(0, 0, n)};
	tile_path(&tile, out);
}

static inline void damage_write(const char *path, size_t at, struct span bytes)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pwrite(fd, bytes.p, bytes.n, (off_t)at) != (ssize_t)bytes.n)
		abort();
	(void)close(fd);
}

/* Do what IN says to a log of N leaves.  False: nothing was done to its files.
 */
static inline bool damage(struct span in, uint32_t n, unsigned *failing_syncs)
{
	bool any = false;

	while (in.n >= DAMAGE_BYTES) {
		const unsigned what = in.p[0] % DAMAGE_KINDS;
		const size_t at =
			(size_t)(in.p[2] | in.p[3] << 8) % DAMAGE_WITHIN;
		char name[TILE_PATH_MAX];
		char path[FILES_PATH];

		damage_name(in.p[1], n, name);
		in = span_of(in.p + DAMAGE_BYTES, in.n - DAMAGE_BYTES);
		(void)files_path(name, path);
		if (what == DAMAGE_NO_SYNC) {
			*failing_syncs = (unsigned)(at % 3);
			continue;
		}
		any = true;
		if (what == DAMAGE_WRITE)
			damage_write(path, at, files_chunk(&in));
		else if (what == DAMAGE_CUT)
			(void)!truncate(path, (off_t)at);
		else
			(void)unlink(path);
	}
	return any;
}

#endif /* SG_FUZZ_DAMAGE_H */
