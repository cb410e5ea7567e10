/* SPDX-License-Identifier: Apache-2.0 */
#include "json_cbor.h"

#include <math.h>
#include <stdlib.h>

#include "hcert/cbor.h"

enum { DEPTH_MAX = 64 };
/* 2^63, from which on a double is no int64_t. */
#define INTEGER_LIMIT 9223372036854775808.0

struct key {
	struct span text;
	json_t *value;
};

static int by_encoding(const void *a, const void *b)
{
	const struct key *x = a;
	const struct key *y = b;

	if (cbor_text_before(x->text, y->text))
		return -1;
	return cbor_text_before(y->text, x->text) ? 1 : 0;
}

static enum sg_err put(struct cbor_writer *w, json_t *j, unsigned depth);

static enum sg_err put_object(struct cbor_writer *w, json_t *j, unsigned depth)
{
	const size_t n = json_object_size(j);
	struct key *keys = calloc(n + 1, sizeof(keys[0]));
	enum sg_err err = SG_OK;
	size_t i = 0;

	if (keys == NULL)
		return SG_NO_MEMORY;
	for (void *at = json_object_iter(j); at != NULL;
	     at = json_object_iter_next(j, at), i++)
		keys[i] =
			(struct key){.text = span_str(json_object_iter_key(at)),
				     .value = json_object_iter_value(at)};
	qsort(keys, n, sizeof(keys[0]), by_encoding);
	cbor_put_map(w, n);
	for (i = 0; i < n && err == SG_OK; i++) {
		cbor_put_text(w, keys[i].text);
		err = put(w, keys[i].value, depth);
	}
	free(keys);
	return err;
}

static void put_real(struct cbor_writer *w, double real)
{
	if (floor(real) == real && fabs(real) < INTEGER_LIMIT)
		cbor_put_int(w, (int64_t)real);
	else
		cbor_put_real(w, real);
}

static enum sg_err put(struct cbor_writer *w, json_t *j, unsigned depth)
{
	enum sg_err err = SG_OK;

	if (depth > DEPTH_MAX)
		return SG_TOO_BIG;
	switch (json_typeof(j)) {
	case JSON_OBJECT: return put_object(w, j, depth + 1);
	case JSON_ARRAY:
		cbor_put_array(w, json_array_size(j));
		for (size_t i = 0; i < json_array_size(j) && err == SG_OK; i++)
			err = put(w, json_array_get(j, i), depth + 1);
		return err;
	case JSON_STRING:
		cbor_put_text(w, span_of(json_string_value(j),
					 json_string_length(j)));
		return SG_OK;
	case JSON_INTEGER: cbor_put_int(w, json_integer_value(j)); return SG_OK;
	case JSON_REAL: put_real(w, json_real_value(j)); return SG_OK;
	case JSON_TRUE:
	case JSON_FALSE: cbor_put_bool(w, json_is_true(j)); return SG_OK;
	case JSON_NULL:
	default: cbor_put_null(w); return SG_OK;
	}
}

enum sg_err json_cbor(json_t *j, uint8_t **out, size_t *n)
{
	struct cbor_writer w = cbor_write(NULL, 0);
	enum sg_err err = put(&w, j, 0);
	size_t need;

	*out = NULL;
	if (err != SG_OK)
		return err;
	/* The first pass has measured. */
	if (cbor_done(&w, &need) != SG_TOO_BIG || need == 0)
		return SG_TOO_BIG;
	*out = malloc(need + 1);
	if (*out == NULL)
		return SG_NO_MEMORY;
	w = cbor_write(*out, need);
	err = put(&w, j, 0);
	if (err == SG_OK)
		err = cbor_done(&w, n);
	if (err != SG_OK) {
		free(*out);
		*out = NULL;
	}
	return err;
}
