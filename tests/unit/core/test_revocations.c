/* SPDX-License-Identifier: Apache-2.0 */
/* revocations: what enough officers have signed counts, and stays. */
#include "../hcert/starved.h"
#include "base/digest.h"
#include "base/fileio.h"
#include "base/log.h"
#include "core/revocations.h"
#include "heard.h"
#include "officers.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OFFICERS = 3, LIST_MAX = 4 * REVOCATION_HASH_BYTES };

#define ORIGIN "test.example/log"

/* --- a diary by hand ------------------------------------------------------ */

struct diary {
	size_t statements;
	uint8_t last[RECOVERY_NOTE_MAX];
	size_t last_n;
	bool held; /* it does not come on record */
};

static struct diary diary;

void diary_revocation(struct diary *d, struct span statement)
{
	d->statements++;
	memcpy(d->last, statement.p, statement.n);
	d->last_n = statement.n;
}

bool diary_revoked(const struct diary *d)
{
	return !d->held;
}

/* --- the world ------------------------------------------------------------ */

static struct signatory officer[OFFICERS + 1]; /* and one of nobody's */
static struct core_ledger_settings settings;
static char dir[64];
static struct revocations *revocations;

static int setup(void **state)
{
	(void)state;
	log_limit((enum log_level) - 1);
	(void)snprintf(dir, sizeof(dir), "/tmp/test_revocations.XXXXXX");
	assert_non_null(mkdtemp(dir));
	memset(&settings, 0, sizeof(settings));
	memset(&diary, 0, sizeof(diary));
	(void)snprintf(settings.origin, sizeof(settings.origin), "%s", ORIGIN);
	settings.approvals = 2;
	for (size_t i = 0; i <= OFFICERS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "officer-%zu", i);
		officer[i] = signatory_make(NULL, name);
		if (i < OFFICERS)
			officer_appoint(&officer[i], &settings);
	}
	return 0;
}

static void end(void)
{
	revocations_free(revocations);
	revocations = NULL;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	end();
	for (size_t i = 0; i <= OFFICERS; i++)
		EVP_PKEY_free(officer[i].pkey);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	return system(command);
}

static enum sg_err begin(void)
{
	const struct revocations_parts parts = {
		.state_dir = dir, .settings = &settings, .diary = &diary};

	end();
	return revocations_create(&parts, &revocations);
}

static void write_part(unsigned serial, const char *suffix, struct span data)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s/revocations/%08u.%s", dir,
		       serial, suffix);
	assert_int_equal(fileio_replace(name, data, 0644), SG_OK);
}

/* A list of N hashes: FIRST, FIRST + 1, ... in all their bytes. */
static struct span list_of(uint8_t first, size_t n, uint8_t out[LIST_MAX])
{
	for (size_t i = 0; i < n; i++)
		memset(out + i * REVOCATION_HASH_BYTES, first + (int)i,
		       REVOCATION_HASH_BYTES);
	return span_of(out, n * REVOCATION_HASH_BYTES);
}

static struct revocation statement(unsigned serial, struct span list)
{
	struct revocation v = {
		.origin = SPAN_LIT(ORIGIN),
		.serial = serial,
		.kind = REVOCATION_UCI,
		.reason = SPAN_LIT("forged"),
		.count = (unsigned)(list.n / REVOCATION_HASH_BYTES)};
	struct digest *d;

	assert_int_equal(digest_create(&d), SG_OK);
	assert_int_equal(digest_sum(d, list, span_of(NULL, 0), v.list), SG_OK);
	digest_free(d);
	return v;
}

/* Put V, signed by the N officers from FROM on, under SERIAL. */
static void put_note(unsigned serial, const struct revocation *v, size_t from,
		     size_t n)
{
	static uint8_t note[RECOVERY_NOTE_MAX];
	char text[REVOCATION_TEXT_MAX];
	size_t text_n;

	assert_int_equal(revocation_text(v, text, sizeof(text), &text_n),
			 SG_OK);
	write_part(serial, "note",
		   span_of(note, officers_sign(span_of(text, text_n),
					       officer + from, n, note)));
}

static void put(unsigned serial, uint8_t first, size_t n)
{
	uint8_t bytes[LIST_MAX];
	const struct span list = list_of(first, n, bytes);
	const struct revocation v = statement(serial, list);

	write_part(serial, "list", list);
	put_note(serial, &v, 0, 2);
}

static bool has(uint8_t byte)
{
	uint8_t hash[32];

	memset(hash, byte, sizeof(hash));
	return revoked_has(revocations_set(revocations), hash);
}

static size_t count(void)
{
	return revoked_count(revocations_set(revocations));
}

/* --- tests ---------------------------------------------------------------- */

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(begin(), SG_OK);
	assert_int_equal(count(), 0);
	revocations_look(revocations);
	put(1, 10, 2);
	put(2, 11, 3);
	assert_false(has(10));
	revocations_look(revocations);
	assert_int_equal(count(), 4); /* 11 is there twice */
	assert_true(has(10) && has(11) && has(12) && has(13));
	assert_false(has(9) || has(14));
	/* On record one after the other. */
	diary.held = true;
	revocations_tick(revocations);
	revocations_tick(revocations);
	assert_int_equal(diary.statements, 1);
	diary.held = false;
	revocations_tick(revocations);
	assert_int_equal(diary.statements, 2);
	assert_non_null(memmem(diary.last, diary.last_n, "serial 2\n", 9));
	revocations_tick(revocations);
	revocations_tick(revocations);
	assert_int_equal(diary.statements, 2);
	/* They stay, also when the officers are others. */
	settings.nofficers = 0;
	settings.approvals = 0;
	assert_int_equal(begin(), SG_OK);
	assert_int_equal(count(), 4);
	revocations_tick(revocations);
	assert_int_equal(diary.statements, 2);
	/* Without officers nothing is added. */
	put(3, 40, 1);
	revocations_look(revocations);
	assert_false(has(40));
}

