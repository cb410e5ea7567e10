/* SPDX-License-Identifier: Apache-2.0 */
/* NOLINTBEGIN(bugprone-not-null-terminated-result): bytes, not strings */
#include "dcc_world.h"

#include <stdio.h>

#include "front/dcc_json.h"

enum { HEX_MAX = 1024 };

static enum sg_err translate(const char *json, size_t n, struct span *out)
{
	return dcc_world_read(dcc_json_read, json, n, out);
}

static const char *hex(struct span s)
{
	static char text[HEX_MAX];

	assert_true(s.n * 2 < sizeof(text));
	text[0] = '\0';
	for (size_t i = 0; i < s.n; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", s.p[i]);
	return text;
}

static const struct {
	const char *json, *cbor;
} TRANSLATIONS[] = {
	{"{}", "a0"},
	{" {\n\t\"a\" : 1 } \r\n", "a1616101"},
	/* order: shorter keys first, then bytewise */
	{"{\"bb\":1,\"a\":2,\"ab\":3,\"\":4}",
	 "a46004616102626162036262620" /* ... */ "1"},
	{"{\"dcc\":{\"v\":[{\"dn\":2,\"ci\":\"X\"}]},\"exp\":-1}",
	 "a263646363a1617681a26263696158"
	 "62646e026365787020"},
	/* numbers without a fraction are integers */
	{"{\"a\":3.0}", "a1616103"},
	{"{\"a\":1e2}", "a161611864"},
	{"{\"a\":-0.0}", "a1616100"},
	{"{\"a\":-0}", "a1616100"},
	{"{\"a\":1.5e1}", "a161610f"},
	{"{\"a\":-7.0}", "a1616126"},
	{"{\"a\":1e-400}", "a1616100"},
	{"{\"a\":9223372036854775807}", "a161611b7fffffffffffffff"},
	{"{\"a\":-9223372036854775808}", "a161613b7fffffffffffffff"},
	{"{\"a\":9007199254740993}", "a161611b0020000000000001"},
	/* fractions, in the shortest float that holds them */
	{"{\"a\":2.5}", "a16161f94100"},
	{"{\"a\":0.1}", "a16161fb3fb999999999999a"},
	{"{\"a\":100000.5}", "a16161fa47c35040"},
	/* integers beyond 64 bits are kept for the policy to refuse: as what
	 * is no integer, and those beside them as they are */
	{"{\"a\":-9223372036854775809}", "a16161fae0a00000"},
	{"{\"a\":-9223372036854776832}", "a16161fbc414000000000001"},
	{"{\"a\":-9223372036854775809,\"b\":-9223372036854775808,"
	 "\"c\":1234567890123456789,\"d\":9223372036854775807}",
	 "a46161fae0a0000061623b7fffffffffffffff"
	 "61631b112210f47de9811561641b7fffffffffffffff"},
	{"{\"a\":9223372036854775808}", "a16161fa5f000000"},
	{"{\"a\":18446744073709551616,\"b\":7}", "a26161fa5f800000616207"},
	{"{\"a\":1e19}", "a16161fb43e158e460913d00"},
	/* what a payload cannot hold is well-formed */
	{"{\"a\":null,\"b\":true,\"c\":false}", "a36161f66162f56163f4"},
	{"{\"a\":[],\"b\":{},\"c\":[[1],\"\"]}",
	 "a36161806162a061638281" /* ... */ "0160"},
	/* text */
	{"{\"a\":\"\\u0000b\"}", "a16161620062"},
	{"{\"a\":\"\\\"\\\\\\/\\n\"}", "a16161"
				       "64225c2f0a"},
	{"{\"a\":\"\\ud83d\\ude00\"}", "a1616164f09f9880"},
	/* the attestation is base64 */
	{"{\"attestation\":\"AQID\"}", "a16b6174746573746174696f6e43010203"},
	{"{\"attestation\":\"AQ==\"}", "a16b6174746573746174696f6e4101"},
	{"{\"attestation\":\"\"}", "a16b6174746573746174696f6e40"},
	{"{\"attestation\":\"AQ=\"}", "a16b6174746573746174696f6e6341513d"},
	{"{\"attestation\":\"AR==\"}", "a16b6174746573746174696f6e6441523d3d"},
	{"{\"attestation\":7}", "a16b6174746573746174696f6e07"},
	/* ... only that of the request */
	{"{\"a\":{\"attestation\":\"AQID\"}}",
	 "a16161a16b6174746573746174696f6e6441514944"},
};

static void test_translations(void **state)
{
	struct span out;

	(void)state;
	for (size_t i = 0; i < sizeof(TRANSLATIONS) / sizeof(TRANSLATIONS[0]);
	     i++) {
		assert_int_equal(translate(TRANSLATIONS[i].json,
					   strlen(TRANSLATIONS[i].json), &out),
				 SG_OK);
		assert_string_equal(hex(out), TRANSLATIONS[i].cbor);
	}
}

/* Text comes through byte for byte, composed or not. */
static void test_text_is_untouched(void **state)
{
	static const char *const names[] = {
		"Nguyễn Thị Ánh Đào",	  /* composed */
		"Nguye\xcc\x82\xcc\x83n", /* decomposed */
		"Παπαδόπουλος",
		"Щербаков Ёлкин",
		"\xe2\x80\x8f\xd7\x90\xef\xbb\xbf", /* marks, a BOM inside */
		"\xf4\x8f\xbf\xbf",		    /* U+10FFFF */
		"\x7f",
	};
	char json[256];
	struct span out;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		(void)snprintf(json, sizeof(json), "{\"%s\":\"%s\"}", names[i],
			       names[i]);
		assert_int_equal(translate(json, strlen(json), &out), SG_OK);
		/* a1, then key and value, each at the end of its head */
		assert_memory_equal(out.p + out.n - n, names[i], n);
		assert_memory_equal(out.p + (out.n + 1) / 2 - n, names[i], n);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *json;
		enum sg_err err;
		const char *detail; /* part of it */
	} rows[] = {
		{"", SG_MALFORMED, "JSON"},
		{" ", SG_MALFORMED, "JSON"},
		{"{", SG_MALFORMED, "not complete"},
		{"{\"a\":1", SG_MALFORMED, "not complete"},
		{"{\"a\":1}x", SG_MALFORMED, "followed by something"},
		{"{}{}", SG_MALFORMED, "followed by something"},
		{"{\"a\":1,}", SG_MALFORMED, "not well-formed"},
		{"{'a':1}", SG_MALFORMED, "not well-formed"},
		{"{\"a\":01}", SG_MALFORMED, "not well-formed"},
		{"{\"a\":NaN}", SG_MALFORMED, "not well-formed"},
		{"{\"a\":1} //", SG_MALFORMED, "followed by something"},
		{"\xef\xbb\xbf{}", SG_MALFORMED, "not well-formed"},
		{"{\"a\":\"\t\"}", SG_MALFORMED, "not well-formed"},
		{"{\"a\":\"\\ud800\"}", SG_MALFORMED, "not well-formed"},
		{"{\"a\":\"\xff\"}", SG_MALFORMED, "not UTF-8"},
		{"{\"a\":\"\xc0\x80\"}", SG_MALFORMED, "not UTF-8"},
		{"{\"a\":\"\xed\xa0\x80\"}", SG_MALFORMED, "not UTF-8"},
		{"{\"a\":\"\xe1\xbb\"}", SG_MALFORMED, "not UTF-8"},
		{"{\"a\\u0000\":1}", SG_MALFORMED, "U+0000"},
		{"{\"a\":1e400}", SG_MALFORMED, "out of range"},
		{"[]", SG_MALFORMED, "must be a JSON object"},
		{"7", SG_MALFORMED, "must be a JSON object"},
		{"null", SG_MALFORMED, "must be a JSON object"},
		{"{\"a\":1,\"a\":1}", SG_DUPLICATE_KEY, ""},
		{"{\"a\":{\"b\":[{\"c\":1,\"d\":2,\"c\":3}]}}",
		 SG_DUPLICATE_KEY, ""},
		{"{\"a\":1,\"\\u0061\":2}", SG_DUPLICATE_KEY, ""},
	};
	struct span out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			translate(rows[i].json, strlen(rows[i].json), &out),
			rows[i].err);
		if (strstr(scratch->detail, rows[i].detail) == NULL)
			fail_msg("%s: %s", rows[i].json, scratch->detail);
	}
}

