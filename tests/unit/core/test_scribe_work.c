/* SPDX-License-Identifier: Apache-2.0 */
/* The scribe, when its disk fails or what lies there contradicts itself. */
#include <time.h>

#include "core/scribe.h"
#include "scribe_room.h"

/* CPU time of the process, in milliseconds. */
static int64_t cpu_ms(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The checkpoint cannot be put in its place: tried again, with pauses. */
static void test_checkpoint_unwritable(void **state)
{
	struct room *r = room_open();
	char path[PLACE_PATH];
	int64_t spent;

	(void)state;
	room_begin(r);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_published(r) == 1);
	place_remove(r->p, "ledger/checkpoint");
	place_path(r->p, path, "ledger/checkpoint");
	assert_int_equal(mkdir(path, 0755), 0);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_state(r).trouble != NULL);
	assert_string_equal(room_state(r).trouble,
			    "the ledger's directory cannot be written");
	spent = cpu_ms();
	PLACE_UNTIL(r->p, 1200, false);
	assert_true(cpu_ms() - spent < 600); /* it does not spin */
	place_remove(r->p, "ledger/checkpoint");
	PLACE_WAIT(r->p, room_published(r) == 2);
	PLACE_WAIT(r->p, room_state(r).trouble == NULL);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_published(r) == 3);
	room_check_index(r, 0);
	room_end(r);
	room_close(r);
}

/* A full tile cannot be written: the tree stands at that leaf, and neither tree
 * nor index miss or double one when it can. */
static void test_tiles_unwritable(void **state)
{
	struct room *r = room_open();
	uint64_t offset;

	(void)state;
	room_begin(r);
	room_record(r, 100);
	PLACE_WAIT(r->p, room_published(r) == 100);
	place_remove(r->p, "ledger/tile");
	place_write(r->p, "ledger/tile", SPAN_LIT("in the way"));
	room_record(r, 200);
	PLACE_WAIT(r->p, room_state(r).trouble != NULL);
	PLACE_WAIT(r->p, r->watermark == r->p->item[255].offset);
	/* The one that the tree does not have is not passed over. */
	PLACE_UNTIL(r->p, 1200, false);
	assert_int_equal(r->watermark, r->p->item[255].offset);
	assert_int_equal(index_get(r->index, r->p->item[255].hash, &offset),
			 SG_NOT_FOUND);
	assert_int_equal(room_published(r), 100);
	place_remove(r->p, "ledger/tile");
	PLACE_WAIT(r->p, room_published(r) == 300);
	room_check_index(r, 0);
	PLACE_WAIT(r->p, room_state(r).trouble == NULL);
	room_end(r);
	/* It is the tree of the journal, not another one. */
	place_remove(r->p, "ledger/tile");
	r->offers = 0;
	room_begin(r);
	PLACE_WAIT(r->p, r->offers == 1);
	assert_int_equal(scribe_refused(r->scribe), SCRIBE_FINE);
	room_end(r);
	room_close(r);
}

/* What is committed cannot be read: said, and read when it is back. */
static void test_journal_unreadable(void **state)
{
	struct room *r = room_open();
	char path[PLACE_PATH + 32];
	struct stat st;
	uint8_t tail[8];
	FILE *f;

	(void)state;
	place_open_release(r->p);
	room_record(r, 5);
	(void)snprintf(path, sizeof(path), "%s/00000000000000000000",
		       r->p->journal);
	assert_int_equal(stat(path, &st), 0);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fseek(f, -(long)sizeof(tail), SEEK_END), 0);
	assert_int_equal(fread(tail, 1, sizeof(tail), f), sizeof(tail));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(truncate(path, st.st_size - (off_t)sizeof(tail)), 0);
	room_begin(r);
	PLACE_WAIT(r->p, room_state(r).trouble != NULL);
	assert_string_equal(room_state(r).trouble,
			    "the journal cannot be read");
	assert_false(room_state(r).caught_up);
	assert_int_equal(r->offers, 0);
	f = fopen(path, "ae");
	assert_non_null(f);
	assert_int_equal(fwrite(tail, 1, sizeof(tail), f), sizeof(tail));
	assert_int_equal(fclose(f), 0);
	PLACE_WAIT(r->p, room_published(r) == 5);
	assert_null(room_state(r).trouble);
	room_check_index(r, 0);
	room_end(r);
	room_close(r);
}

