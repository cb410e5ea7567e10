/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "tools/auditor/batches.h"

static struct batches_item item(const char *country, uint8_t kid, uint32_t hash,
				int64_t exp)
{
	struct batches_item i = {.exp = exp};

	memcpy(i.country, country, sizeof(i.country));
	memset(i.kid, kid, sizeof(i.kid));
	memcpy(i.hash, &hash, sizeof(hash));
	return i;
}

static void add(struct batches *b, struct batches_item i)
{
	assert_int_equal(batches_add(b, &i), SG_OK);
}

/* Batch N of the Ith key, read back. */
static json_t *batch(const struct batches *b, size_t i, uint64_t n)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	json_t *j;

	assert_non_null(f);
	assert_int_equal(batches_write(b, i, n, f), SG_OK);
	assert_int_equal(fclose(f), 0);
	j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	free(text);
	return j;
}

static const char *member(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static void test_form(void **state)
{
	struct batches *b;
	json_t *j;
	const json_t *entries;

	(void)state;
	assert_int_equal(batches_create(BATCHES_UCI, &b), SG_OK);
	add(b, item("VN", 0xff, 2, 1800000000));
	add(b, item("VN", 0xff, 1, 1700000000));
	batches_seal(b);
	j = batch(b, 0, 0);
	assert_int_equal(json_object_size(j), 5);
	assert_string_equal(member(j, "country"), "VN");
	assert_string_equal(member(j, "expires"), "2027-01-15T08:00:00Z");
	assert_string_equal(member(j, "kid"), "//////////8=");
	assert_string_equal(member(j, "hashType"), "UCI");
	entries = json_object_get(j, "entries");
	assert_int_equal(json_array_size(entries), 2);
	assert_string_equal(member(json_array_get(entries, 0), "hash"),
			    "AQAAAAAAAAAAAAAAAAAAAA==");
	assert_string_equal(member(json_array_get(entries, 1), "hash"),
			    "AgAAAAAAAAAAAAAAAAAAAA==");
	json_decref(j);
	batches_free(b);
}

/* By country and key, whatever the order in which they come. */
static void test_groups(void **state)
{
	static const struct {
		const char *country;
		uint8_t kid;
	} WANT[] = {{"AB", 9}, {"VN", 1}, {"VN", 2}, {"VN", 3}};
	struct batches *b;

	(void)state;
	assert_int_equal(batches_create(BATCHES_SIGNATURE, &b), SG_OK);
	for (uint32_t i = 0; i < 30; i += 3) {
		add(b, item("VN", 2, i, 100));
		add(b, item("VN", 3, i, 100));
		add(b, item("AB", 9, i, 100));
		add(b, item("VN", 1, i, 100));
	}
	batches_seal(b);
	for (size_t i = 0; i < 4; i++) {
		const struct batches_key *k = batches_key(b, i);

		assert_memory_equal(k->country, WANT[i].country, 2);
		assert_int_equal(k->kid[0], WANT[i].kid);
		assert_int_equal(k->certificates, 10);
		assert_int_equal(k->hashes, 10);
		assert_int_equal(k->batches, 1);
	}
	assert_null(batches_key(b, 4));
	batches_free(b);
}

/* A renewed certificate has the same UVCI: one hash, and the later end. */
static void test_united(void **state)
{
	struct batches *b;
	json_t *j;

	(void)state;
	assert_int_equal(batches_create(BATCHES_UCI, &b), SG_OK);
	add(b, item("VN", 1, 7, 1700000000));
	add(b, item("VN", 1, 7, 1800000000));
	add(b, item("VN", 1, 7, 1600000000));
	batches_seal(b);
	assert_int_equal(batches_key(b, 0)->certificates, 3);
	assert_int_equal(batches_key(b, 0)->hashes, 1);
	j = batch(b, 0, 0);
	assert_int_equal(json_array_size(json_object_get(j, "entries")), 1);
	assert_string_equal(member(j, "expires"), "2027-01-15T08:00:00Z");
	json_decref(j);
	batches_free(b);
}

static void test_thousand(void **state)
{
	static const size_t WANT[] = {1000, 1000, 1};
	struct batches *b;

	(void)state;
	assert_int_equal(batches_create(BATCHES_SIGNATURE, &b), SG_OK);
	for (uint32_t i = 0; i < 2001; i++)
		add(b, item("VN", 1, i * 2654435761U, i));
	batches_seal(b);
	assert_int_equal(batches_key(b, 0)->batches, 3);
	for (uint64_t n = 0; n < 3; n++) {
		json_t *j = batch(b, 0, n);

		assert_int_equal(json_array_size(json_object_get(j, "entries")),
				 WANT[n]);
		json_decref(j);
	}
	batches_free(b);
}

static void test_bounded(void **state)
{
	struct batches *b;
	struct batches_item i = item("VN", 0, 1, 1);

	(void)state;
	assert_int_equal(batches_create(BATCHES_SIGNATURE, &b), SG_OK);
	for (uint32_t k = 0; k < BATCHES_KEYS_MAX; k++) {
		memcpy(i.kid, &k, sizeof(k));
		add(b, i);
	}
	memset(i.kid, 0xff, sizeof(i.kid));
	assert_int_equal(batches_add(b, &i), SG_TOO_BIG);
	memset(i.kid, 0, sizeof(i.kid));
	add(b, i);
	batches_seal(b);
	assert_int_equal(batches_key(b, 0)->certificates, 2);
	batches_free(b);
	batches_free(NULL);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(batches_type_of("COUNTRYCODEUCI"),
			 BATCHES_COUNTRYCODEUCI);
	assert_int_equal(batches_type_of("uci"), BATCHES_TYPES);
	assert_string_equal(batches_type_name(BATCHES_SIGNATURE), "SIGNATURE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),	cmocka_unit_test(test_groups),
		cmocka_unit_test(test_united),	cmocka_unit_test(test_thousand),
		cmocka_unit_test(test_bounded), cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
