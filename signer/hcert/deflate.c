/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate.h"

#include <libdeflate.h>
#include <math.h>
#include <stdlib.h>

enum {
	LEVEL = 9,
	/* What the codes, which stand before what they are for, and the frame
	 * take at least.  With 55 one in 3,000 of 4,000 certificates of ours
	 * came out smaller than the guess by so much that it mattered, and one
	 * of 312 from other countries. */
	CODES_BYTES = 55,
	GUESS_MAX = 1024, /* bytes of what is guessed at */
	FRACTION = 256	  /* of a bit, in which information is counted */
};

struct deflate {
	struct libdeflate_compressor *compressor, *storer;
	struct libdeflate_decompressor *decompressor;
	/* n log2(n): a symbol that stands n times among m has n log2(m) minus
	 * that of the whole's information. */
	uint32_t n_log_n[GUESS_MAX + 1];
	uint8_t scratch[DEFLATE_SCRATCH_BYTES];
};

enum sg_err deflate_create(struct deflate **out)
{
	struct deflate *d = malloc(sizeof(*d));

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	d->compressor = libdeflate_alloc_compressor(LEVEL);
	d->storer = libdeflate_alloc_compressor(0);
	d->decompressor = libdeflate_alloc_decompressor();
	if (d->compressor == NULL || d->storer == NULL ||
	    d->decompressor == NULL) {
		deflate_free(d);
		return SG_NO_MEMORY;
	}
	d->n_log_n[0] = 0;
	for (unsigned n = 1; n <= GUESS_MAX; n++)
		d->n_log_n[n] = (uint32_t)lround(FRACTION * n * log2(n));
	*out = d;
	return SG_OK;
}

void deflate_free(struct deflate *d)
{
	if (d == NULL)
		return;
	libdeflate_free_compressor(d->compressor);
	libdeflate_free_compressor(d->storer);
	libdeflate_free_decompressor(d->decompressor);
	free(d);
}

size_t deflate_bound(struct deflate *d, size_t n)
{
	return libdeflate_zlib_compress_bound(d->compressor, n);
}

static enum sg_err compress(struct libdeflate_compressor *c, struct span in,
			    uint8_t *out, size_t cap, size_t *len)
{
	const size_t n = libdeflate_zlib_compress(c, in.p, in.n, out, cap);

	if (n == 0)
		return SG_TOO_BIG;
	*len = n;
	return SG_OK;
}

enum sg_err deflate_zlib(struct deflate *d, struct span in, uint8_t *out,
			 size_t cap, size_t *len)
{
	return compress(d->compressor, in, out, cap, len);
}

enum sg_err deflate_store(struct deflate *d, struct span in, uint8_t *out,
			  size_t cap, size_t *len)
{
	return compress(d->storer, in, out, cap, len);
}

size_t deflate_guess(struct deflate *d, struct span in)
{
	uint16_t count[256] = {0};
	uint32_t information;

	if (in.n > GUESS_MAX)
		return 0;
	for (size_t i = 0; i < in.n; i++)
		count[in.p[i]]++;
	information = d->n_log_n[in.n];
	for (size_t i = 0; i < 256; i++)
		information -= d->n_log_n[count[i]];
	return information / (8 * FRACTION) + CODES_BYTES;
}

enum sg_err inflate_zlib(struct deflate *d, struct span in, uint8_t *out,
			 size_t cap, size_t *len)
{
	size_t taken;
	size_t n;

	switch (libdeflate_zlib_decompress_ex(d->decompressor, in.p, in.n, out,
					      cap, &taken, &n)) {
	case LIBDEFLATE_SUCCESS: break;
	case LIBDEFLATE_INSUFFICIENT_SPACE: return SG_TOO_BIG;
	default: return SG_BAD_ZLIB;
	}
	if (taken != in.n)
		return SG_BAD_ZLIB;
	*len = n;
	return SG_OK;
}

uint8_t *deflate_scratch(struct deflate *d)
{
	return d->scratch;
}