/* A crash before it was on record: it counts, and is recorded then. */
static void test_crash(void **state)
{
	(void)state;
	assert_int_equal(begin(), SG_OK);
	put(1, 10, 1);
	revocations_look(revocations);
	diary.held = true;
	revocations_tick(revocations);
	assert_int_equal(begin(), SG_OK);
	assert_true(has(10));
	diary.held = false;
	revocations_tick(revocations);
	assert_int_equal(diary.statements, 2);
}

static void test_refused(void **state)
{
	uint8_t bytes[LIST_MAX];
	const struct span list = list_of(10, 2, bytes);
	struct revocation v = statement(1, list);

	(void)state;
	assert_int_equal(begin(), SG_OK);
	write_part(1, "list", list);
#define REFUSED()                                                              \
	do {                                                                   \
		revocations_look(revocations);                                 \
		assert_int_equal(count(), 0);                                  \
		revocations_tick(revocations);                                 \
		assert_int_equal(diary.statements, 0);                         \
	} while (0)
	write_part(1, "note", SPAN_LIT("nothing"));
	REFUSED();
	put_note(1, &v, 0, 1); /* one officer */
	REFUSED();
	put_note(1, &v, 2, 2); /* one, and one of nobody's */
	REFUSED();
	v.serial = 2; /* another one's, sent once more */
	put_note(1, &v, 0, 2);
	REFUSED();
	v.serial = 1;
	v.origin = SPAN_LIT("other.example/log");
	put_note(1, &v, 0, 2);
	REFUSED();
	v.origin = SPAN_LIT(ORIGIN);
	v.count = 3;
	put_note(1, &v, 0, 2);
	REFUSED();
	v.count = 2;
	v.list[0] ^= 1;
	put_note(1, &v, 0, 2);
	REFUSED();
	v.list[0] ^= 1;
	put_note(1, &v, 0, 2);
	write_part(1, "list", span_of(bytes, list.n - 1));
	REFUSED();
	/* A gap: what comes after it waits. */
	put(2, 20, 1);
	REFUSED();
#undef REFUSED
	write_part(1, "list", list);
	revocations_look(revocations);
	assert_int_equal(count(), 3);
}

/* Without memory to verify them nobody knows how many have signed. */
static void test_no_memory(void **state)
{
	struct heard h;
	bool told = false;

	(void)state;
	assert_int_equal(begin(), SG_OK);
	put(1, 10, 2);
	log_limit(LOG_ERROR);
	for (unsigned n = 0; count() == 0; n++) {
		assert_in_range(n, 0, 1000);
		heard_begin(&h);
		starved_after(n, false);
		revocations_look(revocations);
		starved_end();
		assert_null(strstr(heard_end(&h), "not enough officers"));
		told = told || strstr(h.text, err_text(SG_NO_MEMORY)) != NULL;
	}
	assert_true(told);
	assert_int_equal(count(), 2);
}

static void test_list_out_of_order(void **state)
{
	uint8_t bytes[LIST_MAX];
	struct span list = list_of(10, 2, bytes);
	struct revocation v;

	(void)state;
	assert_int_equal(begin(), SG_OK);
	memcpy(bytes, bytes + REVOCATION_HASH_BYTES, REVOCATION_HASH_BYTES);
	v = statement(1, list); /* twice the same */
	write_part(1, "list", list);
	put_note(1, &v, 0, 2);
	revocations_look(revocations);
	assert_int_equal(count(), 0);
}

/* What is on record must be there as it was, or nothing starts. */
static void test_damaged(void **state)
{
	char name[128];
	uint8_t bytes[LIST_MAX];
	uint8_t *note;
	size_t n;

	(void)state;
	assert_int_equal(begin(), SG_OK);
	put(1, 10, 2);
	revocations_look(revocations);
	revocations_tick(revocations);
	revocations_tick(revocations);
	assert_int_equal(begin(), SG_OK);
	/* Another list, by a statement that officers have signed. */
	(void)snprintf(name, sizeof(name), "%s/revocations/00000001.note", dir);
	assert_int_equal(fileio_read(name, 10000, &note, &n), SG_OK);
	put(1, 30, 1);
	assert_int_equal(begin(), SG_IO);
	write_part(1, "note", span_of(note, n));
	assert_int_equal(begin(), SG_IO); /* the list */
	write_part(1, "list", list_of(10, 2, bytes));
	assert_int_equal(begin(), SG_OK);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(begin(), SG_IO);
	write_part(1, "note", span_of(note, n));
	(void)snprintf(name, sizeof(name), "%s/revocations/applied", dir);
	assert_int_equal(fileio_replace(name, SPAN_LIT("00000001\n"), 0644),
			 SG_OK);
	assert_int_equal(begin(), SG_IO);
	free(note);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_taken),   TEST(test_crash),
		TEST(test_refused), TEST(test_list_out_of_order),
		TEST(test_damaged), TEST(test_no_memory),
	};
#undef TEST

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
