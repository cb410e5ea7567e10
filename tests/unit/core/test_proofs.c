/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/proofs.h"
#include "ledger/tiles.h"
#include "request.h"

/* Leaf I is the hash of I's four bytes; enough for a full tile of a full tile's
 * level, and a partial one beside each. */
enum { LEAVES = 256 * 3 + 17, OTHER_SIZE = 5 };

static char dir[64];
static struct merkle *merkle;
static struct tiles *tiles;
static struct proofs *proofs;
static uint8_t buf[TILE_BYTES_MAX];

static struct merkle_hash leaf(uint64_t i)
{
	const uint8_t entry[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16),
				  (uint8_t)(i >> 8), (uint8_t)i};
	struct merkle_hash h;

	assert_int_equal(merkle_leaf(merkle, span_of(entry, sizeof(entry)), &h),
			 SG_OK);
	return h;
}

static void write_tile(int level, uint64_t n, unsigned width)
{
	const struct tile t = {level, n, width};

	assert_int_equal(
		tiles_write(tiles, &t,
			    span_of(buf, (size_t)width * MERKLE_HASH_BYTES)),
		SG_OK);
}

/* The tiles of a log of SIZE leaves, less than 65,536. */
static void write_tiles(uint64_t size)
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

static struct merkle_hash root_of(uint64_t size)
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
static void publish(uint64_t size)
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

static int setup(void **state)
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

static int teardown(void **state)
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

/* The proof of INDEX leads to the root of the newest checkpoint, of SIZE. */
static void expect_proof(uint64_t index, uint64_t size)
{
	const struct merkle_hash want = root_of(size);
	const struct merkle_hash h = leaf(index);
	struct merkle_proof p;
	struct checkpoint c;
	struct span text;
	struct span note;
	struct note parts;
	uint64_t named;

	assert_int_equal(proofs_answer(proofs, index, size, &text), SG_OK);
	assert_int_equal(checkpoint_proof_parse(text, &named, &p, &note),
			 SG_OK);
	assert_int_equal(named, index);
	assert_int_equal(note_parse(note, &parts), SG_OK);
	assert_int_equal(parts.n, 1); /* its signatures come along */
	assert_int_equal(checkpoint_parse(parts.text, &c), SG_OK);
	assert_int_equal(c.size, size);
	assert_memory_equal(c.root.b, want.b, sizeof(want.b));
	assert_int_equal(merkle_check(merkle, &p, size, index, &h, &want),
			 SG_OK);
}

static void test_proofs(void **state)
{
	static const uint64_t indexes[] = {0,	1,   254, 255, 256,
					   257, 700, 767, 768, LEAVES - 1};

	(void)state;
	publish(LEAVES);
	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
		expect_proof(indexes[i], LEAVES);
}

/* It is the newest checkpoint that counts, also when the log grows. */
static void test_growth(void **state)
{
	(void)state;
	for (uint64_t size = 1; size < 12; size++) {
		publish(size);
		for (uint64_t i = 0; i < size; i++)
			expect_proof(i, size);
	}
	publish(LEAVES);
	expect_proof(3, LEAVES);
}

static void test_not_yet(void **state)
{
	struct span text;

	(void)state;
	/* no checkpoint at all */
	assert_int_equal(proofs_answer(proofs, 0, 1, &text), SG_NOT_YET);
	assert_int_equal(proofs_answer(proofs, 0, 0, &text), SG_NOT_FOUND);
	publish(OTHER_SIZE);
	assert_int_equal(proofs_answer(proofs, 4, 9, &text), SG_OK);
	assert_int_equal(proofs_answer(proofs, 5, 9, &text), SG_NOT_YET);
	assert_int_equal(proofs_answer(proofs, 8, 9, &text), SG_NOT_YET);
	assert_int_equal(proofs_answer(proofs, 9, 9, &text), SG_NOT_FOUND);
	assert_int_equal(proofs_answer(proofs, UINT64_MAX, 9, &text),
			 SG_NOT_FOUND);
}

static void remove_file(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

/* What is wrong here is not the asker's fault, and ends nothing. */
static void test_damaged(void **state)
{
	struct span text;

	(void)state;
	publish(LEAVES);
	remove_file("tile/0/001");
	assert_int_equal(proofs_answer(proofs, 300, LEAVES, &text),
			 SG_INTERNAL);
	/* Nothing of it is needed here but its root, one level above. */
	expect_proof(LEAVES - 1, LEAVES);
	assert_int_equal(tiles_write_file(tiles, "checkpoint",
					  SPAN_LIT("no checkpoint\n")),
			 SG_OK);
	assert_int_equal(proofs_answer(proofs, 0, LEAVES, &text), SG_INTERNAL);
	publish(LEAVES);
	expect_proof(300, LEAVES);
}

static void test_create(void **state)
{
	struct proofs *p;

	(void)state;
	assert_int_equal(proofs_create("/nowhere/at/all", &p), SG_IO);
	assert_null(p);
	proofs_free(NULL);
}

/* --- who may ask ---------------------------------------------------------- */

static void test_admit(void **state)
{
	static const char text[] =
		"version: 1\n"
		"profiles:\n"
		"  - name: full\n"
		"    rules: {}\n"
		"clients:\n"
		"  - name: auditor\n"
		"    identities: [\"uri:urn:test:auditor\"]\n"
		"    operations: [audit]\n";
	struct faults faults = {0};
	struct policy *policy = NULL;
	uint8_t id[IDENTITY_BYTES_MAX];
	size_t n;

	(void)state;
	if (policy_load(span_str(text), "test", &policy, &faults) != SG_OK)
		fail_msg("%s", faults.text);
	n = identity_make("urn:test:auditor", id, sizeof(id));
	assert_int_equal(proofs_admit(policy, span_of(id, n)), SG_OK);
	n = identity_make("urn:test:stranger", id, sizeof(id));
	assert_int_equal(proofs_admit(policy, span_of(id, n)), SG_FORBIDDEN);
	assert_int_equal(proofs_admit(policy, span_of(NULL, 0)), SG_OK);
	assert_int_equal(proofs_admit(policy, SPAN_LIT("x")), SG_MALFORMED);
	policy_unref(policy);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_proofs),  CASE(test_growth), CASE(test_not_yet),
		CASE(test_damaged), CASE(test_create), CASE(test_admit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
