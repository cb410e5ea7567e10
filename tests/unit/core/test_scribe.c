/* SPDX-License-Identifier: Apache-2.0 */
#include "core/scribe.h"

#include <dirent.h>

#include "base/fileio.h"
#include "scribe_room.h"

static void test_follows(void **state)
{
	struct room *r = room_open();

	(void)state;
	room_begin(r);
	PLACE_WAIT(r->p, room_state(r).caught_up);
	PLACE_WAIT(r->p, r->offers == 1); /* of nothing: it is held against */
	assert_int_equal(r->size, 0);
	assert_true(place_has(r->p, "ledger/vkey"));
	room_record(r, 5);
	PLACE_WAIT(r->p, room_published(r) == 5);
	PLACE_WAIT(r->p, r->watermark == room_journal_end(r));
	room_check_index(r, 0);
	room_record(r, 300);
	PLACE_WAIT(r->p, room_published(r) == 305);
	room_check_index(r, 0);
	assert_int_equal(metric_get(r->p->page, METRIC_LEDGER_ENTRIES), 305);
	PLACE_WAIT(r->p,
		   metric_get(r->p->page, METRIC_LEDGER_CHECKPOINT) == 305);
	assert_null(room_state(r).trouble);
	assert_int_equal(scribe_refused(r->scribe), SCRIBE_FINE);
	room_end(r);
	room_close(r);
}

static void expect_vkey(const struct room *r, const struct note_key *key)
{
	char want[NOTE_VKEY_MAX];
	char path[PLACE_PATH];
	uint8_t *text;
	size_t n;

	note_key_text(key, want);
	place_path(r->p, path, "ledger/vkey");
	assert_int_equal(fileio_read(path, 1024, &text, &n), SG_OK);
	assert_int_equal(n, strlen(want) + 1);
	assert_memory_equal(text, want, n - 1);
	free(text);
}

/* The ledger's key is changed for another one: `vkey` names that when there is
 * a checkpoint by it, and what one of both has signed is the log's. */
static void test_another_key(void **state)
{
	struct room *r = room_open();
	const struct note_key old = r->key;
	struct note_key new;

	(void)state;
	room_begin(r);
	room_record(r, 5);
	PLACE_WAIT(r->p, room_published(r) == 5);
	expect_vkey(r, &old);
	room_end(r);
	room_make_key(r);
	new = r->key;
	r->leaving = &old;
	r->mood = ROOM_CANNOT;
	r->offers = 0;
	room_begin(r);
	PLACE_WAIT(r->p, r->offers > 0);
	assert_int_equal(scribe_refused(r->scribe), SCRIBE_FINE);
	assert_int_equal(room_state(r).published, 0);
	expect_vkey(r, &old);
	r->mood = ROOM_SIGNS;
	room_record(r, 1);
	PLACE_WAIT(r->p, room_state(r).published == 6);
	expect_vkey(r, &new);
	room_end(r);
	r->leaving = NULL;
	room_begin(r);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_state(r).published == 7);
	room_end(r);
	r->key = old;
	room_begin(r);
	PLACE_WAIT(r->p, scribe_refused(r->scribe) == SCRIBE_BAD_CHECKPOINT);
	expect_vkey(r, &new);
	room_end(r);
	room_close(r);
}

/* How often the scribe's thread has gone to sleep. */
static long sleeps(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	char path[300];
	char line[128];
	bool scribe = false;
	long n = -1;
	FILE *f;

	assert_non_null(tasks);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (!scribe && (task = readdir(tasks)) != NULL) {
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status",
			       task->d_name);
		f = fopen(path, "re");
		while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
			scribe |= strcmp(line, "Name:\tscribe\n") == 0;
			if (scribe &&
			    strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
				n = strtol(line + 24, NULL, 10);
		}
		if (f != NULL)
			(void)fclose(f);
	}
	(void)closedir(tasks);
	assert_true(scribe);
	return n;
}

/* With nothing new nothing is offered, and the thread sleeps on. */
static void test_idle(void **state)
{
	struct room *r = room_open();
	long before;

	(void)state;
	room_begin(r);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_published(r) == 1);
	PLACE_UNTIL(r->p, 200, false);
	r->offers = 0;
	before = sleeps();
	assert_true(before > 0);
	PLACE_UNTIL(r->p, 300, false);
	assert_int_equal(r->offers, 0);
	assert_int_equal(sleeps(), before);
	/* A word wakes it. */
	room_record(r, 1);
	PLACE_WAIT(r->p, room_published(r) == 2);
	PLACE_WAIT(r->p, sleeps() > before);
	room_end(r);
	room_close(r);
}

