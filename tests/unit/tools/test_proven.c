/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log_fixture.h"
#include "tools/auditor/proven.h"

static struct tiles *tiles;
static struct tile spoilt; /* width 0: none */
static size_t spoilt_at;
static unsigned reads[TILE_LEVELS + 1]; /* by level; the last: bundles */

static enum sg_err read_tile(void *ctx, const struct tile *t, uint8_t *buf,
			     size_t cap, size_t *len)
{
	const enum sg_err err = tiles_read(tiles, t, buf, cap, len);

	(void)ctx;
	reads[t->level == TILE_ENTRIES ? TILE_LEVELS : t->level]++;
	if (err == SG_OK && spoilt.width > 0 && spoilt.level == t->level &&
	    spoilt.n == t->n)
		buf[spoilt_at < *len ? spoilt_at : *len - 1] ^= 1;
	return err;
}

static const struct proven_from FROM = {read_tile, NULL};

static void make(size_t n)
{
	for (size_t i = log_size; i < n; i++)
		log_run(ENTRY_STARTED, (int64_t)i);
	log_publish();
	assert_int_equal(tiles_open(log_dir, false, &tiles), SG_OK);
}

/* All entries of the bundle are those that were put in. */
static void check_bundle(struct span bundle, uint64_t n)
{
	size_t i = n * TILE_WIDTH;

	while (bundle.n > 0) {
		struct span e;

		assert_int_equal(tile_next_entry(&bundle, &e), SG_OK);
		assert_true(span_eq(
			e, span_of(log_entries[i].b, log_entries[i].n)));
		i++;
	}
	assert_int_equal(i, (n + 1) * TILE_WIDTH < log_size
				    ? (n + 1) * TILE_WIDTH
				    : log_size);
}

static void check_all(void)
{
	const uint64_t bundles = (log_size + TILE_WIDTH - 1) / TILE_WIDTH;
	struct proven *p;
	struct span out;

	assert_int_equal(proven_open(&FROM, log_size, &log_root, &p), SG_OK);
	for (uint64_t n = 0; n < bundles; n++) {
		assert_int_equal(proven_bundle(p, n, &out), SG_OK);
		check_bundle(out, n);
	}
	for (uint64_t n = bundles; n-- > 0;) /* and with no order */
		assert_int_equal(proven_bundle(p, n * 7 % bundles, &out),
				 SG_OK);
	assert_int_equal(proven_bundle(p, bundles, &out), SG_NOT_FOUND);
	proven_close(p);
}

static void test_sizes(void **state)
{
	static const size_t SIZES[] = {1,   2,	 255,  256,   257,
				       511, 512, 1000, 65536, 65537};

	(void)state;
	for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
		make(SIZES[i]);
		check_all();
		tiles_close(tiles);
	}
}

/* Flip a byte of TILE; what is read then must be refused, wherever it is. */
static void refuse(struct tile tile, size_t at, uint64_t bundle)
{
	struct proven *p;
	struct span out;
	enum sg_err err;

	spoilt = tile;
	spoilt_at = at;
	err = proven_open(&FROM, log_size, &log_root, &p);
	if (err == SG_OK) {
		err = proven_bundle(p, bundle, &out);
		if (err == SG_BAD_SIGNATURE)
			assert_int_equal(proven_where(p)->level, tile.level);
		/* Not kept either. */
		assert_int_equal(proven_bundle(p, bundle, &out), err);
		spoilt.width = 0;
		assert_int_equal(proven_bundle(p, bundle, &out), SG_OK);
		proven_close(p);
	}
	spoilt.width = 0;
	assert_true(err == SG_BAD_SIGNATURE || err == SG_MALFORMED);
}

static void test_spoilt(void **state)
{
	(void)state;
	make(66000);
	/* The last bundle and its tiles, all partial. */
	refuse((struct tile){TILE_ENTRIES, 257, 208}, 40, 257);
	refuse((struct tile){0, 257, 208}, 0, 257);
	refuse((struct tile){1, 1, 1}, 31, 257);
	refuse((struct tile){2, 0, 1}, 0, 257);
	/* Full ones below a full one. */
	for (uint64_t n = 0; n < 256; n += 51) {
		refuse((struct tile){TILE_ENTRIES, n, 256}, 3, n);
		refuse((struct tile){TILE_ENTRIES, n, 256}, SIZE_MAX, n);
		refuse((struct tile){1, 0, 256}, n * 32, 100);
	}
	/* A full one below a partial one. */
	refuse((struct tile){TILE_ENTRIES, 256, 256}, 5, 256);
	tiles_close(tiles);
}

static void test_other_root(void **state)
{
	struct merkle_hash other;
	struct proven *p;

	(void)state;
	make(1000);
	other = log_root;
	other.b[0] ^= 1;
	assert_int_equal(proven_open(&FROM, log_size, &other, &p),
			 SG_BAD_SIGNATURE);
	/* A smaller tree has its own. */
	assert_int_equal(proven_open(&FROM, log_size - 1, &log_root, &p),
			 SG_BAD_SIGNATURE);
	tiles_close(tiles);
}

/* Level 0 is read at the log's end only, and each other tile once. */
static void test_reads(void **state)
{
	struct proven *p;
	struct span out;

	(void)state;
	make(66000);
	memset(reads, 0, sizeof(reads));
	assert_int_equal(proven_open(&FROM, log_size, &log_root, &p), SG_OK);
	for (uint64_t n = 0; n < 258; n++)
		assert_int_equal(proven_bundle(p, n, &out), SG_OK);
	proven_close(p);
	tiles_close(tiles);
	assert_int_equal(reads[0], 1);
	assert_int_equal(reads[1], 3); /* the last one twice */
	assert_int_equal(reads[2], 1);
	assert_int_equal(reads[TILE_LEVELS], 258);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, log_setup,
						log_teardown),
		cmocka_unit_test_setup_teardown(test_spoilt, log_setup,
						log_teardown),
		cmocka_unit_test_setup_teardown(test_other_root, log_setup,
						log_teardown),
		cmocka_unit_test_setup_teardown(test_reads, log_setup,
						log_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
