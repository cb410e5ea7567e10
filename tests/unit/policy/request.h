/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_REQUEST_H
#define SG_TEST_REQUEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "hcert/cbor.h"
#include "policy/verdict.h"

/*
 * For the tests: requests written as JSON, with ' in place of ", to be read as
 * deterministic CBOR.  Beyond JSON: h for an empty byte string, m for the least
 * integer that CBOR has, # for tag 0 around what follows.  Asserts that the
 * text is well-formed.
 */
enum { REQUEST_BYTES = 16384, REQUEST_PAIRS = 256 };

struct request {
	size_t n;
	uint8_t bytes[REQUEST_BYTES];
};

static const char *request_value(const char *p, struct request *out);

static inline struct span request_span(const struct request *r)
{
	return span_of(r->bytes, r->n);
}

static inline void request_close(struct request *out,
				 const struct cbor_writer *w)
{
	size_t n;

	assert_int_equal(cbor_done(w, &n), SG_OK);
	out->n += n;
}

static inline struct cbor_writer request_open(struct request *out)
{
	return cbor_write(out->bytes + out->n, sizeof(out->bytes) - out->n);
}

static inline const char *request_text(const char *p, struct request *out)
{
	struct cbor_writer w = request_open(out);
	const char *end = strchr(p + 1, '\'');

	assert_true(*p == '\'' && end != NULL);
	cbor_put_text(&w, span_of(p + 1, (size_t)(end - p - 1)));
	request_close(out, &w);
	return end + 1;
}

static inline const char *request_number(const char *p, struct request *out)
{
	struct cbor_writer w = request_open(out);
	char *end;

	if (p[strspn(p, "-0123456789")] == '.')
		cbor_put_real(&w, strtod(p, &end));
	else if (*p == '-')
		cbor_put_int(&w, strtoll(p, &end, 10));
	else
		cbor_put_uint(&w, strtoull(p, &end, 10));
	assert_true(end != p);
	request_close(out, &w);
	return end;
}

static inline const char *request_array(const char *p, struct request *out)
{
	struct request *items = calloc(1, sizeof(*items));
	struct cbor_writer w = request_open(out);
	uint64_t n = 0;

	assert_non_null(items);
	for (p++; *p != ']'; n++)
		p = request_value(*p == ',' ? p + 1 : p, items);
	cbor_put_array(&w, n);
	cbor_put_raw(&w, request_span(items));
	request_close(out, &w);
	free(items);
	return p + 1;
}

static inline int request_order(const void *a, const void *b)
{
	const struct span *x = a;
	const struct span *y = b;

	return memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
}

static inline const char *request_map(const char *p, struct request *out)
{
	struct request *pairs = calloc(1, sizeof(*pairs));
	struct cbor_writer w = request_open(out);
	struct span pair[REQUEST_PAIRS];
	size_t n = 0;

	assert_non_null(pairs);
	for (p++; *p != '}'; n++) {
		const size_t start = pairs->n;

		assert_true(n < REQUEST_PAIRS);
		p = request_text(*p == ',' ? p + 1 : p, pairs);
		assert_true(*p == ':');
		p = request_value(p + 1, pairs);
		pair[n] = span_of(pairs->bytes + start, pairs->n - start);
	}
	qsort(pair, n, sizeof(pair[0]), request_order);
	cbor_put_map(&w, n);
	for (size_t i = 0; i < n; i++)
		cbor_put_raw(&w, pair[i]);
	request_close(out, &w);
	free(pairs);
	return p + 1;
}

static inline const char *request_word(const char *p, struct request *out)
{
	struct cbor_writer w = request_open(out);
	size_t n = 4;

	if (strncmp(p, "null", 4) == 0) {
		cbor_put_null(&w);
	} else if (strncmp(p, "true", 4) == 0) {
		cbor_put_bool(&w, true);
	} else if (strncmp(p, "false", 5) == 0) {
		cbor_put_bool(&w, false);
		n = 5;
	} else if (*p == 'h') {
		cbor_put_bytes(&w, span_of(NULL, 0));
		n = 1;
	} else if (*p == 'm') {
		cbor_put_raw(&w,
			     SPAN_LIT("\x3B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
		n = 1;
	} else {
		assert_int_equal(*p, '#');
		cbor_put_tag(&w, 0);
		request_close(out, &w);
		return request_value(p + 1, out);
	}
	request_close(out, &w);
	return p + n;
}

static const char *request_value(const char *p, struct request *out)
{
	switch (*p) {
	case '{': return request_map(p, out);
	case '[': return request_array(p, out);
	case '\'': return request_text(p, out);
	case 'n':
	case 't':
	case 'f':
	case 'h':
	case 'm':
	case '#': return request_word(p, out);
	default: return request_number(p, out);
	}
}

/* The request that TEXT says.  free() it. */
static inline struct request *request_of(const char *text)
{
	struct request *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	assert_int_equal(*request_value(text, r), '\0');
	return r;
}

/* V as lines "code pointer" (and " warning"), in its order. */
static inline const char *verdict_lines(const struct verdict *v)
{
	static char text[VERDICT_MAX * (VERDICT_POINTER_MAX + 40)];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < v->n; i++) {
		const struct span at = verdict_pointer(v, i);

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %.*s%s\n",
				      violation_code_text(v->violation[i].code),
				      (int)at.n, (const char *)at.p,
				      v->violation[i].warning ? " warning"
							      : "");
	}
	return text;
}

#endif /* SG_TEST_REQUEST_H */
