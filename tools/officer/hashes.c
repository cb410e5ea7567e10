/* SPDX-License-Identifier: Apache-2.0 */
#include "hashes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/hex.h"

enum {
	BYTES = REVOCATION_HASH_BYTES,
	HEX_CHARS = 2 * BYTES,
	BASE64_CHARS = (BYTES + 2) / 3 * 4,
	CAP_FIRST = 1024
};

static enum sg_err fail(enum sg_err err, char *why, size_t cap,
			const char *what)
{
	(void)snprintf(why, cap, "%s", what);
	return err;
}

static enum sg_err add_bytes(struct hashes *h, const uint8_t hash[BYTES],
			     char *why, size_t cap)
{
	if (h->n == REVOCATION_LIST_MAX)
		return fail(SG_TOO_BIG, why, cap,
			    "one statement takes at most 1048576 hashes");
	if (h->n == h->cap) {
		const size_t more = h->cap > 0 ? 2 * h->cap : CAP_FIRST;
		uint8_t *p = realloc(h->p, more * BYTES);

		if (p == NULL)
			return fail(SG_NO_MEMORY, why, cap, "out of memory");
		h->p = p;
		h->cap = more;
	}
	memcpy(h->p + h->n++ * BYTES, hash, BYTES);
	return SG_OK;
}

/* TEXT is one hash. */
static enum sg_err add_text(struct hashes *h, struct span text, char *why,
			    size_t cap)
{
	uint8_t hash[BASE64_CHARS];
	size_t n = BYTES;
	const bool good =
		text.n == HEX_CHARS
			? hex_decode((const char *)text.p, hash, BYTES)
			: text.n == BASE64_CHARS &&
				  base64_decode(text, hash, &n) && n == BYTES;

	if (!good)
		return fail(SG_MALFORMED, why, cap,
			    "not a hash of 16 bytes, in hexadecimal or base64");
	return add_bytes(h, hash, why, cap);
}

/* --- lines ---------------------------------------------------------------- */

static struct span trim(struct span s)
{
	while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) != NULL)
		s.n--;
	while (s.n > 0 && strchr(" \t", s.p[0]) != NULL)
		s = span_of(s.p + 1, s.n - 1);
	return s;
}

static enum sg_err add_lines(struct hashes *h, struct span rest, char *why,
			     size_t cap)
{
	char what[128];

	for (unsigned long at = 1; rest.n > 0; at++) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		const size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;
		const struct span line = trim(span_of(rest.p, n));
		enum sg_err err = SG_OK;

		rest = end != NULL ? span_of(end + 1, rest.n - n - 1)
				   : span_of(NULL, 0);
		if (line.n > 0)
			err = add_text(h, line, what, sizeof(what));
		if (err != SG_OK) {
			(void)snprintf(why, cap, "line %lu: %s", at, what);
			return err;
		}
	}
	return SG_OK;
}

/* --- batches -------------------------------------------------------------- */

static enum sg_err add_batch(struct hashes *h, const json_t *batch,
			     enum revocation_kind kind, char *why, size_t cap)
{
	const char *type =
		json_string_value(json_object_get(batch, "hashType"));
	const json_t *entries = json_object_get(batch, "entries");
	enum sg_err err = SG_OK;
	const json_t *e;
	size_t i;

	if (type == NULL || !json_is_array(entries))
		return fail(SG_MALFORMED, why, cap,
			    "not a batch of revocations in JSON");
	if (strcasecmp(type, revocation_kind_name(kind)) != 0)
		return fail(SG_MALFORMED, why, cap,
			    "the batches are of another kind than --kind says");
	json_array_foreach(entries, i, e)
	{
		const json_t *hash = json_object_get(e, "hash");

		err = add_text(h,
			       span_of(json_string_value(hash),
				       json_string_length(hash)),
			       why, cap);
		if (err != SG_OK)
			break;
	}
	return err;
}

static enum sg_err add_json(struct hashes *h, struct span text,
			    enum revocation_kind kind, char *why, size_t cap)
{
	json_t *j = json_loadb((const char *)text.p, text.n,
			       JSON_REJECT_DUPLICATES, NULL);
	enum sg_err err = SG_OK;
	const json_t *batch;
	size_t i;

	if (j == NULL)
		return fail(SG_MALFORMED, why, cap, "not JSON");
	if (!json_is_array(j))
		err = add_batch(h, j, kind, why, cap);
	json_array_foreach(j, i, batch)
	{
		err = add_batch(h, batch, kind, why, cap);
		if (err != SG_OK)
			break;
	}
	json_decref(j);
	return err;
}

/* --- all ------------------------------------------------------------------ */

enum sg_err hashes_add(struct hashes *h, struct span text,
		       enum revocation_kind kind, char *why, size_t cap)
{
	size_t at = 0;

	while (at < text.n && strchr(" \t\r\n", text.p[at]) != NULL)
		at++;
	if (at < text.n && (text.p[at] == '[' || text.p[at] == '{'))
		return add_json(h, text, kind, why, cap);
	return add_lines(h, text, why, cap);
}

static int order(const void *a, const void *b)
{
	return memcmp(a, b, BYTES);
}

void hashes_sort(struct hashes *h)
{
	size_t kept = 0;

	if (h->n > 0)
		qsort(h->p, h->n, BYTES, order);
	for (size_t i = 0; i < h->n; i++)
		if (kept == 0 ||
		    order(h->p + (kept - 1) * BYTES, h->p + i * BYTES) != 0)
			memmove(h->p + kept++ * BYTES, h->p + i * BYTES, BYTES);
	h->n = kept;
}

void hashes_clear(struct hashes *h)
{
	free(h->p);
	*h = (struct hashes){0};
}
