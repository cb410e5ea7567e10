/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/ledger_path.h"

static void test_good(void **state)
{
	static const struct {
		const char *text;
		struct ledger_path want;
	} rows[] = {
		{"0/000", {0, 0, 256}},
		{"0/001.p/1", {0, 1, 1}},
		{"7/999.p/255", {7, 999, 255}},
		{"63/x001/000", {63, 1000, 256}},
		{"1/x001/x234/067",
		 {1, 1234067, 256}}, /* the specification's */
		{"entries/000", {LEDGER_PATH_ENTRIES, 0, 256}},
		{"entries/x001/x234/067.p/8",
		 {LEDGER_PATH_ENTRIES, 1234067, 8}},
		{"0/x018/x446/x744/x073/x709/x551/615.p/255",
		 {0, UINT64_MAX, 255}},
		{"entries/x018/x446/x744/x073/x709/x551/615.p/255",
		 {LEDGER_PATH_ENTRIES, UINT64_MAX, 255}},
	};
	char text[LEDGER_PATH_MAX];
	struct ledger_path p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ledger_path_parse(span_str(rows[i].text), &p),
				 SG_OK);
		assert_int_equal(p.level, rows[i].want.level);
		assert_true(p.n == rows[i].want.n);
		assert_int_equal(p.width, rows[i].want.width);
		ledger_path_text(&p, text);
		assert_memory_equal(text, "tile/", 5);
		assert_string_equal(text + 5, rows[i].text);
	}
}

static void test_bad(void **state)
{
	static const char *const rows[] = {
		"", "0", "0/", "/000", "0000", "entries", "entries/",
		"entries//000", "Entries/000", "entries000", "-1/000",
		/* the level */
		"00/000", "01/000", "64/000", "100/000", "x/000", "+1/000",
		" 0/000", "0x0/000",
		/* the number */
		"0/0", "0/00", "0/0000", "0/x000/000", "0/x000/001", "0/000/",
		"0/000/000", "0/x001", "0/x001/", "0/x001/x002", "0/x1/000",
		"0/001/x002", "0/X001/000", "0/xx001/000", "0/a00", "0/-01",
		"0/x018/x446/x744/x073/x709/x551/616",
		"0/x018/x446/x744/x073/x709/x552/000",
		"0/x001/x000/x000/x000/x000/x000/x000/000",
		/* the width */
		"0/000.p", "0/000.p/", "0/000.p/0", "0/000.p/00", "0/000.p/01",
		"0/000.p/256", "0/000.p/999", "0/000.p/1000", "0/000.p/1/",
		"0/000.p/-1", "0/000.P/1", "0/000.p/1.p/1", "0/000/p/1",
		"0/x001.p/1/000",
		/* other files */
		"0/../000", "../checkpoint", "./0/000", "0/./000", "0//000",
		"0/000.", "0/000 ", "0/000\n", "0/000%00", "0/%30%30%30",
		"0/x001/../000", "entries/../0/000", "0/000.tmp"};
	struct ledger_path p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ledger_path_parse(span_str(rows[i]), &p) != SG_NOT_FOUND)
			fail_msg("%s", rows[i]);
	}
	/* a NUL is a byte like any other */
	assert_int_equal(ledger_path_parse(SPAN_LIT("0/000\0"), &p),
			 SG_NOT_FOUND);
	assert_int_equal(ledger_path_parse(span_of(NULL, 0), &p), SG_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
