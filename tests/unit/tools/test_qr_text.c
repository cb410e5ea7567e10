/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/common/qr_read.h"
#include "tools/common/qr_text.h"

static const char HC1[] = "HC1:6BFOXN%TS3DH8Q8 -LP+F2YUW";

/* Take a character of the text: which of its two modules are drawn. */
static unsigned take(const char **at)
{
	static const char *const blocks[] = {" ", "\xe2\x96\x80",
					     "\xe2\x96\x84", "\xe2\x96\x88"};

	for (unsigned i = 0; i < 4; i++) {
		const size_t n = strlen(blocks[i]);

		if (strncmp(*at, blocks[i], n) == 0) {
			*at += n;
			return i;
		}
	}
	fail_msg("neither a block nor a space");
	return 0;
}

/* Every module stands where it belongs, FLIP says in which colour. */
static void check(const struct qr *q, const char *text, unsigned flip)
{
	const char *at = text;

	for (int y = -QR_QUIET; y < q->size + QR_QUIET; y += 2) {
		for (int x = -QR_QUIET; x < q->size + QR_QUIET; x++) {
			const unsigned drawn = take(&at) ^ flip;

			assert_int_equal(drawn & 1, qr_dark(q, x, y));
			assert_int_equal(drawn >> 1, qr_dark(q, x, y + 1));
		}
		assert_int_equal(*at++, '\n');
	}
	assert_int_equal(*at, '\0');
}

static void test_plain(void **state)
{
	struct qr q;
	char *text;

	(void)state;
	assert_int_equal(qr_make(span_str(HC1), &q), SG_OK);
	assert_int_equal(qr_text(&q, QR_TEXT_PLAIN, &text), SG_OK);
	check(&q, text, 3);
	free(text);
	assert_int_equal(qr_text(&q, QR_TEXT_INVERTED, &text), SG_OK);
	check(&q, text, 0);
	free(text);
	qr_free(&q);
}

static void test_colour(void **state)
{
	struct qr q;
	char *text;
	size_t lines = 0;

	(void)state;
	assert_int_equal(qr_make(span_str(HC1), &q), SG_OK);
	assert_int_equal(qr_text(&q, QR_TEXT_COLOUR, &text), SG_OK);
	/* Each line sets both colours and resets them. */
	for (const char *at = text; *at != '\0'; lines++) {
		const char *end = strchr(at, '\n');

		assert_memory_equal(at, "\x1b[38;5;16;48;5;231m", 19);
		assert_memory_equal(end - 4, "\x1b[0m", 4);
		at = end + 1;
	}
	assert_int_equal(lines, (q.size + 2 * QR_QUIET + 1) / 2);
	free(text);
	qr_free(&q);
}

static void test_read_back(void **state)
{
	struct qr q;
	uint8_t *png;
	size_t n;
	char *text;
	enum sg_err err;

	(void)state;
	assert_int_equal(qr_make(span_str(HC1), &q), SG_OK);
	assert_int_equal(qr_png(&q, 4, &png, &n), SG_OK);
	assert_true(qr_read_is_png(span_of(png, n)));
	err = qr_read_png(span_of(png, n), &text);
	if (err == SG_BAD_MEDIA_TYPE) {
		free(png);
		qr_free(&q);
		skip(); /* built without zbar */
		return;
	}
	assert_int_equal(err, SG_OK);
	assert_string_equal(text, HC1);
	free(text);
	assert_int_equal(qr_read_png(span_of(png, n / 2), &text), SG_MALFORMED);
	free(png);
	/* An empty picture has no code. */
	memset(q.modules, 0, (size_t)q.size * (size_t)q.size);
	assert_int_equal(qr_png(&q, 4, &png, &n), SG_OK);
	assert_int_equal(qr_read_png(span_of(png, n), &text), SG_NOT_FOUND);
	free(png);
	qr_free(&q);
	assert_false(qr_read_is_png(span_str("HC1:")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
