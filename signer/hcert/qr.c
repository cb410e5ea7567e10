/* SPDX-License-Identifier: Apache-2.0 */
#include "qr.h"

#include <errno.h>
#include <png.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	HEAD_TEXT = 256,     /* of an SVG, up to its path */
	PATH_TEXT = 64,	     /* of one rectangle in it */
	FIRST_BYTES = 16384, /* of an output buffer, doubled as it fills */
	MODULE_DARK = 1	     /* libqrencode: the other bits tell its role */
};

/* Error correction, the recommended level first (hcert-spec). */
static const struct {
	QRecLevel level;
	char name;
} LEVELS[] = {{QR_ECLEVEL_Q, 'Q'}, {QR_ECLEVEL_M, 'M'}, {QR_ECLEVEL_L, 'L'}};

/* --- a buffer that grows ----------------------------------------------- */

struct sink {
	uint8_t *p;
	size_t cap;
	size_t len;
	bool failed; /* no memory: nothing more is kept */
};

static void sink_put(struct sink *s, const void *data, size_t n)
{
	size_t cap = s->cap > 0 ? s->cap : FIRST_BYTES;
	uint8_t *p;

	if (s->failed)
		return;
	while (cap - s->len < n)
		cap *= 2;
	if (cap != s->cap) {
		p = realloc(s->p, cap);
		if (p == NULL) {
			s->failed = true;
			return;
		}
		s->p = p;
		s->cap = cap;
	}
	memcpy(s->p + s->len, data, n);
	s->len += n;
}

static void sink_text(struct sink *s, const char *text)
{
	sink_put(s, text, strlen(text));
}

static enum sg_err sink_done(struct sink *s, uint8_t **out, size_t *len)
{
	if (s->failed) {
		free(s->p);
		return SG_NO_MEMORY;
	}
	*out = s->p;
	*len = s->len;
	return SG_OK;
}

/* --- the symbol -------------------------------------------------------- */

static enum sg_err error_of_errno(void)
{
	switch (errno) {
	case ERANGE: return SG_TOO_BIG;
	case EINVAL: return SG_MALFORMED;
	default: return SG_NO_MEMORY;
	}
}

/* The symbol at LEVEL, of the smallest version that holds TEXT. */
static enum sg_err encode(struct span text, QRecLevel level, QRcode **out)
{
	QRinput *input = QRinput_new2(0, level);
	enum sg_err err = SG_OK;

	if (input == NULL)
		return SG_NO_MEMORY;
	if (QRinput_append(input, QR_MODE_AN, (int)text.n, text.p) != 0) {
		err = error_of_errno();
	} else {
		*out = QRcode_encodeInput(input);
		if (*out == NULL)
			err = error_of_errno();
	}
	QRinput_free(input);
	return err;
}

enum sg_err qr_make(struct span text, struct qr *out)
{
	enum sg_err err = SG_TOO_BIG;
	QRcode *code = NULL;
	size_t level = 0;
	size_t area;
	uint8_t *modules;

	if (text.n == 0)
		return SG_MALFORMED;
	if (text.n > QR_TEXT_MAX)
		return SG_TOO_BIG;
	for (; level < sizeof(LEVELS) / sizeof(LEVELS[0]); level++) {
		err = encode(text, LEVELS[level].level, &code);
		if (err != SG_TOO_BIG)
			break;
	}
	if (err != SG_OK)
		return err;
	area = (size_t)code->width * (size_t)code->width;
	modules = malloc(area);
	if (modules == NULL) {
		QRcode_free(code);
		return SG_NO_MEMORY;
	}
	for (size_t i = 0; i < area; i++)
		modules[i] = code->data[i] & MODULE_DARK;
	*out = (struct qr){.size = code->width,
			   .level = LEVELS[level].name,
			   .modules = modules};
	QRcode_free(code);
	return SG_OK;
}

