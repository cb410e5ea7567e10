/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DEFLATE_H
#define SG_DEFLATE_H

#include "base/err.h"
#include "base/span.h"

/*
 * deflate: the zlib format (RFC 1950) by libdeflate, level 9.  One struct per
 * thread: it owns the (large) working memory.
 */
struct deflate; /* opaque */

SG_MUST_USE enum sg_err deflate_create(struct deflate **out);
void deflate_free(struct deflate *d);
/* Bytes that compressing N bytes may need. */
size_t deflate_bound(struct deflate *d, size_t n);
/* Compress IN.  Errors: SG_TOO_BIG when CAP is short (see deflate_bound). */
SG_MUST_USE enum sg_err deflate_zlib(struct deflate *d, struct span in,
				     uint8_t *out, size_t cap, size_t *len);
/* The same without compression, which takes the fewest cycles and
 * DEFLATE_FRAME_BYTES for each 64 KiB more than IN has.  Errors: as above. */
enum { DEFLATE_FRAME_BYTES = 11 };
SG_MUST_USE enum sg_err deflate_store(struct deflate *d, struct span in,
				      uint8_t *out, size_t cap, size_t *len);
/* So many bytes are left of IN, or a few more, if it is compressed; hardly ever
 * fewer where IN is a certificate.  Takes a twentieth of the time that
 * compression does. */
size_t deflate_guess(struct deflate *d, struct span in);
/* Decompress IN, which must be one whole zlib stream without trailing bytes;
 * a bomb stops at CAP.  Errors: SG_BAD_ZLIB, SG_TOO_BIG. */
SG_MUST_USE enum sg_err inflate_zlib(struct deflate *d, struct span in,
				     uint8_t *out, size_t cap, size_t *len);

/* Memory for the stage before or after (see hc1.h); nothing above uses it. */
enum { DEFLATE_SCRATCH_BYTES = 1 << 17 };
uint8_t *deflate_scratch(struct deflate *d);

#endif /* SG_DEFLATE_H */
