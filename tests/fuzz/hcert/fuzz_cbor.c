/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CBOR.  What the check accepts is one item to the lax reader
 * too, and reading and writing it again gives the same bytes. */
#include <stdlib.h>

#include "hcert/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_item(struct cbor_writer *w, const struct cbor_item *item)
{
	switch (item->type) {
	case CBOR_UINT: cbor_put_uint(w, item->arg); break;
	case CBOR_BYTES: cbor_put_bytes(w, item->run); break;
	case CBOR_TEXT: cbor_put_text(w, item->run); break;
	case CBOR_ARRAY: cbor_put_array(w, item->arg); break;
	case CBOR_MAP: cbor_put_map(w, item->arg); break;
	case CBOR_TAG: cbor_put_tag(w, item->arg); break;
	case CBOR_FALSE: cbor_put_bool(w, false); break;
	case CBOR_TRUE: cbor_put_bool(w, true); break;
	case CBOR_NULL: cbor_put_null(w); break;
	case CBOR_FLOAT: cbor_put_real(w, item->real); break;
	case CBOR_NINT: {
		int64_t v;

		if (cbor_int(item, &v)) {
			cbor_put_int(w, v);
			break;
		}
		cbor_put_raw(w, item->all);
		break;
	}
	case CBOR_UNDEFINED:
	case CBOR_SIMPLE: cbor_put_raw(w, item->all); break;
	case CBOR_BREAK:
	default: abort();
	}
}

static void rewrite(struct span in)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	uint8_t *again = malloc(in.n);
	struct cbor_writer w = cbor_write(again, in.n);
	struct cbor_item item;
	size_t n;

	if (again == NULL)
		return;
	while (!cbor_at_end(&r)) {
		if (cbor_next(&r, &item) != SG_OK)
			abort();
		put_item(&w, &item);
	}
	if (cbor_done(&w, &n) != SG_OK || !span_eq(span_of(again, n), in))
		abort();
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);
	const struct cbor_limits limits = {.depth = 8, .items = 1000};
	struct cbor_reader r = cbor_read(in, CBOR_LAX);
	const enum sg_err whole = cbor_skip(&r, limits.depth, NULL);
	struct cbor_item item;

	if (cbor_check(in, limits) == SG_OK) {
		if (whole != SG_OK || !cbor_at_end(&r))
			abort();
		rewrite(in);
	}
	r = cbor_read(in, CBOR_LAX);
	while (!cbor_at_end(&r)) {
		const size_t before = r.at;

		if (cbor_next(&r, &item) != SG_OK)
			break;
		if (r.at <= before || r.at > size ||
		    item.all.n != r.at - before)
			abort();
	}
	return 0;
}
