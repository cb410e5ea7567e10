/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SAMPLE_STATE_H
#define SG_BENCH_SAMPLE_STATE_H

#include <stdatomic.h>

#include "sample.h"

/* The inside that sample.c (what is kept) and sample_verify.c share. */

/* Certificates one after the other: each a struct sample_kept, its UVCI, its
 * bytes, and room up to the next one's alignment. */
enum { SAMPLE_CHUNK = 1 << 20, SAMPLE_ALIGN = 8 };

struct sample_kept {
	int64_t at; /* when it came, seconds since 1970 */
	uint32_t uvci_n, n;
};

struct sample_chunk {
	size_t used;	/* bytes */
	uint64_t first; /* the number of its first certificate */
	_Alignas(SAMPLE_ALIGN) uint8_t bytes[SAMPLE_CHUNK];
};

/* A PEM file. */
struct sample_keys {
	uint8_t *pem;
	size_t n;
};

struct sampler {
	enum sample_form form;
	struct https_settings server;
	struct sample_keys before, after; /* of the run */
	uint64_t kept;
	size_t nchunks, room;
	struct sample_chunk **chunk;
	/* While it is verified: */
	_Atomic size_t next; /* chunk */
	uint64_t *print;     /* of each signature; 0: it is wrong */
};

/* Read /v1/keys. */
SG_MUST_USE enum sg_err sampler_read_keys(const struct sampler *s,
					  struct sample_keys *out, char *why,
					  size_t cap);

#endif /* SG_BENCH_SAMPLE_STATE_H */
