/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_QR_READ_H
#define SG_TOOLS_QR_READ_H

#include "base/err.h"
#include "base/span.h"

/*
 * Read the one QR code in an image, PNG, at most QR_READ_PIXELS_MAX pixels.
 * Owns: *OUT (NUL-terminated) is the caller's; free().
 * Errors: SG_MALFORMED (not a PNG, or too big), SG_NOT_FOUND (no QR code, or
 * several that differ), SG_NO_MEMORY, SG_BAD_MEDIA_TYPE (built without zbar).
 */
enum { QR_READ_PIXELS_MAX = 1 << 26 };

SG_MUST_USE enum sg_err qr_read_png(struct span png, char **out);
/* Does BYTES begin like a PNG file? */
bool qr_read_is_png(struct span bytes);

#endif /* SG_TOOLS_QR_READ_H */
