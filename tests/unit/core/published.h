/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TESTS_PUBLISHED_H
#define SG_TESTS_PUBLISHED_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/proofs.h"
#include "ledger/tiles.h"

/*
 * published: a log's directory as the core publishes it, of any size, without
 * the journal behind it.  For tests of one file each; needs cmocka.h before it.
 */
/* Leaf I is the hash of I's four bytes; enough for a full tile of a full tile's
 * level, and a partial one beside each. */
enum { LEAVES = 256 * 3 + 17, OTHER_SIZE = 5 };

static char dir[64];
static struct merkle *merkle;
static struct tiles *tiles;
static struct proofs *proofs;
static uint8_t buf[TILE_BYTES_MAX];

static inline struct merkle_hash leaf(uint64_t i)
{
	const uint8_t entry[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16),
				  (uint8_t)(i >> 8), (uint8_t)i};
	struct merkle_hash h;

	assert_int_equal(merkle_leaf(merkle, span_of(entry, sizeof(entry)), &h),
			 SG_OK);
	return h;
}

static inline void write_tile(int level, uint64_t n, unsigned width)
{
	const struct tile t = {level, n, width};

	assert_int_equal(
		tiles_write(tiles, &t,
			    span_of(buf, (size_t)width * MERKLE_HASH_BYTES)),
		SG_OK);
}

/* The tiles of a log of SIZE leaves, less than 65,536. */
static inline void write_tiles(uint64_t size)
{
	static uint8_t above[TILE_BYTES_MAX];
	const unsigned full = (unsigned)(size / TILE_WIDTH);
	struct merkle_hash h;

	for (uint64_t i = 0; i < size; i++) {
		h = leaf(i);
		memcpy(buf + i % TILE_WIDTH * MERKLE_HASH_BYTES, h.b,
		       sizeof(h.b));
		if ((i + 1) % TILE_WIDTH != 0)
			continue;
		write_tile(0, i / TILE_WIDTH, TILE_WIDTH);
		assert_int_equal(tile_hash(merkle, span_of(buf, TILE_BYTES_MAX),
					   0, TILE_WIDTH, &h),
				 SG_OK);
		memcpy(above + i / TILE_WIDTH * MERKLE_HASH_BYTES, h.b,
		       sizeof(h.b));
	}
	if (size % TILE_WIDTH > 0)
		write_tile(0, full, (unsigned)(size % TILE_WIDTH));
	memcpy(buf, above, sizeof(buf));
	if (full > 0)
		write_tile(1, 0, full);
}

static inline struct merkle_hash root_of(uint64_t size)
{
	struct merkle_frontier f = {0};
	struct merkle_hash h;

	for (uint64_t i = 0; i < size; i++) {
		h = leaf(i);
		assert_int_equal(merkle_add(merkle, &f, &h, NULL, NULL), SG_OK);
	}
	assert_int_equal(merkle_frontier_root(merkle, &f, &h), SG_OK);
	return h;
}

/* Publish a log of SIZE leaves.  Who signed it is nobody's business here. */
static inline void publish(uint64_t size)
{
	static const uint8_t nobody[NOTE_SIGNATURE_BYTES];
	const struct checkpoint c = {.origin = SPAN_LIT("log.example"),
				     .size = size,
				     .root = root_of(size)};
	uint8_t text[CHECKPOINT_TEXT_MAX];
	uint8_t line[NOTE_LINE_MAX];
	uint8_t note[CHECKPOINT_NOTE_MAX];
	struct note_key key;
	size_t n;
	size_t line_n;
	size_t note_n;

	write_tiles(size);
	assert_int_equal(checkpoint_text(&c, text, sizeof(text), &n), SG_OK);
	assert_int_equal(note_key_make(c.origin, NOTE_ED25519, nobody, &key),
			 SG_OK);
	assert_int_equal(note_signature_line(&key, 0, nobody, line,
					     sizeof(line), &line_n),
			 SG_OK);
	assert_int_equal(note_join(span_of(text, n), span_of(line, line_n),
				   note, sizeof(note), &note_n),
			 SG_OK);
	assert_int_equal(
		tiles_write_file(tiles, "checkpoint", span_of(note, note_n)),
		SG_OK);
}

static inline int setup(void **state)
{
	(void)state;
	log_limit(LOG_ERROR);
	(void)snprintf(dir, sizeof(dir), "/tmp/proofs-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(merkle_create(&merkle), SG_OK);
	assert_int_equal(proofs_create(dir, &proofs), SG_OK);
	assert_int_equal(tiles_open(dir, true, &tiles), SG_OK);
	return 0;
}

static inline int teardown(void **state)
{
	char command[96];

	(void)state;
	proofs_free(proofs);
	tiles_close(tiles);
	merkle_free(merkle);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", dir);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a test's own */
	assert_int_equal(system(command), 0);
	return 0;
}

#endif /* SG_TESTS_PUBLISHED_H */
