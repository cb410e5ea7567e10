/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_QR_H
#define SG_QR_H

#include "base/err.h"
#include "base/span.h"

/*
 * qr: an HC1 text as a QR code (ISO/IEC 18004), by libqrencode and libpng.
 * Alphanumeric mode, which hcert-spec demands; error correction Q, which it
 * recommends, or M or L where the text is too long for Q.  Allocates;
 * thread-safe.
 */
enum {
	QR_QUIET = 4,	    /* light modules around the symbol */
	QR_TEXT_MAX = 4296, /* characters of a 40-L symbol */
	QR_SIZE_MAX = 177,  /* modules a side of version 40 */
	QR_SCALE_MAX = 32   /* pixels of a module */
};

struct qr {
	int size;	  /* modules a side, quiet zone not counted */
	char level;	  /* 'Q', 'M' or 'L' */
	uint8_t *modules; /* size * size, row by row; 1 is dark, 0 light */
};

/* Is the module at column X, row Y dark?  Outside of the symbol all is light,
 * so a caller may draw the quiet zone by the same question. */
static inline bool qr_dark(const struct qr *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->size && y < q->size &&
	       q->modules[y * q->size + x] != 0;
}

/*
 * Make the symbol of TEXT, all of whose characters must be in the
 * alphanumeric set (base45's alphabet is).
 * Owns: OUT->modules; qr_free().
 * Errors: SG_MALFORMED (empty, or a foreign character), SG_TOO_BIG (fits not
 * even level L), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err qr_make(struct span text, struct qr *out);
void qr_free(struct qr *q);

/*
 * The symbol with its quiet zone as an SVG document of one path, black on
 * white; a module is one unit of the view box.
 * Owns: *OUT is the caller's (no NUL at its end); free().
 * Errors: SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err qr_svg(const struct qr *q, char **out, size_t *len);
/*
 * The same as a PNG, one bit a pixel, SCALE pixels (1..QR_SCALE_MAX) a module.
 * Owns: *OUT is the caller's; free().
 * Errors: SG_INTERNAL (SCALE out of range), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err qr_png(const struct qr *q, unsigned scale,
			       uint8_t **out, size_t *len);

#endif /* SG_QR_H */
