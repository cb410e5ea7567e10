/* SPDX-License-Identifier: Apache-2.0 */
#include "record_cbor.h"

#include <assert.h>
#include <stdlib.h>

#include <jansson.h>

#include "hcert/cbor.h"

enum { MEMBERS_MAX = 16 }; /* of an object of a record */

struct writing {
	struct cbor_writer w;
	bool sorted;
};

struct member {
	const char *key;
	const json_t *value;
};

static void put(struct writing *g, const json_t *j);

/* By the encoded keys: the shorter one first. */
static int by_key(const void *a, const void *b)
{
	const char *x = ((const struct member *)a)->key;
	const char *y = ((const struct member *)b)->key;
	const size_t xn = strlen(x);
	const size_t yn = strlen(y);

	return xn != yn ? (xn > yn) - (xn < yn) : memcmp(x, y, xn);
}

/* The pairs and items of a container; jansson iterates over what is not
 * const. */
static void put_object(struct writing *g, const json_t *j)
{
	struct member member[MEMBERS_MAX];
	size_t n = 0;
	json_t *object;
	const char *key;
	json_t *value;

	memcpy(&object, &j, sizeof(object));
	cbor_put_map(&g->w, json_object_size(j));
	json_object_foreach(object, key, value)
	{
		assert(n < MEMBERS_MAX);
		member[n++] = (struct member){.key = key, .value = value};
	}
	if (g->sorted)
		qsort(member, n, sizeof(member[0]), by_key);
	for (size_t i = 0; i < n; i++) {
		cbor_put_text(&g->w, span_str(member[i].key));
		put(g, member[i].value);
	}
}

static void put(struct writing *g, const json_t *j)
{
	struct cbor_writer *w = &g->w;

	switch (json_typeof(j)) {
	case JSON_OBJECT: put_object(g, j); break;
	case JSON_ARRAY:
		cbor_put_array(w, json_array_size(j));
		for (size_t i = 0; i < json_array_size(j); i++)
			put(g, json_array_get(j, i));
		break;
	case JSON_STRING:
		cbor_put_text(w, span_of(json_string_value(j),
					 json_string_length(j)));
		break;
	case JSON_INTEGER: cbor_put_int(w, json_integer_value(j)); break;
	case JSON_REAL: cbor_put_real(w, json_real_value(j)); break;
	case JSON_TRUE: cbor_put_bool(w, true); break;
	case JSON_FALSE: cbor_put_bool(w, false); break;
	case JSON_NULL: cbor_put_null(w); break;
	}
}

enum sg_err record_to_cbor(struct record *r, bool sorted)
{
	json_t *j = json_loadb(r->body, r->n, JSON_REJECT_DUPLICATES, NULL);
	struct writing g = {.w = cbor_write(r->body, sizeof(r->body)),
			    .sorted = sorted};
	enum sg_err err;

	if (j == NULL)
		return SG_MALFORMED;
	put(&g, j);
	json_decref(j);
	err = cbor_done(&g.w, &r->n);
	return err;
}
