/* SPDX-License-Identifier: Apache-2.0 */
/* The scratch of dcc_json and dcc_cbor, and a call of either. */
#ifndef SG_TEST_DCC_WORLD_H
#define SG_TEST_DCC_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "front/dcc_scratch.h"
#include "hcert/cbor.h"

static const struct cbor_limits LIMITS = {DCC_DEPTH_MAX, 100000};

static struct dcc_scratch *scratch;

static inline int setup(void **state)
{
	(void)state;
	scratch = calloc(1, sizeof(*scratch));
	return scratch == NULL;
}

static inline int teardown(void **state)
{
	(void)state;
	dcc_scratch_clear(scratch);
	free(scratch);
	return 0;
}

/* READ the N bytes at IN; what comes out is in deterministic form. */
static inline enum sg_err dcc_world_read(
	enum sg_err (*read)(struct dcc_scratch *, struct span, struct span *),
	const void *in, size_t n, struct span *out)
{
	/* A block of its own, so that a read past its end is seen. */
	uint8_t *exact = malloc(n > 0 ? n : 1);
	enum sg_err err;

	assert_non_null(exact);
	if (n > 0)
		memcpy(exact, in, n);
	*out = span_of(NULL, 0);
	err = read(scratch, span_of(exact, n), out);
	free(exact);
	if (err == SG_OK)
		assert_int_equal(cbor_check(*out, LIMITS), SG_OK);
	return err;
}

#endif /* SG_TEST_DCC_WORLD_H */
