/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor_fixture.h"

enum { FLIPS_A_FILE = 8, FILES_MAX = 64 };

/* Verify F's log; returns the exit status, *OUT the findings. */
static int verify(const struct fixture *f, json_t **out)
{
	const char *const argv[] = {"--json", "--quiet", "--vkey",
				    f->vkey,  f->dir,	 NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, argv, out);
}

static int verify_with(const struct fixture *f, const char *option,
		       const char *value, json_t **out)
{
	const char *const argv[] = {"--json", "--quiet", "--vkey", f->vkey,
				    option,   value,	 f->dir,   NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, argv, out);
}

static void assert_good(const struct fixture *f, uint64_t size)
{
	json_t *j;

	assert_int_equal(verify(f, &j), EXIT_GOOD);
	assert_true(json_is_true(json_object_get(j, "ok")));
	assert_int_equal(json_integer_value(json_object_get(j, "entries")),
			 size);
	assert_int_equal(json_array_size(json_object_get(j, "warnings")), 0);
	json_decref(j);
}

/* The only finding is CODE, in ENTRY or TILE. */
static void assert_only(const struct fixture *f, const char *code,
			int64_t entry, const char *tile)
{
	json_t *j;
	const json_t *x;

	assert_int_equal(verify(f, &j), EXIT_REFUSED);
	if (json_array_size(json_object_get(j, "findings")) != 1 ||
	    find(j, code) == NULL)
		fail_msg("not %s alone: %s", code,
			 json_dumps(json_object_get(j, "findings"), 0));
	x = find(j, code);
	if (entry >= 0)
		assert_int_equal(
			json_integer_value(json_object_get(x, "entry")), entry);
	if (tile != NULL)
		assert_string_equal(
			json_string_value(json_object_get(x, "tile")), tile);
	json_decref(j);
}

static void test_sizes(void **state)
{
	static const uint64_t sizes[] = {1,   2,   255, 256,
					 257, 511, 512, 65536 + 300};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const uint64_t one[] = {sizes[i], 0};
		struct fixture f;

		make_log(&f, one);
		assert_good(&f, sizes[i]);
		drop_log(&f);
	}
}

/* --- a flipped byte ------------------------------------------------------- */

static char files[FILES_MAX][256];
static size_t nfiles;

static int note_file(const char *path, const struct stat *st, int flag,
		     struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (flag == FTW_F && nfiles < FILES_MAX)
		(void)snprintf(files[nfiles++], sizeof(files[0]), "%s", path);
	return 0;
}

static void test_flip_anywhere(void **state)
{
	const uint64_t sizes[] = {5, 100, 200, 600, 700, 1000, 0};
	struct fixture f;
	unsigned seed = 4;

	(void)state;
	make_log(&f, sizes);
	assert_good(&f, 1000);
	nfiles = 0;
	assert_int_equal(nftw(f.dir, note_file, 16, FTW_PHYS), 0);
	assert_true(nfiles > 12);
	for (size_t i = 0; i < nfiles; i++) {
		const size_t n = file_bytes(files[i]);

		for (int k = 0; k < FLIPS_A_FILE; k++) {
			/* The first and the last byte always. */
			const size_t at = k == 0   ? 0
					  : k == 1 ? n - 1
						   : (size_t)rand_r(&seed) % n;
			const uint8_t mask =
				(uint8_t)(1U << ((unsigned)rand_r(&seed) % 8));

			flip(files[i], at, mask);
			if (verify(&f, NULL) != EXIT_REFUSED)
				fail_msg("not found: %s, byte %zu, bits %02x",
					 files[i], at, mask);
			flip(files[i], at, mask);
		}
	}
	assert_good(&f, 1000);
	drop_log(&f);
}

