/* SPDX-License-Identifier: Apache-2.0 */
#include "qr_text.h"

#include <stdlib.h>

/* xterm's colour cube: 16 is black and 231 white, whatever the theme. */
#define COLOUR_ON "\x1b[38;5;16;48;5;231m"
#define COLOUR_OFF "\x1b[0m"

/* By which of the two modules (above: 1, below: 2) is drawn in the text's
 * colour. */
static const char *const HALF_BLOCKS[] = {" ", "\xe2\x96\x80", "\xe2\x96\x84",
					  "\xe2\x96\x88"};

enum sg_err qr_text(const struct qr *q, enum qr_text_style style, char **out)
{
	const int end = q->size + QR_QUIET;
	const size_t side = (size_t)q->size + (size_t)2 * QR_QUIET;
	const size_t line =
		side * 3 + sizeof(COLOUR_ON) + sizeof(COLOUR_OFF) + 1;
	/* Light text draws the light modules. */
	const unsigned flip = style == QR_TEXT_PLAIN ? 3 : 0;
	char *text = malloc((side / 2 + 1) * line + 1);
	char *to = text;

	if (text == NULL)
		return SG_NO_MEMORY;
	/* A last row beyond the quiet zone, where the side is odd, is light
	 * as the zone is. */
	for (int y = -QR_QUIET; y < end; y += 2) {
		if (style == QR_TEXT_COLOUR)
			to = stpcpy(to, COLOUR_ON);
		for (int x = -QR_QUIET; x < end; x++) {
			const unsigned dark = (qr_dark(q, x, y) ? 1U : 0U) |
					      (qr_dark(q, x, y + 1) ? 2U : 0U);

			to = stpcpy(to, HALF_BLOCKS[dark ^ flip]);
		}
		if (style == QR_TEXT_COLOUR)
			to = stpcpy(to, COLOUR_OFF);
		*to++ = '\n';
	}
	*to = '\0';
	*out = text;
	return SG_OK;
}