/* An integer of any size reaches the policy, next to anything. */
static void test_long_integers(void **state)
{
	static const char long_ones[] =
		"{\"a\":123456789012345678901234567890,"
		"\"12345678901234567890\":\"\\\"9999999999999999999999\\\\\","
		"\"c\":[-99999999999999999999,1234567890123456789,7]}";
	static const char fractions[] =
		"{\"a\":123456789012345678901234567890.0,"
		"\"12345678901234567890\":\"\\\"9999999999999999999999\\\\\","
		"\"c\":[-99999999999999999999.0,1234567890123456789,7]}";
	uint8_t first[256];
	struct span out;
	size_t n;

	(void)state;
	assert_int_equal(translate(fractions, strlen(fractions), &out), SG_OK);
	n = out.n;
	assert_true(n <= sizeof(first));
	memcpy(first, out.p, n);
	assert_int_equal(translate(long_ones, strlen(long_ones), &out), SG_OK);
	assert_true(span_eq(out, span_of(first, n)));
	/* Refused for what it is, where the other is at fault. */
	assert_int_equal(translate("{\"a\":123456789012345678901,}", 28, &out),
			 SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "not well-formed"));
	assert_int_equal(translate("{\"a\":-}", 8, &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "not well-formed"));
}

static void test_zero_bytes(void **state)
{
	struct span out;

	(void)state;
	assert_int_equal(translate("{\"a\":1\0}", 8, &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "not well-formed"));
	assert_int_equal(translate("{}\0", 3, &out), SG_MALFORMED);
	assert_int_equal(translate("{\"a\\u0000\":1}", 13, &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "holds U+0000"));
}