/* The ledger's directory is a file; then it is not. */
static void test_no_ledger(void **state)
{
	struct room *r = room_open();

	(void)state;
	place_write(r->p, "ledger", SPAN_LIT("in the way"));
	room_begin(r);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_state(r).trouble != NULL);
	assert_false(room_state(r).caught_up);
	place_remove(r->p, "ledger");
	PLACE_WAIT(r->p, room_published(r) == 1);
	room_end(r);
	room_close(r);
}

static void expect_refusal(struct room *r, enum scribe_refusal why)
{
	r->offers = 0;
	room_begin(r);
	PLACE_WAIT(r->p, scribe_refused(r->scribe) != SCRIBE_FINE);
	assert_int_equal(scribe_refused(r->scribe), why);
	assert_int_equal(r->offers, 0);
	scribe_wake(r->scribe);
	PLACE_UNTIL(r->p, 50, false);
	assert_int_equal(r->offers, 0);
	room_end(r);
}

/* A ledger of 5 leaves, closed. */
static struct room *five(void)
{
	struct room *r = room_open();

	room_begin(r);
	room_record(r, 5);
	PLACE_WAIT(r->p, room_published(r) == 5);
	room_end(r);
	return r;
}

static void test_short(void **state)
{
	struct room *r = five();

	(void)state;
	place_remove(r->p, "journal");
	place_remove(r->p, "index");
	place_open_release(r->p);
	room_record(r, 4);
	expect_refusal(r, SCRIBE_JOURNAL_SHORT);
	room_close(r);
}

static void test_forked(void **state)
{
	struct room *r = five();

	(void)state;
	place_remove(r->p, "journal");
	place_remove(r->p, "index");
	place_remove(r->p, "ledger/tile");
	place_open_release(r->p);
	room_record(r, 7); /* others */
	expect_refusal(r, SCRIBE_FORKED);
	room_close(r);
}

static void test_bad_checkpoint(void **state)
{
	struct room *r = five();

	(void)state;
	room_make_key(r);
	expect_refusal(r, SCRIBE_BAD_CHECKPOINT);
	place_write(r->p, "ledger/checkpoint", SPAN_LIT("nonsense\n"));
	expect_refusal(r, SCRIBE_BAD_CHECKPOINT);
	room_close(r);
}

static size_t read_vkey(const struct room *r, char out[256])
{
	char path[PLACE_PATH];
	FILE *f;
	size_t n;

	place_path(r->p, path, "ledger/vkey");
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(out, 1, 256, f);
	assert_int_equal(fclose(f), 0);
	return n;
}

/* The key of another token does not take the place of the log's. */
static void test_vkey_stays(void **state)
{
	struct room *r = five();
	char before[256];
	char after[256];
	const size_t n = read_vkey(r, before);

	(void)state;
	room_make_key(r);
	expect_refusal(r, SCRIBE_BAD_CHECKPOINT);
	assert_int_equal(read_vkey(r, after), n);
	assert_memory_equal(before, after, n);
	room_close(r);
}

/* A byte of a record that was committed is another one. */
static void test_damaged(void **state)
{
	struct room *r = room_open();
	char path[PLACE_PATH + 32];
	FILE *f;

	(void)state;
	place_open_release(r->p);
	room_record(r, 5);
	(void)snprintf(path, sizeof(path), "%s/00000000000000000000",
		       r->p->journal);
	f = fopen(path, "r+e");
	assert_non_null(f);
	assert_int_equal(fseek(f, -100, SEEK_END), 0);
	assert_int_equal(fputs("damage", f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	expect_refusal(r, SCRIBE_JOURNAL_DAMAGED);
	room_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checkpoint_unwritable),
		cmocka_unit_test(test_tiles_unwritable),
		cmocka_unit_test(test_journal_unreadable),
		cmocka_unit_test(test_no_ledger),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_forked),
		cmocka_unit_test(test_bad_checkpoint),
		cmocka_unit_test(test_vkey_stays),
		cmocka_unit_test(test_damaged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
