/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor_fixture.h"

static int mirror(const struct fixture *f, const char *to, json_t **out)
{
	const char *const argv[] = {"--json", "--quiet", "--vkey", f->vkey,
				    f->dir,   to,	 NULL};

	return run_command(&AUDIT_MIRROR_COMMAND, argv, out);
}

static int verify_copy(const struct fixture *f, const char *dir)
{
	const char *const argv[] = {"--json", "--quiet", "--vkey",
				    f->vkey,  dir,	 NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, argv, NULL);
}

/* --- a directory, remembered ---------------------------------------------- */

static uint64_t sum;

static int add_file(const char *path, const struct stat *st, int flag,
		    struct FTW *ftw)
{
	uint8_t *bytes;
	size_t n;

	(void)st;
	(void)ftw;
	for (const char *p = path; *p != '\0'; p++)
		sum = sum * 31 + (uint8_t)*p;
	if (flag != FTW_F)
		return 0;
	assert_int_equal(fileio_read(path, 1 << 20, &bytes, &n), SG_OK);
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + bytes[i];
	free(bytes);
	return 0;
}

static int add_small(const char *path, const struct stat *st, int flag,
		     struct FTW *ftw)
{
	uint64_t own;
	const uint64_t before = sum;

	/* Directories come in any order: add them up. */
	sum = 0;
	(void)add_file(path, st, flag, ftw);
	own = sum;
	sum = before + own;
	return 0;
}

static uint64_t remember(const char *dir)
{
	sum = 0;
	assert_int_equal(nftw(dir, add_small, 16, FTW_PHYS), 0);
	return sum;
}

/* -------------------------------------------------------------------------- */

static void test_grow(void **state)
{
	static const uint64_t ends[] = {3, 256, 300, 700, 70000, 70001};
	const uint64_t first[] = {1, 0};
	struct fixture f;
	uint64_t size = 1;
	char to[80];
	json_t *j;

	(void)state;
	make_log(&f, first);
	(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
	assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t was;

		grow_log(&f, size, ends[i], 0);
		size = ends[i];
		assert_int_equal(mirror(&f, to, &j), EXIT_GOOD);
		json_decref(j);
		assert_int_equal(verify_copy(&f, to), EXIT_GOOD);
		/* Nothing new: nothing changes. */
		was = remember(to);
		assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
		assert_true(remember(to) == was);
	}
	remove_dir(to);
	drop_log(&f);
}

