/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "front/exchange.h"
#include "front/problem.h"
#include "ipc/wire.h"

static uint8_t buf[8192];

static json_t *write_json(const struct problem *p)
{
	struct doc d = doc_begin(DOC_JSON, buf, sizeof(buf));
	struct span out;
	json_t *back;

	problem_write(&d, p);
	assert_int_equal(doc_done(&d, &out), SG_OK);
	back = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES,
			  NULL);
	assert_non_null(back);
	return back;
}

static const char *text(const json_t *map, const char *key)
{
	return json_string_value(json_object_get(map, key));
}

/* Every error of the table is a whole problem. */
static void test_each_error(void **state)
{
	char type[64];
	json_t *back;

	(void)state;
	for (int e = SG_OK + 1; e < SG_ERR_COUNT; e++) {
		const struct problem p = {.err = (enum sg_err)e};

		back = write_json(&p);
		(void)snprintf(type, sizeof(type), "/problems/%s",
			       err_problem(p.err));
		assert_string_equal(text(back, "type"), type);
		assert_string_not_equal(text(back, "title"), "Problem");
		assert_int_equal(
			json_integer_value(json_object_get(back, "status")),
			err_http(p.err));
		assert_string_equal(text(back, "detail"), err_text(p.err));
		assert_null(json_object_get(back, "id"));
		assert_int_equal(json_object_get(back, "violations") != NULL,
				 e == SG_DUPLICATE_KEY);
		json_decref(back);
	}
}

/* In Vietnamese all that a client may meet, titles too; only what is said of
 * the one request stays as it came. */
static void test_vietnamese(void **state)
{
	struct problem p = {.language = WIRE_VIETNAMESE};
	json_t *back;

	(void)state;
	for (int e = SG_OK + 1; e < SG_ERR_COUNT; e++) {
		const struct problem english = {.err = (enum sg_err)e};
		json_t *other = write_json(&english);

		p.err = english.err;
		back = write_json(&p);
		assert_string_equal(text(back, "type"), text(other, "type"));
		assert_string_not_equal(text(back, "title"),
					text(other, "title"));
		assert_string_not_equal(text(back, "title"), "Problem");
		if (e <= SG_TIMED_OUT)
			assert_string_not_equal(text(back, "detail"),
						text(other, "detail"));
		json_decref(other);
		json_decref(back);
	}
	p = (struct problem){.err = SG_DUPLICATE_KEY,
			     .language = WIRE_VIETNAMESE};
	back = write_json(&p);
	assert_string_equal(
		text(json_array_get(json_object_get(back, "violations"), 0),
		     "detail"),
		text(back, "detail"));
	json_decref(back);
	p.detail = SPAN_LIT("line 7");
	back = write_json(&p);
	assert_string_equal(text(back, "title"), "Yêu cầu sai cú pháp");
	assert_string_equal(text(back, "detail"), "line 7");
	json_decref(back);
}

static size_t two_violations(uint8_t *list, size_t cap)
{
	const struct wire_violation first = {
		.pointer = SPAN_LIT("/dcc/v/0/ci"),
		.code = SPAN_LIT("missing-field"),
		.detail = SPAN_LIT("thiếu \"trường\"")};
	const struct wire_violation second = {.warning = true,
					      .pointer = SPAN_LIT("/dcc/x"),
					      .code = SPAN_LIT("unknown-field"),
					      .detail = SPAN_LIT("not known")};
	size_t n = 0;

	assert_int_equal(wire_violation_put(list, cap, &n, &first), SG_OK);
	assert_int_equal(wire_violation_put(list, cap, &n, &second), SG_OK);
	return n;
}

static void test_violations(void **state)
{
	uint8_t list[512];
	const size_t n = two_violations(list, sizeof(list));
	const struct problem p = {.err = SG_REFUSED,
				  .detail = SPAN_LIT("because"),
				  .id = SPAN_LIT("row \"7\""),
				  .violations = span_of(list, n)};
	json_t *back = write_json(&p);
	const json_t *all = json_object_get(back, "violations");
	const json_t *v = json_array_get(all, 0);

	(void)state;
	assert_string_equal(text(back, "detail"), "because");
	assert_string_equal(text(back, "id"), "row \"7\"");
	assert_int_equal(json_array_size(all), 2);
	assert_string_equal(text(v, "pointer"), "/dcc/v/0/ci");
	assert_string_equal(text(v, "code"), "missing-field");
	assert_string_equal(text(v, "level"), "error");
	assert_string_equal(text(v, "detail"), "thiếu \"trường\"");
	v = json_array_get(all, 1);
	assert_string_equal(text(v, "level"), "warning");
	json_decref(back);
}

static void test_duplicate_key(void **state)
{
	const struct problem p = {.err = SG_DUPLICATE_KEY};
	json_t *back = write_json(&p);
	const json_t *v =
		json_array_get(json_object_get(back, "violations"), 0);

	(void)state;
	assert_string_equal(text(back, "type"), "/problems/malformed");
	assert_string_equal(text(v, "pointer"), "");
	assert_string_equal(text(v, "code"), "duplicate-key");
	assert_string_equal(text(v, "level"), "error");
	json_decref(back);
}

/* In CBOR the counts tell the truth: the item ends where the bytes do. */
static void test_cbor_is_whole(void **state)
{
	uint8_t list[512];
	const size_t n = two_violations(list, sizeof(list));
	const struct problem rows[] = {
		{.err = SG_REFUSED},
		{.err = SG_DUPLICATE_KEY, .id = SPAN_LIT("a")},
		{.err = SG_REFUSED,
		 .id = SPAN_LIT("a"),
		 .violations = span_of(list, n)},
		/* a list that breaks off ends there */
		{.err = SG_REFUSED, .violations = span_of(list, n - 1)},
	};
	struct cbor_reader r;
	struct span out;
	struct doc d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = doc_begin(DOC_CBOR, buf, sizeof(buf));
		problem_write(&d, &rows[i]);
		assert_int_equal(doc_done(&d, &out), SG_OK);
		r = cbor_read(out, CBOR_DETERMINISTIC);
		assert_int_equal(cbor_skip(&r, 8, NULL), SG_OK);
		assert_true(cbor_at_end(&r));
	}
}

static void test_body_for_the_transport(void **state)
{
	char body[512];
	size_t n = api_problem_body(SG_SLOW_CLIENT, "too slow", body,
				    sizeof(body));
	json_t *back = json_loadb(body, n, 0, NULL);

	(void)state;
	assert_string_equal(text(back, "type"), "/problems/timeout");
	assert_string_equal(text(back, "detail"), "too slow");
	json_decref(back);
	n = api_problem_body(SG_SLOW_CLIENT, NULL, body, sizeof(body));
	assert_true(n > 0);
	assert_int_equal(api_problem_body(SG_SLOW_CLIENT, NULL, body, n - 1),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_error),
		cmocka_unit_test(test_vietnamese),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_duplicate_key),
		cmocka_unit_test(test_cbor_is_whole),
		cmocka_unit_test(test_body_for_the_transport),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
