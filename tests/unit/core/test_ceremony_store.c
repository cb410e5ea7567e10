/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ceremony_store.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "place.h"

/* So many syncs of a directory succeed from now on, and so many after them do
 * not. */
static int before, failing;
static int unread; /* which reading of a directory does not; 0: none */

/* In place of the C library's, as the next one. */
int fsync(int fd)
{
	struct stat at;

	if (fstat(fd, &at) == 0 && S_ISDIR(at.st_mode) && failing > 0 &&
	    before-- <= 0) {
		before = 0;
		failing--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

struct dirent *readdir(DIR *d)
{
	static struct dirent *(*real)(DIR * d);

	if (unread > 0 && --unread == 0) {
		errno = EIO;
		return NULL;
	}
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	return real(d);
}

static struct ceremony_store *store_open(const struct place *p)
{
	struct ceremony_store *s;

	assert_int_equal(ceremony_store_open(p->dir, &s), SG_OK);
	return s;
}

static void add(struct ceremony_store *s, const char *approved, int64_t time)
{
	static struct store_item item;

	memset(&item, 0, sizeof(item));
	item.approved = span_str(approved);
	item.outcome.time = time;
	item.outcome.csr = SPAN_LIT("a request");
	assert_int_equal(ceremony_store_add(s, &item), SG_OK);
}

static void test_items(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	static struct store_item item;

	(void)state;
	assert_int_equal(ceremony_store_last(s), 0);
	add(s, "first", 100);
	add(s, "second", 200);
	assert_int_equal(ceremony_store_last(s), 2);
	ceremony_store_close(s);
	s = store_open(p);
	assert_int_equal(ceremony_store_last(s), 2);
	assert_int_equal(ceremony_store_read(s, 2, &item), SG_OK);
	assert_true(span_is(item.approved, "second"));
	assert_true(span_is(item.outcome.csr, "a request"));
	assert_int_equal(item.outcome.time, 200);
	assert_int_equal(ceremony_store_read(s, 3, &item), SG_IO);
	ceremony_store_drop(s);
	assert_int_equal(ceremony_store_last(s), 1);
	assert_false(place_has(p, "operations/00000002.cose"));
	/* Another one's outcome. */
	add(s, "other", 300);
	place_write(p, "operations/00000002.cose", SPAN_LIT("strange"));
	assert_int_equal(ceremony_store_read(s, 2, &item), SG_MALFORMED);
	ceremony_store_close(s);
	place_close(p);
}

static void test_record(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	uint64_t leaf = 0;

	(void)state;
	add(s, "first", 100);
	add(s, "second", 200);
	add(s, "third", 300);
	ceremony_store_note(s, 2, SPAN_LIT("second"), 8); /* out of turn */
	assert_int_equal(ceremony_store_recorded(s), 0);
	ceremony_store_note(s, 1, SPAN_LIT("first"), 7);
	ceremony_store_note(s, 2, SPAN_LIT("second"), 18446744073709551615U);
	ceremony_store_close(s);
	s = store_open(p);
	assert_int_equal(ceremony_store_recorded(s), 2);
	assert_true(ceremony_store_leaf(s, 1, SPAN_LIT("first"), &leaf));
	assert_int_equal(leaf, 7);
	assert_true(ceremony_store_leaf(s, 2, SPAN_LIT("second"), &leaf));
	assert_int_equal(leaf, 18446744073709551615U);
	assert_false(ceremony_store_leaf(s, 2, SPAN_LIT("other"), &leaf));
	assert_false(ceremony_store_leaf(s, 3, SPAN_LIT("third"), &leaf));
	ceremony_store_forget(s, 2);
	assert_int_equal(ceremony_store_recorded(s), 1);
	ceremony_store_close(s);
	place_close(p);
}

static void test_events(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	const struct store_event e = {
		.time = 100, .after = 7, .state = KEY_ACTIVE, .label = "dsc-2"};
	const struct store_event *read;
	size_t n;

	(void)state;
	assert_false(ceremony_store_event(s, "dsc-2", KEY_ACTIVE));
	ceremony_store_add_event(s, &e);
	for (int i = 0; i < 2; i++) {
		assert_true(ceremony_store_event(s, "dsc-2", KEY_ACTIVE));
		assert_false(ceremony_store_event(s, "dsc-2", KEY_RETIRED));
		assert_false(ceremony_store_event(s, "dsc", KEY_ACTIVE));
		read = ceremony_store_events(s, &n);
		assert_int_equal(n, 1);
		assert_int_equal(read[0].time, 100);
		assert_int_equal(read[0].after, 7);
		ceremony_store_close(s);
		s = store_open(p);
	}
	ceremony_store_close(s);
	/* What cannot be read is taken from the ledger: ceremony_hold.c. */
	place_write(p, "operations/events",
		    SPAN_LIT("100 7 active dsc-2\n100 nowhere dsc-2\n"));
	s = store_open(p);
	(void)ceremony_store_events(s, &n);
	assert_int_equal(n, 1);
	ceremony_store_close(s);
	place_close(p);
}

static void test_full_disk(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	struct store_item item = {.approved = SPAN_LIT("some bytes"),
				  .outcome = {.time = 1}};

	(void)state;
	place_limit_files(4);
	assert_int_equal(ceremony_store_add(s, &item), SG_IO);
	/* The operation can be written, its outcome cannot. */
	place_limit_files(16);
	assert_int_equal(ceremony_store_add(s, &item), SG_IO);
	assert_false(place_has(p, "operations/00000001.cose"));
	assert_int_equal(ceremony_store_last(s), 0);
	place_limit_files(RLIM_INFINITY);
	assert_int_equal(ceremony_store_add(s, &item), SG_OK);
	ceremony_store_close(s);
	place_close(p);
}

/* The directory cannot be made durable, with either of the files in its place:
 * nothing stays that the next start would stumble over. */
static void test_directory(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	struct store_item item = {.approved = SPAN_LIT("second")};

	(void)state;
	add(s, "first", 100);
	for (int i = 0; i < 2; i++) {
		before = i;
		failing = 1;
		assert_int_equal(ceremony_store_add(s, &item), SG_IO);
		assert_int_equal(failing, 0);
		ceremony_store_close(s);
		s = store_open(p);
		assert_int_equal(ceremony_store_last(s), 1);
	}
	add(s, "second", 200);
	ceremony_store_close(s);
	place_close(p);
}

/* Nor can it be made durable that they are gone: a power cut could bring them
 * back, so that nothing else may come until they are. */
static void test_unsure(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	struct store_item item = {.approved = SPAN_LIT("second")};

	(void)state;
	add(s, "first", 100);
	assert_false(ceremony_store_unsure(s));
	before = 1;  /* the operation is durable, */
	failing = 2; /* its outcome is not, nor that both are gone */
	assert_int_equal(ceremony_store_add(s, &item), SG_IO);
	assert_int_equal(failing, 0);
	assert_true(ceremony_store_unsure(s));
	failing = 1;
	assert_int_equal(ceremony_store_add(s, &item), SG_IO);
	assert_int_equal(failing, 0);
	assert_true(ceremony_store_unsure(s));
	assert_false(place_has(p, "operations/00000002.cose"));
	add(s, "second", 200);
	assert_false(ceremony_store_unsure(s));
	failing = 1;
	ceremony_store_drop(s);
	assert_true(ceremony_store_unsure(s));
	ceremony_store_close(s);
	/* A start must be sure of it, too. */
	failing = 1;
	assert_int_equal(ceremony_store_open(p->dir, &s), SG_IO);
	s = store_open(p);
	assert_int_equal(ceremony_store_last(s), 1);
	ceremony_store_close(s);
	place_close(p);
}

/* A directory that cannot be read is not one without files: the genesis would
 * be taken for one that was not accepted. */
static void test_unreadable(void **state)
{
	struct place *p = place_open();
	struct ceremony_store *s = store_open(p);
	struct rlimit none;
	struct rlimit usual;
	enum sg_err err;

	(void)state;
	add(s, "first", 100);
	ceremony_store_close(s);
	/* ., .., both files in some order, and the end; by the second time the
	 * outcomes are looked for. */
	for (int i = 1; i <= 10; i++) {
		unread = i;
		assert_int_equal(ceremony_store_open(p->dir, &s), SG_IO);
		assert_int_equal(unread, 0);
		assert_true(place_has(p, "operations/00000001.cose"));
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = (struct rlimit){.rlim_max = usual.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = ceremony_store_open(p->dir, &s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(err, SG_IO);
	s = store_open(p);
	assert_int_equal(ceremony_store_last(s), 1);
	ceremony_store_close(s);
	place_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_items),
					   cmocka_unit_test(test_record),
					   cmocka_unit_test(test_events),
					   cmocka_unit_test(test_full_disk),
					   cmocka_unit_test(test_directory),
					   cmocka_unit_test(test_unsure),
					   cmocka_unit_test(test_unreadable)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
