/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "tools/issuer/journal.h"
#include "tools/issuer/lines.h"
#include "tools/issuer/output.h"
#include "tools/issuer/resume.h"

/* output, journal and resume: the files of a bulk job. */

static char dir[64];
static char why[512];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_bulk.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static int next;
	char *p = path[next++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"out", "new", "journal", "in"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		(void)unlink(in_dir(names[i]));
	return rmdir(dir);
}

static void write_file(const char *name, const char *text)
{
	assert_int_equal(fileio_replace(in_dir(name), span_str(text), 0600),
			 SG_OK);
}

static void expect_file(const char *name, const char *want)
{
	uint8_t *text;
	size_t n;

	assert_int_equal(fileio_read(in_dir(name), 1 << 20, &text, &n), SG_OK);
	assert_string_equal((char *)text, want);
	free(text);
}

static void test_output(void **state)
{
	struct output *o;
	struct output *other;
	struct output *new;
	bool made;

	(void)state;
	assert_int_equal(
		output_open(in_dir("out"), &made, &o, why, sizeof(why)), SG_OK);
	assert_true(made);
	assert_int_equal(
		output_open(in_dir("out"), &made, &other, why, sizeof(why)),
		SG_CONFLICT);
	assert_int_equal(output_put(o, SPAN_LIT("one")), SG_OK);
	expect_file("out", "");
	assert_int_equal(output_flush(o), SG_OK);
	expect_file("out", "one\n");
	assert_int_equal(output_cut(o, 2), SG_OK);
	assert_int_equal(output_put(o, SPAN_LIT("")), SG_OK);
	assert_int_equal(output_sync(o), SG_OK);
	expect_file("out", "on\n");
	assert_int_equal(
		output_open(in_dir("new"), &made, &new, why, sizeof(why)),
		SG_OK);
	assert_int_equal(output_put(new, SPAN_LIT("new")), SG_OK);
	assert_int_equal(output_replace(new, in_dir("out")), SG_OK);
	output_close(o);
	/* The lock moves with the file. */
	assert_int_equal(
		output_open(in_dir("out"), &made, &other, why, sizeof(why)),
		SG_CONFLICT);
	assert_int_equal(output_put(new, SPAN_LIT("more")), SG_OK);
	assert_int_equal(output_flush(new), SG_OK);
	expect_file("out", "new\nmore\n");
	output_close(new);
	assert_int_equal(
		output_open(in_dir("out"), &made, &other, why, sizeof(why)),
		SG_OK);
	assert_false(made);
	output_close(other);
	assert_int_equal(
		output_open("/dev/null", &made, &other, why, sizeof(why)),
		SG_CONFIG);
}

static void test_long_line(void **state)
{
	const size_t n = 3 << 20;
	char *line = malloc(n);
	struct output *o;
	struct stat st;
	bool made;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', n);
	(void)unlink(in_dir("out"));
	assert_int_equal(
		output_open(in_dir("out"), &made, &o, why, sizeof(why)), SG_OK);
	assert_int_equal(output_put(o, SPAN_LIT("a")), SG_OK);
	assert_int_equal(output_put(o, span_of(line, n)), SG_OK);
	assert_int_equal(output_flush(o), SG_OK);
	assert_int_equal(stat(in_dir("out"), &st), 0);
	assert_int_equal(st.st_size, 2 + n + 1);
	output_close(o);
	free(line);
}

static struct journal *reopen(struct journal *j, const char *mark,
			      uint64_t first)
{
	journal_close(j);
	assert_int_equal(journal_open(in_dir("journal"), mark, first, &j),
			 SG_OK);
	return j;
}

static void expect_found(struct journal *j, uint64_t seq, const char *want)
{
	struct span line;

	assert_true(journal_find(j, seq, &line));
	assert_true(span_is(line, want));
}

