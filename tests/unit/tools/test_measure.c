/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/bench/measure.h"

static struct measure_report r;

static void reset(void)
{
	r = (struct measure_report){.has_server = true};
	r.bulk.answers = 900;
	r.bulk.answers_all = 1000;
	r.bulk.wall_us = 2000000;
}

static void test_figures(void **state)
{
	const struct monitor_range flat = {.n = 3, .least = 100, .most = 100};
	const struct monitor_range grown = {.n = 3, .least = 200, .most = 250};
	const struct monitor_range none = {.n = 0};

	(void)state;
	reset();
	r.cpu_us[SCRAPE_FRONT] = 1000;
	r.cpu_us[SCRAPE_HSM] = 50000;
	r.cpu_us[SCRAPE_CORE] = 500;
	r.cpu_us[SCRAPE_SUPERVISOR] = 5;
	assert_true(measure_rate(&r) == 450);
	assert_int_equal(measure_cpu_outside_hsm(&r), 1505);
	/* Warm-up included, and what was asked beside it. */
	assert_true(measure_cpu(&r, 1000) == 1);
	r.probe.answers_all = 1000;
	assert_true(measure_cpu(&r, 1000) == 0.5);
	assert_true(measure_spread(&flat) == 0);
	assert_true(measure_spread(&grown) == 25);
	assert_true(measure_spread(&none) == 0);
	r = (struct measure_report){.has_server = false};
	assert_true(measure_rate(&r) == 0);
	assert_true(measure_cpu(&r, 5) == 0);
}

static void test_good(void **state)
{
	(void)state;
	reset();
	assert_true(measure_good(&r));
	r.bulk.unexpected = 1;
	assert_false(measure_good(&r));
	reset();
	r.bulk.missing = 1;
	assert_false(measure_good(&r));
	reset();
	r.bulk.broken = 1;
	assert_false(measure_good(&r));
	reset();
	r.bulk.sampled_wrong = 1;
	assert_false(measure_good(&r));
	reset();
	r.bulk.answers = 0;
	assert_false(measure_good(&r));
	reset();
	r.probe.answers = 5;
	r.probe.by_status[200] = 4;
	assert_false(measure_good(&r));
	r.probe.by_status[200] = 5;
	assert_true(measure_good(&r));
	r.probe.unanswered = 1;
	assert_false(measure_good(&r));
}

/* What cannot be measured says why, and leaves nothing behind. */
static void test_errors(void **state)
{
	const struct measure_options o = {
		.server = {.server = "https://localhost:1"}, .kinds = "v"};
	char why[MEASURE_WHY_MAX] = "";

	(void)state;
	assert_int_equal(measure_run(&o, &r, why), SG_CONFIG);
	assert_true(why[0] != '\0');
	assert_null(r.samples);
	measure_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