/* The parser quotes what it trips over; the client's data must not come back.
 */
static void test_detail_tells_no_data(void **state)
{
	static const char json[] = "{\"gn\": Secretname }";
	struct span out;

	(void)state;
	assert_int_equal(translate(json, strlen(json), &out), SG_MALFORMED);
	assert_null(strstr(scratch->detail, "Secret"));
	/* Of a record of a stream the line would be misleading. */
	assert_null(strstr(scratch->detail, "line"));
	assert_non_null(strstr(scratch->detail, "(column "));
}

/* N times OPEN before INNER, N times CLOSE after it. */
static char *nest(size_t n, const char *open, const char *inner,
		  const char *close)
{
	const size_t size =
		n * (strlen(open) + strlen(close)) + strlen(inner) + 1;
	char *text = malloc(size);
	char *p = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, open);
	p = stpcpy(p, inner);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, close);
	return text;
}

/* Is TEXT between OPEN and CLOSE nested within what is allowed? */
static void assert_depth_within(const char *text, const char *open,
				const char *close, bool within)
{
	char whole[512];
	struct span out;
	enum sg_err err;

	(void)snprintf(whole, sizeof(whole), "%s%s%s", open, text, close);
	err = translate(whole, strlen(whole), &out);
	assert_int_equal(err, within ? SG_OK : SG_MALFORMED);
	assert_int_equal(strstr(scratch->detail, "nested") == NULL, within);
}

