/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BYTES_H
#define SG_BYTES_H

#include "base/err.h"
#include "base/span.h"

/*
 * bytes: a queue of bytes that exists only while it holds some.  An idle
 * connection keeps none of its buffers.  Zeroed: empty.
 */
struct bytes {
	uint8_t *p;
	size_t off; /* first byte that is left */
	size_t len; /* bytes from there */
	size_t cap;
};

/* Errors: SG_NO_MEMORY, B as it was. */
SG_MUST_USE enum sg_err bytes_add(struct bytes *b, struct span s);
/* What is in it; valid until the next bytes_*() call. */
struct span bytes_view(const struct bytes *b);
/* Take N (at most all) from the front; the memory goes with the last one. */
void bytes_drop(struct bytes *b, size_t n);
/* Move at most CAP bytes to OUT; returns how many. */
size_t bytes_take(struct bytes *b, uint8_t *out, size_t cap);
void bytes_free(struct bytes *b);

#endif /* SG_BYTES_H */
