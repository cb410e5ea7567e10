/* SPDX-License-Identifier: Apache-2.0 */
#include "record_cbor.h"

#include <jansson.h>

#include "hcert/cbor.h"

static void put(struct cbor_writer *w, const json_t *j);

/* The pairs and items of a container; jansson iterates over what is not
 * const. */
static void put_object(struct cbor_writer *w, const json_t *j)
{
	json_t *object;
	const char *key;
	json_t *value;

	memcpy(&object, &j, sizeof(object));
	cbor_put_map(w, json_object_size(j));
	json_object_foreach(object, key, value)
	{
		cbor_put_text(w, span_str(key));
		put(w, value);
	}
}

static void put(struct cbor_writer *w, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT: put_object(w, j); break;
	case JSON_ARRAY:
		cbor_put_array(w, json_array_size(j));
		for (size_t i = 0; i < json_array_size(j); i++)
			put(w, json_array_get(j, i));
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

enum sg_err record_to_cbor(struct record *r)
{
	json_t *j = json_loadb(r->body, r->n, JSON_REJECT_DUPLICATES, NULL);
	struct cbor_writer w = cbor_write(r->body, sizeof(r->body));
	enum sg_err err;

	if (j == NULL)
		return SG_MALFORMED;
	put(&w, j);
	json_decref(j);
	err = cbor_done(&w, &r->n);
	return err;
}
