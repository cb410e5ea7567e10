/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "tools/issuer/bulk_job.h"
#include "tools/issuer/streaming.h"

/* A bulk job without a server: the test is the engine. */

static char dir[64];
static char path[5][96]; /* by these: */
enum { IN, OUT, PARTIAL, MENDED, NEW };
static char why[WHY_MAX];

static int make_dir(void **state)
{
	static const char *const names[] = {"in", "out", "out.partial",
					    "out.mended", "out.partial.new"};

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_job.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; i < 5; i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir,
			       names[i]);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++)
		(void)unlink(path[i]);
	return 0;
}

static int remove_dir(void **state)
{
	return clean(state) + rmdir(dir);
}

static void write_file(int which, const char *text)
{
	assert_int_equal(fileio_replace(path[which], span_str(text), 0600),
			 SG_OK);
}

static void expect_file(int which, const char *want)
{
	uint8_t *text;
	size_t n;

	assert_int_equal(fileio_read(path[which], 1 << 20, &text, &n), SG_OK);
	assert_string_equal((char *)text, want);
	free(text);
}

static bool exists(int which)
{
	return access(path[which], F_OK) == 0;
}

static struct bulk_job *open_job(uint64_t first)
{
	struct bulk_job *job;

	if (bulk_job_open(path[IN], path[OUT], false, &job, why) != SG_OK)
		fail_msg("%s", why);
	assert_int_equal(bulk_job_first(job), first);
	return job;
}

static void expect_next(struct bulk_job *job, const char *text,
			const char *known)
{
	struct span t;
	struct span k;

	assert_int_equal(bulk_job_next(job, &t, &k), LINES_LINE);
	assert_true(span_is(t, text));
	assert_true(known == NULL ? k.n == 0 : span_is(k, known));
}

static void put(struct bulk_job *job, uint64_t seq, const char *text,
		const char *line)
{
	assert_int_equal(bulk_job_put(job, seq, span_str(text), span_str(line)),
			 SG_OK);
}

static void end(struct bulk_job *job, bool whole)
{
	assert_int_equal(bulk_job_finish(job, whole), SG_OK);
	bulk_job_close(job);
}

#define RECORD(id) "{\"id\":\"" id "\"}"
#define GOOD(id) "{\"hcert\":\"x\",\"id\":\"" id "\"}"
#define LATER(id) "{\"status\":503,\"id\":\"" id "\"}"

static void test_from_the_beginning(void **state)
{
	struct bulk_job *job;
	struct span t;
	struct span k;

	(void)state;
	write_file(IN, RECORD("a") "\n \r\n" RECORD("b"));
	write_file(PARTIAL, "of another time");
	write_file(MENDED, "of another time");
	job = open_job(0);
	assert_false(exists(PARTIAL) || exists(MENDED));
	expect_next(job, RECORD("a"), NULL);
	assert_int_equal(bulk_job_next(job, &t, &k), LINES_LINE);
	assert_non_null(memmem(k.p, k.n, "\"status\":400", 12));
	expect_next(job, RECORD("b"), NULL);
	assert_int_equal(bulk_job_next(job, &t, &k), LINES_END);
	assert_int_equal(bulk_job_early(job, 2, SPAN_LIT(GOOD("b"))), SG_OK);
	put(job, 0, RECORD("a"), GOOD("a"));
	end(job, false);
	expect_file(OUT, GOOD("a") "\n");
	assert_true(exists(PARTIAL));
	/* What came early is known now. */
	job = open_job(1);
	assert_int_equal(bulk_job_next(job, &t, &k), LINES_LINE);
	expect_next(job, RECORD("b"), GOOD("b"));
	assert_int_equal(bulk_job_tally(job)->good, 1);
	put(job, 1, "", "{\"status\":400}");
	put(job, 2, RECORD("b"), GOOD("b"));
	assert_int_equal(bulk_job_tally(job)->refused, 1);
	end(job, true);
	expect_file(OUT, GOOD("a") "\n{\"status\":400}\n" GOOD("b") "\n");
	assert_false(exists(PARTIAL));
}

static void test_too_long(void **state)
{
	const struct line line = {.too_long = true};
	const struct span local = bulk_job_local(&line);

	(void)state;
	assert_non_null(memmem(local.p, local.n, "\"status\":413", 12));
}

