/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "front/doc.h"

static uint8_t buf[4096];

static void sample(struct doc *d)
{
	doc_map(d, 5);
	doc_key(d, "text");
	doc_text(d, SPAN_LIT("a\"b\\c\n\x01"));
	doc_key(d, "list");
	doc_array(d, 3);
	doc_int(d, -1);
	doc_bool(d, true);
	doc_map(d, 0);
	doc_map_end(d);
	doc_array_end(d);
	doc_key(d, "empty");
	doc_array(d, 0);
	doc_array_end(d);
	doc_key(d, "kid");
	doc_bytes(d, SPAN_LIT("\x00\xff\x10\x20"));
	doc_key(d, "n");
	doc_int(d, INT64_MIN);
	doc_map_end(d);
}

static void test_json(void **state)
{
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;

	(void)state;
	sample(&d);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_true(span_is(out, "{\"text\":\"a\\\"b\\\\c\\u000a\\u0001\","
				 "\"list\":[-1,true,{}],\"empty\":[],"
				 "\"kid\":\"AP8QIA==\","
				 "\"n\":-9223372036854775808}"));
}

static void test_cbor(void **state)
{
	static const uint8_t want[] =
		"\xa5\x64text\x67"
		"a\"b\\c\n\x01\x64list\x83\x20\xf5\xa0"
		"\x65"
		"empty\x80\x63kid\x44\x00\xff\x10\x20\x61n"
		"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff";
	struct doc d = doc_begin(DOC_CBOR, buf, sizeof(buf));
	struct span out;

	(void)state;
	sample(&d);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_true(span_eq(out, span_of(want, sizeof(want) - 1)));
}

/* Nothing is written beyond the room there is. */
static void test_short_room(void **state)
{
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;
	size_t need;

	(void)state;
	sample(&d);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	need = out.n;
	for (size_t cap = 0; cap < need; cap++) {
		uint8_t *exact = malloc(cap > 0 ? cap : 1);

		assert_non_null(exact);
		d = doc_begin(DOC_JSON, exact, cap);
		sample(&d);
		assert_int_equal(doc_done(&d, &out), SG_TOO_BIG);
		free(exact);
	}
}

/* TEXT as a JSON string, parsed back. */
static json_t *string(struct span text)
{
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;
	json_t *back;

	doc_text(&d, text);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	back = json_loadb((const char *)out.p, out.n,
			  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(back);
	return back;
}

static void test_text_comes_back(void **state)
{
	static const char *const texts[] = {
		"",
		"\x1f\x7f",
		"Nguye\xcc\x82\xcc\x83n Đỗ Ơ",
		"\xef\xbf\xbd\xf4\x8f\xbf\xbf\xed\x9f\xbf",
		"</script>\"\\\"",
	};
	char all[128];
	json_t *back;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		back = string(span_str(texts[i]));
		assert_string_equal(json_string_value(back), texts[i]);
		json_decref(back);
	}
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	back = string(span_of(all, sizeof(all)));
	assert_int_equal(json_string_length(back), sizeof(all));
	assert_memory_equal(json_string_value(back), all, sizeof(all));
	json_decref(back);
}

/* Broken text gives sound JSON all the same. */
static void test_bad_utf8_is_replaced(void **state)
{
	static const char *const rows[][2] = {
		{"a\xff"
		 "b",
		 "a\xef\xbf\xbd"
		 "b"},
		{"\xe1\xbb", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf4\x90\x80\x80x",
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
		{"\xe1\xbb\x41", "\xef\xbf\xbd\xef\xbf\xbd\x41"},
	};
	json_t *back;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		back = string(span_str(rows[i][0]));
		assert_string_equal(json_string_value(back), rows[i][1]);
		json_decref(back);
	}
}

static void test_items(void **state)
{
	/* {"a": [1, "x", h'01', true, null], "b": {"c": -1}} */
	static const uint8_t item[] = "\xa2\x61"
				      "a\x85\x01\x61x\x41\x01\xf5"
				      "\xf6\x61"
				      "b\xa1\x61"
				      "c\x20";
	static const uint8_t broken[] = "\xa1\x61"
					"a";
	static const uint8_t keyed[] = "\xa1\x01\x02";
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;

	(void)state;
	assert_int_equal(doc_item(&d, span_of(item, sizeof(item) - 1)), SG_OK);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_true(span_is(out, "{\"a\":[1,\"x\",\"AQ==\",true,null],"
				 "\"b\":{\"c\":-1}}"));
	assert_int_equal(doc_item(&d, span_of(broken, 3)), SG_MALFORMED);
	assert_int_equal(doc_item(&d, span_of(keyed, 3)), SG_MALFORMED);
	assert_int_equal(doc_item(&d, SPAN_LIT("\x01\x01")), SG_MALFORMED);
	d = doc_begin(DOC_CBOR, buf, sizeof(buf));
	assert_int_equal(doc_item(&d, span_of(item, sizeof(item) - 1)), SG_OK);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_true(span_eq(out, span_of(item, sizeof(item) - 1)));
}

/* Base64 is written in runs: no seam may show. */
static void test_long_bytes(void **state)
{
	static uint8_t bytes[2000];
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;

	(void)state;
	doc_bytes(&d, span_of(bytes, sizeof(bytes)));
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_int_equal(out.n, 2 + 2668);
	for (size_t i = 1; i < 1 + 2667; i++)
		assert_int_equal(out.p[i], 'A');
	assert_int_equal(out.p[2668], '=');
}

/* {"h": 32 bytes, "k": 8 bytes} */
static void test_hashes(void **state)
{
	static const uint8_t item[] =
		"\xa2\x61h\x58\x20"
		"\x00\x01\x02\x03\x04\x05\x06\x07"
		"\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
		"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7"
		"\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"
		"\x61k\x48\x00\x01\x02\x03\x04\x05\x06\x07";
	const struct span in = span_of(item, sizeof(item) - 1);
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;

	(void)state;
	assert_int_equal(doc_item_hex(&d, in), SG_OK);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_true(span_is(out, "{\"h\":\"000102030405060708090a0b0c0d0e0f"
				 "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\","
				 "\"k\":\"AAECAwQFBgc=\"}"));
	d = doc_begin(DOC_CBOR, buf, sizeof(buf));
	assert_int_equal(doc_item_hex(&d, in), SG_OK);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	assert_true(span_eq(out, in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_cbor),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_short_room),
		cmocka_unit_test(test_text_comes_back),
		cmocka_unit_test(test_bad_utf8_is_replaced),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_long_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
