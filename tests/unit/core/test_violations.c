/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/violations.h"

static struct verdict verdict;
static uint8_t buf[VIOLATIONS_BYTES_MAX];

static void test_both_languages(void **state)
{
	struct wire_violation v;
	struct span rest;

	(void)state;
	verdict_init(&verdict);
	verdict_add(&verdict, VIOLATION_TOO_LONG, false, SPAN_LIT("/dcc/dob"));
	verdict_add(&verdict, VIOLATION_UNKNOWN_FIELD, true, SPAN_LIT("/x"));
	for (unsigned lang = 0; lang < WIRE_LANGUAGE_COUNT; lang++) {
		rest = violations_encode(&verdict, (uint8_t)lang, buf,
					 sizeof(buf));
		assert_int_equal(wire_violation_next(&rest, &v), SG_OK);
		assert_true(span_is(v.code, "too-long"));
		assert_true(span_is(v.pointer, "/dcc/dob"));
		assert_false(v.warning);
		assert_true(span_is(
			v.detail, violation_detail(VIOLATION_TOO_LONG,
						   lang == WIRE_VIETNAMESE
							   ? VERDICT_VIETNAMESE
							   : VERDICT_ENGLISH)));
		assert_int_equal(wire_violation_next(&rest, &v), SG_OK);
		assert_true(v.warning);
		assert_int_equal(wire_violation_next(&rest, &v), SG_NOT_FOUND);
	}
}

/* A rule of the policy's own is told by its own words. */
static void test_rule(void **state)
{
	static const struct violation_text text = {
		.code = SPAN_LIT("rule:VR-VN-0001"),
		.detail = {SPAN_LIT("no"), SPAN_LIT("không")}};
	struct wire_violation v;
	struct span rest;

	(void)state;
	verdict_init(&verdict);
	verdict_add_rule(&verdict, &text, true, SPAN_LIT("/dcc/v/0"));
	for (unsigned lang = 0; lang < WIRE_LANGUAGE_COUNT; lang++) {
		rest = violations_encode(&verdict, (uint8_t)lang, buf,
					 sizeof(buf));
		assert_int_equal(wire_violation_next(&rest, &v), SG_OK);
		assert_true(v.warning);
		assert_true(span_is(v.code, "rule:VR-VN-0001"));
		assert_true(span_is(v.detail,
				    lang == WIRE_VIETNAMESE ? "không" : "no"));
		assert_true(span_is(v.pointer, "/dcc/v/0"));
	}
}

/* The largest verdict there is fits; a short buffer holds what fits. */
static void test_bounds(void **state)
{
	static char pointer[VERDICT_POINTER_MAX];
	static char detail[256]; /* CERTLOGIC_DETAIL_MAX */
	static char code[69];	 /* "rule:" and 64 */
	const struct span told = span_of(detail, sizeof(detail));
	const struct violation_text text = {.code = span_of(code, sizeof(code)),
					    .detail = {told, told}};
	struct wire_violation v;
	struct span rest;
	size_t n = 0;

	(void)state;
	memset(pointer, '/', sizeof(pointer));
	verdict_init(&verdict);
	for (int i = 0; i < VERDICT_MAX; i++)
		verdict_add_rule(
			&verdict, &text, false,
			span_of(pointer, sizeof(verdict.pool) / VERDICT_MAX));
	assert_int_equal(verdict.n, VERDICT_MAX);
	rest = violations_encode(&verdict, WIRE_VIETNAMESE, buf, sizeof(buf));
	while (wire_violation_next(&rest, &v) == SG_OK)
		n++;
	assert_int_equal(n, VERDICT_MAX);
	rest = violations_encode(&verdict, WIRE_ENGLISH, buf, 500);
	assert_true(rest.n > 0 && rest.n <= 500);
	while (wire_violation_next(&rest, &v) == SG_OK)
		n--;
	assert_true(n < VERDICT_MAX && n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_languages),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
