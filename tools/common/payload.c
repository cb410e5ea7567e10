/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "hcert/cbor.h"
#include "hcert/dsc.h"

static enum sg_err read_value(struct cbor_reader *r, unsigned depth,
			      json_t **out);

/* Strings may come in chunks (RFC 8949 s. 3.2.3): join them. */
struct joined {
	uint8_t *p;
	size_t n;
};

static enum sg_err join(struct cbor_reader *r, const struct cbor_item *head,
			struct joined *out)
{
	/* Chunks cannot be longer together than what is left of the input. */
	const size_t cap = head->indefinite ? r->in.n - r->at : head->run.n;
	struct cbor_item chunk;
	enum sg_err err;

	*out = (struct joined){.p = malloc(cap + 1)};
	if (out->p == NULL)
		return SG_NO_MEMORY;
	if (!head->indefinite) {
		if (head->run.n > 0)
			memcpy(out->p, head->run.p, head->run.n);
		out->n = head->run.n;
		return SG_OK;
	}
	for (;;) {
		err = cbor_next(r, &chunk);
		if (err != SG_OK)
			break;
		if (chunk.type == CBOR_BREAK)
			return SG_OK;
		if (chunk.type != head->type || chunk.indefinite) {
			err = SG_MALFORMED;
			break;
		}
		if (chunk.run.n > 0)
			memcpy(out->p + out->n, chunk.run.p, chunk.run.n);
		out->n += chunk.run.n;
	}
	free(out->p);
	return err;
}

static json_t *hex_text(const struct joined *s)
{
	const size_t cap = 2 * s->n + sizeof("h''");
	char *text = malloc(cap);
	json_t *j;

	if (text == NULL)
		return NULL;
	text[0] = 'h';
	text[1] = '\'';
	(void)hex_encode(s->p, s->n, text + 2);
	text[cap - 2] = '\'';
	text[cap - 1] = '\0';
	j = json_string(text);
	free(text);
	return j;
}

static enum sg_err read_string(struct cbor_reader *r,
			       const struct cbor_item *head, json_t **out)
{
	struct joined s;
	enum sg_err err = join(r, head, &s);

	if (err != SG_OK)
		return err;
	if (head->type == CBOR_BYTES)
		*out = hex_text(&s);
	else
		*out = json_stringn((const char *)s.p, s.n);
	free(s.p);
	return *out == NULL ? SG_NO_MEMORY : SG_OK;
}

static json_t *integer(const struct cbor_item *item)
{
	char text[40];
	int64_t v;

	if (cbor_int(item, &v))
		return json_integer(v);
	if (item->type == CBOR_UINT)
		(void)snprintf(text, sizeof(text), "%" PRIu64, item->arg);
	else if (item->arg == UINT64_MAX)
		(void)snprintf(text, sizeof(text), "-18446744073709551616");
	else
		(void)snprintf(text, sizeof(text), "-%" PRIu64, item->arg + 1);
	return json_string(text);
}

static json_t *simple(const struct cbor_item *item)
{
	char text[24];

	switch (item->type) {
	case CBOR_FALSE: return json_false();
	case CBOR_TRUE: return json_true();
	case CBOR_NULL: return json_null();
	case CBOR_UNDEFINED: return json_string("undefined");
	case CBOR_FLOAT:
		if (isnan(item->real))
			return json_string("NaN");
		if (isinf(item->real))
			return json_string(item->real > 0 ? "Infinity"
							  : "-Infinity");
		return json_real(item->real);
	default:
		(void)snprintf(text, sizeof(text), "simple(%u)",
			       (unsigned)item->arg);
		return json_string(text);
	}
}

static enum sg_err read_array(struct cbor_reader *r,
			      const struct cbor_item *head, unsigned depth,
			      json_t **out)
{
	json_t *array = json_array();

	if (array == NULL)
		return SG_NO_MEMORY;
	for (uint64_t i = 0; head->indefinite || i < head->arg; i++) {
		json_t *value;
		enum sg_err err = read_value(r, depth, &value);

		if (err == SG_NOT_FOUND && head->indefinite)
			break; /* a BREAK */
		if (err == SG_OK && json_array_append_new(array, value) != 0)
			err = SG_NO_MEMORY;
		if (err != SG_OK) {
			json_decref(array);
			return err == SG_NOT_FOUND ? SG_MALFORMED : err;
		}
	}
	*out = array;
	return SG_OK;
}

