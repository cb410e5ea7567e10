/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../hcert/starved.h"
#include "heard.h"
#include "witnessed.h"

/* --- conflicts -------------------------------------------------------- */

static void test_it_knows_less(void **state)
{
	(void)state;
	begin(1);
	grow(300);
	say_size(0, 7);
	assert_int_equal(nasked, 2); /* at once */
	(void)expect_body(1, 7, 300);
	cosign(1, 0, 0);
	assert_int_equal(cosigned, 1);
	grow(310); /* it has forgotten all */
	tick_in(1);
	say_size(2, 0);
	(void)expect_body(3, 0, 310);
	say_size(3, 5);
	say_size(4, 6);
	assert_int_equal(nasked, 5); /* enough of that */
	assert_int_equal(contradictions, 0);
}

static void expect_contradiction(uint64_t size, bool fork)
{
	assert_int_equal(contradictions, 1);
	assert_string_equal(said_name, key[0].name);
	assert_int_equal(said_size, size);
	assert_int_equal(said_fork, fork);
	assert_int_equal(cosigned, 0);
	grow(LEAVES);
	tick_in(60);
	assert_int_equal(nasked, (size_t)(asked[1].id != 0 ? 2 : 1));
	assert_int_equal(witnesses_current(w, clock_mono_us()), 0);
}

static void test_it_knows_more(void **state)
{
	(void)state;
	begin(1);
	asked[1].id = 0;
	witnesses_consult(w, newest(10));
	turn();
	say_size(0, 11);
	expect_contradiction(11, false);
}

static void test_it_knows_another_root(void **state)
{
	(void)state;
	begin(1);
	grow(10);
	say_size(0, 10);
	assert_int_equal(contradictions, 0);
	(void)expect_body(1, 10, 10);
	say_size(1, 10);
	expect_contradiction(10, true);
}

static void test_it_denies_the_proof(void **state)
{
	(void)state;
	begin(1);
	grow(10);
	say_size(0, 8);
	say_status(1, 422, "text/plain", "no\n");
	expect_contradiction(8, true);
}

/* --- nonsense --------------------------------------------------------- */

static void test_failures(void **state)
{
	static const struct {
		uint16_t status;
		const char *type, *body;
	} no[] = {{0, "", ""},
		  {200, "text/plain", ""},
		  {200, "text/plain", "nonsense"},
		  {200, "text/plain", "\xe2\x80\x94 w AAAAAA==\n"},
		  {302, "text/html", ""},
		  {404, "text/plain", ""},
		  {409, "text/plain", "11\n"},
		  {409, "text/x.tlog.size", "11"},
		  {409, "text/x.tlog.size", ""},
		  {409, "text/x.tlog.size", "\n"},
		  {409, "text/x.tlog.size", "-1\n"},
		  {409, "text/x.tlog.size", "011\n"},
		  {409, "text/x.tlog.size", "99999999999999999999\n"},
		  {422, "text/plain", ""}};

	(void)state;
	begin(1);
	grow(10);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_int_equal(nasked, i + 1);
		(void)expect_body(i, 0, 10);
		say_status(i, no[i].status, no[i].type, no[i].body);
		assert_int_equal(nasked, i + 1); /* not at once */
		tick_in(2);
	}
	assert_int_equal(contradictions + cosigned + bad, 0);
	cosign(nasked - 1, 0, 1); /* by another key, in its name */
	assert_int_equal(cosigned, 0);
	tick_in(2);
	cosign(nasked - 1, 1, 1); /* of somebody else */
	assert_int_equal(cosigned, 0);
	tick_in(2);
	cosign(nasked - 1, 0, 0);
	assert_int_equal(cosigned, 1);
}

/* It is not the witness's fault that there is no memory to verify it. */
static void test_no_memory(void **state)
{
	uint8_t out[NOTE_LINE_MAX];
	struct wire_cosigned m = {.status = 200,
				  .type = SPAN_LIT("text/plain")};
	struct heard h;

	(void)state;
	begin(1);
	grow(10);
	m.body = span_of(out, cosign_text(read_body(0).text, 0, 0, out));
	log_limit(LOG_WARNING);
	heard_begin(&h);
	starved = true;
	say(asked[0].id, &m);
	starved = false;
	assert_non_null(strstr(heard_end(&h), "witness-failed"));
	assert_non_null(strstr(h.text, "there was no memory to verify"));
	assert_int_equal(cosigned, 0);
	tick_in(2);
	cosign(1, 0, 0);
	assert_int_equal(cosigned, 1);
}

/* A cosignature of a longer text, which begins with the checkpoint's and is
 * hidden in the answer: on the checkpoint it would verify for nobody. */
static void test_a_longer_text(void **state)
{
	static const char more[] = "more\n\n";
	const size_t more_n = sizeof(more) - 1;
	uint8_t text[1024];
	uint8_t body[sizeof(more) + NOTE_LINE_MAX];
	struct span ours;
	struct wire_cosigned m = {.status = 200,
				  .type = SPAN_LIT("text/plain")};
	size_t n;

	(void)state;
	begin(1);
	grow(10);
	ours = read_body(0).text;
	assert_true(ours.n + sizeof(more) < sizeof(text));
	memcpy(text, ours.p, ours.n);
	memcpy(text + ours.n, "\nmore\n", more_n);
	memcpy(body, more, more_n);
	n = cosign_text(span_of(text, ours.n + more_n), 0, 0, body + more_n);
	m.body = span_of(body, more_n + n);
	say(asked[0].id, &m);
	assert_int_equal(cosigned, 0);
	assert_int_equal(witnesses_current(w, clock_mono_us()), 0);
	tick_in(2);
	cosign(1, 0, 0);
	assert_int_equal(cosigned, 1);
}

/* A proof that does not hold is never sent. */
static void test_damaged_tiles(void **state)
{
	(void)state;
	begin(1);
	grow(10);
	cosign(0, 0, 0);
	witnesses_published(w, newest(20));
	memset(buf, 1, sizeof(buf));
	write_tile(0, 0, 20);
	tick_in(1);
	assert_int_equal(nasked, 1);
	write_tiles(20);
	tick_in(3);
	assert_int_equal(nasked, 2);
	(void)expect_body(1, 10, 20);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, before, after)
	const struct CMUnitTest tests[] = {T(test_it_knows_less),
					   T(test_it_knows_more),
					   T(test_it_knows_another_root),
					   T(test_it_denies_the_proof),
					   T(test_failures),
					   T(test_a_longer_text),
					   T(test_damaged_tiles),
					   T(test_no_memory)};
#undef T

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
