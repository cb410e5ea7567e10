/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recovery.h"

#include "../hcert/starved.h"
#include "officers.h"
#include "place.h"

/* A place with three officers, of whom two must agree; the third one's key has
 * two names. */
static struct desk_of_officers {
	struct place *p;
	struct core_ledger_settings settings;
	struct signatory officer[4];
	struct recovery_facts facts;
	uint8_t note[RECOVERY_NOTE_MAX];
	size_t n;
} w;

enum { ANNE, BAO, CHI, CHI_TOO };

static void world_open(void)
{
	w = (struct desk_of_officers){.p = place_open()};
	w.officer[ANNE] = signatory_make(NULL, "anne");
	w.officer[BAO] = signatory_make(NULL, "bao");
	w.officer[CHI] = signatory_make(NULL, "chi");
	w.officer[CHI_TOO] = signatory_make(w.officer[CHI].pkey, "chi-too");
	for (size_t i = 0; i < 4; i++)
		officer_appoint(&w.officer[i], &w.settings);
	w.settings.approvals = 2;
	(void)snprintf(w.settings.origin, sizeof(w.settings.origin),
		       "test.example/log");
	w.facts = (struct recovery_facts){.origin = w.settings.origin,
					  .disk_size = 7,
					  .known = true,
					  .known_size = 9};
	memset(&w.facts.disk_root, 1, sizeof(w.facts.disk_root));
	memset(&w.facts.known_root, 2, sizeof(w.facts.known_root));
}

static void world_close(void)
{
	for (size_t i = ANNE; i <= CHI; i++)
		EVP_PKEY_free(w.officer[i].pkey);
	place_close(w.p);
}

/* Put the statement of the facts, signed by the N officers from FIRST on, in
 * its place. */
static void put_statement(size_t first, size_t n)
{
	uint8_t text[RECOVERY_TEXT_MAX];
	uint8_t note[RECOVERY_NOTE_MAX];
	size_t len;

	assert_int_equal(recovery_text(&w.facts, text, sizeof(text), &len),
			 SG_OK);
	len = officers_sign(span_of(text, len), &w.officer[first], n, note);
	place_write(w.p, "recovery", span_of(note, len));
}

static enum sg_err find(void)
{
	return recovery_find(w.p->dir, &w.facts, &w.settings, w.note,
			     sizeof(w.note), &w.n);
}

static void test_text(void **state)
{
	static const char expected[] =
		"signerd ledger recovery\ntest.example/log\n"
		"disk 7 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
		"known 9 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";
	char path[PLACE_PATH];
	uint8_t text[RECOVERY_TEXT_MAX];
	char file[RECOVERY_TEXT_MAX];
	size_t n;
	FILE *f;

	(void)state;
	world_open();
	assert_int_equal(recovery_text(&w.facts, text, sizeof(text), &n),
			 SG_OK);
	assert_true(span_is(span_of(text, n), expected));
	assert_int_equal(recovery_text(&w.facts, text, 10, &n), SG_TOO_BIG);
	assert_int_equal(recovery_ask(w.p->dir, &w.facts), SG_OK);
	place_path(w.p, path, "recovery.request");
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(file, 1, sizeof(file), f);
	assert_true(span_is(span_of(file, n), expected));
	assert_int_equal(fclose(f), 0);
	w.facts.known = false;
	assert_int_equal(recovery_text(&w.facts, text, sizeof(text), &n),
			 SG_OK);
	text[n] = '\0';
	assert_non_null(strstr((char *)text, "\nknown nothing\n"));
	world_close();
}

static void test_approvals(void **state)
{
	(void)state;
	world_open();
	assert_int_equal(find(), SG_NOT_FOUND);
	put_statement(ANNE, 1);
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	/* Two names of one key are one officer. */
	put_statement(CHI, 2);
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	put_statement(ANNE, 2);
	assert_int_equal(find(), SG_OK);
	assert_true(w.n > 0);
	put_statement(BAO, 3);
	assert_int_equal(find(), SG_OK);
	w.settings.approvals = 3;
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	put_statement(ANNE, 3);
	assert_int_equal(find(), SG_OK);
	/* Nobody may. */
	w.settings.approvals = 0;
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	/* Whoever is no officer does not count. */
	w.settings.approvals = 2;
	w.settings.nofficers = 1;
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	world_close();
}

