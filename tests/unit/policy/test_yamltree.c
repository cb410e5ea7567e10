/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/yamltree.h"

enum { TEXT_MAX = 4096 };

static struct faults faults;
static struct yaml_tree tree;

static enum sg_err load(const char *text)
{
	faults = (struct faults){0};
	return yaml_tree_load(&tree, span_str(text), "t.yaml", "/base",
			      &faults);
}

static void test_walk(void **state)
{
	struct yaml_at root;
	struct yaml_at list;
	struct yaml_at item;
	struct yaml_at name;
	struct yaml_at none;
	struct span s;

	(void)state;
	assert_int_equal(load("list:\n  - name: one\n  - name: two\n"), SG_OK);
	root = yaml_root(&tree);
	list = yaml_child(&root, "list");
	assert_int_equal(yaml_list(&list, 2), 2);
	item = yaml_item(&list, 1);
	name = yaml_child(&item, "name");
	assert_true(yaml_text(&name, &s));
	assert_true(span_is(s, "two"));
	none = yaml_child(&name, "deeper");
	assert_false(yaml_present(&none));
	none = yaml_item(&list, 2);
	assert_false(yaml_present(&none));
	none = yaml_item(&root, 0);
	assert_false(yaml_present(&none));
	yaml_fault(&name, "is %s", "odd");
	assert_string_equal(faults.text, "t.yaml:3: list[1].name: is odd\n");
	yaml_tree_free(&tree);
}

static void test_absent_line(void **state)
{
	struct yaml_at root;
	struct yaml_at map;
	struct yaml_at none;

	(void)state;
	assert_int_equal(load("a: 1\nmap:\n\n  b: 2\n"), SG_OK);
	root = yaml_root(&tree);
	map = yaml_child(&root, "map");
	none = yaml_child(&map, "c");
	yaml_fault(&none, "is missing");
	assert_string_equal(faults.text, "t.yaml:4: map.c: is missing\n");
	yaml_tree_free(&tree);
}

struct pair {
	int a;
	int b;
};

static void read_int(const struct yaml_at *at, void *member,
		     const struct yaml_field *f)
{
	struct span s;

	assert_true(yaml_text(at, &s));
	*(int *)member = s.p[0] - '0' + (int)f->min;
}

static const struct yaml_field FIELDS[] = {
	{.key = "a", .read = read_int, .offset = offsetof(struct pair, a)},
	{.key = "b",
	 .read = read_int,
	 .offset = offsetof(struct pair, b),
	 .optional = true,
	 .min = 40},
};

static struct pair read_pair(const char *text)
{
	struct pair p = {-1, -1};
	struct yaml_at root;

	assert_int_equal(load(text), SG_OK);
	root = yaml_root(&tree);
	yaml_fields(&root, FIELDS, 2, &p);
	yaml_tree_free(&tree);
	return p;
}

static void test_fields(void **state)
{
	struct pair p = read_pair("b: 2\na: 1\n");

	(void)state;
	assert_int_equal(p.a, 1);
	assert_int_equal(p.b, 42);
	assert_int_equal(faults.n, 0);
	p = read_pair("a: 1\n");
	assert_int_equal(p.b, -1);
	assert_int_equal(faults.n, 0);
	(void)read_pair("b: 1\n");
	assert_string_equal(faults.text, "t.yaml:1: a: is missing\n");
	(void)read_pair("a: 1\nc: 1\na: 2\n[x]: 3\n");
	assert_string_equal(faults.text,
			    "t.yaml:2: unknown key \"c\" (known: a, b)\n"
			    "t.yaml:3: repeated key \"a\"\n"
			    "t.yaml:4: a key must be a single "
			    "word\n");
	(void)read_pair("[a]");
	assert_int_equal(faults.n, 1);
}

/* Nothing of a hostile key reaches the terminal as it is. */
static void test_hostile_key(void **state)
{
	(void)state;
	(void)read_pair("a: 1\n\"\\e[2J\\n\": 2\n");
	assert_string_equal(faults.text,
			    "t.yaml:2: unknown key \"?[2J?\" (known: a, b)\n");
}

static void test_many_keys(void **state)
{
	char text[TEXT_MAX] = "a: 1\n";
	size_t n = strlen(text);

	(void)state;
	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "k%d: 1\n",
				      i);
	(void)read_pair(text);
	assert_string_equal(faults.text, "t.yaml:1: has too many keys\n");
}

static void test_text(void **state)
{
	static const char *const bad[] = {"[]", "{}",	   "",
					  "''", "\"\\t\"", "\"a\\x7f\""};
	struct yaml_at root;
	struct span s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		struct yaml_at v;

		(void)snprintf(text, sizeof(text), "v: %s\n", bad[i]);
		assert_int_equal(load(text), SG_OK);
		root = yaml_root(&tree);
		v = yaml_child(&root, "v");
		assert_false(yaml_text(&v, &s));
		assert_int_equal(faults.n, 1);
		yaml_tree_free(&tree);
	}
}

