/* SPDX-License-Identifier: Apache-2.0 */
#include "core/refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

enum { TAKEN_MAX = 512 };

/* What goes on record. */
static struct taker {
	bool refuses;	/* everything */
	size_t takes;	/* so many, then refuses; 0: all */
	uint64_t index; /* of the next leaf */
	size_t n;
	struct {
		char client[ENTRY_NAME_MAX + 1];
		int64_t from_ms;
		uint64_t records, first_count;
		size_t codes;
	} got[TAKEN_MAX];
} t;

static bool take(void *ctx, const struct entry_refused *e, uint64_t *index)
{
	uint8_t entry[8192];
	size_t n;

	assert_ptr_equal(ctx, &t);
	/* In the order that an entry must have. */
	assert_int_equal(
		entry_encode_refused(9999, e, entry, sizeof(entry), &n), SG_OK);
	if (t.refuses || (t.takes > 0 && t.n == t.takes))
		return false;
	assert_true(t.n < TAKEN_MAX);
	(void)snprintf(t.got[t.n].client, sizeof(t.got[0].client), "%.*s",
		       (int)e->client.n, (const char *)e->client.p);
	t.got[t.n].from_ms = e->from_ms;
	t.got[t.n].records = e->records;
	t.got[t.n].first_count = e->code[0].count;
	t.got[t.n].codes = e->n;
	t.n++;
	*index = t.index++;
	return true;
}

/* A verdict with A twice, B once, and C as a warning. */
static struct verdict verdict_of(enum violation_code a, enum violation_code b,
				 enum violation_code c)
{
	struct verdict v;

	verdict_init(&v);
	verdict_add(&v, a, false, SPAN_LIT("/x"));
	verdict_add(&v, a, false, SPAN_LIT("/y"));
	verdict_add(&v, b, false, SPAN_LIT("/x"));
	verdict_add(&v, c, true, SPAN_LIT("/x"));
	return v;
}

static void test_counts(void **state)
{
	const struct verdict v =
		verdict_of((enum violation_code)0, (enum violation_code)1,
			   (enum violation_code)2);
	struct refusals *r;

	(void)state;
	t = (struct taker){0};
	assert_int_equal(refusals_create(100, &r), SG_OK);
	refusals_take(r, 200, take, &t);
	assert_int_equal(t.n, 0);
	for (int i = 0; i < 3; i++)
		refusals_add(r, "one", &v);
	refusals_add(r, "two", &v);
	refusals_add(r, "one", &v);
	refusals_take(r, 300, take, &t);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.got[0].client, "one");
	assert_int_equal(t.got[0].records, 4);
	assert_int_equal(t.got[0].codes, 2);	   /* no warning */
	assert_int_equal(t.got[0].first_count, 4); /* once a request */
	assert_int_equal(t.got[0].from_ms, 200);
	assert_int_equal(t.got[1].records, 1);
	/* Taken is taken. */
	refusals_take(r, 400, take, &t);
	assert_int_equal(t.n, 2);
	refusals_free(r);
	refusals_free(NULL);
}

/* What is not taken is counted on, since its own beginning. */
static void test_not_taken(void **state)
{
	const struct verdict v =
		verdict_of((enum violation_code)0, (enum violation_code)1,
			   (enum violation_code)2);
	struct refusals *r;

	(void)state;
	t = (struct taker){.takes = 1};
	assert_int_equal(refusals_create(100, &r), SG_OK);
	refusals_add(r, "one", &v);
	refusals_add(r, "two", &v);
	refusals_take(r, 200, take, &t);
	assert_int_equal(t.n, 1);
	refusals_add(r, "one", &v);
	refusals_add(r, "two", &v);
	t.takes = 0;
	refusals_take(r, 300, take, &t);
	assert_int_equal(t.n, 3);
	assert_string_equal(t.got[1].client, "two");
	assert_int_equal(t.got[1].records, 2);
	assert_int_equal(t.got[1].from_ms, 100);
	assert_string_equal(t.got[2].client, "one");
	assert_int_equal(t.got[2].records, 1);
	assert_int_equal(t.got[2].from_ms, 200);
	refusals_free(r);
}

/* What was taken but lost is counted again, with what came since. */
static void test_lost(void **state)
{
	const struct verdict v =
		verdict_of((enum violation_code)0, (enum violation_code)1,
			   (enum violation_code)2);
	struct refusals *r;

	(void)state;
	t = (struct taker){.index = 7};
	assert_int_equal(refusals_create(100, &r), SG_OK);
	refusals_add(r, "one", &v);
	refusals_add(r, "two", &v);
	refusals_add(r, "two", &v);
	refusals_take(r, 200, take, &t);
	assert_int_equal(t.n, 2);
	refusals_add(r, "two", &v);
	refusals_lost(r, 8); /* leaf 7 is on record */
	refusals_lost(r, 8); /* and not twice */
	t.n = 0;
	refusals_take(r, 300, take, &t);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.got[0].client, "two");
	assert_int_equal(t.got[0].records, 3);
	assert_int_equal(t.got[0].first_count, 3);
	assert_int_equal(t.got[0].from_ms, 100);
	refusals_free(r);
}

/* The table is bounded; nothing is left out of the sum. */
static void test_many_clients(void **state)
{
	const struct verdict v =
		verdict_of((enum violation_code)0, (enum violation_code)1,
			   (enum violation_code)2);
	struct refusals *r;
	uint64_t records = 0;
	char name[32];

	(void)state;
	t = (struct taker){0};
	assert_int_equal(refusals_create(100, &r), SG_OK);
	for (int i = 0; i < 400; i++) {
		(void)snprintf(name, sizeof(name), "client-%d", i);
		refusals_add(r, name, &v);
	}
	refusals_add(r, "client-399", &v);
	refusals_add(r, "client-3", &v);
	refusals_take(r, 200, take, &t);
	assert_int_equal(t.n, REFUSALS_CLIENTS_MAX);
	for (size_t i = 0; i < t.n; i++)
		records += t.got[i].records;
	assert_int_equal(records, 402);
	assert_string_equal(t.got[REFUSALS_CLIENTS_MAX - 1].client, "other");
	assert_int_equal(t.got[REFUSALS_CLIENTS_MAX - 1].records,
			 402 - REFUSALS_CLIENTS_MAX);
	assert_int_equal(t.got[3].records, 2);
	refusals_free(r);
}

/* Every code at once fits one entry. */
static void test_every_code(void **state)
{
	struct refusals *r;
	struct verdict v;

	(void)state;
	t = (struct taker){0};
	assert_int_equal(refusals_create(100, &r), SG_OK);
	verdict_init(&v);
	for (int c = 0; c < VIOLATION_COUNT; c++)
		verdict_add(&v, (enum violation_code)c, false, SPAN_LIT("/x"));
	refusals_add(r, "one", &v);
	refusals_take(r, 200, take, &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.got[0].codes, VIOLATION_COUNT);
	refusals_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts),
					   cmocka_unit_test(test_not_taken),
					   cmocka_unit_test(test_lost),
					   cmocka_unit_test(test_many_clients),
					   cmocka_unit_test(test_every_code)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
