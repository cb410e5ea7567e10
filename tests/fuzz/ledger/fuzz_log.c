/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log's directory that something has damaged.  Two bytes of the input say how
 * many leaves it has; then come changes (damage.h), or that a sync of the disk
 * will fail.  Whoever goes on with it finds the root that was there, or
 * refuses; what is proved from it is so.
 */
#include <errno.h>
#include <stdlib.h>

#include "../damage.h"
#include "ledger/tree.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	LEAVES_MAX = 800,
	BEYOND = 3, /* leaves that are added to what was opened */
	FAR = 300   /* the same, where a sync fails */
};

static struct merkle *m;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static unsigned failing; /* syncs from now on */

/* In front of the C library's: there is no disk to wait for. */
int syncfs(int fd)
{
	(void)fd;
	if (failing == 0)
		return 0;
	failing--;
	errno = EIO;
	return -1;
}

/* Entry I: 0 to 39 bytes. */
static struct span entry_of(uint32_t i)
{
	static uint8_t buf[40];

	memset(buf, (int)(i % 251), sizeof(buf));
	memcpy(buf, &i, sizeof(i));
	return span_of(buf, i % sizeof(buf));
}

static void add(struct tree *t, uint32_t n)
{
	const uint32_t first = (uint32_t)tree_size(t);

	for (uint32_t i = first; i < first + n; i++)
		must(tree_add(t, entry_of(i)) == SG_OK);
}

/* A good log of N leaves; *ROOT gets its root. */
static void make(struct tiles *tiles, uint32_t n, struct merkle_hash *root)
{
	struct tree *t;

	must(tree_open(tiles, 0, NULL, &t) == SG_OK);
	/* Partial tiles of an earlier state, too. */
	add(t, n / 2);
	must(tree_flush(t) == SG_OK);
	add(t, n - n / 2);
	must(tree_flush(t) == SG_OK && tree_root(t, root) == SG_OK);
	tree_close(t);
}

/* --- what is made of it --------------------------------------------------- */

/* All that a server proves from its tiles. */
static void prove(struct tiles *tiles, uint32_t n,
		  const struct merkle_hash *root)
{
	const struct merkle_source src = tiles_source(tiles, m, n);
	struct merkle_proof p;
	struct merkle_hash leaf;
	struct merkle_hash old;

	for (uint32_t i = 0; i < n; i += 1 + n / 3) {
		if (merkle_prove(m, &src, n, i, &p) == SG_OK) {
			must(merkle_leaf(m, entry_of(i), &leaf) == SG_OK);
			(void)!merkle_check(m, &p, n, i, &leaf, root);
			leaf.b[0] ^= 1;
			must(merkle_check(m, &p, n, i, &leaf, root) != SG_OK);
		}
		if (merkle_root_of(m, &src, i, &old) == SG_OK &&
		    merkle_prove_consistency(m, &src, i, n, &p) == SG_OK)
			(void)!merkle_check_consistency(m, &p, i, &old, n,
							root);
	}
}

static void read_all(struct tiles *tiles, uint32_t n)
{
	static uint8_t buf[TILE_WIDTH * 64];
	size_t len;

	for (int level = TILE_ENTRIES; level < 2; level++) {
		for (uint64_t i = 0; i * TILE_WIDTH < n; i++) {
			const struct tile t = {level, i,
					       tile_width(level, i, n)};

			if (t.width > 0)
				(void)!tiles_read(tiles, &t, buf, sizeof(buf),
						  &len);
		}
	}
}

static void go_on(struct tiles *tiles, uint32_t n,
		  const struct merkle_hash *root, bool sound)
{
	struct merkle_hash got;
	struct tree *t;
	uint32_t more;
	const enum sg_err err = tree_open(tiles, n, root, &t);

	must(err == SG_OK || !sound);
	if (err != SG_OK)
		return;
	must(tree_size(t) == n && tree_root(t, &got) == SG_OK);
	must(memcmp(&got, root, sizeof(got)) == 0);
	for (uint32_t i = 0; i <= n; i += 1 + n / 3)
		must(tree_root_at(t, i, &got) == SG_OK || !sound);
	more = failing > 0 ? FAR : BEYOND;
	add(t, more);
	for (int i = 0; i < 3 && tree_flush(t) != SG_OK; i++)
		;
	must(tree_size(t) == n + more);
	failing = 0;
	tree_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tiles *tiles;
	struct merkle_hash root;
	uint32_t n;
	bool sound;

	if (size < 2)
		return 0;
	if (m == NULL)
		must(merkle_create(&m) == SG_OK);
	n = (uint32_t)(data[0] | data[1] << 8) % LEAVES_MAX;
	failing = 0;
	files_begin();
	must(tiles_open(files_dir, true, &tiles) == SG_OK);
	make(tiles, n, &root);
	sound = !damage(span_of(data + 2, size - 2), n, &failing);
	read_all(tiles, n);
	prove(tiles, n, &root);
	go_on(tiles, n, &root, sound);
	tiles_close(tiles);
	return 0;
}
