/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tools/bench/upkeep.h"

static bool is(double a, double b)
{
	return a > b - 0.001 && a < b + 0.001;
}

static const struct scrape BEFORE = {
	.cpu_us = {[SCRAPE_CORE] = 5000, [SCRAPE_HSM] = 77},
	.thread_us = {1000, 2000, 500},
	.ledger_loop_us = 100,
	.ledger_bytes = {10000, 4000}};

static const struct scrape AFTER = {
	.cpu_us = {[SCRAPE_CORE] = 17000, [SCRAPE_HSM] = 9999},
	.thread_us = {7000, 4000, 3500},
	.ledger_loop_us = 2100,
	.ledger_bytes = {46000, 24000}};

static void test_sums(void **state)
{
	struct upkeep u;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	json_t *j;

	(void)state;
	upkeep_of(&BEFORE, &AFTER, 1000, 100, &u);
	assert_true(u.known);
	assert_true(is(u.loop, 6) && is(u.loop_ledger, 2));
	assert_true(is(u.journal, 2) && is(u.scribe, 3));
	assert_true(is(u.index, 1)); /* 12 of the process, 11 of threads */
	assert_true(is(upkeep_cpu(&u), 8));
	assert_true(is(u.journal_bytes, 360) && is(u.tile_bytes, 200));
	upkeep_print(&u, "> ", f);
	assert_int_equal(fclose(f), 0);
	assert_non_null(strstr(text, "> core: loop 6.0 us (2.0 of it"));
	assert_non_null(strstr(text, "36.0 and 20.0 GB"));
	free(text);
	j = upkeep_json(&u);
	assert_true(is(json_number_value(json_object_get(j, "index_us")), 1));
	assert_true(is(
		json_number_value(json_object_get(j, "cpu_us_per_record")), 8));
	json_decref(j);
}

/* The process's time was taken before its threads'. */
static void test_skew(void **state)
{
	struct scrape after = AFTER;
	struct upkeep u;

	(void)state;
	after.cpu_us[SCRAPE_CORE] = 15000;
	upkeep_of(&BEFORE, &after, 1000, 0, &u);
	assert_true(is(u.index, 0));
	assert_true(is(u.journal_bytes, 0)); /* nothing was signed */
}

/* A server without a ledger. */
static void test_none(void **state)
{
	const struct scrape none = {.cpu_us = {[SCRAPE_CORE] = 5000}};
	struct upkeep u;
	json_t *j;

	(void)state;
	upkeep_of(&none, &none, 10, 10, &u);
	assert_false(u.known);
	upkeep_print(&u, "", stdout);
	j = upkeep_json(&u);
	assert_true(json_is_null(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_skew),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