/* Without memory to verify them, nobody knows how many have signed. */
static void test_no_memory(void **state)
{
	(void)state;
	world_open();
	put_statement(ANNE, 2);
	starved = true;
	assert_int_equal(find(), SG_NO_MEMORY);
	starved = false;
	assert_int_equal(find(), SG_OK);
	world_close();
}

static void test_same_officer_twice(void **state)
{
	uint8_t text[RECOVERY_TEXT_MAX];
	uint8_t note[RECOVERY_NOTE_MAX];
	struct signatory twice[2];
	size_t n;

	(void)state;
	world_open();
	twice[0] = twice[1] = w.officer[ANNE];
	assert_int_equal(recovery_text(&w.facts, text, sizeof(text), &n),
			 SG_OK);
	n = officers_sign(span_of(text, n), twice, 2, note);
	place_write(w.p, "recovery", span_of(note, n));
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	/* Nor one that was appointed twice by the same name. */
	officer_appoint(&w.officer[ANNE], &w.settings);
	assert_int_equal(find(), SG_BAD_SIGNATURE);
	world_close();
}

/* It counts for its facts alone. */
static void test_other_facts(void **state)
{
	(void)state;
	world_open();
	put_statement(ANNE, 2);
	w.facts.disk_size++;
	assert_int_equal(find(), SG_MALFORMED);
	w.facts.disk_size--;
	w.facts.disk_root.b[31] ^= 1;
	assert_int_equal(find(), SG_MALFORMED);
	w.facts.disk_root.b[31] ^= 1;
	w.facts.known_root.b[0] ^= 1;
	assert_int_equal(find(), SG_MALFORMED);
	w.facts.known_root.b[0] ^= 1;
	w.facts.known = false;
	assert_int_equal(find(), SG_MALFORMED);
	w.facts.known = true;
	w.facts.origin = "test.example/other";
	assert_int_equal(find(), SG_MALFORMED);
	w.facts.origin = w.settings.origin;
	assert_int_equal(find(), SG_OK);
	world_close();
}

static void test_no_note(void **state)
{
	static uint8_t large[RECOVERY_NOTE_MAX + 1];
	char path[PLACE_PATH];

	(void)state;
	world_open();
	place_write(w.p, "recovery", SPAN_LIT(""));
	assert_int_equal(find(), SG_MALFORMED);
	place_write(w.p, "recovery", SPAN_LIT("signerd ledger recovery\n"));
	assert_int_equal(find(), SG_MALFORMED);
	place_write(w.p, "recovery", span_of(large, sizeof(large)));
	assert_int_equal(find(), SG_TOO_BIG);
	place_remove(w.p, "recovery");
	place_path(w.p, path, "recovery");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(find(), SG_IO);
	world_close();
}

/* Used, and to be found again until it is on record. */
static void test_used(void **state)
{
	struct checkpoint at = {.size = 7};

	(void)state;
	world_open();
	at.root = w.facts.disk_root;
	assert_int_equal(recovery_ask(w.p->dir, &w.facts), SG_OK);
	assert_int_equal(recovery_find_used(w.p->dir, &at, &w.settings, w.note,
					    sizeof(w.note), &w.n),
			 SG_NOT_FOUND);
	put_statement(ANNE, 2);
	assert_int_equal(recovery_find_used(w.p->dir, &at, &w.settings, w.note,
					    sizeof(w.note), &w.n),
			 SG_OK);
	at.size = 70; /* "disk 7" is no beginning of that */
	assert_int_equal(recovery_find_used(w.p->dir, &at, &w.settings, w.note,
					    sizeof(w.note), &w.n),
			 SG_MALFORMED);
	at.size = 7;
	put_statement(ANNE, 1);
	assert_int_equal(recovery_find_used(w.p->dir, &at, &w.settings, w.note,
					    sizeof(w.note), &w.n),
			 SG_BAD_SIGNATURE);
	recovery_used(w.p->dir);
	assert_false(place_has(w.p, "recovery"));
	assert_false(place_has(w.p, "recovery.request"));
	assert_true(place_has(w.p, "recovery.used"));
	recovery_used(w.p->dir); /* there is nothing: harmless */
	assert_true(place_has(w.p, "recovery.used"));
	world_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_approvals),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_same_officer_twice),
		cmocka_unit_test(test_other_facts),
		cmocka_unit_test(test_no_note),
		cmocka_unit_test(test_used)};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
