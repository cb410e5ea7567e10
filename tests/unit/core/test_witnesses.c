/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "witnessed.h"

/* --- rounds ----------------------------------------------------------- */

static void test_a_cosignature(void **state)
{
	(void)state;
	begin(1);
	tick_in(0);
	assert_int_equal(nasked, 0); /* about nothing */
	grow(10);
	assert_int_equal(nasked, 1);
	(void)expect_body(0, 0, 10);
	assert_int_equal(witnesses_current(w, clock_mono_us()), 0);
	cosign(0, 0, 0);
	assert_int_equal(cosigned, 1);
	assert_int_equal(said_size, 10);
	expect_note(note, note_n, 10, 1);
	assert_int_equal(kept, 1);
	expect_note(kept_note, kept_n, 10, 1);
	assert_int_equal(witnesses_current(w, clock_mono_us()), 1);
	assert_int_equal(
		witnesses_current(w, clock_mono_us() + UINT64_C(4) * SECOND_US),
		0);
}

static void test_it_grows(void **state)
{
	static const uint64_t sizes[] = {1, 2, 7, 256, 257, 700, LEAVES};
	uint64_t old = 0;

	(void)state;
	begin(1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		grow(sizes[i]);
		tick_in(i == 0 ? 0 : 1);
		assert_int_equal(nasked, i + 1);
		(void)expect_body(i, old, sizes[i]);
		cosign(i, 0, 0);
		assert_int_equal(cosigned, i + 1);
		expect_note(kept_note, kept_n, sizes[i], 1);
		/* Not again within the interval. */
		grow(sizes[i]);
		assert_int_equal(nasked, i + 1);
		old = sizes[i];
	}
	/* Nothing new: it is asked for the same one, and shows that it is
	 * there. */
	tick_in(1);
	(void)expect_body(nasked - 1, old, old);
	cosign(nasked - 1, 0, 0);
	expect_note(note, note_n, old, 1);
}

/* A cosigned checkpoint is not replaced by one that has fewer, while more may
 * come. */
static void test_the_kept_one(void **state)
{
	(void)state;
	begin(2);
	grow(10);
	assert_int_equal(nasked, 2);
	cosign(0, 0, 0);
	expect_note(note, note_n, 10, 1);
	assert_int_equal(kept, 0);
	cosign(1, 1, 1);
	expect_note(note, note_n, 10, 3);
	assert_int_equal(kept, 1);
	expect_note(kept_note, kept_n, 10, 3);
	grow(20);
	tick_in(1);
	assert_int_equal(nasked, 4);
	cosign(3, 1, 1);
	expect_note(note, note_n, 20, 2);
	assert_int_equal(kept, 1);
	say_status(2, 500, "text/plain", "");
	assert_int_equal(kept, 2); /* it is all that can be had */
	expect_note(kept_note, kept_n, 20, 2);
	tick_in(1); /* about the same one again */
	(void)expect_body(4, 10, 20);
	cosign(4, 0, 0);
	expect_note(kept_note, kept_n, 20, 3);
}

/* One that is slow holds the round up for one interval, and no longer. */
static void test_a_slow_one(void **state)
{
	(void)state;
	begin(2);
	grow(10);
	cosign(0, 0, 0);
	grow(20);
	tick_in(1);
	assert_int_equal(nasked, 2);
	tick_in(1);
	assert_int_equal(nasked, 3);
	assert_int_equal(asked[2].witness, 0);
	(void)expect_body(2, 10, 20);
	/* It comes too late to be published, and still counts. */
	assert_int_equal(witnesses_current(w, clock_mono_us()), 1);
	cosign(1, 1, 1);
	assert_int_equal(witnesses_current(w, clock_mono_us()), 2);
	assert_int_equal(cosigned, 1);
	tick_in(0);
	assert_int_equal(asked[3].witness, 1);
	(void)expect_body(3, 10, 20);
}

/* --- the start -------------------------------------------------------- */

static void test_consulting(void **state)
{
	(void)state;
	begin(2);
	witnesses_consult(w, newest(10));
	turn();
	assert_int_equal(nasked, 2);
	cosign(0, 0, 0);
	tick_in(1);
	assert_int_equal(consulted, 0);
	say_status(1, 503, "", "");
	assert_int_equal(consulted, 1);
	assert_int_equal(cosigned + kept, 0); /* it is not published yet */
	grow(10);
	assert_int_equal(cosigned, 1);
	expect_note(note, note_n, 10, 1);
	assert_int_equal(kept, 1);
}

/* Who cannot be reached is tried once more before the start goes on. */
static void test_who_cannot_be_reached(void **state)
{
	(void)state;
	begin(1);
	witnesses_consult(w, newest(10));
	turn();
	say_status(0, 0, "", "");
	assert_int_equal(consulted, 0);
	tick_in(1);
	assert_int_equal(nasked, 2);
	say_status(1, 0, "", "");
	assert_int_equal(consulted, 1);
}

static void test_who_does_not_answer(void **state)
{
	(void)state;
	begin(1);
	witnesses_consult(w, newest(10));
	tick_in(4);
	assert_int_equal(consulted, 0);
	tick_in(1);
	assert_int_equal(consulted, 1);
	grow(10);
	assert_int_equal(nasked, 1); /* still under way */
	tick_in(8);
	assert_int_equal(nasked, 1);
	tick_in(2);
	assert_int_equal(nasked, 2);
	/* An answer to what was given up is nobody's. */
	cosign(0, 0, 0);
	assert_int_equal(cosigned + bad, 0);
	cosign(1, 0, 0);
	assert_int_equal(cosigned, 1);
}

/* What they were asked about first could not be published. */
static void test_another_first_one(void **state)
{
	(void)state;
	begin(1);
	witnesses_consult(w, newest(10));
	turn();
	cosign(0, 0, 0);
	assert_int_equal(consulted, 1);
	grow(12);
	assert_int_equal(cosigned, 0);
	(void)expect_body(1, 10, 12);
}

static void test_its_process(void **state)
{
	const struct wire_cosigned m = {.status = 500};

	(void)state;
	begin(2);
	grow(10);
	assert_int_equal(nasked, 2);
	link_process(); /* a new one: it is asked anew */
	assert_int_equal(nasked, 4);
	cosign(0, 0, 0); /* of the old one */
	assert_int_equal(cosigned + bad, 0);
	cosign(2, 0, 0);
	assert_int_equal(cosigned, 1);
	say(1000, &m); /* never asked */
	assert_int_equal(bad, 1);
	link_process();
	assert_int_equal(nasked, 5);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, before, after)
	const struct CMUnitTest tests[] = {
		T(test_a_cosignature),	   T(test_it_grows),
		T(test_the_kept_one),	   T(test_a_slow_one),
		T(test_consulting),	   T(test_who_cannot_be_reached),
		T(test_consulting),	   T(test_who_does_not_answer),
		T(test_another_first_one), T(test_its_process)};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