/* Which of two that disagree is wrong, and where exactly. */
static void test_places(void **state)
{
	static const struct {
		const char *path;
		size_t at;
		const char *code;
		int64_t entry;
		const char *tile;
	} cases[] = {
		{"tile/0/001", 32 * 7 + 3, "tile-altered", -1, "tile/0/001"},
		{"tile/0/257.p/44", 5, "tile-altered", -1, "tile/0/257.p/44"},
		{"tile/1/000", 32 * 200, "tile-altered", -1, "tile/1/000"},
		{"tile/1/001.p/1", 31, "tile-altered", -1, "tile/1/001.p/1"},
		{"tile/2/000.p/1", 0, "tile-altered", -1, "tile/2/000.p/1"},
		/* The first entry of a bundle follows its length. */
		{"tile/entries/003", 2 + 30, "entry-altered", 768, NULL},
		{"tile/entries/256", 2 + 30, "entry-altered", 65536, NULL},
		{"tile/entries/257.p/44", 2 + 30, "entry-altered", 65792, NULL},
	};
	const uint64_t sizes[] = {65536 + 300, 0};
	struct fixture f;
	char path[256];

	(void)state;
	make_log(&f, sizes);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path_in(f.dir, cases[i].path, path);
		flip(path, cases[i].at, 0x10);
		assert_only(&f, cases[i].code, cases[i].entry, cases[i].tile);
		flip(path, cases[i].at, 0x10);
	}
	/* The last byte of the last entry. */
	path_in(f.dir, "tile/entries/257.p/44", path);
	flip(path, file_bytes(path) - 1, 1);
	assert_only(&f, "entry-altered", 65536 + 299, NULL);
	flip(path, file_bytes(path) - 1, 1);
	assert_good(&f, 65536 + 300);
	drop_log(&f);
}

static void test_two_faults(void **state)
{
	const uint64_t sizes[] = {65536 + 300, 0};
	struct fixture f;
	char path[256];
	json_t *j;

	(void)state;
	make_log(&f, sizes);
	path_in(f.dir, "tile/entries/003", path);
	flip(path, 40, 1);
	path_in(f.dir, "tile/0/009", path);
	flip(path, 40, 1);
	assert_int_equal(verify(&f, &j), EXIT_REFUSED);
	assert_int_equal(json_array_size(json_object_get(j, "findings")), 2);
	assert_int_equal(json_integer_value(json_object_get(
				 find(j, "entry-altered"), "entry")),
			 768);
	assert_string_equal(json_string_value(json_object_get(
				    find(j, "tile-altered"), "tile")),
			    "tile/0/009");
	json_decref(j);
	drop_log(&f);
}

/* --- what is missing ------------------------------------------------------ */

static void test_missing(void **state)
{
	static const struct {
		const char *path;
		const char *missing, *cut;
	} cases[] = {
		{"tile/0/001", "tile-missing", "tile-short"},
		{"tile/0/003.p/232", "tile-missing", "tile-short"},
		{"tile/1/000.p/3", "tile-missing", "tile-short"},
		{"tile/entries/002", "bundle-missing", "bundle-malformed"},
		{"tile/entries/003.p/232", "bundle-missing",
		 "bundle-malformed"},
	};
	const uint64_t sizes[] = {1000, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		char path[256];

		make_log(&f, sizes);
		path_in(f.dir, cases[i].path, path);
		assert_int_equal(truncate(path, (off_t)file_bytes(path) - 1),
				 0);
		assert_only(&f, cases[i].cut, -1, cases[i].path);
		assert_int_equal(remove(path), 0);
		assert_only(&f, cases[i].missing, -1, cases[i].path);
		drop_log(&f);
	}
}

/* --- the checkpoint ------------------------------------------------------- */

static void write_note(const struct fixture *f, const uint8_t *note, size_t n)
{
	char path[256];

	path_in(f->dir, "checkpoint", path);
	assert_int_equal(fileio_replace(path, span_of(note, n), 0644), SG_OK);
}

