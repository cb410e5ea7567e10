/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_value.h"

#include "request.h"

static struct certlogic_scratch scratch;

/* The value of TEXT; *R holds it, free() it. */
static struct certlogic_value value_of(const char *text, struct request **r)
{
	struct certlogic_value v;

	*r = request_of(text);
	assert_int_equal(certlogic_value_read(request_span(*r), &v),
			 CERTLOGIC_OK);
	certlogic_scratch_init(&scratch);
	return v;
}

static void test_types(void **state)
{
	static const struct {
		const char *text;
		enum certlogic_type type;
		int truth; /* -1: neither */
	} types[] = {
		{"null", CERTLOGIC_NULL, 0},	{"false", CERTLOGIC_FALSE, 0},
		{"true", CERTLOGIC_TRUE, 1},	{"0", CERTLOGIC_INTEGER, 0},
		{"-5", CERTLOGIC_INTEGER, 1},	{"''", CERTLOGIC_TEXT, 0},
		{"'0'", CERTLOGIC_TEXT, 1},	{"[]", CERTLOGIC_ARRAY, 0},
		{"[null]", CERTLOGIC_ARRAY, 1}, {"{}", CERTLOGIC_MAP, 0},
		{"{'a':0}", CERTLOGIC_MAP, 1},	{"2.5", CERTLOGIC_OTHER, -1},
		{"h", CERTLOGIC_OTHER, -1},	{"m", CERTLOGIC_OTHER, -1},
		{"#'x'", CERTLOGIC_OTHER, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct request *r;
		const struct certlogic_value v = value_of(types[i].text, &r);
		bool truth = false;
		const enum certlogic_error err =
			certlogic_value_truth(&v, &truth);

		assert_int_equal(v.type, types[i].type);
		assert_int_equal(err, types[i].truth < 0 ? CERTLOGIC_TRUTH
							 : CERTLOGIC_OK);
		if (types[i].truth >= 0)
			assert_int_equal(truth, types[i].truth);
		free(r);
	}
}

static void test_members(void **state)
{
	struct request *r;
	const struct certlogic_value map = value_of(
		"{'a':[1,{'x':2},[3]],'bb':{'a':7},'c':null,'d':#'x'}", &r);
	struct certlogic_value v;

	(void)state;
	assert_int_equal(
		certlogic_value_member(&map, SPAN_LIT("bb"), &scratch, &v),
		CERTLOGIC_OK);
	assert_int_equal(v.type, CERTLOGIC_MAP);
	assert_int_equal(
		certlogic_value_member(&v, SPAN_LIT("a"), &scratch, &v),
		CERTLOGIC_OK);
	assert_int_equal(v.integer, 7);
	assert_int_equal(
		certlogic_value_member(&v, SPAN_LIT("a"), &scratch, &v),
		CERTLOGIC_OK);
	assert_int_equal(v.type, CERTLOGIC_NULL); /* a number has none */
	assert_int_equal(
		certlogic_value_member(&map, SPAN_LIT("zz"), &scratch, &v),
		CERTLOGIC_OK);
	assert_int_equal(v.type, CERTLOGIC_NULL);
	assert_int_equal(
		certlogic_value_member(&map, SPAN_LIT("a"), &scratch, &v),
		CERTLOGIC_OK);
	for (uint32_t i = 0; i < 5; i++) {
		static const enum certlogic_type type[] = {
			CERTLOGIC_INTEGER, CERTLOGIC_MAP, CERTLOGIC_ARRAY,
			CERTLOGIC_NULL, CERTLOGIC_NULL};
		struct certlogic_value item;

		assert_int_equal(certlogic_value_item(&v, i, &scratch, &item),
				 CERTLOGIC_OK);
		assert_int_equal(item.type, type[i]);
	}
	free(r);
}

/* What is not well-formed is an error wherever it is met, and nothing beyond
 * the input is read. */
static void test_broken(void **state)
{
	struct request *r;
	const struct certlogic_value whole =
		value_of("{'aa':[1,'xyz',{'k':-70000}],'bbb':'text'}", &r);
	struct certlogic_value v;

	(void)state;
	assert_int_equal(whole.n, 2);
	for (size_t n = 0; n < r->n; n++) {
		uint8_t *cut = malloc(n + 1); /* tight, for the sanitizers */

		assert_non_null(cut);
		memcpy(cut, r->bytes, n);
		certlogic_scratch_init(&scratch);
		if (certlogic_value_read(span_of(cut, n), &v) == CERTLOGIC_OK)
			assert_int_equal(certlogic_value_member(&v,
								SPAN_LIT("c"),
								&scratch, &v),
					 CERTLOGIC_DATA);
		free(cut);
	}
	assert_int_equal(
		certlogic_value_read(
			SPAN_LIT("\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), &v),
		CERTLOGIC_DATA);
	assert_int_equal(certlogic_value_read(SPAN_LIT("\x9F\xFF"), &v),
			 CERTLOGIC_DATA);
	free(r);
}

static void check_same(const char *a, const char *b, enum certlogic_error err,
		       bool expected)
{
	struct request *ra;
	struct request *rb;
	const struct certlogic_value x = value_of(a, &ra);
	const struct certlogic_value y = value_of(b, &rb);
	bool same = !expected;

	assert_int_equal(certlogic_value_same(&x, &y, &scratch, &same), err);
	if (err == CERTLOGIC_OK)
		assert_int_equal(same, expected);
	free(ra);
	free(rb);
}

static void test_same(void **state)
{
	(void)state;
	check_same("1", "1", CERTLOGIC_OK, true);
	check_same("1", "2", CERTLOGIC_OK, false);
	check_same("1", "'1'", CERTLOGIC_OK, false);
	check_same("'ab'", "'ab'", CERTLOGIC_OK, true);
	check_same("'ab'", "'abc'", CERTLOGIC_OK, false);
	check_same("null", "null", CERTLOGIC_OK, true);
	check_same("null", "false", CERTLOGIC_OK, false);
	check_same("true", "true", CERTLOGIC_OK, true);
	check_same("[]", "0", CERTLOGIC_OK, false);
	check_same("[]", "[]", CERTLOGIC_TYPE, false);
	check_same("{}", "{}", CERTLOGIC_TYPE, false);
	check_same("2.5", "1", CERTLOGIC_TYPE, false);
}

static void test_steps(void **state)
{
	struct request *r;
	const struct certlogic_value v = value_of("[1,2,3,4,5,6,7,8]", &r);
	struct certlogic_walk w = certlogic_walk(&v);
	struct certlogic_value item;

	(void)state;
	scratch.steps = 5;
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(certlogic_walk_next(&w, &scratch, &item),
				 CERTLOGIC_OK);
		assert_int_equal(item.integer, i);
	}
	assert_int_equal(certlogic_walk_next(&w, &scratch, &item),
			 CERTLOGIC_STEPS);
	scratch.steps = 5;
	assert_int_equal(certlogic_value_item(&v, 6, &scratch, &item),
			 CERTLOGIC_STEPS);
	assert_int_equal(scratch.steps, 0);
	assert_false(certlogic_spend(&scratch, 1));
	assert_true(certlogic_spend(&scratch, 0));
	free(r);
}

static void test_error_texts(void **state)
{
	(void)state;
	for (unsigned e = 1; e < CERTLOGIC_ERROR_COUNT; e++)
		assert_true(strlen(certlogic_error_text(
				    (enum certlogic_error)e)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