/* Line breaks are for those alone who ask for them. */
static void test_line_breaks(void **state)
{
	struct yaml_at root;
	struct yaml_at v;
	struct span s;

	(void)state;
	assert_int_equal(load("v: |\n  a\n  b\nw: \"a\\tb\"\n"), SG_OK);
	root = yaml_root(&tree);
	v = yaml_child(&root, "v");
	assert_true(yaml_lines(&v, &s));
	assert_true(span_is(s, "a\nb\n"));
	assert_int_equal(faults.n, 0);
	assert_false(yaml_text(&v, &s));
	v = yaml_child(&root, "w");
	assert_false(yaml_lines(&v, &s));
	assert_int_equal(faults.n, 2);
	yaml_tree_free(&tree);
}

static void test_not_yaml(void **state)
{
	static const char *const bad[] = {"",
					  "# only a comment\n",
					  "a: [1",
					  "a: 1\n b: 2\n",
					  "a: !x 1",
					  "---\na\n---\nb\n",
					  "a: *b\n",
					  "\xc3\x28",
					  "a: 1\n---\n[",
					  "a: \"\\q\"\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(bad[i]), SG_CONFIG);
		assert_int_equal(faults.n, 1);
	}
}

/* TEXT is refused with a fault that begins with START. */
static void check_refused(struct span text, const char *start)
{
	faults = (struct faults){0};
	assert_int_equal(yaml_tree_load(&tree, text, "f", NULL, &faults),
			 SG_CONFIG);
	assert_int_equal(faults.n, 1);
	assert_int_equal(strncmp(faults.text, start, strlen(start)), 0);
}

static void test_where_it_is_not_yaml(void **state)
{
	(void)state;
	check_refused(span_of(NULL, 0), "f: is empty\n");
	check_refused(SPAN_LIT("# nothing\n"), "f: is empty\n");
	check_refused(SPAN_LIT("a: x\n---\na: y\n"),
		      "f:3: more than one document\n");
	check_refused(SPAN_LIT("a: x\nb: [\n"), "f:3: not YAML: ");
	check_refused(SPAN_LIT("a: x\n\tb: y\n"), "f:2: not YAML: ");
	check_refused(SPAN_LIT("a: x\n---\n\nb: [\n"), "f:5: not YAML: ");
	check_refused(SPAN_LIT("a: \xE9\n"), "f: not YAML: ");
	check_refused(span_of("\xFF\xFE"
			      "a\0:\0",
			      6),
		      "f: not YAML: ");
	check_refused(SPAN_LIT("a: *x\n"), "f:1: not YAML: ");
}

static void test_not_used(void **state)
{
	(void)state;
	check_refused(SPAN_LIT("a: &x y\nb: [*x]\n"),
		      "f:1: aliases are not used here\n");
	check_refused(SPAN_LIT("a: x\nc: &r [*r]\n"),
		      "f:2: aliases are not used here\n");
	check_refused(SPAN_LIT("&r a: *r\n"),
		      "f:1: aliases are not used here\n");
	check_refused(SPAN_LIT("&r {a: {b: *r}}\n"),
		      "f:1: aliases are not used here\n");
	check_refused(SPAN_LIT("a: !!binary x\n"),
		      "f:1: tags are not used here\n");
	check_refused(SPAN_LIT("a:\n  - !own x\n"),
		      "f:2: tags are not used here\n");
	assert_int_equal(load("a: &x y\nb: !!str z\n"), SG_OK);
	yaml_tree_free(&tree);
	yaml_tree_free(&tree);
}

static void test_lines(void **state)
{
	(void)state;
	assert_int_equal(load("\na: x\nb:\n  - p\n  - q\n"
			      "c:\n  - {}\n  - d: z\n"),
			 SG_OK);
	assert_int_equal(yaml_line(&tree, ""), 2);
	assert_int_equal(yaml_line(&tree, "a"), 2);
	assert_int_equal(yaml_line(&tree, "b"), 4);
	assert_int_equal(yaml_line(&tree, "b[1]"), 5);
	assert_int_equal(yaml_line(&tree, "c[1].d"), 8);
	/* What is not there is where it would be. */
	assert_int_equal(yaml_line(&tree, "z"), 2);
	assert_int_equal(yaml_line(&tree, "c[0].d"), 7);
	assert_int_equal(yaml_line(&tree, "c[7].d"), 7);
	assert_int_equal(yaml_line(&tree, "a.b"), 2);
	assert_int_equal(yaml_line(&tree, "a[0]"), 2);
	yaml_tree_free(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_absent_line),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_hostile_key),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_line_breaks),
		cmocka_unit_test(test_not_yaml),
		cmocka_unit_test(test_where_it_is_not_yaml),
		cmocka_unit_test(test_not_used),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