/* One pair into MAP.  SG_NOT_FOUND: a BREAK stood there. */
static enum sg_err read_pair(struct cbor_reader *r, unsigned depth, json_t *map)
{
	json_t *key;
	json_t *value;
	char *name;
	enum sg_err err = read_value(r, depth, &key);

	if (err != SG_OK)
		return err;
	/* As text it would be escaped anew at each level: keys within keys
	 * would double its length with every byte of input. */
	if (json_is_object(key) || json_is_array(key)) {
		json_decref(key);
		return SG_MALFORMED;
	}
	name = json_is_string(key) ? NULL : json_dumps(key, JSON_ENCODE_ANY);
	if (name != NULL) {
		json_decref(key);
		key = json_string(name);
		free(name);
	}
	if (!json_is_string(key)) {
		json_decref(key);
		return SG_NO_MEMORY;
	}
	/* JSON readers in C commonly refuse names with a NUL. */
	err = strlen(json_string_value(key)) == json_string_length(key)
		      ? read_value(r, depth, &value)
		      : SG_MALFORMED;
	if (err != SG_OK) {
		json_decref(key);
		return err == SG_NOT_FOUND ? SG_MALFORMED : err;
	}
	if (json_object_getn(map, json_string_value(key),
			     json_string_length(key)) != NULL) {
		json_decref(value);
		err = SG_DUPLICATE_KEY;
	} else if (json_object_setn_new(map, json_string_value(key),
					json_string_length(key), value) != 0) {
		err = SG_NO_MEMORY;
	}
	json_decref(key);
	return err;
}

static enum sg_err read_map(struct cbor_reader *r, const struct cbor_item *head,
			    unsigned depth, json_t **out)
{
	json_t *map = json_object();

	if (map == NULL)
		return SG_NO_MEMORY;
	for (uint64_t i = 0; head->indefinite || i < head->arg; i++) {
		const enum sg_err err = read_pair(r, depth, map);

		if (err == SG_NOT_FOUND && head->indefinite)
			break;
		if (err != SG_OK) {
			json_decref(map);
			return err == SG_NOT_FOUND ? SG_MALFORMED : err;
		}
	}
	*out = map;
	return SG_OK;
}

/* SG_NOT_FOUND: a BREAK stood there, which only the caller can allow. */
static enum sg_err read_value(struct cbor_reader *r, unsigned depth,
			      json_t **out)
{
	struct cbor_item item;
	enum sg_err err = cbor_next(r, &item);

	while (err == SG_OK && item.type == CBOR_TAG)
		err = cbor_next(r, &item);
	if (err != SG_OK)
		return err;
	switch (item.type) {
	case CBOR_BREAK: return SG_NOT_FOUND;
	case CBOR_BYTES:
	case CBOR_TEXT: return read_string(r, &item, out);
	case CBOR_ARRAY:
	case CBOR_MAP:
		if (depth == PAYLOAD_DEPTH_MAX)
			return SG_MALFORMED;
		if (item.type == CBOR_ARRAY)
			return read_array(r, &item, depth + 1, out);
		return read_map(r, &item, depth + 1, out);
	case CBOR_UINT:
	case CBOR_NINT: *out = integer(&item); break;
	default: *out = simple(&item); break;
	}
	return *out == NULL ? SG_NO_MEMORY : SG_OK;
}

enum sg_err payload_json(struct span in, json_t **out)
{
	struct cbor_reader r = cbor_read(in, CBOR_LAX);
	json_t *value;
	enum sg_err err = read_value(&r, 0, &value);

	if (err != SG_OK)
		return err == SG_NOT_FOUND ? SG_MALFORMED : err;
	if (!cbor_at_end(&r)) {
		json_decref(value);
		return SG_MALFORMED;
	}
	*out = value;
	return SG_OK;
}

unsigned payload_kinds(struct span dcc)
{
	unsigned kinds = 0;
	json_t *map;

	if (payload_json(dcc, &map) != SG_OK)
		return 0;
	for (int kind = 0; kind < DCC_KINDS; kind++) {
		const char name[2] = {dcc_kind_letter((enum dcc_kind)kind)};

		/* Issuers wrote "t": null and "t": [] for kinds they had not.
		 */
		if (json_array_size(json_object_get(map, name)) > 0)
			kinds |= DCC_KIND_BIT(kind);
	}
	json_decref(map);
	return kinds;
}
