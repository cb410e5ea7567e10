/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/names.h"

#include "request.h"

static struct rule_profile profile;
static struct document document;

static void put(enum document_field field, const char *text)
{
	document.present[field] = true;
	document.text[field] = span_str(text);
}

static int reset(void **state)
{
	(void)state;
	rule_profile_init(&profile);
	document = (struct document){.has_kind = false};
	put(DOC_FN, "Nguyễn");
	put(DOC_FNT, "NGUYEN");
	put(DOC_GN, "Bảo Duy");
	put(DOC_GNT, "BAO<DUY");
	return 0;
}

static void check(const char *lines)
{
	const struct rule_context context = {.profile = &profile,
					     .document = &document};
	struct verdict v;

	verdict_init(&v);
	names_judge(&context, &v);
	assert_string_equal(verdict_lines(&v), lines);
}

static void test_right(void **state)
{
	(void)state;
	check("");
}

static void test_wrong(void **state)
{
	(void)state;
	put(DOC_FNT, "PHAM<THI");
	check("name-transliteration /dcc/nam/fnt\n");
	put(DOC_GNT, "DUY<BAO");
	check("name-transliteration /dcc/nam/fnt\n"
	      "name-transliteration /dcc/nam/gnt\n");
	put(DOC_FNT, "NGUYEN");
	check("name-transliteration /dcc/nam/gnt\n");
}

/* Exchanged, each is right by itself. */
static void test_exchanged(void **state)
{
	(void)state;
	put(DOC_FNT, "BAO<DUY");
	put(DOC_GNT, "NGUYEN");
	check("name-transliteration /dcc/nam/fnt\n"
	      "name-transliteration /dcc/nam/gnt\n");
}

static void test_absent(void **state)
{
	(void)state;
	put(DOC_FNT, "X");
	put(DOC_GNT, "X");
	document.present[DOC_FN] = false;
	check("name-transliteration /dcc/nam/gnt\n");
	document.present[DOC_GNT] = false;
	check("");
}

/* An empty name is there, and has an empty transliteration. */
static void test_empty(void **state)
{
	(void)state;
	put(DOC_GN, "");
	check("name-transliteration /dcc/nam/gnt\n");
	put(DOC_GNT, "");
	check("");
}

static void test_levels(void **state)
{
	(void)state;
	put(DOC_FNT, "X");
	rule_profile_set(&profile, RULE_NAME_TRANSLITERATION, RULE_WARNING);
	check("name-transliteration /dcc/nam/fnt warning\n");
	rule_profile_set(&profile, RULE_NAME_TRANSLITERATION, RULE_OFF);
	check("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_right, reset),
		cmocka_unit_test_setup(test_wrong, reset),
		cmocka_unit_test_setup(test_exchanged, reset),
		cmocka_unit_test_setup(test_absent, reset),
		cmocka_unit_test_setup(test_empty, reset),
		cmocka_unit_test_setup(test_levels, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