static void test_depth(void **state)
{
	struct span out;
	char *text;

	(void)state;
	text = nest(DCC_DEPTH_MAX, "{\"a\":", "1", "}");
	assert_int_equal(translate(text, strlen(text), &out), SG_OK);
	free(text);
	text = nest(DCC_DEPTH_MAX + 1, "{\"a\":", "1", "}");
	assert_int_equal(translate(text, strlen(text), &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "nested"));
	free(text);
	text = nest(1000, "{\"a\":[", "", "]}");
	assert_int_equal(translate(text, strlen(text), &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "nested"));
	free(text);
	text = nest(1000000, "[", "", "");
	assert_int_equal(translate(text, strlen(text), &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "nested"));
	free(text);
	/* An empty one is a level, too. */
	text = nest(DCC_DEPTH_MAX - 1, "[", "", "]");
	assert_depth_within(text, "{\"a\":", "}", true);
	assert_depth_within(text, "{\"a\":[", "]}", false);
	free(text);
	text = nest(DCC_DEPTH_MAX - 1, "{\"a\":", "{}", "}");
	assert_depth_within(text, "", "", true);
	assert_depth_within(text, "{\"a\":", "}", false);
	free(text);
	/* brackets in strings are no levels, whatever is escaped before them */
	text = nest(1, "{\"[[[[[[[[[[[[[[[[[[\":\"{{{{{{\\\"{{{{{{{{{{{{\\\\\"",
		    "", "}");
	assert_int_equal(translate(text, strlen(text), &out), SG_OK);
	free(text);
}

/* N members of one-byte text each, under keys of WIDTH digits. */
static char *wide(size_t n, int width)
{
	const size_t each = (size_t)width + 8;
	char *text = malloc(n * each + 3);
	char *p = text;

	assert_non_null(text);
	*p++ = '{';
	for (size_t i = 0; i < n; i++)
		p += snprintf(p, each, "%s\"%0*zu\":1", i > 0 ? "," : "", width,
			      n - i);
	*p++ = '}';
	*p = '\0';
	return text;
}

static void test_limits(void **state)
{
	struct span out;
	char *text;

	(void)state;
	text = wide(DCC_MEMBERS_MAX, 5);
	assert_int_equal(translate(text, strlen(text), &out), SG_OK);
	free(text);
	text = wide(DCC_MEMBERS_MAX + 1, 5);
	assert_int_equal(translate(text, strlen(text), &out), SG_TOO_BIG);
	free(text);
	text = wide(DCC_MEMBERS_MAX, 20); /* 22 bytes each: 90 KB */
	assert_int_equal(translate(text, strlen(text), &out), SG_TOO_BIG);
	free(text);
	text = nest(WIRE_REQUEST_MAX, "", "{\"a\":\"\"}", "");
	free(text);
	/* a1 61 61 7a + 4 bytes or 79 + 2: the text fills the request */
	text = malloc(WIRE_REQUEST_MAX + 16);
	assert_non_null(text);
	memset(text, 'x', WIRE_REQUEST_MAX + 16);
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + 6 + WIRE_REQUEST_MAX - 6, "\"}", 2);
	assert_int_equal(translate(text, WIRE_REQUEST_MAX + 2, &out), SG_OK);
	assert_int_equal(out.n, WIRE_REQUEST_MAX);
	memcpy(text + 6 + WIRE_REQUEST_MAX - 6, "x\"}", 3);
	assert_int_equal(translate(text, WIRE_REQUEST_MAX + 3, &out),
			 SG_TOO_BIG);
	free(text);
	text = nest(30000, "", "", "AAAA");
	char *json = malloc(strlen(text) + 64);
	assert_non_null(json);
	(void)sprintf(json, "{\"attestation\":\"%s\"}", text);
	assert_int_equal(translate(json, strlen(json), &out), SG_TOO_BIG);
	free(json);
	free(text);
}

/* Scratch left over from a refusal does not reach the next body. */
static void test_reuse_after_refusal(void **state)
{
	static const char bad[] = "{\"a\":{\"b\":1,\"b\":2}}";
	struct span out;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(translate(bad, strlen(bad), &out),
				 SG_DUPLICATE_KEY);
		assert_int_equal(translate("{\"a\":1}", 7, &out), SG_OK);
		assert_string_equal(hex(out), "a1616101");
		assert_string_equal(scratch->detail, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translations),
		cmocka_unit_test(test_text_is_untouched),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_long_integers),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_detail_tells_no_data),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reuse_after_refusal),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
/* NOLINTEND(bugprone-not-null-terminated-result) */
