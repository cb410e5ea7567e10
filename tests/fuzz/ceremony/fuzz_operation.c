/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an operation: what is decoded is encoded to the same bytes, and
 * its text is lines of UTF-8 in which nothing hides. */
#include <stdlib.h>

#include "ceremony/operation.h"
#include "hcert/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct operation *o)
{
	static char text[OPERATION_TEXT_MAX];
	struct span rest;
	enum sg_err err;

	err = operation_text(o, text, sizeof(text));
	if (err == SG_TOO_BIG)
		return;
	if (err != SG_OK)
		abort();
	rest = span_str(text);
	while (rest.n > 0) {
		const uint32_t c = utf8_next(&rest);

		if (c == UTF8_BROKEN || (c != '\n' && utf8_is_hidden(c)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[OPERATION_BYTES_MAX];
	static struct operation o;
	const char *why;
	size_t n;

	if (operation_decode(span_of(data, size), &o, &why) != SG_OK) {
		if (why == NULL)
			abort();
		return 0;
	}
	if (why != NULL ||
	    operation_encode(&o, again, sizeof(again), &n) != SG_OK ||
	    !span_eq(span_of(again, n), span_of(data, size)))
		abort();
	check_text(&o);
	return 0;
}
