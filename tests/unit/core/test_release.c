/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/release.h"
#include "ipc/wire.h"

static int released;

static void on_released(struct release_item *item, enum sg_err err,
			int64_t ledger_index, uint64_t journal_offset)
{
	(void)journal_offset;
	assert_int_equal(item->facts.iat, 1000);
	assert_int_equal(err, SG_OK);
	assert_int_equal(ledger_index, WIRE_NO_LEDGER_INDEX);
	released++;
}

static void test_clock(void **state)
{
	struct release_item item = {.facts = {.iat = 1000},
				    .released = on_released};
	struct release *r;

	(void)state;
	assert_int_equal(release_create(INT64_MIN, &r), SG_OK);
	assert_true(release_clock_sane(r, INT64_MIN));
	assert_true(release_clock_sane(r, 0));
	release_submit(r, &item);
	assert_int_equal(released, 1);
	assert_true(release_clock_sane(r, 2000));
	assert_true(release_clock_sane(r, 1000 - RELEASE_CLOCK_SLACK_S));
	assert_false(release_clock_sane(r, 999 - RELEASE_CLOCK_SLACK_S));
	release_free(r);
	release_free(NULL);
	assert_int_equal(release_create(5000, &r), SG_OK);
	assert_false(release_clock_sane(r, 4000));
	/* An older certificate moves nothing. */
	release_submit(r, &item);
	assert_false(release_clock_sane(r, 4000));
	release_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_clock)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
