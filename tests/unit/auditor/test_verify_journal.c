/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor_fixture.h"

#include <dirent.h>

#include "tests/ledger/log_journal.h"

enum { SIZE = 1000 };

struct pair {
	struct fixture log;
	char journal[80];
};

/* A log of SIZE entries, and a journal of N, whose entries are those of SEED,
 * with a wrong signature at LIE. */
static void make(struct pair *p, uint64_t n, uint64_t seed, uint64_t lie)
{
	const uint64_t sizes[] = {SIZE, 0};
	struct log_maker l;

	make_log(&p->log, sizes);
	(void)snprintf(p->journal, sizeof(p->journal), "%s.journal",
		       p->log.dir);
	assert_int_equal(
		log_maker_open(&l, p->log.dir, ORIGIN, p->log.key, SIZE),
		SG_OK);
	l.seed = seed;
	assert_int_equal(log_journal_make(&l, p->journal, n, lie), SG_OK);
	log_maker_close(&l);
}

static void drop(struct pair *p)
{
	remove_dir(p->journal);
	drop_log(&p->log);
}

static int verify(const struct pair *p, json_t **out)
{
	const char *const argv[] = {"--json",	 "--quiet",   "--vkey",
				    p->log.vkey, "--journal", p->journal,
				    p->log.dir,	 NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, argv, out);
}

static void assert_first(const struct pair *p, const char *code, int64_t entry)
{
	const json_t *x;
	json_t *j;

	assert_int_equal(verify(p, &j), EXIT_REFUSED);
	x = json_array_get(json_object_get(j, "findings"), 0);
	assert_string_equal(json_string_value(json_object_get(x, "code")),
			    code);
	assert_int_equal(json_integer_value(json_object_get(x, "entry")),
			 entry);
	json_decref(j);
}

static void test_good(void **state)
{
	struct pair p;
	json_t *j;

	(void)state;
	/* A journal may be ahead. */
	make(&p, SIZE + 7, 0, UINT64_MAX);
	assert_int_equal(verify(&p, &j), EXIT_GOOD);
	assert_int_equal(json_integer_value(json_object_get(j, "journal")),
			 SIZE);
	json_decref(j);
	drop(&p);
}

static void test_short(void **state)
{
	struct pair p;

	(void)state;
	make(&p, 777, 0, UINT64_MAX);
	assert_first(&p, "journal-missing", 777);
	drop(&p);
}

static void test_other(void **state)
{
	struct pair p;

	(void)state;
	/* Entry 0 says nothing that the seed is in. */
	make(&p, SIZE, 5, UINT64_MAX);
	assert_first(&p, "journal-differs", 1);
	drop(&p);
}

static void test_lie(void **state)
{
	struct pair p;

	(void)state;
	make(&p, SIZE, 0, 512);
	assert_first(&p, "journal-revocation", 512);
	drop(&p);
}

static void test_damage(void **state)
{
	char path[256];
	struct dirent *e;
	struct pair p;
	DIR *dir;

	(void)state;
	make(&p, SIZE, 0, UINT64_MAX);
	dir = opendir(p.journal);
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] == '0')
			path_in(p.journal, e->d_name, path);
	(void)closedir(dir);
	flip(path, file_bytes(path) / 2, 1);
	assert_int_equal(verify(&p, NULL), EXIT_REFUSED);
	/* No journal at all is no finding: somebody has the wrong path. */
	remove_dir(p.journal);
	assert_int_equal(verify(&p, NULL), EXIT_TROUBLE);
	drop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_short),
		cmocka_unit_test(test_other),  cmocka_unit_test(test_lie),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
