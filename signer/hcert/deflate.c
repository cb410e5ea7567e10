/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate.h"

#include <libdeflate.h>
#include <stdlib.h>

enum { LEVEL = 9 };

struct deflate {
	struct libdeflate_compressor *compressor;
	struct libdeflate_decompressor *decompressor;
	uint8_t scratch[DEFLATE_SCRATCH_BYTES];
};

enum sg_err deflate_create(struct deflate **out)
{
	struct deflate *d = malloc(sizeof(*d));

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	d->compressor = libdeflate_alloc_compressor(LEVEL);
	d->decompressor = libdeflate_alloc_decompressor();
	if (d->compressor == NULL || d->decompressor == NULL) {
		deflate_free(d);
		return SG_NO_MEMORY;
	}
	*out = d;
	return SG_OK;
}

void deflate_free(struct deflate *d)
{
	if (d == NULL)
		return;
	libdeflate_free_compressor(d->compressor);
	libdeflate_free_decompressor(d->decompressor);
	free(d);
}

size_t deflate_bound(struct deflate *d, size_t n)
{
	return libdeflate_zlib_compress_bound(d->compressor, n);
}

enum sg_err deflate_zlib(struct deflate *d, struct span in, uint8_t *out,
			 size_t cap, size_t *len)
{
	const size_t n =
		libdeflate_zlib_compress(d->compressor, in.p, in.n, out, cap);

	if (n == 0)
		return SG_TOO_BIG;
	*len = n;
	return SG_OK;
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
