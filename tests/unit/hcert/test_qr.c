/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_ZBAR
#include <zbar.h>
#endif

#include "hcert/qr.h"

enum { SCALE = 3, BLACK = 0x00, WHITE = 0xff };

/* N characters of base45's alphabet, all 45 of them in turn, after "HC1:". */
static char *sample(size_t n)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ "
				  "$%*+-./:";
	char *text = malloc(n + 5);

	assert_non_null(text);
	memcpy(text, "HC1:", 4);
	for (size_t i = 4; i < n; i++)
		text[i] = set[(i * 7) % 45];
	text[n] = '\0';
	return text;
}

static struct qr make(size_t n)
{
	char *text = sample(n);
	struct qr q = {0};

	assert_int_equal(qr_make(span_of(text, n), &q), SG_OK);
	free(text);
	return q;
}

/* Read a PNG by libpng's simplified reader, to 8-bit grey. */
static uint8_t *pixels_of(const uint8_t *data, size_t len, unsigned *side)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	uint8_t *pixels;

	assert_true(png_image_begin_read_from_memory(&image, data, len));
	image.format = PNG_FORMAT_GRAY;
	assert_int_equal(image.width, image.height);
	*side = image.width;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	assert_non_null(pixels);
	assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
	return pixels;
}

static void test_level_follows_length(void **state)
{
	static const struct {
		size_t n;
		char level;
	} rows[] = {{4, 'Q'},	 {400, 'Q'},  {2420, 'Q'}, {2421, 'M'},
		    {3391, 'M'}, {3392, 'L'}, {4296, 'L'}};
	struct qr q;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		q = make(rows[i].n);
		assert_int_equal(q.level, rows[i].level);
		assert_int_equal((q.size - 17) % 4, 0);
		qr_free(&q);
		assert_null(q.modules);
	}
}

static void test_refusals(void **state)
{
	char *text = sample(QR_TEXT_MAX + 1);
	struct qr q = {0};

	(void)state;
	assert_int_equal(qr_make(span_of(text, QR_TEXT_MAX + 1), &q),
			 SG_TOO_BIG);
	assert_int_equal(qr_make(SPAN_LIT(""), &q), SG_MALFORMED);
	assert_int_equal(qr_make(SPAN_LIT("HC1:lower"), &q), SG_MALFORMED);
	assert_int_equal(qr_make(SPAN_LIT("HC1:\xc4\x90"), &q), SG_MALFORMED);
	assert_null(q.modules);
	free(text);
}

static void test_png_shows_the_modules(void **state)
{
	struct qr q = make(380);
	uint8_t *data = NULL;
	uint8_t *pixels;
	unsigned side;
	size_t len;
	bool dark;

	(void)state;
	assert_int_equal(qr_png(&q, 0, &data, &len), SG_INTERNAL);
	assert_int_equal(qr_png(&q, QR_SCALE_MAX + 1, &data, &len),
			 SG_INTERNAL);
	assert_int_equal(qr_png(&q, SCALE, &data, &len), SG_OK);
	/* IHDR: bit depth 1, colour type 0 (ISO/IEC 15948 s. 11.2.2) */
	assert_int_equal(data[24], 1);
	assert_int_equal(data[25], 0);
	pixels = pixels_of(data, len, &side);
	assert_int_equal(side, (q.size + 2 * QR_QUIET) * SCALE);
	for (unsigned y = 0; y < side; y++) {
		for (unsigned x = 0; x < side; x++) {
			dark = qr_dark(&q, (int)(x / SCALE) - QR_QUIET,
				       (int)(y / SCALE) - QR_QUIET);
			assert_int_equal(pixels[y * side + x],
					 dark ? BLACK : WHITE);
		}
	}
	free(pixels);
	free(data);
	qr_free(&q);
}

/* Largest symbol at the largest scale: the row buffer's bound. */
static void test_png_largest(void **state)
{
	struct qr q = make(QR_TEXT_MAX);
	uint8_t *data = NULL;
	unsigned side;
	size_t len;

	(void)state;
	assert_int_equal(q.size, QR_SIZE_MAX);
	assert_int_equal(qr_png(&q, QR_SCALE_MAX, &data, &len), SG_OK);
	free(pixels_of(data, len, &side));
	assert_int_equal(side, (QR_SIZE_MAX + 2 * QR_QUIET) * QR_SCALE_MAX);
	free(data);
	qr_free(&q);
}

/* Draw the SVG's path as its text says, and compare. */
static void test_svg_shows_the_modules(void **state)
{
	struct qr q = make(380);
	uint8_t *seen = calloc((size_t)q.size, (size_t)q.size);
	char *svg = NULL;
	const char *at;
	size_t len;
	char *text;
	int x;
	int y;
	int w;
	int back;
	int n;

	(void)state;
	assert_non_null(seen);
	assert_int_equal(qr_svg(&q, &svg, &len), SG_OK);
	text = strndup(svg, len);
	assert_non_null(text);
	assert_memory_equal(text, "<svg ", 5);
	at = strstr(text, "<path d=\"");
	assert_non_null(at);
	at += strlen("<path d=\"");
	while (*at == 'M') {
		/* NOLINTNEXTLINE(cert-err34-c): what qr_svg() has printed */
		n = sscanf(at, "M%d %dh%dv1h-%dz", &x, &y, &w, &back);
		assert_int_equal(n, 4);
		assert_int_equal(w, back);
		for (int i = 0; i < w; i++)
			seen[(y - QR_QUIET) * q.size + x - QR_QUIET + i]++;
		at = strchr(at, 'z') + 1;
	}
	assert_string_equal(at, "\"/></svg>\n");
	assert_memory_equal(seen, q.modules, (size_t)q.size * (size_t)q.size);
	free(text);
	free(svg);
	free(seen);
	qr_free(&q);
}

#ifdef HAVE_ZBAR
static void test_zbar_reads_it(void **state)
{
	static const size_t lengths[] = {4, 120, 380, 900};
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();

	(void)state;
	zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char *text = sample(lengths[i]);
		struct qr q = make(lengths[i]);
		zbar_image_t *image = zbar_image_create();
		const zbar_symbol_t *symbol;
		uint8_t *data = NULL;
		uint8_t *pixels;
		unsigned side;
		size_t len;

		assert_int_equal(qr_png(&q, SCALE, &data, &len), SG_OK);
		pixels = pixels_of(data, len, &side);
		zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
		zbar_image_set_size(image, side, side);
		zbar_image_set_data(image, pixels, (size_t)side * side, NULL);
		assert_int_equal(zbar_scan_image(scanner, image), 1);
		symbol = zbar_image_first_symbol(image);
		assert_int_equal(zbar_symbol_get_data_length(symbol),
				 lengths[i]);
		assert_memory_equal(zbar_symbol_get_data(symbol), text,
				    lengths[i]);
		zbar_image_destroy(image);
		free(pixels);
		free(data);
		qr_free(&q);
		free(text);
	}
	zbar_image_scanner_destroy(scanner);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_follows_length),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_png_shows_the_modules),
		cmocka_unit_test(test_png_largest),
		cmocka_unit_test(test_svg_shows_the_modules),
#ifdef HAVE_ZBAR
		cmocka_unit_test(test_zbar_reads_it),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
