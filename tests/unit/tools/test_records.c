/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/uvci.h"
#include "tools/bench/flaws.h"
#include "tools/bench/records.h"
#include "tools/common/payload.h"

enum { NOW = 1768435200 /* 2026-01-15 */ };

static void test_check_character(void **state)
{
	(void)state;
	/* The example of the guidelines' annex 2. */
	assert_int_equal(
		uvci_checksum(span_str("URN:UVCI:01:NL:187/37512422923")), 'Z');
	assert_int_equal(uvci_checksum(span_str("")), 'A');
	assert_int_equal(uvci_checksum(span_str("urn:uvci")), '\0');
	assert_int_equal(uvci_checksum(span_str("A#B")), '\0');
}

static void test_uvci(void **state)
{
	char a[RECORDS_UVCI + 1] = "";
	char b[RECORDS_UVCI + 1] = "";

	(void)state;
	records_uvci(0, 42, a);
	assert_memory_equal(a, "URN:UVCI:01:VN:AAAAAAAA0000000042#", 34);
	assert_int_equal(a[34], uvci_checksum(span_of(a, 33)));
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
	struct records_settings all = {
		.seed = 5, .now = NOW, .kinds = "vtr", .n = 240};
	size_t kinds[128] = {0};

	(void)state;
	assert_int_equal(records_make(&all, &r), SG_OK);
	assert_int_equal(records_make(&all, &again), SG_OK);
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
	all.kinds = "r";
	assert_int_equal(records_make(&all, &r), SG_OK);
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(check_record(&r.record[i]), 'r');
	records_free(&r);
	all.kinds = "";
	assert_int_equal(records_make(&all, &r), SG_CONFIG);
	all.kinds = "vx";
	assert_int_equal(records_make(&all, &r), SG_CONFIG);
	all.kinds = "v";
	all.flawed = all.n + 1;
	assert_int_equal(records_make(&all, &r), SG_CONFIG);
}

/* As many as were asked for, and all kinds of them. */
static void test_flawed(void **state)
{
	struct records_settings s = {.seed = 8,
				     .now = NOW,
				     .kinds = "vtr",
				     .n = 3000,
				     .flawed = 1001};
	bool seen[64] = {false};
	struct records r;
	size_t flawed = 0;

	(void)state;
	assert_int_equal(records_make(&s, &r), SG_OK);
	for (size_t i = 0; i < r.n; i++) {
		flawed += r.record[i].flaw != NULL;
		for (size_t k = 0; flaw_at(k) != NULL; k++)
			if (flaw_at(k) == r.record[i].flaw)
				seen[k] = true;
		/* The place of the UVCI is right after any edit. */
		assert_memory_equal(r.record[i].body + r.record[i].uvci_at - 6,
				    "\"ci\":\"@", 7);
	}
	assert_int_equal(flawed, 1001);
	for (size_t k = 0; flaw_at(k) != NULL; k++)
		if (!seen[k])
			fail_msg("never: %s", flaw_at(k)->name);
	records_free(&r);
	s.plain = true;
	s.flawed = s.n;
	assert_int_equal(records_make(&s, &r), SG_OK);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.record[i].flaw != NULL &&
			    r.record[i].flaw->plain);
	records_free(&r);
}

/* The CBOR form is the JSON form's structure. */
static void test_cbor(void **state)
{
	struct records_settings s = {
		.seed = 8, .now = NOW, .kinds = "vtr", .n = 500, .flawed = 250};
	struct records json;
	struct records cbor;

	(void)state;
	assert_int_equal(records_make(&s, &json), SG_OK);
	s.form = RECORDS_CBOR;
	assert_int_equal(records_make(&s, &cbor), SG_OK);
	for (size_t i = 0; i < s.n; i++) {
		struct record *a = &json.record[i];
		struct record *b = &cbor.record[i];
		json_t *from_json;
		json_t *from_cbor;

		record_put_uvci(a, 3, i, a->body);
		record_put_uvci(b, 3, i, b->body);
		assert_ptr_equal(a->flaw, b->flaw);
		assert_true(b->n < a->n);
		from_json = json_loadb(a->body, a->n, 0, NULL);
		assert_int_equal(
			payload_json(span_of(b->body, b->n), &from_cbor),
			SG_OK);
		assert_true(json_equal(from_json, from_cbor));
		json_decref(from_json);
		json_decref(from_cbor);
	}
	records_free(&json);
	records_free(&cbor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_character),
		cmocka_unit_test(test_uvci),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_flawed),
		cmocka_unit_test(test_cbor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
