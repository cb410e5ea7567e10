/* SPDX-License-Identifier: Apache-2.0 */
#include "core/key_usage.h"

#include "place.h"

static const uint8_t KID[COSE_KID_BYTES]; /* of place_submit() */
static const uint8_t OTHER[COSE_KID_BYTES] = {1};

static struct key_usage *usage_open(const struct place *p)
{
	struct key_usage *u;

	assert_int_equal(key_usage_create(p->dir, p->journal,
					  release_journal(p->release), &u),
			 SG_OK);
	return u;
}

static void expect(const struct key_usage *u, const uint8_t *kid,
		   uint64_t count, int64_t exp)
{
	uint64_t n;
	int64_t e;

	key_usage_of(u, kid, &n, &e);
	assert_int_equal(n, count);
	assert_int_equal(e, exp);
}

/* N certificates are on record, the last until 1000 + IAT. */
static void record(struct place *p, size_t n, int64_t iat)
{
	struct place_item *last = NULL;

	for (size_t i = 0; i < n; i++)
		last = place_submit(p, iat - (int64_t)n + 1 + (int64_t)i);
	PLACE_WAIT(p, last->told == 1);
	assert_int_equal(last->err, SG_OK);
}

static bool knows_none(void *ctx, const uint8_t kid[COSE_KID_BYTES])
{
	(void)ctx;
	(void)kid;
	return false;
}

static bool knows_all(void *ctx, const uint8_t kid[COSE_KID_BYTES])
{
	(void)ctx;
	(void)kid;
	return true;
}

static void test_counts(void **state)
{
	struct place *p = place_open();
	struct key_usage *u;

	(void)state;
	place_open_release(p);
	u = usage_open(p);
	assert_true(key_usage_complete(u));
	expect(u, KID, 0, 0);
	key_usage_count(u, KID, 100, 0);
	key_usage_count(u, OTHER, 300, 1);
	key_usage_count(u, KID, 50, 2);
	expect(u, KID, 2, 100);
	expect(u, OTHER, 1, 300);
	assert_int_equal(key_usage_others(u, knows_none, NULL), 300);
	assert_int_equal(key_usage_others(u, knows_all, NULL), 0);
	key_usage_free(u);
	place_close(p);
}

/* What was on record is counted from the journal, or read from the file. */
static void test_start(void **state)
{
	struct place *p = place_open();
	struct key_usage *u;
	uint64_t now = clock_mono_us();

	(void)state;
	place_open_release(p);
	record(p, 5, 2000);
	u = usage_open(p);
	assert_false(key_usage_complete(u));
	key_usage_tick(u, now);
	assert_true(key_usage_complete(u));
	expect(u, KID, 5, 3000);
	assert_true(place_has(p, "key-usage"));
	/* A crash: three more, of which the file knows nothing. */
	record(p, 3, 4000);
	key_usage_free(u);
	u = usage_open(p);
	key_usage_tick(u, now);
	expect(u, KID, 8, 5000);
	key_usage_free(u);
	u = usage_open(p);
	assert_true(key_usage_complete(u));
	expect(u, KID, 8, 5000);
	key_usage_free(u);
	/* Damaged, or of a journal that was longer. */
	place_write(p, "key-usage", SPAN_LIT("leaf 2\nnonsense\n"));
	u = usage_open(p);
	key_usage_tick(u, now);
	expect(u, KID, 8, 5000);
	key_usage_free(u);
	place_write(p, "key-usage",
		    SPAN_LIT("leaf 99\n0000000000000000 99 9\n"));
	u = usage_open(p);
	key_usage_tick(u, now);
	expect(u, KID, 8, 5000);
	key_usage_free(u);
	place_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts),
					   cmocka_unit_test(test_start)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
