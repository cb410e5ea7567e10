/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_load.h"

#include "expression.h"

static enum sg_err load(const char *text, struct expression_faults *f)
{
	const struct certlogic_listener listener = {.tell = expression_tell,
						    .ctx = f};
	json_t *j = expression_json(text);
	struct certlogic *program;
	const enum sg_err err = certlogic_load(j, &listener, &program);

	assert_true((program != NULL) == (err == SG_OK));
	certlogic_free(program);
	json_decref(j);
	return err;
}

static void test_valid(void **state)
{
	static const char *const good[] = {
		"true",
		"0",
		"42.0",
		"''",
		"[]",
		"[1,['a',{'var':'x'}],true]",
		"{'var':''}",
		"{'var':'a.0.b c.-'}",
		"{'if':[1,2,3]}",
		"{'and':[1,2,3,4,5]}",
		"{'<':[1,2,3]}",
		"{'not-before':[1,2]}",
		"{'plusTime':['x',-1,'year']}",
		"{'extractFromUVCI':[{'var':'x'},-1]}",
		"{'reduce':[[],0,0]}",
		"{'dccDateOfBirth':['x']}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct expression_faults f = {.n = 0};

		if (load(good[i], &f) != SG_OK)
			fail_msg("%s: %s", good[i], f.text);
	}
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *faults;
	} bad[] = {
		{"null", ": null is no expression\n"},
		{"2.5", ": a number must be an integer\n"},
		{"1e300", ": a number must be an integer\n"},
		{"{}", ": an operation has exactly one name, not 0\n"},
		{"{'if':[1,2,3],'!':[1]}",
		 ": an operation has exactly one name, not 2\n"},
		{"{'var':0}", ": var takes a path, as one text\n"},
		{"{'var':['x']}", ": var takes a path, as one text\n"},
		{"{'var':'x.'}",
		 ": a path is names between periods, none of them empty\n"},
		{"{'var':'.'}",
		 ": a path is names between periods, none of them empty\n"},
		{"{'var':'x..y'}",
		 ": a path is names between periods, none of them empty\n"},
		{"{'or':true}",
		 ": the operands of an operation are an array\n"},
		{"{'or':[null]}", ": there is no operation 'or'\n"},
		{"{'if':[1,2]}", ": if takes 3 operands, not 2\n"},
		{"{'and':[1]}", ": and takes at least 2 operands, and not 1\n"},
		{"{'>':[1,2,3,4]}",
		 ": > takes at least 2 operands, and not 4\n"},
		{"{'!':[]}", ": ! takes 1 operands, not 0\n"},
		{"{'plusTime':['x',{'var':'n'},'days']}",
		 ": the second operand of plusTime must be an integer\n"
		 ": the unit of plusTime is year, month, day or hour\n"},
		{"{'extractFromUVCI':['x','1']}",
		 ": the second operand of extractFromUVCI must be an "
		 "integer\n"},
		{"[1,{'if':[true,[null],{'and':[{'var':'x'},{'no':[]}]}]},2.5]",
		 "[1].if[1][0]: null is no expression\n"
		 "[1].if[2].and[1]: there is no operation 'no'\n"
		 "[2]: a number must be an integer\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct expression_faults f = {.n = 0};

		assert_int_equal(load(bad[i].text, &f), SG_MALFORMED);
		assert_string_equal(f.text, bad[i].faults);
	}
}

/* N times OPEN, MIDDLE, N times CLOSE. */
static char *nested(size_t n, const char *open, const char *middle,
		    const char *close)
{
	char *text =
		calloc(n + 1, strlen(open) + strlen(close) + strlen(middle));
	char *p = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, open);
	p = stpcpy(p, middle);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, close);
	return text;
}

static void check_nested(size_t n, enum sg_err expected)
{
	char *text = nested(n, "{'!':[", "1", "]}");
	struct expression_faults f = {.n = 0};

	assert_int_equal(load(text, &f), expected);
	assert_int_equal(f.n, expected == SG_OK ? 0 : 1);
	free(text);
}

static void check_wide(size_t n, enum sg_err expected)
{
	char *items = nested(n - 1, "0,", "0", "");
	char *text = calloc(1, strlen(items) + 3);
	struct expression_faults f = {.n = 0};

	assert_non_null(text);
	(void)sprintf(text, "[%s]", items);
	assert_int_equal(load(text, &f), expected);
	assert_int_equal(f.n, expected == SG_OK ? 0 : 1);
	free(text);
	free(items);
}

static void test_limits(void **state)
{
	char *path = nested(CERTLOGIC_NODES_MAX, "a.", "a", "");
	char *text = malloc(strlen(path) + 16);
	struct expression_faults f = {.n = 0};

	(void)state;
	check_nested(CERTLOGIC_DEPTH_MAX, SG_OK);
	check_nested(CERTLOGIC_DEPTH_MAX + 1, SG_TOO_BIG);
	check_nested(1000, SG_TOO_BIG);
	check_wide(CERTLOGIC_NODES_MAX - 1, SG_OK);
	check_wide(CERTLOGIC_NODES_MAX, SG_TOO_BIG);
	assert_non_null(text);
	(void)sprintf(text, "{'var':'%s'}", path);
	assert_int_equal(load(text, &f), SG_TOO_BIG);
	free(text);
	free(path);
}

/* The place of a fault is cut, not written beyond its end. */
static void test_long_place(void **state)
{
	char *text = nested(30, "{'dccDateOfBirth':[", "null", "]}");
	struct expression_faults f = {.n = 0};

	(void)state;
	assert_int_equal(load(text, &f), SG_MALFORMED);
	assert_true(strlen(f.text) < CERTLOGIC_PATH_MAX + 40);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_long_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
