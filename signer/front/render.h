/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RENDER_H
#define SG_RENDER_H

#include "base/err.h"
#include "base/span.h"
#include "media.h"

/*
 * render: a signed certificate in the forms that are no document.  A QR code
 * costs about a millisecond, so it is made on request only.
 */

enum { RENDER_PNG_SCALE = 6 }; /* pixels of a module */

/*
 * The QR code of HC1 as FORM: MEDIA_SVG or MEDIA_PNG.
 * Owns: *OUT is the caller's; free().
 * Errors: SG_NOT_ACCEPTABLE (too long for any QR code), SG_NO_MEMORY,
 * SG_INTERNAL.
 */
SG_MUST_USE enum sg_err render_qr(struct span hc1, enum media form,
				  uint8_t **out, size_t *len);

#endif /* SG_RENDER_H */
