/* SPDX-License-Identifier: Apache-2.0 */
/* toll: about what the pieces of work took, though few of them are timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"
#include "core/toll.h"

static uint64_t thread_us(void)
{
	struct timespec used;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static void work_us(uint64_t us)
{
	const uint64_t until = thread_us() + us;

	while (thread_us() < until)
		;
}

static void test_share(void **state)
{
	const int fd = metrics_memfd();
	struct metrics_page *page = metrics_map(fd, 1);
	struct toll t = {.turn = 0};
	uint64_t began;
	uint64_t all;
	uint64_t got;

	(void)state;
	(void)close(fd);
	metrics_install(page);
	began = thread_us();
	for (int i = 0; i < 20 * TOLL_ONE_IN; i++) {
		toll_begin(&t);
		work_us(50);
		toll_end(&t);
		toll_end(&t); /* once is enough */
	}
	all = thread_us() - began;
	got = metric_get(page, METRIC_LEDGER_LOOP_CPU);
	assert_true(got > all / 2 && got < all * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
