/* SPDX-License-Identifier: Apache-2.0 */
#include "dcc_json.h"

#include <jansson.h>
#include <stdio.h>

#include "base/base64.h"
#include "hcert/cbor.h"

enum { LOAD_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL };

/*
 * Is BODY nested within DCC_DEPTH_MAX levels?  Looked at before it is parsed,
 * for the parser would go 2,048 levels down its stack.  As far as BODY is
 * well-formed, strings are told from structure as the parser does.
 */
static bool depth_fits(struct span body)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < body.n; i++) {
		const uint8_t c = body.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > DCC_DEPTH_MAX)
			return false;
	}
	return true;
}

/* --- the tree becomes CBOR --------------------------------------------- */

static enum sg_err put_value(struct dcc_scratch *s, struct cbor_writer *w,
			     json_t *value);

static enum sg_err put_array(struct dcc_scratch *s, struct cbor_writer *w,
			     json_t *array)
{
	const size_t n = json_array_size(array);
	enum sg_err err;

	cbor_put_array(w, n);
	for (size_t i = 0; i < n; i++) {
		err = put_value(s, w, json_array_get(array, i));
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

/* Text of what is bytes in CBOR, as bytes where it is base64. */
static enum sg_err put_base64(struct dcc_scratch *s, struct cbor_writer *w,
			      const json_t *value)
{
	const struct span text =
		span_of(json_string_value(value), json_string_length(value));
	size_t n;

	if (text.n / 4 * 3 > sizeof(s->copy))
		return SG_TOO_BIG;
	if (base64_decode(text, s->copy, &n))
		cbor_put_bytes(w, span_of(s->copy, n));
	else
		cbor_put_text(w, text);
	return SG_OK;
}

/* The members of OBJECT, in the order in which they are written. */
static enum sg_err list_members(struct dcc_scratch *s, json_t *object)
{
	const size_t first = s->used;
	struct dcc_member *m;

	for (void *it = json_object_iter(object); it != NULL;
	     it = json_object_iter_next(object, it)) {
		m = dcc_member_add(s);
		if (m == NULL)
			return SG_TOO_BIG;
		m->key = span_of(json_object_iter_key(it),
				 json_object_iter_key_len(it));
		m->value = json_object_iter_value(it);
	}
	return dcc_members_sort(s, first);
}

static enum sg_err put_object(struct dcc_scratch *s, struct cbor_writer *w,
			      json_t *object)
{
	const size_t first = s->used;
	const bool is_request = w->len == 0;
	const struct dcc_member *m;
	json_t *value;
	size_t end;
	enum sg_err err = list_members(s, object);

	if (err != SG_OK)
		return err;
	end = s->used;
	cbor_put_map(w, end - first);
	for (size_t i = first; i < end; i++) {
		m = &s->member[i];
		value = m->value;
		cbor_put_text(w, m->key);
		if (is_request && json_is_string(value) &&
		    (span_is(m->key, "attestation") ||
		     span_is(m->key, "signed")))
			err = put_base64(s, w, value);
		else
			err = put_value(s, w, value);
		if (err != SG_OK)
			return err;
	}
	s->used = first;
	return SG_OK;
}

static void put_real(struct cbor_writer *w, double v)
{
	int64_t whole;

	if (dcc_whole(v, &whole))
		cbor_put_int(w, whole);
	else
		cbor_put_real(w, v);
}

static enum sg_err put_value(struct dcc_scratch *s, struct cbor_writer *w,
			     json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: return put_object(s, w, value);
	case JSON_ARRAY: return put_array(s, w, value);
	case JSON_STRING:
		cbor_put_text(w, span_of(json_string_value(value),
					 json_string_length(value)));
		break;
	case JSON_INTEGER: cbor_put_int(w, json_integer_value(value)); break;
	case JSON_REAL: put_real(w, json_real_value(value)); break;
	case JSON_TRUE: cbor_put_bool(w, true); break;
	case JSON_FALSE: cbor_put_bool(w, false); break;
	case JSON_NULL: cbor_put_null(w); break;
	}
	return SG_OK;
}

/* --- the text becomes a tree ------------------------------------------- */

/* What ERROR means.  Its text is not used: it quotes the request. */
static enum sg_err parse_fault(struct dcc_scratch *s, const json_error_t *error)
{
	const char *what = "not well-formed";

	switch (json_error_code(error)) {
	case json_error_duplicate_key: return SG_DUPLICATE_KEY;
	case json_error_out_of_memory: return SG_NO_MEMORY;
	case json_error_premature_end_of_input: what = "not complete"; break;
	case json_error_end_of_input_expected:
		what = "followed by something else";
		break;
	case json_error_invalid_utf8: what = "not UTF-8"; break;
	case json_error_null_byte_in_key:
		what = "not usable: a member's name holds U+0000";
		break;
	case json_error_numeric_overflow:
		what = "not usable: a number is out of range";
		break;
	default: break;
	}
	/* A record of a stream is one line, and not the first of its file. */
	if (error->line == 1)
		(void)snprintf(s->detail, sizeof(s->detail),
			       "the JSON text is %s (column %d)", what,
			       error->column);
	else if (error->line > 1)
		(void)snprintf(s->detail, sizeof(s->detail),
			       "the JSON text is %s (line %d, column %d)", what,
			       error->line, error->column);
	else
		(void)snprintf(s->detail, sizeof(s->detail),
			       "the JSON text is %s", what);
	return SG_MALFORMED;
}

static json_t *load(struct span body, json_error_t *error)
{
	const char *text = body.n > 0 ? (const char *)body.p : "";
	json_t *tree = json_loadb(text, body.n, LOAD_FLAGS, error);

	if (tree != NULL ||
	    json_error_code(error) != json_error_numeric_overflow)
		return tree;
	/* An integer beyond 64 bits is well-formed: as a fraction it reaches
	 * the policy, which refuses it where it stands. */
	return json_loadb(text, body.n, LOAD_FLAGS | JSON_DECODE_INT_AS_REAL,
			  error);
}

enum sg_err dcc_json_read(struct dcc_scratch *s, struct span body,
			  struct span *request)
{
	struct cbor_writer w = cbor_write(s->request, sizeof(s->request));
	json_error_t error;
	json_t *tree;
	enum sg_err err;
	size_t len;

	dcc_scratch_reset(s);
	if (!depth_fits(body))
		return dcc_fault(s, SG_MALFORMED,
				 "the JSON text is nested too deeply");
	tree = load(body, &error);
	if (tree == NULL)
		return parse_fault(s, &error);
	if (json_is_object(tree))
		err = put_object(s, &w, tree);
	else
		err = dcc_fault(s, SG_MALFORMED,
				"the request must be a JSON object");
	json_decref(tree);
	if (err != SG_OK)
		return err;
	err = cbor_done(&w, &len);
	if (err == SG_OK)
		*request = span_of(s->request, len);
	return err;
}