static void test_checkpoint(void **state)
{
	const uint64_t sizes[] = {1000, 0};
	struct merkle_hash root = {{1}};
	uint8_t note[8192];
	struct log_maker other = {0};
	struct log_maker same;
	struct fixture f;
	struct fixture g;
	char path[256];
	size_t n;

	(void)state;
	make_log(&f, sizes);
	assert_int_equal(log_maker_open(&same, f.dir, ORIGIN, f.key, 1000),
			 SG_OK);
	/* Another size, and another root, both signed by the key. */
	assert_int_equal(
		log_maker_sign(&same, 1000, &root, note, sizeof(note), &n),
		SG_OK);
	write_note(&f, note, n);
	assert_only(&f, "root-mismatch", -1, NULL);
	assert_int_equal(tree_root(same.tree, &root), SG_OK);
	assert_int_equal(
		log_maker_sign(&same, 999, &root, note, sizeof(note), &n),
		SG_OK);
	write_note(&f, note, n);
	assert_int_equal(verify(&f, NULL), EXIT_REFUSED);
	/* Signed by another key of that name. */
	make_log(&g, sizes);
	assert_int_equal(log_maker_open(&other, g.dir, ORIGIN, g.key, 1000),
			 SG_OK);
	assert_int_equal(
		log_maker_sign(&other, 1000, &root, note, sizeof(note), &n),
		SG_OK);
	write_note(&f, note, n);
	assert_only(&f, "checkpoint-unsigned", -1, NULL);
	log_maker_close(&other);
	/* Of another log. */
	remove_dir(g.dir);
	assert_int_equal(
		log_maker_open(&other, g.dir, "log.test/two", f.key, 0), SG_OK);
	assert_int_equal(
		log_maker_sign(&other, 1000, &root, note, sizeof(note), &n),
		SG_OK);
	write_note(&f, note, n);
	assert_only(&f, "checkpoint-origin", -1, NULL);
	/* A signature that is wrong. */
	assert_int_equal(
		log_maker_sign(&same, 1000, &root, note, sizeof(note), &n),
		SG_OK);
	write_note(&f, note, n);
	assert_good(&f, 1000);
	note[n - 10] = note[n - 10] == 'A' ? 'B' : 'A';
	write_note(&f, note, n);
	assert_only(&f, "checkpoint-forged", -1, NULL);
	write_note(&f, (const uint8_t *)"hello\n", 6);
	assert_only(&f, "checkpoint-malformed", -1, NULL);
	path_in(f.dir, "checkpoint", path);
	assert_int_equal(remove(path), 0);
	assert_only(&f, "checkpoint-missing", -1, NULL);
	log_maker_close(&same);
	log_maker_close(&other);
	drop_log(&f);
	drop_log(&g);
}

/* --- since ---------------------------------------------------------------- */

static void keep(const struct fixture *f, const char *path)
{
	assert_int_equal(verify_with(f, "--keep", path, NULL), EXIT_GOOD);
}

static void test_since(void **state)
{
	static const uint64_t olds[] = {1, 255, 256, 300, 700, 65536, 66000};
	char kept[80];

	(void)state;
	for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
		const uint64_t sizes[] = {olds[i], 0};
		struct fixture f;
		json_t *j;

		make_log(&f, sizes);
		(void)snprintf(kept, sizeof(kept), "%s/kept", f.dir);
		keep(&f, kept);
		grow_log(&f, olds[i], 66300, 0);
		assert_int_equal(verify_with(&f, "--since", kept, &j),
				 EXIT_GOOD);
		assert_int_equal(
			json_integer_value(json_object_get(j, "entries")),
			66300 - olds[i] / 256 * 256);
		json_decref(j);
		assert_good(&f, 66300);
		/* Nothing new is good, too. */
		keep(&f, kept);
		assert_int_equal(verify_with(&f, "--since", kept, NULL),
				 EXIT_GOOD);
		drop_log(&f);
	}
}

/* Damaged tiles are no fork: what is new is looked at, and the damage found. */
static void test_since_damaged(void **state)
{
	static const char *const names[] = {
		"tile/1/000.p/3",	  "tile/0/001", "tile/0/003.p/232",
		"tile/entries/003.p/232", "tile/0/002",
	};
	const uint64_t sizes[] = {300, 0};
	struct fixture f;
	char path[256];
	char kept[80];
	json_t *j;

	(void)state;
	make_log(&f, sizes);
	(void)snprintf(kept, sizeof(kept), "%s/kept", f.dir);
	keep(&f, kept);
	grow_log(&f, 300, 1000, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in(f.dir, names[i], path);
		flip(path, 45, 1);
		assert_int_equal(verify_with(&f, "--since", kept, &j),
				 EXIT_REFUSED);
		assert_null(find(j, "forked"));
		json_decref(j);
		flip(path, 45, 1);
	}
	assert_int_equal(verify_with(&f, "--since", kept, NULL), EXIT_GOOD);
	drop_log(&f);
}

