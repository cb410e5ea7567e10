/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_QR_TEXT_H
#define SG_TOOLS_QR_TEXT_H

#include "base/err.h"
#include "hcert/qr.h"

enum qr_text_style {
	/* Black on white by ANSI colours that no theme redefines: right on
	 * every terminal. */
	QR_TEXT_COLOUR,
	/* No colours, for a terminal with light text on a dark ground. */
	QR_TEXT_PLAIN,
	/* No colours, for a terminal (or paper) with dark text on light. */
	QR_TEXT_INVERTED
};

/*
 * Draw Q with its quiet zone for a terminal: UTF-8 half blocks, a character
 * for two modules, one above the other.
 * Owns: *OUT (NUL-terminated) is the caller's; free().  Errors: SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err qr_text(const struct qr *q, enum qr_text_style style,
				char **out);

#endif /* SG_TOOLS_QR_TEXT_H */
