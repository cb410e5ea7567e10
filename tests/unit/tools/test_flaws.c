/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "policy/uvci.h"
#include "tools/bench/flaws.h"

enum { NOW = 1768435200 /* 2026-01-15 */ };

static const struct flaw *find(const char *name)
{
	for (size_t i = 0; flaw_at(i) != NULL; i++)
		if (strcmp(flaw_at(i)->name, name) == 0)
			return flaw_at(i);
	fail_msg("no flaw %s", name);
	return NULL;
}

static struct record good(const char *kind)
{
	const struct records_settings s = {
		.seed = 3, .now = NOW, .kinds = kind, .n = 1};
	struct records all;
	struct record r;

	assert_int_equal(records_make(&s, &all), SG_OK);
	r = all.record[0];
	records_free(&all);
	assert_null(r.flaw);
	return r;
}

static json_t *parsed(const struct record *r)
{
	json_t *j = json_loadb(r->body, r->n, JSON_REJECT_DUPLICATES, NULL);

	if (j == NULL)
		fail_msg("no JSON: %.*s", (int)r->n, r->body);
	return j;
}

/* The one entry of the kind. */
static const json_t *entry(const json_t *j, const char *kind)
{
	return json_array_get(json_object_get(json_object_get(j, "dcc"), kind),
			      0);
}

/* Each fits the kinds that it names, leaves JSON with one UVCI in it, and
 * changes something. */
static void test_all_apply(void **state)
{
	size_t n = 0;

	(void)state;
	for (; flaw_at(n) != NULL; n++) {
		const struct flaw *f = flaw_at(n);

		assert_true(strlen(f->code) > 0 && strlen(f->kinds) > 0);
		assert_true(f->member != NULL || f->uvci != NULL);
		for (const char *k = f->kinds; *k != '\0'; k++) {
			const char kind[2] = {*k};
			const struct record before = good(kind);
			struct record r = before;

			assert_int_equal(flaw_apply(f, "2026-01-15", &r),
					 SG_OK);
			assert_ptr_equal(r.flaw, f);
			json_decref(parsed(&r));
			assert_non_null(memmem(r.body, r.n, "@@@@@@@@@@", 10));
			assert_true(f->member == NULL || r.n != before.n ||
				    memcmp(r.body, before.body, r.n) != 0);
		}
	}
	assert_true(n > 20);
}

static void test_values(void **state)
{
	struct record r = good("v");
	json_t *j;

	(void)state;
	assert_int_equal(flaw_apply(find("dose-fraction"), "", &r), SG_OK);
	j = parsed(&r);
	assert_true(json_is_real(json_object_get(entry(j, "v"), "dn")));
	json_decref(j);

	r = good("v");
	assert_int_equal(flaw_apply(find("dose-text"), "", &r), SG_OK);
	j = parsed(&r);
	assert_true(json_is_string(json_object_get(entry(j, "v"), "sd")));
	json_decref(j);

	r = good("v");
	assert_int_equal(flaw_apply(find("no-maker"), "", &r), SG_OK);
	j = parsed(&r);
	assert_null(json_object_get(entry(j, "v"), "ma"));
	assert_int_equal(json_object_size(entry(j, "v")), 9);
	json_decref(j);

	r = good("v");
	assert_int_equal(flaw_apply(find("entries"), "", &r), SG_OK);
	j = parsed(&r);
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(j, "dcc"), "v")),
			 2);
	json_decref(j);

	r = good("t");
	assert_int_equal(flaw_apply(find("expired"), "", &r), SG_OK);
	j = parsed(&r);
	assert_true(json_is_integer(json_object_get(j, "exp")));
	assert_non_null(entry(j, "t"));
	json_decref(j);

	r = good("r");
	assert_int_equal(flaw_apply(find("birth-late"), "2026-01-15", &r),
			 SG_OK);
	j = parsed(&r);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(j, "dcc"), "dob")),
			    "2026-01-15");
	json_decref(j);
}

static void test_errors(void **state)
{
	const struct flaw last = {.name = "x", .member = "z", .value = NULL};
	const struct flaw long_one = {
		.name = "x", .member = "dcc", .value = "[&,&,&,&]"};
	struct record r = {.body = "{\"a\":1,\"z\":2}", .n = 13};

	(void)state;
	assert_int_equal(flaw_apply(&last, "", &r), SG_OK);
	assert_int_equal(r.n, 7);
	assert_memory_equal(r.body, "{\"a\":1}", 7);
	assert_int_equal(flaw_apply(&last, "", &r), SG_NOT_FOUND);
	r = good("v");
	assert_int_equal(flaw_apply(&long_one, "", &r), SG_TOO_BIG);
}

static void put(const char *name, char uvci[RECORDS_UVCI + 1])
{
	struct record r = good("v");

	assert_int_equal(flaw_apply(find(name), "", &r), SG_OK);
	record_put_uvci(&r, 9, 77, r.body);
	memcpy(uvci, r.body + r.uvci_at, RECORDS_UVCI);
}

static void test_uvcis(void **state)
{
	char right[RECORDS_UVCI + 1] = "";
	char uvci[RECORDS_UVCI + 1] = "";

	(void)state;
	records_uvci(9, 77, right);
	put("uvci-check", uvci);
	assert_memory_equal(uvci, right, RECORDS_UVCI - 1);
	assert_int_not_equal(uvci[RECORDS_UVCI - 1], right[RECORDS_UVCI - 1]);
	put("uvci-lower-case", uvci);
	assert_int_equal(
		strspn(uvci, "abcdefghijklmnopqrstuvwxyz0123456789:#/"),
		RECORDS_UVCI);
	put("uvci-other", uvci);
	assert_memory_equal(uvci, "URN:UVCI:01:LA:", 15);
	assert_int_equal(uvci[RECORDS_UVCI - 1],
			 uvci_checksum(span_of(uvci, RECORDS_UVCI - 2)));
	put("null", uvci);
	assert_string_equal(uvci, right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_apply),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_uvcis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