static void test_mends(void **state)
{
	static const char in[] =
		RECORD("a") "\n" RECORD("b") "\n" RECORD("c") "\n";
	static const char old[] =
		LATER("a") "\n" GOOD("b") "\n" LATER("c") "\n";
	struct bulk_job *job;

	(void)state;
	write_file(IN, in);
	write_file(OUT, old);
	job = open_job(0);
	expect_file(OUT,
		    LATER("a") "\n" GOOD("b") "\n"); /* the end is cut off */
	expect_next(job, RECORD("a"), NULL);
	expect_next(job, RECORD("b"), GOOD("b"));
	put(job, 0, RECORD("a"), GOOD("a"));
	end(job, false);
	expect_file(OUT, LATER("a") "\n" GOOD("b") "\n");
	expect_file(MENDED, GOOD("a") "\n");
	/* Interrupted: it goes on where the new file ends. */
	job = open_job(1);
	expect_next(job, RECORD("b"), GOOD("b"));
	expect_next(job, RECORD("c"), NULL);
	put(job, 1, RECORD("b"), GOOD("b"));
	assert_false(exists(MENDED)); /* it has caught up */
	put(job, 2, RECORD("c"), GOOD("c"));
	end(job, true);
	expect_file(OUT, GOOD("a") "\n" GOOD("b") "\n" GOOD("c") "\n");
}

#define REFUSED(id) "{\"status\":422,\"id\":\"" id "\"}"

static struct bulk_job *open_again(uint64_t first)
{
	struct bulk_job *job;

	assert_int_equal(bulk_job_open(path[IN], path[OUT], true, &job, why),
			 SG_OK);
	assert_int_equal(bulk_job_first(job), first);
	return job;
}

static void test_refused_again(void **state)
{
	struct bulk_job *job;

	(void)state;
	write_file(IN, RECORD("a") "\n" RECORD("b") "\n" RECORD("c") "\n");
	write_file(OUT, REFUSED("a") "\n" GOOD("b") "\n" REFUSED("c") "\n");
	job = open_job(3); /* not without being asked to */
	bulk_job_close(job);
	job = open_again(0);
	expect_next(job, RECORD("a"), NULL);
	put(job, 0, RECORD("a"), GOOD("a"));
	end(job, false);
	/* Interrupted: it goes on, asked to or not. */
	job = open_job(1);
	expect_next(job, RECORD("b"), GOOD("b"));
	expect_next(job, RECORD("c"), NULL);
	assert_int_equal(bulk_job_kept(job), 2);
	put(job, 1, RECORD("b"), GOOD("b"));
	assert_false(exists(MENDED));
	put(job, 2, RECORD("c"), REFUSED("c"));
	end(job, true);
	expect_file(OUT, GOOD("a") "\n" GOOD("b") "\n" REFUSED("c") "\n");
	/* At the end of OUT nothing needs to be written anew. */
	job = open_again(2);
	expect_next(job, RECORD("c"), NULL);
	assert_false(exists(MENDED));
	put(job, 2, RECORD("c"), GOOD("c"));
	end(job, true);
	expect_file(OUT, GOOD("a") "\n" GOOD("b") "\n" GOOD("c") "\n");
}

/* What came early may be the refusal of the record as it was. */
static void test_refused_early(void **state)
{
	struct bulk_job *job;

	(void)state;
	write_file(IN, RECORD("a") "\n" RECORD("b") "\n");
	job = open_job(0);
	expect_next(job, RECORD("a"), NULL);
	expect_next(job, RECORD("b"), NULL);
	assert_int_equal(bulk_job_early(job, 1, SPAN_LIT(REFUSED("b"))), SG_OK);
	end(job, false);
	job = open_again(0);
	expect_next(job, RECORD("a"), NULL);
	expect_next(job, RECORD("b"), NULL);
	bulk_job_close(job);
}

