/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/hex.h"
#include "hcert/cbor.h"

enum { DEPTH_MAX = 16, NONCE_BYTES = 16, HASH_BYTES = 32 };

static json_t *bytes_json(struct span bytes)
{
	const bool hex = bytes.n == NONCE_BYTES || bytes.n == HASH_BYTES;
	const size_t n =
		hex ? HEX_TEXT(bytes.n) : base64_encoded_bytes(bytes.n);
	char *text = malloc(n + 1);
	json_t *out;

	if (text == NULL)
		return NULL;
	if (hex)
		(void)hex_encode(bytes.p, bytes.n, text);
	else
		text[base64_encode(bytes, BASE64_STANDARD, text)] = '\0';
	out = json_string(text);
	free(text);
	return out;
}

static enum sg_err take(struct cbor_reader *r, unsigned depth, json_t **out);

static enum sg_err take_map(struct cbor_reader *r, uint64_t pairs,
			    unsigned depth, json_t *map)
{
	struct span key;
	json_t *value = NULL;
	enum sg_err err = SG_OK;

	for (; err == SG_OK && pairs > 0; pairs--) {
		err = cbor_string(r, CBOR_TEXT, &key);
		if (err == SG_OK)
			err = take(r, depth, &value);
		if (err == SG_OK &&
		    json_object_setn_new(map, (const char *)key.p, key.n,
					 value) != 0)
			err = SG_MALFORMED;
	}
	return err;
}

static enum sg_err take_array(struct cbor_reader *r, uint64_t items,
			      unsigned depth, json_t *array)
{
	json_t *value = NULL;
	enum sg_err err = SG_OK;

	for (; err == SG_OK && items > 0; items--) {
		err = take(r, depth, &value);
		if (err == SG_OK && json_array_append_new(array, value) != 0)
			err = SG_NO_MEMORY;
	}
	return err;
}

static enum sg_err take_nested(struct cbor_reader *r,
			       const struct cbor_item *head, unsigned depth,
			       json_t **out)
{
	json_t *nested;
	enum sg_err err;

	if (depth == 0)
		return SG_MALFORMED;
	nested = head->type == CBOR_MAP ? json_object() : json_array();
	if (nested == NULL)
		return SG_NO_MEMORY;
	err = head->type == CBOR_MAP
		      ? take_map(r, head->arg, depth - 1, nested)
		      : take_array(r, head->arg, depth - 1, nested);
	if (err == SG_OK)
		*out = nested;
	else
		json_decref(nested);
	return err;
}

static json_t *text_json(struct span text)
{
	return text.n > 0 ? json_stringn((const char *)text.p, text.n)
			  : json_string("");
}

static enum sg_err take(struct cbor_reader *r, unsigned depth, json_t **out)
{
	struct cbor_item item;
	int64_t v;
	enum sg_err err = cbor_next(r, &item);

	if (err != SG_OK)
		return err;
	switch (item.type) {
	case CBOR_UINT:
	case CBOR_NINT:
		if (!cbor_int(&item, &v))
			return SG_MALFORMED;
		*out = json_integer((json_int_t)v);
		break;
	case CBOR_TEXT: *out = text_json(item.run); break;
	case CBOR_BYTES: *out = bytes_json(item.run); break;
	case CBOR_FALSE: *out = json_false(); break;
	case CBOR_TRUE: *out = json_true(); break;
	case CBOR_NULL: *out = json_null(); break;
	case CBOR_ARRAY:
	case CBOR_MAP: return take_nested(r, &item, depth, out);
	default: return SG_MALFORMED;
	}
	return *out != NULL ? SG_OK : SG_NO_MEMORY;
}

enum sg_err document_json(struct span in, json_t **out)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	json_t *all = NULL;
	enum sg_err err = take(&r, DEPTH_MAX, &all);

	*out = NULL;
	if (err == SG_OK && !cbor_at_end(&r))
		err = SG_MALFORMED;
	if (err == SG_OK)
		*out = all;
	else
		json_decref(all);
	return err;
}

/* --- its members ---------------------------------------------------------- */

const char *document_text(const json_t *map, const char *member)
{
	const char *text = json_string_value(json_object_get(map, member));

	return text != NULL ? text : "";
}

int64_t document_int(const json_t *map, const char *member)
{
	return (int64_t)json_integer_value(json_object_get(map, member));
}

const json_t *document_key(const json_t *document, const char *label)
{
	const json_t *keys = json_object_get(document, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);

		if (strcmp(document_text(key, "label"), label) == 0)
			return key;
	}
	return NULL;
}

bool document_bytes(const json_t *map, const char *member, struct span *out)
{
	const struct span text = span_str(document_text(map, member));
	uint8_t *bytes;
	size_t n;

	if (text.n == 0)
		return false;
	bytes = malloc(text.n);
	if (bytes == NULL || !base64_decode(text, bytes, &n)) {
		free(bytes);
		return false;
	}
	*out = span_of(bytes, n);
	return true;
}

bool document_is_in(const json_t *key, const char *state)
{
	return strcmp(document_text(key, "state"), state) == 0;
}

const char *document_warning(const json_t *key, size_t i)
{
	const json_t *warnings = json_object_get(key, "warnings");

	return json_string_value(json_array_get(warnings, i));
}
