/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/verdict.h"

#include "request.h"

static void test_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIOLATION_COUNT; i++) {
		const enum violation_code code = (enum violation_code)i;
		const char *text = violation_code_text(code);

		assert_true(strlen(text) > 3);
		assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz-"),
				 strlen(text));
		assert_string_not_equal(
			violation_detail(code, VERDICT_ENGLISH),
			violation_detail(code, VERDICT_VIETNAMESE));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
				text,
				violation_code_text((enum violation_code)j));
	}
	assert_string_equal(violation_code_text(VIOLATION_MISSING_FIELD),
			    "missing-field");
	assert_string_equal(
		violation_code_text(VIOLATION_BEYOND_SIGNER_CERTIFICATE),
		"beyond-signer-certificate");
}

static void test_order_and_levels(void **state)
{
	struct verdict v;

	(void)state;
	memset(&v, 0xEE, sizeof(v)); /* as a slot that was used before */
	verdict_init(&v);
	assert_int_equal(v.n + v.errors + v.dropped, 0);
	verdict_add(&v, VIOLATION_TOO_LONG, false, SPAN_LIT("/a"));
	verdict_add(&v, VIOLATION_WRONG_TYPE, true, SPAN_LIT(""));
	verdict_add(&v, VIOLATION_TOO_LONG, false, SPAN_LIT("/b"));
	assert_int_equal(v.errors, 2);
	assert_string_equal(verdict_lines(&v), "too-long /a\n"
					       "wrong-type  warning\n"
					       "too-long /b\n");
}

static void test_places(void **state)
{
	const struct pointer dcc = {.key = SPAN_LIT("dcc")};
	const struct pointer v = {.up = &dcc, .key = SPAN_LIT("a/b~c~1")};
	const struct pointer at = {.up = &v, .indexed = true, .index = 120};
	const struct pointer zero = {.up = &at, .indexed = true};
	const struct pointer empty = {.up = &zero, .key = {NULL, 0}};
	struct verdict verdict;

	(void)state;
	verdict_init(&verdict);
	verdict_add_at(&verdict, VIOLATION_WRONG_TYPE, false, NULL);
	verdict_add_at(&verdict, VIOLATION_WRONG_TYPE, false, &empty);
	/* RFC 6901 s. 3 and 5: an empty key is a pointer that ends in '/'. */
	assert_string_equal(verdict_lines(&verdict),
			    "wrong-type \n"
			    "wrong-type /dcc/a~1b~0c~01/120/0/\n");
}

struct piece {
	const char *text;
	const char *escaped;
};

/* PAD characters and then as many of PIECE as go far beyond the limit: what is
 * kept is a prefix, and as long as whole pieces can make it. */
static void check_cut(const struct piece *piece, size_t pad)
{
	char key[2 * VERDICT_POINTER_MAX];
	char whole[5 * VERDICT_POINTER_MAX];
	const size_t n = strlen(piece->text);
	const size_t m = strlen(piece->escaped);
	struct pointer at = {.up = NULL};
	struct verdict v;
	size_t len = pad;
	size_t wide = pad + 1;

	memset(key, 'p', pad);
	memset(whole, 'p', pad + 1);
	whole[0] = '/';
	for (; len + n <= sizeof(key); len += n, wide += m) {
		memcpy(key + len, piece->text, n);
		memcpy(whole + wide, piece->escaped, m);
	}
	at.key = span_of(key, len);
	verdict_init(&v);
	verdict_add_at(&v, VIOLATION_TOO_LONG, false, &at);
	verdict_add(&v, VIOLATION_TOO_LONG, false, span_of(whole, wide));
	for (size_t i = 0; i < 2; i++) {
		const struct span p = verdict_pointer(&v, i);

		assert_true(p.n <= VERDICT_POINTER_MAX);
		assert_true(p.n + m > VERDICT_POINTER_MAX);
		assert_int_equal((p.n - pad - 1) % m, 0);
		assert_memory_equal(p.p, whole, p.n);
	}
}