/* Answers behind those that are replaced are compared, too. */
static void test_mends_its_own_only(void **state)
{
	struct bulk_job *job;
	struct span t;
	struct span k;

	(void)state;
	write_file(IN, RECORD("a") "\n" RECORD("x") "\n");
	write_file(OUT, LATER("a") "\n" GOOD("b") "\n");
	job = open_job(0);
	expect_next(job, RECORD("a"), NULL);
	assert_int_equal(bulk_job_next(job, &t, &k), LINES_FAULT);
	assert_non_null(strstr(bulk_job_why(job), "line 2"));
	bulk_job_close(job);
}

static enum sg_err refusal(void)
{
	struct bulk_job *job;

	return bulk_job_open(path[IN], path[OUT], false, &job, why);
}

static void test_refuses(void **state)
{
	struct bulk_job *job;
	struct bulk_job *second;

	(void)state;
	assert_int_equal(refusal(), SG_IO);
	assert_false(exists(OUT));
	write_file(IN, RECORD("a") "\n" RECORD("b") "\n");
	write_file(OUT, GOOD("b") "\n");
	assert_int_equal(refusal(), SG_CONFLICT);
	write_file(OUT, "text\n");
	assert_int_equal(refusal(), SG_MALFORMED);
	expect_file(OUT, "text\n");
	/* A new file that is not of this old one. */
	write_file(OUT, LATER("a") "\n" GOOD("b") "\n");
	write_file(MENDED, GOOD("a") "\n{\"status\":400}\n");
	assert_int_equal(refusal(), SG_CONFLICT);
	assert_non_null(strstr(why, "out.mended, line 2"));
	assert_int_equal(unlink(path[MENDED]), 0);
	write_file(OUT, GOOD("a") "\n");
	job = open_job(1);
	assert_int_equal(
		bulk_job_open(path[IN], path[OUT], false, &second, why),
		SG_CONFLICT);
	bulk_job_close(job);
	assert_int_equal(bulk_job_open(path[IN], path[IN], false, &second, why),
			 SG_CONFIG);
}

/* A link for OUT stays one; a link where a file of ours should be is none. */
static void test_links(void **state)
{
	struct bulk_job *job;
	struct stat st;
	char link[128];

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	write_file(IN, RECORD("a") "\n" RECORD("b") "\n");
	write_file(OUT, LATER("a") "\n" GOOD("b") "\n");
	write_file(NEW, "precious");
	assert_int_equal(symlink(path[NEW], path[MENDED]), 0);
	assert_int_equal(refusal(), SG_CONFIG);
	expect_file(NEW, "precious");
	assert_int_equal(unlink(path[MENDED]), 0);
	assert_int_equal(symlink(path[OUT], link), 0);
	assert_int_equal(bulk_job_open(path[IN], link, false, &job, why),
			 SG_OK);
	expect_next(job, RECORD("a"), NULL);
	expect_next(job, RECORD("b"), GOOD("b"));
	put(job, 0, RECORD("a"), GOOD("a"));
	put(job, 1, RECORD("b"), GOOD("b"));
	end(job, true);
	expect_file(OUT, GOOD("a") "\n" GOOD("b") "\n");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(link), 0);
}

static void test_settings(void **state)
{
	struct engine_settings s;
	struct args args = {0};

	(void)state;
	assert_int_equal(streaming_settings(&args, &s, why), SG_OK);
	assert_int_equal(s.streams, 1);
	assert_int_equal(s.window, 2000);
	args.value[OPT_CONNECTIONS] = "64";
	args.value[OPT_RETRIES] = "0";
	args.value[OPT_GIVE_UP] = "7";
	assert_int_equal(streaming_settings(&args, &s, why), SG_OK);
	assert_int_equal(s.streams, 64);
	assert_int_equal(s.retries, 0);
	assert_int_equal(s.give_up_s, 7);
	args.value[OPT_CONNECTIONS] = "65";
	assert_int_equal(streaming_settings(&args, &s, why), SG_CONFIG);
	assert_non_null(strstr(why, "--connections"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_from_the_beginning, clean),
		cmocka_unit_test_teardown(test_too_long, clean),
		cmocka_unit_test_teardown(test_mends, clean),
		cmocka_unit_test_teardown(test_refused_again, clean),
		cmocka_unit_test_teardown(test_refused_early, clean),
		cmocka_unit_test_teardown(test_mends_its_own_only, clean),
		cmocka_unit_test_teardown(test_refuses, clean),
		cmocka_unit_test_teardown(test_links, clean),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
