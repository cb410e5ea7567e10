/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_INPUT_H
#define SG_TOOLS_INPUT_H

#include "base/err.h"
#include "base/span.h"

/* input: what a command is given to work on. */
enum { INPUT_BYTES_MAX = 16 << 20 };

/*
 * Read the file PATH, or standard input for "-", whole, with a NUL beyond.
 * Owns: *OUT is the caller's; free().
 * Errors: SG_IO, SG_TOO_BIG, SG_NO_MEMORY, with WHY (CAP bytes).
 */
SG_MUST_USE enum sg_err input_bytes(const char *path, uint8_t **out, size_t *n,
				    char *why, size_t cap);
/*
 * An HC1 text: ARG itself if it begins with "HC1:", else what the file ARG (or
 * "-") holds: text, or a picture (PNG) of a QR code.  Not checked further; no
 * white space around it.
 * Owns and Errors: as above, and SG_NOT_FOUND: no QR code in the picture.
 */
SG_MUST_USE enum sg_err input_hc1(const char *arg, char **out, char *why,
				  size_t cap);
/* The same from the N BYTES of a file NAME, read by input_bytes(), which it
 * takes over. */
SG_MUST_USE enum sg_err input_hc1_of(const char *name, uint8_t *bytes, size_t n,
				     char **out, char *why, size_t cap);
/* Write N bytes at P to the file PATH, or standard output for "-" and NULL.
 * Errors: SG_IO with WHY. */
SG_MUST_USE enum sg_err output_bytes(const char *path, const void *p, size_t n,
				     char *why, size_t cap);

#endif /* SG_TOOLS_INPUT_H */