static void test_cut(void **state)
{
	static const struct piece pieces[] = {{"x", "x"},  {"é", "é"},
					      {"ễ", "ễ"},  {"😀", "😀"},
					      {"/", "~1"}, {"~", "~0"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		for (size_t pad = 0; pad < 8; pad++)
			check_cut(&pieces[i], pad);
}

static void test_exactly_at_the_limit(void **state)
{
	char text[VERDICT_POINTER_MAX + 1];
	struct verdict v;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[VERDICT_POINTER_MAX - 1] = '~'; /* begins no escape that fits */
	verdict_init(&v);
	verdict_add(&v, VIOLATION_TOO_LONG, false, span_of(text, sizeof(text)));
	assert_int_equal(verdict_pointer(&v, 0).n, VERDICT_POINTER_MAX - 1);
	text[VERDICT_POINTER_MAX - 1] = 'x';
	verdict_add(&v, VIOLATION_TOO_LONG, false,
		    span_of(text, VERDICT_POINTER_MAX));
	assert_int_equal(verdict_pointer(&v, 1).n, VERDICT_POINTER_MAX);
}

static size_t kept_errors(const struct verdict *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->violation[i].warning ? 0 : 1;
	return n;
}

static void test_bounded_by_count(void **state)
{
	struct verdict v;

	(void)state;
	verdict_init(&v);
	for (size_t i = 0; i < (size_t)3 * VERDICT_MAX; i++)
		verdict_add(&v, VIOLATION_TOO_LONG, i % 2 == 0, SPAN_LIT("/x"));
	assert_int_equal(v.n, VERDICT_MAX);
	assert_int_equal(v.errors, (size_t)3 * VERDICT_MAX / 2);
	assert_int_equal(v.dropped, 2 * VERDICT_MAX);
	assert_int_equal(kept_errors(&v), VERDICT_MAX);
}

static void test_bounded_by_pool(void **state)
{
	char text[VERDICT_POINTER_MAX];
	struct verdict v;

	(void)state;
	memset(text, 'x', sizeof(text));
	verdict_init(&v);
	for (size_t i = 0; i < VERDICT_MAX; i++)
		verdict_add(&v, VIOLATION_TOO_LONG, false,
			    span_of(text, sizeof(text)));
	assert_int_equal(v.n, sizeof(v.pool) / sizeof(text));
	assert_int_equal(v.n + v.dropped, VERDICT_MAX);
	assert_int_equal(v.errors, VERDICT_MAX);
	/* What needs no room still finds its place. */
	verdict_add(&v, VIOLATION_TOO_LONG, false, SPAN_LIT(""));
	assert_int_equal(verdict_pointer(&v, v.n - 1).n, 0);
}

static void add_numbered(struct verdict *v, bool warning, size_t number)
{
	char text[16];
	const int n = snprintf(text, sizeof(text), "/%zu", number);

	verdict_add(v, warning ? VIOLATION_UNKNOWN_FIELD : VIOLATION_TOO_LONG,
		    warning, span_of(text, (size_t)n));
}

/* Violation I is the one that was added with NUMBER. */
static void check_numbered(const struct verdict *v, size_t i, bool warning,
			   size_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "/%zu", number);
	assert_int_equal(v->violation[i].warning, warning);
	assert_int_equal(v->violation[i].code, warning ? VIOLATION_UNKNOWN_FIELD
						       : VIOLATION_TOO_LONG);
	assert_true(span_is(verdict_pointer(v, i), text));
}

static void test_warnings_give_way(void **state)
{
	struct verdict v;

	(void)state;
	verdict_init(&v);
	add_numbered(&v, false, 1000);
	for (size_t i = 0; i < (size_t)VERDICT_MAX + 10; i++)
		add_numbered(&v, true, i);
	assert_int_equal(v.n, VERDICT_MAX);
	assert_int_equal(v.dropped, 11);
	for (size_t i = 1; i <= 3; i++)
		add_numbered(&v, false, 1000 + i);
	assert_int_equal(v.n, VERDICT_MAX);
	assert_int_equal(v.errors, 4);
	assert_int_equal(v.dropped, 14);
	/* The rest stands in the order in which it came. */
	check_numbered(&v, 0, false, 1000);
	for (size_t i = 1; i < VERDICT_MAX - 3; i++)
		check_numbered(&v, i, true, i - 1);
	for (size_t i = 1; i <= 3; i++)
		check_numbered(&v, VERDICT_MAX - 4 + i, false, 1000 + i);
}

static void test_warnings_give_way_in_the_pool(void **state)
{
	char text[VERDICT_POINTER_MAX];
	struct verdict v;

	(void)state;
	memset(text, 'w', sizeof(text));
	verdict_init(&v);
	add_numbered(&v, true, 1);
	while (sizeof(v.pool) - v.pool_n >= sizeof(text))
		verdict_add(&v, VIOLATION_TOO_LONG, true,
			    span_of(text, sizeof(text)));
	add_numbered(&v, true, 2);
	text[0] = 'e';
	verdict_add(&v, VIOLATION_WRONG_TYPE, false,
		    span_of(text, sizeof(text)));
	/* The last short one went, which was not enough, then a long one. */
	assert_int_equal(v.dropped, 2);
	assert_int_equal(v.errors, 1);
	check_numbered(&v, 0, true, 1);
	assert_int_equal(verdict_pointer(&v, 1).p[0], 'w');
	assert_int_equal(kept_errors(&v), 1);
	assert_false(v.violation[v.n - 1].warning);
	assert_memory_equal(verdict_pointer(&v, v.n - 1).p, text, sizeof(text));
	assert_int_equal(v.pool_n, (v.n - 1) * sizeof(text) + 2);
}

/* Where no warning could make enough room, none is lost. */
static void test_no_warning_goes_for_nothing(void **state)
{
	char text[VERDICT_POINTER_MAX];
	struct verdict v;

	(void)state;
	memset(text, 'e', sizeof(text));
	verdict_init(&v);
	add_numbered(&v, true, 1);
	while (sizeof(v.pool) - v.pool_n >= sizeof(text))
		verdict_add(&v, VIOLATION_TOO_LONG, false,
			    span_of(text, sizeof(text)));
	verdict_add(&v, VIOLATION_TOO_LONG, false,
		    span_of(text, sizeof(text) / 2)); /* there is room */
	verdict_add(&v, VIOLATION_TOO_LONG, false,
		    span_of(text, sizeof(text))); /* and now there is none */
	assert_int_equal(v.dropped, 1);
	assert_int_equal(kept_errors(&v), v.n - 1);
	assert_int_equal(v.errors, v.n);
	check_numbered(&v, 0, true, 1);
}

/* What the policy's own rules say stands in place of the table's. */
static void test_own_text(void **state)
{
	static const struct violation_text text = {
		.code = SPAN_LIT("rule:X"),
		.detail = {SPAN_LIT("en"), SPAN_LIT("vi")}};
	static struct verdict v;

	(void)state;
	verdict_init(&v);
	verdict_add_rule(&v, &text, false, SPAN_LIT("/dcc"));
	verdict_add(&v, VIOLATION_TOO_LONG, true, SPAN_LIT("/id"));
	assert_int_equal(v.errors, 1);
	assert_int_equal(v.warnings, 1);
	assert_int_equal(v.violation[0].code, VIOLATION_RULE);
	assert_true(span_is(verdict_code(&v, 0), "rule:X"));
	assert_true(span_is(verdict_detail(&v, 0, VERDICT_ENGLISH), "en"));
	assert_true(span_is(verdict_detail(&v, 0, VERDICT_VIETNAMESE), "vi"));
	assert_true(span_is(verdict_code(&v, 1), "too-long"));
	assert_true(span_is(
		verdict_detail(&v, 1, VERDICT_VIETNAMESE),
		violation_detail(VIOLATION_TOO_LONG, VERDICT_VIETNAMESE)));
}

/* A cause has its own words under the code that all of them share. */
static void test_cause(void **state)
{
	static const struct violation_text cause = {
		.code = SPAN_LIT("expired"),
		.detail = {SPAN_LIT("en"), SPAN_LIT("vi")}};
	const struct pointer at = {.key = SPAN_LIT("a/b")};
	static struct verdict v;

	(void)state;
	verdict_init(&v);
	verdict_add_cause(&v, VIOLATION_EXPIRED, &cause, &at);
	verdict_add_cause(&v, VIOLATION_EXPIRED, NULL, &at);
	assert_int_equal(v.errors, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(v.violation[i].code, VIOLATION_EXPIRED);
		assert_true(span_is(verdict_code(&v, i), "expired"));
		assert_true(span_is(verdict_pointer(&v, i), "/a~1b"));
	}
	assert_true(span_is(verdict_detail(&v, 0, VERDICT_ENGLISH), "en"));
	assert_true(span_is(verdict_detail(&v, 0, VERDICT_VIETNAMESE), "vi"));
	assert_true(
		span_is(verdict_detail(&v, 1, VERDICT_ENGLISH),
			violation_detail(VIOLATION_EXPIRED, VERDICT_ENGLISH)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_order_and_levels),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_exactly_at_the_limit),
		cmocka_unit_test(test_bounded_by_count),
		cmocka_unit_test(test_bounded_by_pool),
		cmocka_unit_test(test_warnings_give_way),
		cmocka_unit_test(test_warnings_give_way_in_the_pool),
		cmocka_unit_test(test_no_warning_goes_for_nothing),
		cmocka_unit_test(test_own_text),
		cmocka_unit_test(test_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
