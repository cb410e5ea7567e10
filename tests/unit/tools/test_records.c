/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/records.h"

enum { NOW = 1768435200 /* 2026-01-15 */ };

static void test_check_character(void **state)
{
	(void)state;
	/* The example of the guidelines' annex 2. */
	assert_int_equal(
		records_uvci_check(span_str("URN:UVCI:01:NL:187/37512422923")),
		'Z');
	assert_int_equal(records_uvci_check(span_str("")), 'A');
	assert_int_equal(records_uvci_check(span_str("urn:uvci")), '\0');
	assert_int_equal(records_uvci_check(span_str("A#B")), '\0');
}

static void test_uvci(void **state)
{
	char a[RECORDS_UVCI + 1] = "";
	char b[RECORDS_UVCI + 1] = "";

	(void)state;
	records_uvci(0, 42, a);
	assert_memory_equal(a, "URN:UVCI:01:VN:AAAAAAAA0000000042#", 34);
	assert_int_equal(a[34], records_uvci_check(span_of(a, 33)));
	records_uvci(0, 43, b);
	assert_string_not_equal(a, b);
	records_uvci(1, 42, b);
	assert_string_not_equal(a, b);
	records_uvci(UINT64_MAX, UINT64_MAX, b);
	assert_int_not_equal(b[34], '\0');
	assert_int_equal(strspn(b, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:#"),
			 RECORDS_UVCI);
}

static const char *text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	assert_non_null(s);
	return s;
}

static void check_names(const json_t *nam)
{
	static const char *const plain[] = {"fnt", "gnt"};

	for (size_t i = 0; i < 2; i++) {
		const char *s = text(nam, plain[i]);

		assert_true(s[0] != '\0' && strlen(s) <= 80);
		assert_int_equal(strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ<"),
				 strlen(s));
	}
	assert_true(strlen(text(nam, "fn")) > 0);
	/* As many words in either form. */
	assert_int_equal(strchr(text(nam, "gn"), ' ') != NULL,
			 strchr(text(nam, "gnt"), '<') != NULL);
}

static char check_record(const struct record *r)
{
	json_t *j = json_loadb(r->body, r->n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *dcc = json_object_get(j, "dcc");
	const char *dob = text(dcc, "dob");
	char kind = '\0';

	check_names(json_object_get(dcc, "nam"));
	assert_int_equal(strlen(dob), 10);
	for (const char *k = "vtr"; *k != '\0'; k++) {
		const char name[2] = {*k};
		const json_t *list = json_object_get(dcc, name);
		const json_t *e = json_array_get(list, 0);
		const char *day;

		if (list == NULL)
			continue;
		assert_int_equal(kind, '\0');
		kind = *k;
		assert_int_equal(json_array_size(list), 1);
		assert_string_equal(text(e, "co"), "VN");
		assert_string_equal(text(e, "is"), "Bộ Y tế");
		assert_int_equal(strlen(text(e, "ci")), RECORDS_UVCI);
		day = text(e, kind == 'v' ? "dt" : kind == 't' ? "sc" : "fr");
		/* Dates of this form are in order as text. */
		assert_true(strcmp(dob, day) < 0);
		assert_true(strcmp(day, "2026-01-15") < 0);
		if (kind == 'v')
			assert_true(
				json_integer_value(json_object_get(e, "dn")) <=
				json_integer_value(json_object_get(e, "sd")));
	}
	json_decref(j);
	return kind;
}

static void test_records(void **state)
{
	struct records r;
	struct records again;
	size_t kinds[128] = {0};

	(void)state;
	assert_int_equal(records_make(5, NOW, "vtr", 240, &r), SG_OK);
	assert_int_equal(records_make(5, NOW, "vtr", 240, &again), SG_OK);
	for (size_t i = 0; i < r.n; i++) {
		assert_memory_equal(r.record[i].body, again.record[i].body,
				    r.record[i].n);
		assert_int_equal(strtoul(r.record[i].length, NULL, 10),
				 r.record[i].n);
		records_uvci(9, i, r.record[i].body + r.record[i].uvci_at);
		kinds[(size_t)check_record(&r.record[i])]++;
	}
	assert_int_equal(kinds['v'], 200);
	assert_int_equal(kinds['t'], 20);
	assert_int_equal(kinds['r'], 20);
	records_free(&r);
	records_free(&again);
	assert_int_equal(records_make(6, NOW, "r", 30, &r), SG_OK);
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(check_record(&r.record[i]), 'r');
	records_free(&r);
	assert_int_equal(records_make(6, NOW, "", 30, &r), SG_CONFIG);
	assert_int_equal(records_make(6, NOW, "vx", 30, &r), SG_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_character),
		cmocka_unit_test(test_uvci),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
