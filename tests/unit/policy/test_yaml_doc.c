/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml_doc.h"

#include "request.h"

static yaml_document_t document;

/* TEXT is refused with the fault EXPECTED, or with what begins so. */
static void check_refused(struct span text, const char *expected)
{
	struct faults faults = {.n = 0};

	assert_int_equal(yaml_doc_parse(text, "f", &document, &faults),
			 SG_CONFIG);
	assert_int_equal(faults.n, 1);
	assert_memory_equal(faults.text, expected, strlen(expected));
}

static void test_refused(void **state)
{
	(void)state;
	check_refused(span_of(NULL, 0), "f: is empty\n");
	check_refused(SPAN_LIT("# nothing\n"), "f: is empty\n");
	check_refused(SPAN_LIT("a\n--- \nb\n"),
		      "f:3: more than one document\n");
	check_refused(SPAN_LIT("a: [\n"), "f:2: not YAML: ");
	check_refused(SPAN_LIT("a\n---\n["), "f:4: not YAML: ");
	check_refused(SPAN_LIT("a: \xE9\n"), "f: not YAML: ");
	check_refused(SPAN_LIT("a: *x\n"), "f:1: not YAML: ");
}

static const yaml_node_t *parse(const char *text)
{
	struct faults faults = {.n = 0};

	assert_int_equal(
		yaml_doc_parse(span_str(text), "f", &document, &faults), SG_OK);
	assert_int_equal(faults.n, 0);
	return yaml_document_get_root_node(&document);
}

static void test_nodes(void **state)
{
	const yaml_node_t *root =
		parse("a: x\n[k]: y\nb:\n  - p\n  - !own q\na: z\n");
	const yaml_node_t *n;

	(void)state;
	n = yaml_document_get_node(
		&document, yaml_doc_value(&document, root, SPAN_LIT("a")));
	assert_true(span_is(yaml_doc_scalar(n), "x")); /* the first one */
	assert_int_equal(yaml_doc_line(n), 1);
	assert_int_equal(yaml_doc_value(&document, n, SPAN_LIT("a")), 0);
	assert_int_equal(yaml_doc_value(&document, root, SPAN_LIT("c")), 0);
	assert_int_equal(yaml_doc_value(&document, root, SPAN_LIT("")), 0);
	assert_int_equal(yaml_doc_item(root, 0), 0);
	n = yaml_document_get_node(
		&document, yaml_doc_value(&document, root, SPAN_LIT("b")));
	assert_false(yaml_doc_is_tagged(n));
	assert_int_equal(yaml_doc_items(n), 2);
	assert_int_equal(yaml_doc_item(n, 2), 0);
	n = yaml_document_get_node(&document, yaml_doc_item(n, 1));
	assert_true(span_is(yaml_doc_scalar(n), "q"));
	assert_true(yaml_doc_is_tagged(n));
	assert_int_equal(yaml_doc_line(n), 5);
	yaml_document_delete(&document);
}

static void test_clean(void **state)
{
	(void)state;
	assert_true(yaml_doc_is_clean(span_of(NULL, 0)));
	assert_true(yaml_doc_is_clean(SPAN_LIT(" ~Bộ")));
	assert_false(yaml_doc_is_clean(SPAN_LIT("a\tb")));
	assert_false(yaml_doc_is_clean(SPAN_LIT("a\x7F")));
	assert_false(yaml_doc_is_clean(span_of("a\0", 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
