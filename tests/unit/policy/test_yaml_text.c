/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml_text.h"

#include "request.h"

/* {a: text, b?: [text, 1 to 3 of them], c?: [{d?: text}]} */
struct inner {
	char *d;
};

struct outer {
	char *a;
	char **b;
	unsigned b_count;
	struct inner *c;
	unsigned c_count;
};

static const cyaml_schema_value_t TEXT_ENTRY = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 5)};
static const cyaml_schema_field_t INNER[] = {
	CYAML_FIELD_STRING_PTR("d", CYAML_FLAG_OPTIONAL, struct inner, d, 0, 5),
	CYAML_FIELD_END};
static const cyaml_schema_value_t INNER_ENTRY = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct inner, INNER)};
static const cyaml_schema_field_t OUTER[] = {
	CYAML_FIELD_STRING_PTR("a", CYAML_FLAG_DEFAULT, struct outer, a, 1, 5),
	CYAML_FIELD_SEQUENCE("b", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
			     struct outer, b, &TEXT_ENTRY, 1, 3),
	CYAML_FIELD_SEQUENCE("c", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
			     struct outer, c, &INNER_ENTRY, 1, 3),
	CYAML_FIELD_END};
static const cyaml_schema_value_t SCHEMA = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct outer, OUTER)};

/* TEXT is refused with exactly FAULTS; NULL: it is not. */
static void check_bytes(struct span text, const char *expected)
{
	struct faults faults = {.n = 0};
	struct yaml_text *y;
	const enum sg_err err = yaml_text_read(text, "f", &SCHEMA, &y, &faults);

	assert_string_equal(faults.text, expected != NULL ? expected : "");
	assert_int_equal(err, expected != NULL ? SG_CONFIG : SG_OK);
	assert_true((y != NULL) == (err == SG_OK));
	yaml_text_free(y);
}

static void check(const char *text, const char *expected)
{
	check_bytes(span_str(text), expected);
}

static void test_sound(void **state)
{
	(void)state;
	check("a: x\n", NULL);
	check("{a: 'x', b: [1, 2, 3], c: [{}, {d: }]}", NULL);
	check("# a comment\n---\na: |\n  x\n...\n",
	      "f:3: a: a control character\n");
	check("\xEF\xBB\xBF"
	      "a: x\n",
	      NULL);
}

static void test_faults(void **state)
{
	(void)state;
	check("{}", "f:1: a: is missing\n");
	check("a: \"\"\n", "f:1: a: is empty\n");
	check("a: abcdef\n", "f:1: a: longer than 5 bytes\n");
	check("a: [x]\n", "f:1: a: must be a text\n");
	check("a: x\nb: y\n", "f:2: b: must be a list\n");
	check("a: x\nb: {}\n", "f:2: b: must be a list\n");
	check("a: x\nb:\n", "f:2: b: must be a list\n");
	check("a: x\nb: []\n", "f:2: b: is empty\n");
	check("a: x\nb: [1, 2, 3, 4]\n", "f:2: b: more than 3 entries\n");
	check("a: x\nb:\n  - y\n  - [z]\n", "f:4: b[1]: must be a text\n");
	check("a: x\nc: [d]\n", "f:2: c[0]: must be a map\n");
	check("[a]", "f:1: must be a map\n");
	check("a: x\nb: [y]\na: z\n", "f:3: a: is there twice\n");
	check("a: x\n[b]: y\n", "f:2: a key must be a text\n");
	check("a: \"x\\ty\"\n", "f:1: a: a control character\n");
	check("a: \"\\0\"\n", "f:1: a: a control character\n");
	check("a: \"\\x7F\"\n", "f:1: a: a control character\n");
}

static void test_all_at_once(void **state)
{
	(void)state;
	check("b: [abcdef, '']\nc:\n  - d: [1]\n  - 2\nb: [1]\n",
	      "f:1: b[0]: longer than 5 bytes\n"
	      "f:1: b[1]: is empty\n"
	      "f:3: c[0].d: must be a text\n"
	      "f:4: c[1]: must be a map\n"
	      "f:5: b: is there twice\n"
	      "f:1: a: is missing\n");
}

