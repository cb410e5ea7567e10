/* SPDX-License-Identifier: Apache-2.0 */
#include "hc1.h"

#include "base45.h"
#include "qr_version.h"

static const char PREFIX[] = "HC1:"; /* hcert-spec s. 4.2: context identifier */
enum { PREFIX_BYTES = sizeof(PREFIX) - 1 };

_Static_assert((size_t)HC1_TEXT_MAX / 3 * 2 + 1 <= DEFLATE_SCRATCH_BYTES,
	       "the scratch holds what the longest text decodes to");

static unsigned version_of(size_t zlib_bytes)
{
	return qr_version(PREFIX_BYTES + base45_encoded_bytes(zlib_bytes));
}

/* May compression make a QR code of COSE smaller? */
static bool compression_pays(struct deflate *d, struct span cose)
{
	return version_of(deflate_guess(d, cose)) <
	       version_of(cose.n + DEFLATE_FRAME_BYTES);
}

enum sg_err hc1_encode(struct deflate *d, struct span cose, char *out,
		       size_t cap, size_t *len)
{
	uint8_t *zlib = deflate_scratch(d);
	size_t n;
	enum sg_err e;

	if (cose.n > HC1_COSE_MAX)
		return SG_TOO_BIG;
	/* Signatures and hashes do not get smaller; what text there is saves
	 * about as much as the codes for it take. */
	e = compression_pays(d, cose)
		    ? deflate_zlib(d, cose, zlib, DEFLATE_SCRATCH_BYTES, &n)
		    : deflate_store(d, cose, zlib, DEFLATE_SCRATCH_BYTES, &n);
	if (e != SG_OK)
		return e;
	if (cap < PREFIX_BYTES + base45_encoded_bytes(n))
		return SG_TOO_BIG;
	memcpy(out, PREFIX, PREFIX_BYTES);
	*len = PREFIX_BYTES +
	       base45_encode(span_of(zlib, n), out + PREFIX_BYTES);
	return SG_OK;
}

static bool is_white(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A space is a character of base45, but never the last one: as the highest
 * digit it would stand for more than two bytes, or one, can hold. */
static struct span trim(struct span s)
{
	while (s.n > 0 && is_white(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && is_white(s.p[s.n - 1]))
		s.n--;
	return s;
}

enum sg_err hc1_decode(struct deflate *d, struct span text, uint8_t *out,
		       size_t cap, size_t *len)
{
	const struct span s = trim(text);
	const size_t room = cap < HC1_COSE_MAX ? cap : HC1_COSE_MAX;
	uint8_t *zlib = deflate_scratch(d);
	size_t n;
	enum sg_err e;

	if (s.n < PREFIX_BYTES || memcmp(s.p, PREFIX, PREFIX_BYTES) != 0)
		return SG_BAD_PREFIX;
	if (s.n > HC1_TEXT_MAX)
		return SG_TOO_BIG;
	e = base45_decode(span_of(s.p + PREFIX_BYTES, s.n - PREFIX_BYTES), zlib,
			  DEFLATE_SCRATCH_BYTES, &n);
	if (e != SG_OK)
		return e;
	return inflate_zlib(d, span_of(zlib, n), out, room, len);
}