/* The same key signs another history. */
static void test_fork(void **state)
{
	const uint64_t sizes[] = {700, 0};
	static const struct {
		uint64_t size, seed;
		const char *code;
	} cases[] = {
		{700, 9, "forked"},
		{900, 9, "forked"},
		{600, 0, "rolled-back"},
		{600, 9, "rolled-back"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t other[] = {cases[i].size, 0};
		struct fixture f;
		char kept[80];
		json_t *j;

		make_log(&f, sizes);
		(void)snprintf(kept, sizeof(kept), "%s.kept", f.dir);
		keep(&f, kept);
		remove_dir(f.dir);
		make_log_in(&f, other, cases[i].seed);
		assert_good(&f, cases[i].size);
		assert_int_equal(verify_with(&f, "--since", kept, &j),
				 EXIT_REFUSED);
		assert_non_null(find(j, cases[i].code));
		assert_int_equal(
			json_array_size(json_object_get(j, "findings")), 1);
		json_decref(j);
		(void)remove(kept);
		drop_log(&f);
	}
}

/* A tail that is gone while the checkpoint still covers it. */
static void test_removed_tail(void **state)
{
	const uint64_t sizes[] = {1000, 0};
	struct fixture f;
	char path[256];
	json_t *j;

	(void)state;
	make_log(&f, sizes);
	path_in(f.dir, "tile/entries/003.p/232", path);
	assert_int_equal(remove(path), 0);
	path_in(f.dir, "tile/0/003.p/232", path);
	assert_int_equal(remove(path), 0);
	assert_int_equal(verify(&f, &j), EXIT_REFUSED);
	assert_non_null(find(j, "bundle-missing"));
	assert_non_null(find(j, "tile-missing"));
	json_decref(j);
	drop_log(&f);
}

/* --- what entries say ----------------------------------------------------- */

static void test_entries(void **state)
{
	static const uint8_t bad[] = {0xa1, 0x01, 0x01};
	struct log_maker l;
	struct fixture f = {0};
	uint8_t entry[64];
	json_t *j;
	size_t n;

	(void)state;
	make_dir(f.dir);
	assert_int_equal(log_maker_open(&l, f.dir, ORIGIN, NULL, 0), SG_OK);
	assert_int_equal(log_maker_grow(&l, 300), SG_OK);
	assert_int_equal(tree_add(l.tree, span_of(bad, sizeof(bad))), SG_OK);
	/* Six seconds back, and then four. */
	assert_int_equal(entry_encode_run(ENTRY_STOPPED, l.time_ms + 299 - 6000,
					  entry, sizeof(entry), &n),
			 SG_OK);
	assert_int_equal(tree_add(l.tree, span_of(entry, n)), SG_OK);
	assert_int_equal(entry_encode_run(ENTRY_STARTED, l.time_ms + 299 - 4000,
					  entry, sizeof(entry), &n),
			 SG_OK);
	assert_int_equal(tree_add(l.tree, span_of(entry, n)), SG_OK);
	assert_int_equal(log_maker_publish(&l), SG_OK);
	note_key_text(&l.note_key, f.vkey);
	assert_only(&f, "entry-malformed", 300, NULL);
	assert_int_equal(verify(&f, &j), EXIT_REFUSED);
	assert_int_equal(json_array_size(json_object_get(j, "warnings")), 1);
	assert_int_equal(
		json_integer_value(json_object_get(
			json_array_get(json_object_get(j, "warnings"), 0),
			"entry")),
		301);
	json_decref(j);
	log_maker_close(&l);
	drop_log(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_flip_anywhere),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_two_faults),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_since_damaged),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_removed_tail),
		cmocka_unit_test(test_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
