/* SPDX-License-Identifier: Apache-2.0 */
#include "core/diary.h"

#include "base/clock.h"
#include "place.h"

static const uint8_t FIRST_POLICY[ENTRY_HASH_BYTES] = {1};
static const uint8_t SECOND_POLICY[ENTRY_HASH_BYTES] = {2};

static struct diary *open_diary(struct place *p)
{
	struct diary *d;

	place_open_release(p);
	assert_int_equal(diary_create(p->release, &d), SG_OK);
	diary_policy(d, FIRST_POLICY);
	return d;
}

static void wait_idle(struct place *p)
{
	PLACE_WAIT(p, release_idle(p->release));
}

static void expect(const struct place *p, uint64_t index, enum entry_type type)
{
	uint8_t room[8192];
	struct entry entry;

	assert_true(place_records(p, index, &entry, room) > index);
	assert_int_equal(entry.type, type);
}

static void test_a_run(void **state)
{
	struct place *p = place_open();
	struct diary *d = open_diary(p);
	uint8_t room[8192];
	struct entry entry;
	struct verdict v;

	(void)state;
	/* Nothing before something may be signed. */
	assert_false(diary_tick(d, clock_mono_us()));
	diary_end(d);
	wait_idle(p);
	assert_int_equal(place_records(p, 0, NULL, NULL), 0);
	diary_begin(d);
	diary_begin(d);
	diary_policy(d, FIRST_POLICY);
	diary_policy(d, SECOND_POLICY);
	verdict_init(&v);
	verdict_add(&v, (enum violation_code)0, false, SPAN_LIT("/x"));
	diary_refused(d, "issuer", &v);
	assert_false(diary_tick(d, clock_mono_us()));
	assert_false(diary_tick(d, clock_mono_us() + DIARY_REFUSALS_US));
	diary_refused(d, "issuer", &v);
	diary_end(d);
	diary_end(d);
	/* Nothing after the end. */
	assert_false(diary_tick(d, clock_mono_us() + 3LL * DIARY_REFUSALS_US));
	diary_policy(d, FIRST_POLICY);
	wait_idle(p);
	assert_int_equal(place_records(p, 2, &entry, room), 6);
	assert_int_equal(entry.type, ENTRY_POLICY);
	assert_memory_equal(entry.policy_hash, SECOND_POLICY, ENTRY_HASH_BYTES);
	expect(p, 0, ENTRY_STARTED);
	expect(p, 1, ENTRY_POLICY);
	expect(p, 3, ENTRY_REFUSED);
	expect(p, 4, ENTRY_REFUSED);
	expect(p, 5, ENTRY_STOPPED);
	diary_free(d);
	diary_free(NULL);
	place_close(p);
}

/* What the journal took and then lost is written again, in its order. */
static void test_lost(void **state)
{
	struct place *p = place_open();
	struct diary *d = open_diary(p);
	uint8_t room[8192];
	struct entry entry;
	struct verdict v;
	unsigned told;

	(void)state;
	verdict_init(&v);
	verdict_add(&v, (enum violation_code)0, false, SPAN_LIT("/x"));
	place_limit_files(1);
	diary_ceremony(d, SPAN_LIT("what officers signed\n"));
	diary_begin(d);
	diary_refused(d, "issuer", &v);
	assert_false(diary_tick(d, clock_mono_us() + DIARY_REFUSALS_US));
	PLACE_WAIT(p, p->losses == 1);
	diary_lost(d, p->lost_from);
	/* It is down: nothing is taken. */
	assert_false(diary_tick(d, clock_mono_us()));
	place_limit_files(RLIM_INFINITY);
	PLACE_WAIT(p, release_up(p->release));
	/* Told once: by the first tick, should the journal's thread be as quick
	 * as that, or by the next. */
	told = diary_tick(d, clock_mono_us() + 2LL * DIARY_REFUSALS_US);
	wait_idle(p);
	told += diary_tick(d, clock_mono_us());
	assert_int_equal(told, 1);
	assert_false(diary_tick(d, clock_mono_us()));
	expect(p, 0, ENTRY_CEREMONY);
	expect(p, 1, ENTRY_STARTED);
	expect(p, 2, ENTRY_POLICY);
	assert_int_equal(place_records(p, 3, &entry, room), 4);
	assert_int_equal(entry.type, ENTRY_REFUSED);
	assert_int_equal(entry.refused.records, 1);
	/* What is on record is not lost by what comes after it. */
	diary_lost(d, 4);
	assert_false(diary_tick(d, clock_mono_us()));
	wait_idle(p);
	assert_int_equal(place_records(p, 0, NULL, NULL), 4);
	diary_free(d);
	place_close(p);
}

/* Counts that the journal has taken, but not written yet, are kept. */
static void test_counts_wait(void **state)
{
	struct place *p = place_open();
	struct diary *d = open_diary(p);
	struct verdict v;

	(void)state;
	verdict_init(&v);
	verdict_add(&v, (enum violation_code)0, false, SPAN_LIT("/x"));
	diary_begin(d);
	diary_refused(d, "issuer", &v);
	(void)diary_tick(d, clock_mono_us() + DIARY_REFUSALS_US);
	diary_refused(d, "issuer", &v);
	/* The loop has not run, but the journal's thread may have: either way
	 * no count is lost. */
	(void)diary_tick(d, clock_mono_us() + 2LL * DIARY_REFUSALS_US);
	wait_idle(p);
	(void)diary_tick(d, clock_mono_us() + 3LL * DIARY_REFUSALS_US);
	wait_idle(p);
	assert_int_equal(place_records(p, 0, NULL, NULL), 4);
	diary_free(d);
	place_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_run),
					   cmocka_unit_test(test_lost),
					   cmocka_unit_test(test_counts_wait)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
