/* SPDX-License-Identifier: Apache-2.0 */
#include "dcc_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "hcert/cbor.h"
#include "json_tree.h"

/* Characters of the shortest integers beyond 64 bits: -2^63 - 1, 2^64. */
enum { BEYOND_MIN = 20 };

/*
 * Is BODY nested within DCC_DEPTH_MAX levels?  As far as BODY is well-formed,
 * strings are told from structure as a parser does.
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

static enum sg_err too_deep(struct dcc_scratch *s)
{
	return dcc_fault(s, SG_MALFORMED, "the JSON text is nested too deeply");
}

/* --- the tree becomes CBOR --------------------------------------------- */

/* DEPTH: levels around VALUE.  They are counted here, because simdjson counts
 * none for what is empty. */
static enum sg_err put_value(struct dcc_scratch *s, struct cbor_writer *w,
			     const struct json_tree_value *value,
			     unsigned depth);

static enum sg_err put_array(struct dcc_scratch *s, struct cbor_writer *w,
			     const struct json_tree_value *array,
			     unsigned depth)
{
	struct json_tree_walk walk = json_tree_begin(array);
	struct json_tree_value item;
	enum sg_err err;
	size_t n = 0;

	if (depth == DCC_DEPTH_MAX)
		return too_deep(s);
	while (json_tree_next(&walk, NULL, &item))
		n++;
	cbor_put_array(w, n);
	walk = json_tree_begin(array);
	while (json_tree_next(&walk, NULL, &item)) {
		err = put_value(s, w, &item, depth + 1);
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

/* Text of what is bytes in CBOR, as bytes where it is base64. */
static enum sg_err put_base64(struct dcc_scratch *s, struct cbor_writer *w,
			      const struct json_tree_value *value)
{
	const struct span text = json_tree_text(value);
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
static enum sg_err list_members(struct dcc_scratch *s,
				const struct json_tree_value *object)
{
	struct json_tree_walk walk = json_tree_begin(object);
	const size_t first = s->used;
	struct json_tree_value value;
	struct dcc_member *m;
	struct span name;

	while (json_tree_next(&walk, &name, &value)) {
		m = dcc_member_add(s);
		if (m == NULL)
			return SG_TOO_BIG;
		if (memchr(name.p, '\0', name.n) != NULL)
			return dcc_fault(s, SG_MALFORMED,
					 "the JSON text is not usable: a "
					 "member's name holds U+0000");
		m->key = name;
		m->value = value;
	}
	return dcc_members_sort(s, first);
}

static enum sg_err put_object(struct dcc_scratch *s, struct cbor_writer *w,
			      const struct json_tree_value *object,
			      unsigned depth)
{
	const size_t first = s->used;
	const struct dcc_member *m;
	size_t end;
	enum sg_err err;

	if (depth == DCC_DEPTH_MAX)
		return too_deep(s);
	err = list_members(s, object);
	if (err != SG_OK)
		return err;
	end = s->used;
	cbor_put_map(w, end - first);
	for (size_t i = first; i < end; i++) {
		m = &s->member[i];
		cbor_put_text(w, m->key);
		if (depth == 0 && json_tree_kind(&m->value) == JSON_TREE_TEXT &&
		    (span_is(m->key, "attestation") ||
		     span_is(m->key, "signed")))
			err = put_base64(s, w, &m->value);
		else
			err = put_value(s, w, &m->value, depth + 1);
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
			     const struct json_tree_value *value,
			     unsigned depth)
{
	switch (json_tree_kind(value)) {
	case JSON_TREE_OBJECT: return put_object(s, w, value, depth);
	case JSON_TREE_ARRAY: return put_array(s, w, value, depth);
	case JSON_TREE_TEXT: cbor_put_text(w, json_tree_text(value)); break;
	case JSON_TREE_INT: cbor_put_int(w, json_tree_int(value)); break;
	case JSON_TREE_REAL: put_real(w, json_tree_real(value)); break;
	case JSON_TREE_TRUE: cbor_put_bool(w, true); break;
	case JSON_TREE_FALSE: cbor_put_bool(w, false); break;
	case JSON_TREE_NULL: cbor_put_null(w); break;
	}
	return SG_OK;
}

/* --- the text becomes a tree ------------------------------------------- */

/* What ERROR means.  Its text is not used: it quotes the request. */
static enum sg_err tell_fault(struct dcc_scratch *s, const json_error_t *error)
{
	const char *what = "not well-formed";

	switch (json_error_code(error)) {
	case json_error_out_of_memory: return SG_NO_MEMORY;
	case json_error_premature_end_of_input: what = "not complete"; break;
	case json_error_end_of_input_expected:
		what = "followed by something else";
		break;
	case json_error_invalid_utf8: what = "not UTF-8"; break;
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

/* BODY is not JSON.  Where and why, jansson tells. */
static enum sg_err find_fault(struct dcc_scratch *s, struct span body)
{
	const char *text = body.n > 0 ? (const char *)body.p : "";
	json_error_t error = {.line = -1};

	/* Or jansson would go 2,048 levels down its stack. */
	if (!depth_fits(body))
		return too_deep(s);
	json_decref(json_loadb(text, body.n,
			       JSON_DECODE_ANY | JSON_ALLOW_NUL |
				       JSON_DECODE_INT_AS_REAL,
			       &error));
	return tell_fault(s, &error);
}

static bool is_of_number(uint8_t c)
{
	return (c >= '0' && c <= '9') || strchr("+-.eE", c) != NULL;
}

/* Is INTEGER, its digits with a sign where it has one, beyond 64 bits? */
static bool is_beyond_64_bits(struct span integer)
{
	static const struct span lowest = SPAN_LIT("-9223372036854775808");
	static const struct span highest = SPAN_LIT("18446744073709551615");
	const struct span most = integer.p[0] == '-' ? lowest : highest;

	return integer.n > most.n ||
	       (integer.n == most.n && memcmp(integer.p, most.p, most.n) > 0);
}

/* Is NUMBER, of at least two characters, written as an integer? */
static bool is_whole(struct span number)
{
	for (size_t i = 1; i < number.n; i++)
		if (number.p[i] < '0' || number.p[i] > '9')
			return false;
	return true;
}

/* Write behind NUMBER what makes it a fraction, where it is an integer beyond
 * 64 bits; the bytes written.  As a double, one just below -2^63 would be
 * -2^63: an integer, and another one. */
static size_t put_fraction(struct span number, uint8_t *p)
{
	if (number.n < BEYOND_MIN || !is_whole(number) ||
	    !is_beyond_64_bits(number))
		return 0;
	p[0] = '.';
	p[1] = '0';
	if (number.p[0] == '-' && number.n == BEYOND_MIN) {
		p[0] = 'e';
		p[1] = '1';
	}
	return 2;
}

/*
 * BODY where each integer beyond 64 bits is a fraction: so it is well-formed,
 * and reaches the policy, which refuses it where it stands.  All else is as it
 * was.  Outside of well-formed JSON it does not matter what becomes of it.
 * Errors: SG_NO_MEMORY.
 */
static enum sg_err with_fractions(struct span body, uint8_t **out, size_t *len)
{
	uint8_t *p = malloc(body.n + body.n / BEYOND_MIN * 2 + 2);
	struct span number = {0}; /* the one at hand */
	bool in_string = false;
	size_t n = 0;

	if (p == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < body.n; i++) {
		const uint8_t c = body.p[i];

		if (!in_string && c != '\0' && is_of_number(c)) {
			number = span_of(body.p + i - number.n, number.n + 1);
		} else {
			n += put_fraction(number, p + n);
			number.n = 0;
		}
		p[n++] = c;
		if (c == '"')
			in_string = !in_string;
		else if (in_string && c == '\\' && i + 1 < body.n)
			p[n++] = body.p[++i];
	}
	*out = p;
	*len = n;
	return SG_OK;
}

static enum sg_err load(struct dcc_scratch *s, struct span body,
			struct json_tree_value *root)
{
	uint8_t *text;
	size_t n;
	enum sg_err err = json_tree_read(s->json, body, root);

	if (err != SG_TOO_BIG)
		return err;
	err = with_fractions(body, &text, &n);
	if (err != SG_OK)
		return err;
	err = json_tree_read(s->json, span_of(text, n), root);
	free(text);
	return err;
}

enum sg_err dcc_json_read(struct dcc_scratch *s, struct span body,
			  struct span *request)
{
	struct cbor_writer w = cbor_write(s->request, sizeof(s->request));
	struct json_tree_value root;
	enum sg_err err = SG_OK;
	size_t len;

	dcc_scratch_reset(s);
	if (s->json == NULL)
		err = json_tree_create(DCC_DEPTH_MAX + 1, &s->json);
	if (err == SG_OK)
		err = load(s, body, &root);
	if (err == SG_MALFORMED || err == SG_TOO_BIG)
		return find_fault(s, body);
	if (err != SG_OK)
		return err;
	if (json_tree_kind(&root) != JSON_TREE_OBJECT)
		return dcc_fault(s, SG_MALFORMED,
				 "the request must be a JSON object");
	err = put_object(s, &w, &root, 0);
	if (err != SG_OK)
		return err;
	err = cbor_done(&w, &len);
	if (err == SG_OK)
		*request = span_of(s->request, len);
	return err;
}
