/* SPDX-License-Identifier: Apache-2.0 */
#include "core/release.h"

#include "ipc/wire.h"
#include "place.h"

static void on_changed(void *ctx)
{
	(void)ctx;
}

/* Without a journal, as tests have it. */
static void test_clock(void **state)
{
	struct place *p = place_open();
	struct release_parts parts = {
		.loop = &p->loop, .newest = INT64_MIN, .changed = on_changed};
	const struct place_item *i;

	(void)state;
	assert_int_equal(release_create(&parts, &p->release), SG_OK);
	assert_null(release_journal(p->release));
	assert_true(release_clock_sane(p->release, INT64_MIN));
	assert_true(release_clock_sane(p->release, 0));
	i = place_submit(p, 1000);
	assert_int_equal(i->told, 1);
	assert_int_equal(i->err, SG_OK);
	assert_int_equal(i->index, WIRE_NO_LEDGER_INDEX);
	assert_true(release_idle(p->release));
	assert_true(release_clock_sane(p->release, 2000));
	assert_true(
		release_clock_sane(p->release, 1000 - RELEASE_CLOCK_SLACK_S));
	assert_false(
		release_clock_sane(p->release, 999 - RELEASE_CLOCK_SLACK_S));
	place_close_release(p);
	release_free(NULL);
	parts.newest = 5000;
	assert_int_equal(release_create(&parts, &p->release), SG_OK);
	assert_false(release_clock_sane(p->release, 4000));
	/* An older certificate moves nothing. */
	(void)place_submit(p, 1000);
	assert_false(release_clock_sane(p->release, 4000));
	place_close(p);
}

/* Nothing goes out before it is on the disk, and then in order. */
static void test_recorded_first(void **state)
{
	struct place *p = place_open();
	uint8_t room[8192];
	struct entry entry;
	uint64_t leaf;
	uint64_t end;

	(void)state;
	place_open_release(p);
	for (int i = 0; i < 3; i++)
		(void)place_submit(p, 1000 + i);
	for (int i = 0; i < 3; i++)
		assert_int_equal(p->item[i].told, 0);
	assert_false(release_idle(p->release));
	PLACE_WAIT(p, p->item[2].told == 1);
	assert_true(release_idle(p->release));
	assert_true(p->changes > 0);
	journal_end(release_journal(p->release), &leaf, &end);
	assert_int_equal(leaf, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(p->item[i].told, 1);
		assert_int_equal(p->item[i].err, SG_OK);
		assert_int_equal(p->item[i].index, i);
		assert_true(p->item[i].offset < end);
		assert_true(release_has(p->release, (uint64_t)i));
		assert_int_equal(place_records(p, (uint64_t)i, &entry, room),
				 3);
		assert_int_equal(entry.type, ENTRY_ISSUED);
		assert_int_equal(entry.iat, 1000 + i);
		assert_int_equal(
			entry_matches(&entry, p->item[i].item.facts.signature,
				      p->item[i].item.facts.uvci,
				      p->item[i].item.facts.sig_structure),
			SG_OK);
	}
	assert_false(release_has(p->release, 3));
	/* The newest time is that of the journal, now. */
	place_close_release(p);
	place_open_release(p);
	assert_false(release_clock_sane(p->release, 1000000));
	place_close(p);
}

/* What cannot be written is told, and its leaves are given again. */
static void test_failure(void **state)
{
	struct place *p = place_open();
	uint64_t index;
	enum sg_err err;

	(void)state;
	place_open_release(p);
	(void)place_submit(p, 1);
	PLACE_WAIT(p, p->item[0].told == 1);
	place_limit_files(1);
	(void)place_submit(p, 2);
	/* Unless it has failed already. */
	err = release_note(p->release, SPAN_LIT("\xa2\x01\x06\x02\x01"),
			   &index);
	assert_true(err == SG_OK ? index == 2 : err == SG_IO);
	PLACE_WAIT(p, p->item[1].told == 1);
	assert_int_equal(p->item[1].err, SG_LEDGER_DOWN);
	assert_int_equal(p->item[1].index, WIRE_NO_LEDGER_INDEX);
	assert_int_equal(p->losses, 1);
	assert_int_equal(p->lost_from, 1);
	assert_false(release_up(p->release));
	assert_false(release_open(p->release));
	assert_false(release_has(p->release, 1));
	assert_int_equal(metric_get(p->page, METRIC_LEDGER_FAILURES), 1);
	/* At once, as long as it is down. */
	(void)place_submit(p, 3);
	assert_int_equal(p->item[2].told, 1);
	assert_int_equal(p->item[2].err, SG_LEDGER_DOWN);
	place_limit_files(RLIM_INFINITY);
	PLACE_WAIT(p, release_up(p->release));
	/* Nothing of it is waited for any more. */
	assert_true(release_idle(p->release));
	(void)place_submit(p, 4);
	PLACE_WAIT(p, p->item[3].told == 1);
	assert_int_equal(p->item[3].err, SG_OK);
	assert_int_equal(p->item[3].index, 1);
	assert_int_equal(place_records(p, 0, NULL, NULL), 2);
	place_close(p);
}

/* At the end what waits is on record, but nobody is told that it may go out,
 * and what comes too late is on no record and must not go out either. */
static void test_abandon(void **state)
{
	struct place *p = place_open();
	uint64_t index;

	(void)state;
	place_open_release(p);
	(void)place_submit(p, 1);
	release_abandon(p->release);
	assert_int_equal(p->item[0].told, 1);
	assert_int_equal(p->item[0].err, SG_CLOSED);
	(void)place_submit(p, 2);
	assert_int_equal(p->item[1].told, 1);
	assert_int_equal(p->item[1].err, SG_CLOSED);
	assert_int_equal(release_note(p->release, SPAN_LIT("\xa0"), &index),
			 SG_CLOSED);
	assert_false(release_open(p->release));
	assert_int_equal(place_records(p, 0, NULL, NULL), 1);
	place_close(p);
}

static void test_hold(void **state)
{
	struct place *p = place_open();
	struct release_parts parts = {.loop = &p->loop,
				      .journal_dir = p->journal,
				      .origin = "test.example/log",
				      .newest = INT64_MIN,
				      .changed = on_changed};
	struct release *other;

	(void)state;
	place_open_release(p);
	assert_true(release_open(p->release));
	release_hold(p->release, true);
	assert_false(release_open(p->release));
	assert_true(release_up(p->release));
	release_hold(p->release, false);
	assert_true(release_open(p->release));
	/* One process has the journal. */
	log_limit(LOG_ERROR);
	assert_int_equal(release_create(&parts, &other), SG_IO);
	assert_null(other);
	place_close(p);
}

/* It does not go on with a journal that lacks its beginning. */
static void test_refused(void **state)
{
	struct place *p = place_open();
	char from[PLACE_PATH];
	char to[PLACE_PATH];
	const struct release_parts parts = {.loop = &p->loop,
					    .journal_dir = p->journal,
					    .origin = "test.example/log",
					    .newest = INT64_MIN,
					    .changed = on_changed};
	struct release *r;

	(void)state;
	place_open_release(p);
	place_close_release(p);
	place_path(p, from, "journal/00000000000000000000");
	place_path(p, to, "journal/00000000000000000001");
	assert_int_equal(rename(from, to), 0);
	log_limit(LOG_ERROR);
	assert_int_equal(release_create(&parts, &r), SG_LEDGER_DOWN);
	assert_null(r);
	place_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_recorded_first),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