static void test_journal(void **state)
{
	char mark[JOURNAL_MARK_BYTES];
	struct journal *j = NULL;
	struct span line;
	struct stat st;

	(void)state;
	journal_mark(SPAN_LIT("first record"), mark);
	j = reopen(j, mark, 0);
	assert_int_equal(stat(in_dir("journal"), &st), -1); /* not yet */
	assert_int_equal(journal_put(j, 7, SPAN_LIT("seven")), SG_OK);
	assert_int_equal(journal_put(j, 5, SPAN_LIT("five 5")), SG_OK);
	assert_int_equal(journal_put(j, 3, SPAN_LIT("three")), SG_OK);
	assert_int_equal(journal_flush(j), SG_OK);
	assert_int_equal(stat(in_dir("journal"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	j = reopen(j, mark, 4);
	assert_false(journal_find(j, 4, &line));
	expect_found(j, 5, "five 5");
	assert_false(journal_find(j, 6, &line));
	expect_found(j, 7, "seven");
	/* What was found already stays when more comes. */
	assert_int_equal(journal_put(j, 9, SPAN_LIT("nine")), SG_OK);
	j = reopen(j, mark, 4);
	expect_found(j, 5, "five 5");
	expect_found(j, 9, "nine");
	/* A torn entry is none. */
	assert_int_equal(stat(in_dir("journal"), &st), 0);
	assert_int_equal(truncate(in_dir("journal"), st.st_size - 1), 0);
	j = reopen(j, mark, 4);
	expect_found(j, 7, "seven");
	assert_false(journal_find(j, 9, &line));
	/* Nor is one of another job. */
	journal_mark(SPAN_LIT("another record"), mark);
	j = reopen(j, mark, 0);
	assert_false(journal_find(j, 7, &line));
	journal_close(j);
}

static void test_journal_renewed(void **state)
{
	struct journal *j = NULL;
	struct span line;
	char *big = calloc(1, 1 << 16);

	(void)state;
	memset(big, 'x', 1 << 16);
	j = reopen(j, "m", 0);
	for (uint64_t i = 0; !journal_is_long(j); i++) {
		assert_true(i < 1000);
		assert_int_equal(journal_put(j, i, span_of(big, 1 << 16)),
				 SG_OK);
	}
	assert_int_equal(journal_renew(j), SG_OK);
	assert_int_equal(journal_put(j, 50, SPAN_LIT("fifty")), SG_OK);
	assert_int_equal(journal_renewed(j), SG_OK);
	assert_false(journal_is_long(j));
	assert_int_equal(journal_put(j, 60, SPAN_LIT("sixty")), SG_OK);
	j = reopen(j, "m", 0);
	assert_false(journal_find(j, 49, &line));
	expect_found(j, 50, "fifty");
	expect_found(j, 60, "sixty");
	journal_close(j);
	free(big);
}

#define GOOD "{\"hcert\":\"x\",\"id\":\"1\"}\n"
#define LATER "{\"status\":503}\n"

static struct survey survey(const char *text)
{
	struct survey s;

	write_file("out", text);
	assert_int_equal(
		resume_survey(in_dir("out"), false, &s, why, sizeof(why)),
		SG_OK);
	return s;
}

static void test_survey(void **state)
{
	struct survey s;

	(void)state;
	s = survey("");
	assert_true(s.lines == 0 && s.end == 0);
	s = survey(GOOD GOOD "{\"hcert\":\"");
	assert_true(s.lines == 2 && s.end == 2 * strlen(GOOD));
	assert_true(s.later == 0 && s.loose == 0);
	s = survey(GOOD LATER GOOD LATER LATER);
	assert_true(s.lines == 3 && s.later == 1 && s.loose == 2);
	assert_int_equal(s.end, 2 * strlen(GOOD) + strlen(LATER));
	s = survey(LATER);
	assert_true(s.lines == 0 && s.end == 0 && s.loose == 1);
	write_file("out", GOOD LATER "\n" GOOD);
	assert_int_equal(
		resume_survey(in_dir("out"), false, &s, why, sizeof(why)),
		SG_MALFORMED);
	assert_non_null(strstr(why, "line 3"));
}

static enum sg_err refusal(struct span text)
{
	struct survey s;

	assert_int_equal(fileio_replace(in_dir("out"), text, 0600), SG_OK);
	return resume_survey(in_dir("out"), false, &s, why, sizeof(why));
}

/* A file that is not ours is no torn answer, though it has no line's end. */
static void test_survey_of_others(void **state)
{
	static const uint8_t packed[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	static char large[LINES_LINE_MAX + 2];

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(refusal(SPAN_LIT("a password")), SG_MALFORMED);
	assert_int_equal(refusal(SPAN_LIT("{\"keys\":[1,2]}")), SG_MALFORMED);
	assert_int_equal(refusal(SPAN_LIT("\0\0\0\0")), SG_MALFORMED);
	assert_int_equal(refusal(span_of(large, sizeof(large))), SG_MALFORMED);
	assert_int_equal(refusal(span_of(packed, sizeof(packed))), SG_CONFIG);
	assert_int_equal(refusal(SPAN_LIT("{\"id\":\"r-1\",\"hce")), SG_OK);
	assert_int_equal(refusal(SPAN_LIT("{")), SG_OK);
}

static void no_mark(void *ctx, struct span first)
{
	*(bool *)ctx = span_is(first, "{\"id\":\"1\"}");
}

static enum sg_err pair(const char *in, const char *answers, uint64_t n,
			const char *old)
{
	struct resume_files f = {.path = "OUT", .n = n, .old_n = n};
	struct tally *t;
	bool marked = false;
	enum sg_err err;

	write_file("in", in);
	write_file("out", answers);
	write_file("new", old != NULL ? old : "");
	assert_int_equal(tally_create(false, &t), SG_OK);
	assert_int_equal(lines_open(in_dir("in"), &f.in, why, sizeof(why)),
			 SG_OK);
	assert_int_equal(
		lines_open(in_dir("out"), &f.answers, why, sizeof(why)), SG_OK);
	if (old != NULL)
		assert_int_equal(
			lines_open(in_dir("new"), &f.old, why, sizeof(why)),
			SG_OK);
	err = resume_pair_up(&f, t, no_mark, &marked, why, sizeof(why));
	if (err == SG_OK) {
		assert_int_equal(t->records, n);
		assert_true(marked);
	}
	lines_close(f.in);
	lines_close(f.answers);
	lines_close(f.old);
	tally_free(t);
	return err;
}

static void test_pair_up(void **state)
{
	static const char in[] = "{\"id\":\"1\"}\n{\"id\":\"1\"}\n";

	(void)state;
	assert_int_equal(pair(in, GOOD LATER, 2, NULL), SG_OK);
	assert_int_equal(pair(in, GOOD GOOD, 2, GOOD LATER), SG_OK);
	assert_int_equal(pair(in, GOOD LATER, 2, GOOD GOOD), SG_CONFLICT);
	assert_non_null(strstr(why, "OUT, line 2"));
	assert_int_equal(pair("{\"id\":\"1\"}\n", GOOD GOOD, 2, NULL),
			 SG_CONFLICT);
	assert_int_equal(
		pair("{\"id\":\"1\"}\n{\"id\":\"2\"}\n", GOOD GOOD, 2, NULL),
		SG_CONFLICT);
	assert_non_null(strstr(why, "another record"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_journal_renewed),
		cmocka_unit_test(test_survey),
		cmocka_unit_test(test_survey_of_others),
		cmocka_unit_test(test_pair_up),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
