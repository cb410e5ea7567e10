/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "tools/issuer/lines.h"

static char path[64];
static char why[256];

static int make_file(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/test_lines.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void fill(const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static struct lines *open_file(void)
{
	struct lines *l;

	assert_int_equal(lines_open(path, &l, why, sizeof(why)), SG_OK);
	return l;
}

static void expect(struct lines *l, const char *text, bool ended)
{
	struct line line;

	assert_int_equal(lines_next(l, &line), LINES_LINE);
	assert_true(span_is(line.text, text));
	assert_int_equal(line.ended, ended);
	assert_false(line.too_long);
}

static void expect_end(struct lines *l)
{
	struct line line;

	assert_int_equal(lines_next(l, &line), LINES_END);
	assert_int_equal(lines_next(l, &line), LINES_END);
	lines_close(l);
}

static void test_plain(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "one\n\ntwo\r\nlast";
	struct lines *l;

	(void)state;
	fill(text, sizeof(text) - 1);
	l = open_file();
	assert_int_equal(lines_size(l), sizeof(text) - 1);
	expect(l, "one", true);
	assert_int_equal(lines_offset(l), 7);
	expect(l, "", true);
	expect(l, "two\r", true);
	expect(l, "last", false);
	assert_int_equal(lines_offset(l), sizeof(text) - 1);
	expect_end(l);
	fill("", 0);
	expect_end(open_file());
	fill("\n", 1);
	l = open_file();
	expect(l, "", true);
	expect_end(l);
}

static void pack(const char *mode, const char *text)
{
	gzFile f = gzopen(path, mode);

	assert_non_null(f);
	assert_int_equal(gzputs(f, text), strlen(text));
	assert_int_equal(gzclose(f), Z_OK);
}

static void test_gzip(void **state)
{
	struct lines *l;
	struct line line;
	uint8_t packed[256];
	size_t n;
	FILE *f;

	(void)state;
	pack("wb", "one\ntw");
	pack("ab", "o\nthree\n"); /* a second member */
	l = open_file();
	expect(l, "one", true);
	expect(l, "two", true);
	expect(l, "three", true);
	expect_end(l);
	f = fopen(path, "rb");
	n = fread(packed, 1, sizeof(packed), f);
	assert_int_equal(fclose(f), 0);
	fill(packed, n - 5); /* cut short */
	l = open_file();
	expect(l, "one", true);
	expect(l, "two", true);
	expect(l, "three", true);
	assert_int_equal(lines_next(l, &line), LINES_FAULT);
	assert_non_null(strstr(lines_why(l), "too early"));
	assert_int_equal(lines_next(l, &line), LINES_FAULT);
	lines_close(l);
	packed[14] ^= 0xff;
	fill(packed, n);
	l = open_file();
	while (lines_next(l, &line) == LINES_LINE)
		;
	assert_int_equal(lines_next(l, &line), LINES_FAULT);
	lines_close(l);
	pack("wb", "");
	expect_end(open_file());
}

static void test_too_long(void **state)
{
	const size_t n = 3 * (size_t)LINES_LINE_MAX;
	char *text = malloc(n + LINES_LINE_MAX + 8);
	struct lines *l;
	struct line line;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n + LINES_LINE_MAX + 8);
	text[n] = '\n';
	text[n + 1 + LINES_LINE_MAX] = '\n'; /* just fits */
	text[n + 1 + LINES_LINE_MAX + 2] = '\n';
	fill(text, n + LINES_LINE_MAX + 4);
	l = open_file();
	assert_int_equal(lines_next(l, &line), LINES_LINE);
	assert_true(line.too_long && line.ended && line.text.n == 0);
	assert_int_equal(lines_offset(l), n + 1);
	assert_int_equal(lines_next(l, &line), LINES_LINE);
	assert_false(line.too_long);
	assert_int_equal(line.text.n, LINES_LINE_MAX);
	expect(l, "x", true);
	expect_end(l);
	free(text);
}

static void test_pipe(void **state)
{
	struct line line;
	struct lines *l;
	struct span ahead;
	bool end;
	int saved = dup(STDIN_FILENO);
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_true(dup2(p[0], STDIN_FILENO) >= 0);
	assert_int_equal(lines_open("-", &l, why, sizeof(why)), SG_OK);
	assert_int_equal(lines_next(l, &line), LINES_WAIT);
	assert_int_equal(write(p[1], "on", 2), 2);
	assert_int_equal(lines_next(l, &line), LINES_WAIT);
	assert_int_equal(write(p[1], "e\ntw", 4), 4);
	expect(l, "one", true);
	assert_int_equal(lines_next(l, &line), LINES_WAIT);
	assert_int_equal(lines_peek(l, 2, &ahead, &end), LINES_LINE);
	assert_true(span_is(ahead, "tw") && !end);
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(lines_peek(l, 3, &ahead, &end), LINES_LINE);
	assert_true(span_is(ahead, "tw") && end);
	expect(l, "tw", false);
	expect_end(l);
	assert_true(dup2(saved, STDIN_FILENO) >= 0);
	(void)close(saved);
	(void)close(p[0]);
}

static void test_not_there(void **state)
{
	struct lines *l;

	(void)state;
	assert_int_equal(lines_open("/nonexistent", &l, why, sizeof(why)),
			 SG_IO);
	assert_non_null(strstr(why, "/nonexistent"));
	assert_int_equal(lines_open("/tmp", &l, why, sizeof(why)), SG_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	  cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_too_long),  cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
