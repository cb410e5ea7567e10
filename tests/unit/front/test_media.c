/* SPDX-License-Identifier: Apache-2.0 */
/* NOLINTBEGIN(bugprone-not-null-terminated-result): bytes, not strings */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "front/media.h"

static const enum media FORMS[] = {MEDIA_JSON, MEDIA_CBOR, MEDIA_COSE,
				   MEDIA_TEXT, MEDIA_SVG,  MEDIA_PNG};

static enum media choose(const char *accept)
{
	/* A block of its own, so that a read past its end is seen. */
	const size_t n = strlen(accept);
	uint8_t *exact = malloc(n > 0 ? n : 1);
	int i;

	assert_non_null(exact);
	memcpy(exact, accept, n);
	i = media_negotiate(span_of(exact, n), FORMS,
			    sizeof(FORMS) / sizeof(FORMS[0]));
	free(exact);
	return i < 0 ? MEDIA_NONE : FORMS[i];
}

static const struct {
	const char *accept;
	enum media chosen;
} ACCEPT[] = {
	{"", MEDIA_JSON},
	{"*/*", MEDIA_JSON},
	{"application/*", MEDIA_JSON},
	{"application/json", MEDIA_JSON},
	{"Application/CBOR", MEDIA_CBOR},
	{"text/plain", MEDIA_TEXT},
	{"text/*", MEDIA_TEXT},
	{"image/*", MEDIA_SVG},
	{"image/png", MEDIA_PNG},
	{"image/png;q=0.5, image/svg+xml;q=0.4", MEDIA_PNG},
	{"image/png;q=0.4 , image/svg+xml ; q=0.5", MEDIA_SVG},
	{"image/png, */*;q=0.1", MEDIA_PNG},
	{"*/*;q=0.1, image/png", MEDIA_PNG},
	{"application/json;q=0.9, application/cbor", MEDIA_CBOR},
	/* equals: the server's order */
	{"image/png, application/cbor", MEDIA_CBOR},
	{"*/*, image/png;q=0.9", MEDIA_JSON},
	/* the closest range counts, not the largest weight */
	{"application/json;q=0, */*", MEDIA_CBOR},
	{"application/*;q=0, */*;q=0.1", MEDIA_TEXT},
	{"application/json;q=0.1, application/*;q=0.9", MEDIA_CBOR},
	/* COSE, which says what is inside of it */
	{"application/cose", MEDIA_COSE},
	{"application/cose; cose-type=\"cose-sign1\"", MEDIA_COSE},
	{"application/cose;cose-type=COSE-Sign1;q=0.3", MEDIA_COSE},
	{"application/cose; cose-type=\"cose-encrypt0\"", MEDIA_NONE},
	/* parameters of others are passed over */
	{"application/json; charset=utf-8", MEDIA_JSON},
	{"text/plain;charset=\"a,b;c\\\"\";q=0.2, image/png;q=0.1", MEDIA_TEXT},
	/* nothing that we can make */
	{"application/xml", MEDIA_NONE},
	{"application/json;q=0", MEDIA_NONE},
	{"application/json;q=0.000", MEDIA_NONE},
	{"application/js", MEDIA_NONE},
	{"application/jsonx", MEDIA_NONE},
	{"text/html, application/xhtml+xml", MEDIA_NONE},
	{"*/json", MEDIA_NONE},
	/* what cannot be read is passed over */
	{"json, application/cbor", MEDIA_CBOR},
	{",, ,application/cbor,", MEDIA_CBOR},
	{"application/json;q=2, application/cbor;q=0.1", MEDIA_CBOR},
	{"application/json;q=1.001, text/plain", MEDIA_TEXT},
	{"application/json;q=0.1234, text/plain", MEDIA_TEXT},
	{"application/json;q=, text/plain", MEDIA_TEXT},
	{"application/json;q=.5, text/plain", MEDIA_TEXT},
	{"application/json/x, text/plain", MEDIA_TEXT},
	{"application/json;=1, text/plain", MEDIA_TEXT},
	{"application/json;a=\"unended, text/plain", MEDIA_NONE},
	{"application /json, text/plain", MEDIA_TEXT},
	{"application/json;;q=0.5;, text/plain;q=0.4", MEDIA_JSON},
	{"/", MEDIA_NONE},
	{"\x01", MEDIA_NONE},
	{";;;", MEDIA_NONE},
	{"*", MEDIA_NONE},
};

static void test_accept(void **state)
{

	(void)state;
	for (size_t i = 0; i < sizeof(ACCEPT) / sizeof(ACCEPT[0]); i++) {
		if (choose(ACCEPT[i].accept) != ACCEPT[i].chosen)
			fail_msg("%s: %s", ACCEPT[i].accept,
				 media_text(choose(ACCEPT[i].accept)));
	}
}

/* A field made of the worst there is costs about its length. */
static void test_accept_is_linear(void **state)
{
	const size_t n = 1 << 20;
	char *field = malloc(n + 1);

	(void)state;
	assert_non_null(field);
	for (size_t i = 0; i < n; i++)
		field[i] = i % 2 == 0 ? '"' : '\\';
	field[n] = '\0';
	assert_int_equal(choose(field), MEDIA_NONE);
	memset(field, '"', n);
	assert_int_equal(choose(field), MEDIA_NONE);
	memset(field, ',', n);
	assert_int_equal(choose(field), MEDIA_NONE);
	free(field);
}

static void test_content_type(void **state)
{
	static const struct {
		const char *type;
		enum media media;
	} rows[] = {
		{"application/json", MEDIA_JSON},
		{"application/json; charset=UTF-8", MEDIA_JSON},
		{"application/json;charset=\"utf-8\"", MEDIA_JSON},
		{"application/json; charset=utf-16", MEDIA_NONE},
		{"APPLICATION/JSON", MEDIA_JSON},
		{"application/cbor", MEDIA_CBOR},
		{"application/x-ndjson", MEDIA_NDJSON},
		{"application/cbor-seq", MEDIA_CBOR_SEQ},
		{"application/problem+json", MEDIA_PROBLEM},
		{"", MEDIA_NONE},
		{"application", MEDIA_NONE},
		{"application/json, application/cbor", MEDIA_NONE},
		{"application/json x", MEDIA_NONE},
		{"text/json", MEDIA_NONE},
		{"application/x-www-form-urlencoded", MEDIA_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (media_of(span_str(rows[i].type)) != rows[i].media)
			fail_msg("%s", rows[i].type);
	}
	assert_string_equal(media_text(MEDIA_NONE), "");
}

static void test_language(void **state)
{
	static const struct {
		const char *field;
		bool vietnamese;
	} rows[] = {
		{"", false},
		{"vi", true},
		{"vi-VN", true},
		{"VI-vn, en;q=0.8", true},
		{"vi, en", true},
		{"en, vi", false},
		{"en;q=0.5, vi;q=0.8", true},
		{"vi;q=0.5, en;q=0.8", false},
		{"vi;q=0", false},
		{"vi;q=0, en;q=0", false},
		{"vi;q=x", false},
		{"fr, vi;q=0.1", true},
		{"vie", false},
		{"*", false},
		{"en-GB,en;q=0.9", false},
		{";;,vi", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (media_prefers_vietnamese(span_str(rows[i].field)) !=
		    rows[i].vietnamese)
			fail_msg("%s", rows[i].field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_accept_is_linear),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(bugprone-not-null-terminated-result) */