/* A log that contradicts the copy leaves it as it was. */
static void test_contradiction(void **state)
{
	const uint64_t sizes[] = {700, 0};
	static const struct {
		uint64_t size, seed;
		const char *code;
	} cases[] = {
		{700, 9, "forked"},
		{900, 9, "forked"},
		{600, 0, "rolled-back"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t other[] = {cases[i].size, 0};
		struct fixture f;
		char to[80];
		uint64_t was;
		json_t *j;

		make_log(&f, sizes);
		(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
		assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
		was = remember(to);
		remove_dir(f.dir);
		make_log_in(&f, other, cases[i].seed);
		assert_int_equal(mirror(&f, to, &j), EXIT_REFUSED);
		assert_non_null(find(j, cases[i].code));
		assert_non_null(json_object_get(j, "kept"));
		json_decref(j);
		assert_true(remember(to) == was);
		remove_dir(to);
		drop_log(&f);
	}
}

/* What is damaged in the new part is not published, and nothing damaged is
 * written; when it is mended, the copy goes on. */
static void test_damage(void **state)
{
	static const struct {
		const char *path;
		const char *code;
	} cases[] = {
		{"tile/entries/002", "entry-altered"},
		{"tile/entries/003.p/232", "entry-altered"},
		{"tile/0/001", "tile-altered"},
		{"tile/0/002", "tile-altered"},
		{"tile/0/003.p/232", "tile-altered"},
		{"tile/1/000.p/3", "tile-altered"},
		{"checkpoint", NULL},
		{"vkey", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t sizes[] = {300, 0};
		struct fixture f;
		char path[256];
		char to[80];
		json_t *j;

		make_log(&f, sizes);
		(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
		assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
		grow_log(&f, 300, 1000, 0);
		path_in(f.dir, cases[i].path, path);
		flip(path, 45, 1);
		assert_int_equal(mirror(&f, to, &j), EXIT_REFUSED);
		if (cases[i].code != NULL && find(j, cases[i].code) == NULL)
			fail_msg("%s: not %s: %s", cases[i].path, cases[i].code,
				 json_dumps(j, 0));
		json_decref(j);
		/* Still the old one, and whole. */
		assert_int_equal(verify_copy(&f, to), EXIT_GOOD);
		flip(path, 45, 1);
		assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
		assert_int_equal(verify_copy(&f, to), EXIT_GOOD);
		remove_dir(to);
		drop_log(&f);
	}
}

static void copy_file(const char *from, const char *to, const char *name)
{
	char paths[2][256];
	uint8_t *bytes;
	size_t n;

	path_in(from, name, paths[0]);
	path_in(to, name, paths[1]);
	assert_int_equal(fileio_read(paths[0], 1 << 20, &bytes, &n), SG_OK);
	assert_int_equal(fileio_replace(paths[1], span_of(bytes, n), 0644),
			 SG_OK);
	free(bytes);
}

/* Entries and tile that agree, and are not what was signed, are not written;
 * nor are they used where they lie in the copy. */
static void test_forged_pair(void **state)
{
	static const char *const names[] = {"tile/0/002", "tile/entries/002"};
	const uint64_t sizes[] = {300, 0};
	const uint64_t all[] = {1000, 0};
	struct fixture forged = {0};
	struct fixture f;
	char path[256];
	char to[80];
	json_t *j;

	(void)state;
	make_log(&f, sizes);
	(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
	assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
	grow_log(&f, 300, 1000, 0);
	make_dir(forged.dir);
	make_log_in(&forged, all, 9);
	for (size_t i = 0; i < 2; i++)
		copy_file(forged.dir, f.dir, names[i]);
	assert_int_equal(mirror(&f, to, &j), EXIT_REFUSED);
	assert_non_null(find(j, "root-mismatch"));
	json_decref(j);
	for (size_t i = 0; i < 2; i++) {
		path_in(to, names[i], path);
		assert_int_equal(access(path, F_OK), -1);
	}
	remove_dir(f.dir);
	make_log_in(&f, all, 0);
	for (size_t i = 0; i < 2; i++)
		copy_file(forged.dir, to, names[i]);
	assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
	assert_int_equal(verify_copy(&f, to), EXIT_GOOD);
	remove_dir(to);
	drop_log(&f);
	drop_log(&forged);
}

/* An interrupted run left full tiles, and no checkpoint: they are used, unless
 * they are damaged. */
static void test_resume(void **state)
{
	const uint64_t sizes[] = {66000, 0};
	struct fixture f;
	char path[256];
	char to[80];
	json_t *j;

	(void)state;
	make_log(&f, sizes);
	(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
	assert_int_equal(mirror(&f, to, &j), EXIT_GOOD);
	assert_int_equal(json_integer_value(json_object_get(j, "reused")), 0);
	json_decref(j);
	path_in(to, "checkpoint", path);
	assert_int_equal(remove(path), 0);
	path_in(to, "tile/0/100", path);
	assert_int_equal(remove(path), 0);
	path_in(to, "tile/entries/101", path);
	flip(path, 99, 4);
	path_in(to, "tile/0/102", path);
	flip(path, 99, 4);
	path_in(to, "tile/1/000", path);
	flip(path, 99, 4);
	assert_int_equal(mirror(&f, to, &j), EXIT_GOOD);
	assert_int_equal(json_integer_value(json_object_get(j, "reused")),
			 66000 / 256 - 3);
	json_decref(j);
	assert_int_equal(verify_copy(&f, to), EXIT_GOOD);
	remove_dir(to);
	drop_log(&f);
}

/* A copy that is damaged itself is not built on. */
static void test_damaged_copy(void **state)
{
	const uint64_t sizes[] = {700, 0};
	struct fixture f;
	char path[256];
	char to[80];

	(void)state;
	make_log(&f, sizes);
	(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
	assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
	grow_log(&f, 700, 1000, 0);
	path_in(to, "tile/1/000.p/2", path);
	flip(path, 40, 1);
	assert_int_equal(mirror(&f, to, NULL), EXIT_TROUBLE);
	flip(path, 40, 1);
	assert_int_equal(mirror(&f, to, NULL), EXIT_GOOD);
	remove_dir(to);
	drop_log(&f);
}

/* Without --vkey, the key is the one that the copy began with. */
static void test_key_is_pinned(void **state)
{
	const uint64_t sizes[] = {300, 0};
	struct fixture f;
	struct fixture g;
	char to[80];
	json_t *j;

	(void)state;
	make_log(&f, sizes);
	make_log(&g, sizes);
	(void)snprintf(to, sizeof(to), "%s.copy", f.dir);
	for (int i = 0; i < 2; i++) {
		const char *const argv[] = {"--json", "--quiet",
					    i == 0 ? f.dir : g.dir, to, NULL};

		assert_int_equal(run_command(&AUDIT_MIRROR_COMMAND, argv, &j),
				 i == 0 ? EXIT_GOOD : EXIT_REFUSED);
		if (i == 1)
			assert_non_null(find(j, "vkey-differs"));
		json_decref(j);
	}
	remove_dir(to);
	drop_log(&f);
	drop_log(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_contradiction),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_forged_pair),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_damaged_copy),
		cmocka_unit_test(test_key_is_pinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