void qr_free(struct qr *q)
{
	free(q->modules);
	*q = (struct qr){0};
}

/* --- SVG --------------------------------------------------------------- */

/* One rectangle for each run of dark modules in row Y. */
static void svg_row(struct sink *s, const struct qr *q, int y)
{
	char path[PATH_TEXT];
	int x = 0;
	int end;

	while (x < q->size) {
		if (!qr_dark(q, x, y)) {
			x++;
			continue;
		}
		end = x + 1;
		while (qr_dark(q, end, y))
			end++;
		(void)snprintf(path, sizeof(path), "M%d %dh%dv1h-%dz",
			       x + QR_QUIET, y + QR_QUIET, end - x, end - x);
		sink_text(s, path);
		x = end;
	}
}

enum sg_err qr_svg(const struct qr *q, char **out, size_t *len)
{
	const int side = q->size + 2 * QR_QUIET;
	char head[HEAD_TEXT];
	struct sink s = {0};
	uint8_t *bytes = NULL;
	enum sg_err err;

	(void)snprintf(head, sizeof(head),
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		       "viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
		       "<path fill=\"#fff\" d=\"M0 0h%dv%dh-%dz\"/><path d=\"",
		       side, side, side, side, side);
	sink_text(&s, head);
	for (int y = 0; y < q->size; y++)
		svg_row(&s, q, y);
	sink_text(&s, "\"/></svg>\n");
	err = sink_done(&s, &bytes, len);
	*out = (char *)bytes;
	return err;
}

/* --- PNG --------------------------------------------------------------- */

static void png_sink(png_structp png, png_bytep data, size_t n)
{
	sink_put(png_get_io_ptr(png), data, n);
}

static void png_no_flush(png_structp png)
{
	(void)png;
}

/* The pixels of module row Y, eight in a byte; a set bit is white. */
static void png_row(const struct qr *q, int y, int scale, uint8_t *row,
		    size_t row_bytes)
{
	const int side = q->size + 2 * QR_QUIET;
	int bit;

	memset(row, 0xff, row_bytes);
	for (int x = 0; x < side; x++) {
		if (!qr_dark(q, x - QR_QUIET, y - QR_QUIET))
			continue;
		for (int i = 0; i < scale; i++) {
			bit = x * scale + i;
			row[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
		}
	}
}

/* Apart from qr_png(), so that libpng's longjmp() crosses no variable that
 * changes after setjmp().  False when libpng gave up. */
static bool png_make(png_structp png, png_infop info, const struct qr *q,
		     int scale, struct sink *s)
{
	const int side = q->size + 2 * QR_QUIET;
	const png_uint_32 pixels = (png_uint_32)(side * scale);
	uint8_t row[(QR_SIZE_MAX + 2 * QR_QUIET) * QR_SCALE_MAX / 8];

	if (setjmp(png_jmpbuf(png)) !=
	    0) /* NOLINT(cert-err52-cpp): libpng's way */
		return false;
	png_set_write_fn(png, s, png_sink, png_no_flush);
	png_set_IHDR(png, info, pixels, pixels, 1, PNG_COLOR_TYPE_GRAY,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int y = 0; y < side; y++) {
		png_row(q, y, scale, row, sizeof(row));
		for (int i = 0; i < scale; i++)
			png_write_row(png, row);
	}
	png_write_end(png, NULL);
	return true;
}

enum sg_err qr_png(const struct qr *q, unsigned scale, uint8_t **out,
		   size_t *len)
{
	struct sink s = {0};
	png_structp png;
	png_infop info;

	if (scale == 0 || scale > QR_SCALE_MAX)
		return SG_INTERNAL;
	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	if (png == NULL)
		return SG_NO_MEMORY;
	info = png_create_info_struct(png);
	if (info == NULL || !png_make(png, info, q, (int)scale, &s))
		s.failed = true;
	png_destroy_write_struct(&png, &info);
	return sink_done(&s, out, len);
}