/* TEXT is no YAML, which is told in libyaml's own words after START. */
static void check_no_yaml(struct span text, const char *start)
{
	struct faults faults = {.n = 0};
	struct yaml_text *y;

	assert_int_equal(yaml_text_read(text, "f", &SCHEMA, &y, &faults),
			 SG_CONFIG);
	assert_null(y);
	assert_int_equal(faults.n, 1);
	assert_int_equal(strncmp(faults.text, start, strlen(start)), 0);
	assert_true(strlen(faults.text) > strlen(start) + 5);
}

static void test_not_yaml(void **state)
{
	(void)state;
	check("", "f: is empty\n");
	check("# nothing\n", "f: is empty\n");
	check("a: x\n---\na: y\n", "f:3: more than one document\n");
	check_no_yaml(SPAN_LIT("a: x\nb: [\n"), "f:3: not YAML: ");
	check_no_yaml(SPAN_LIT("a: x\n\tb: y\n"), "f:2: not YAML: ");
	check_no_yaml(SPAN_LIT("a: x\n---\n\nb: [\n"), "f:5: not YAML: ");
	check_no_yaml(SPAN_LIT("a: \xE9\n"), "f: not YAML: ");
	check_no_yaml(span_of("\xFF\xFE"
			      "a\0:\0",
			      6),
		      "f: not YAML: ");
	check_no_yaml(SPAN_LIT("a: *x\n"), "f:1: not YAML: ");
}

/* Nothing of YAML that makes a small text large, or a text something else. */
static void test_not_used(void **state)
{
	(void)state;
	check("a: &x y\nb: [*x]\n", "f:1: b[0]: aliases are not used here\n");
	check("a: &x y\n", NULL);
	check("a: x\nc: &r [*r]\n", "f:2: c[0]: aliases are not used here\n");
	check("a: !!binary x\n", "f:1: a: tags are not used here\n");
	check("a: !own x\n", "f:1: a: tags are not used here\n");
	check("a: !!str x\n", NULL);
}

/* Unknown keys are faults, but hide no others. */
static void test_unknown_keys(void **state)
{
	struct faults faults = {.n = 0};
	struct yaml_text *y;

	(void)state;
	assert_int_equal(yaml_text_read(SPAN_LIT("x: 1\na: y\nc:\n  - d: z\n"
						 "    e: {f: [*g]}\n"),
					"f", &SCHEMA, &y, &faults),
			 SG_CONFIG); /* the alias has no anchor */
	faults = (struct faults){.n = 0};
	assert_int_equal(yaml_text_read(SPAN_LIT("x: 1\na: y\nc:\n  - d: z\n"
						 "    e: {f: [g]}\n"),
					"f", &SCHEMA, &y, &faults),
			 SG_OK);
	assert_string_equal(faults.text,
			    "f:1: unknown key 'x' (known: a, b, c)\n"
			    "f:5: c[0]: unknown key 'e' (known: d)\n");
	assert_int_equal(faults.n, 2);
	yaml_text_free(y);
}

static void test_lines(void **state)
{
	struct faults faults = {.n = 0};
	struct yaml_text *y;

	(void)state;
	assert_int_equal(yaml_text_read(SPAN_LIT("\na: x\nb:\n  - p\n  - q\n"
						 "c:\n  - {}\n  - d: z\n"),
					"f", &SCHEMA, &y, &faults),
			 SG_OK);
	assert_int_equal(yaml_text_line(y, ""), 2);
	assert_int_equal(yaml_text_line(y, "a"), 2);
	assert_int_equal(yaml_text_line(y, "b"), 4);
	assert_int_equal(yaml_text_line(y, "b[1]"), 5);
	assert_int_equal(yaml_text_line(y, "c[1].d"), 8);
	/* What is not there is where it would be. */
	assert_int_equal(yaml_text_line(y, "z"), 2);
	assert_int_equal(yaml_text_line(y, "c[0].d"), 7);
	assert_int_equal(yaml_text_line(y, "c[7].d"), 7);
	assert_int_equal(yaml_text_line(y, "a.b"), 2);
	assert_int_equal(yaml_text_line(y, "a[0]"), 2);
	yaml_text_free(y);
	yaml_text_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_not_yaml),
		cmocka_unit_test(test_not_used),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