/* Again, on what is there; without the tiles, and without the index. */
static void test_goes_on(void **state)
{
	struct room *r = room_open();
	struct merkle_hash root;

	(void)state;
	room_begin(r);
	room_record(r, 300);
	PLACE_WAIT(r->p, room_published(r) == 300);
	root = r->root;
	room_end(r);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			place_remove(r->p, "ledger/tile");
		if (i == 2)
			place_remove(r->p, "index");
		r->offers = 0;
		room_begin(r);
		PLACE_WAIT(r->p, r->offers == 1);
		assert_true(room_state(r).caught_up);
		assert_int_equal(r->size, 300);
		assert_memory_equal(&r->root, &root, sizeof(root));
		room_check_index(r, 0);
		room_end(r);
	}
	/* Without the checkpoint too: all from the journal. */
	place_remove(r->p, "ledger");
	room_begin(r);
	PLACE_WAIT(r->p, room_published(r) == 300);
	assert_memory_equal(&r->root, &root, sizeof(root));
	assert_int_equal(room_state(r).total, 300);
	assert_int_equal(room_state(r).done, 300);
	room_end(r);
	room_close(r);
}

/* What cannot be signed is offered again. */
static void test_not_signed(void **state)
{
	struct room *r = room_open();

	(void)state;
	r->mood = ROOM_CANNOT;
	room_begin(r);
	room_record(r, 2);
	PLACE_WAIT(r->p, r->offers >= 3);
	assert_int_equal(room_published(r), 0);
	assert_false(place_has(r->p, "ledger/checkpoint"));
	r->mood = ROOM_SIGNS;
	PLACE_WAIT(r->p, room_published(r) == 2);
	room_end(r);
	room_close(r);
}

/* One offer at a time. */
static void test_one_offer(void **state)
{
	struct room *r = room_open();

	(void)state;
	room_begin(r);
	room_record(r, 2);
	PLACE_WAIT(r->p, room_published(r) == 2);
	r->mood = ROOM_SILENT;
	r->offers = 0;
	room_record(r, 2);
	PLACE_WAIT(r->p, r->offers == 1);
	room_record(r, 2);
	PLACE_UNTIL(r->p, 100, false);
	assert_int_equal(r->offers, 1);
	assert_true(r->size == 3 || r->size == 4);
	r->mood = ROOM_SIGNS;
	room_answer(r);
	PLACE_WAIT(r->p, room_published(r) == 6);
	room_end(r);
	room_close(r);
}

/* What is signed at the last moment is published. */
static void test_the_last_one(void **state)
{
	struct room *r = room_open();

	(void)state;
	r->mood = ROOM_SILENT;
	room_begin(r);
	room_record(r, 3);
	PLACE_WAIT(r->p, r->offers == 1);
	if (r->size == 0) { /* the thread was quicker than the records */
		r->mood = ROOM_SIGNS;
		room_answer(r);
		r->mood = ROOM_SILENT;
		PLACE_WAIT(r->p, r->offers == 2);
	}
	r->mood = ROOM_SIGNS;
	room_answer(r);
	room_end(r);
	assert_int_equal(room_published(r), 3);
	room_close(r);
}

/* Is the ledger's file NAME this TEXT? */
static void expect_file(struct room *r, const char *name, const char *text)
{
	char found[CHECKPOINT_NOTE_MAX];
	char path[PLACE_PATH];
	FILE *f;

	place_path(r->p, path, name);
	f = fopen(path, "re");
	assert_non_null(f);
	found[fread(found, 1, sizeof(found) - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	assert_string_equal(found, text);
}

/* What the witnesses say of another checkpoint than the newest is not published
 * in its place; what is to be kept is kept beside it. */
static void test_cosigned(void **state)
{
	struct room *r = room_open();

	(void)state;
	room_begin(r);
	room_record(r, 1);
	PLACE_WAIT(r->p, room_published(r) == 1);
	scribe_cosigned(r->scribe, 99, SPAN_LIT("of another\n"));
	room_record(r, 1);
	PLACE_UNTIL(r->p, 100, false);
	PLACE_WAIT(r->p, room_published(r) == 2);
	scribe_cosigned(r->scribe, 1, SPAN_LIT("late\n"));
	scribe_keep(r->scribe, SPAN_LIT("kept\n"));
	PLACE_WAIT(r->p, place_has(r->p, "ledger/checkpoint.cosigned"));
	assert_int_equal(room_published(r), 2);
	expect_file(r, "ledger/checkpoint.cosigned", "kept\n");
	scribe_cosigned(r->scribe, 2, SPAN_LIT("cosigned\n"));
	room_end(r);
	expect_file(r, "ledger/checkpoint", "cosigned\n");
	expect_file(r, "ledger/checkpoint.cosigned", "kept\n");
	room_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_follows),
					   cmocka_unit_test(test_another_key),
					   cmocka_unit_test(test_idle),
					   cmocka_unit_test(test_goes_on),
					   cmocka_unit_test(test_not_signed),
					   cmocka_unit_test(test_one_offer),
					   cmocka_unit_test(test_the_last_one),
					   cmocka_unit_test(test_cosigned)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
