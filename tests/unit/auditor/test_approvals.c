/* SPDX-License-Identifier: Apache-2.0 */
/* What a log says was accepted, held against the officers whom it names. */
#include "tools/auditor/approvals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ceremony/officers.h"

#define ORIGIN SPAN_LIT("test.example/ledger")

static uint8_t bytes[APPROVED_BYTES_MAX];
static size_t bytes_n;
static struct approvals *approvals;
static struct findings *findings;
static struct operation o;

static int setup(void **state)
{
	(void)state;
	return approvals_create(&approvals) == SG_OK &&
			       findings_create(&findings) == SG_OK
		       ? 0
		       : 1;
}

static int teardown(void **state)
{
	(void)state;
	approvals_free(approvals);
	findings_free(findings);
	return 0;
}

/* Entry INDEX: O, signed by those of WHO, a bit each. */
static void accepted(uint64_t index, unsigned who)
{
	uint8_t nonce[OPERATION_NONCE_BYTES] = {1};
	size_t n;

	memcpy(nonce + 1, &index, sizeof(index));
	if (o.nonce == OFFICERS_NONCE)
		o.nonce = nonce;
	assert_int_equal(operation_encode(&o, bytes, sizeof(bytes), &n), SG_OK);
	for (size_t i = 0; i < OFFICERS; i++)
		if ((who & 1U << i) != 0)
			n = officers_approve(&officers[i], span_of(bytes, n),
					     bytes);
	assert_int_equal(approvals_add(approvals, index, span_of(bytes, n)),
			 SG_OK);
	bytes_n = n;
}

/* The same once more, as INDEX. */
static void again(uint64_t index)
{
	assert_int_equal(
		approvals_add(approvals, index, span_of(bytes, bytes_n)),
		SG_OK);
}

static void genesis(uint64_t index, unsigned who)
{
	officers_operation(OPERATION_GENESIS, &o);
	officers_roll(3, 2, &o.roll);
	accepted(index, who);
}

static void plain(enum operation_kind kind, uint64_t index, unsigned who)
{
	officers_operation(kind, &o);
	accepted(index, who);
}

/* All is well but for what is in WANT at INDEX; NULL: nothing is wrong. */
static void judged(const char *want, uint64_t index)
{
	const struct finding *f;

	assert_int_equal(approvals_judge(approvals, ORIGIN, findings), SG_OK);
	if (want == NULL) {
		assert_int_equal(findings_n(findings), 0);
		return;
	}
	assert_int_equal(findings_n(findings), 1);
	f = findings_at(findings, 0);
	assert_int_equal(f->id, FINDING_OPERATION_UNAPPROVED);
	assert_int_equal(f->place.entry, index);
	assert_non_null(strstr(f->detail, want));
}

static void test_good(void **state)
{
	(void)state;
	/* In any order. */
	plain(OPERATION_PUBLISH, 40, 6);
	plain(OPERATION_STOP, 50, 4);
	genesis(10, 7);
	/* Others, who then decide. */
	officers_operation(OPERATION_OFFICERS, &o);
	officers_roll(4, 1, &o.roll);
	accepted(60, 3);
	plain(OPERATION_START, 61, 8);
	assert_int_equal(approvals_add(approvals, 55,
				       SPAN_LIT("signerd ledger recovery\n"
						"\n\u2014 anne AAAAAAAA\n")),
			 SG_OK);
	judged(NULL, 0);
}

/* Do the officers lead to the key whose bytes END in that letter, as far as the
 * first TRUSTED entries are believed? */
static void expect_follow(uint64_t trusted, uint8_t end, const char *want)
{
	struct note_key to = {.type = NOTE_ED25519};
	const char *why;
	uint64_t entry;

	officers_operation(OPERATION_LOG_KEY, &o);
	memcpy(to.public_key, operation_ed25519(&o), sizeof(to.public_key));
	to.public_key[sizeof(to.public_key) - 1] = end;
	assert_int_equal(
		approvals_follow(approvals, trusted, &to, &entry, &why),
		want == NULL);
	if (want == NULL) {
		assert_null(why);
		assert_int_equal(entry, 30);
	} else {
		assert_non_null(strstr(why, want));
	}
}

static void log_key(uint64_t index, char end, unsigned who)
{
	static uint8_t spki[2][OPERATION_SPKI_BYTES];
	uint8_t *p = spki[index == 30];

	officers_operation(OPERATION_LOG_KEY, &o);
	memcpy(p, o.spki.p, OPERATION_SPKI_BYTES);
	p[OPERATION_SPKI_BYTES - 1] = (uint8_t)end;
	o.spki.p = p;
	accepted(index, who);
}

static void test_follow(void **state)
{
	(void)state;
	genesis(10, 7);
	judged(NULL, 0);
	expect_follow(20, 'b', "no officers have changed its key");
	log_key(20, 'a', 3);
	log_key(30, 'b', 6);
	judged(NULL, 0);
	expect_follow(11, 'b', NULL);
	expect_follow(100, 'b', NULL);
	expect_follow(10, 'b', "before there were officers");
	expect_follow(0, 'b', "before there were officers");
	expect_follow(11, 'a', "for another one");
	expect_follow(11, 'c', "for another one");
}

/* One that too few have approved says nothing. */
static void test_follow_unapproved(void **state)
{
	(void)state;
	genesis(10, 7);
	log_key(30, 'b', 1);
	judged("log-key dsc-1: fewer officers", 30);
	expect_follow(11, 'b', "no officers have changed its key");
}

static void test_nothing(void **state)
{
	(void)state;
	judged(NULL, 0);
}

static void test_too_few(void **state)
{
	(void)state;
	genesis(1, 7);
	plain(OPERATION_PUBLISH, 2, 2);
	judged("publish dsc-1: fewer officers have approved it", 2);
}

static void test_unsigned_stop(void **state)
{
	(void)state;
	genesis(1, 7);
	plain(OPERATION_STOP, 2, 0);
	judged("no officer has signed it", 2);
}

static void test_stranger(void **state)
{
	(void)state;
	genesis(1, 7);
	plain(OPERATION_STOP, 2, 8);
	judged("somebody has signed who is no officer", 2);
}

static void test_genesis_by_some(void **state)
{
	(void)state;
	genesis(1, 3);
	judged("not all of its officers have signed it", 1);
}

static void test_second_genesis(void **state)
{
	(void)state;
	genesis(1, 7);
	genesis(2, 7);
	judged("there were officers already", 2);
}

static void test_no_genesis(void **state)
{
	(void)state;
	plain(OPERATION_PUBLISH, 5, 3);
	judged("there were no officers yet", 5);
}

static void test_other_ledger(void **state)
{
	(void)state;
	genesis(1, 7);
	officers_operation(OPERATION_STOP, &o);
	o.origin = SPAN_LIT("another.example/ledger");
	accepted(2, 3);
	judged("it is for another ledger", 2);
}

static void test_none(void **state)
{
	(void)state;
	genesis(1, 7);
	assert_int_equal(approvals_add(approvals, 2, SPAN_LIT("anything")),
			 SG_OK);
	judged("it is no operation", 2);
}

static void test_changed(void **state)
{
	size_t n;

	(void)state;
	genesis(1, 7);
	officers_operation(OPERATION_PUBLISH, &o);
	assert_int_equal(operation_encode(&o, bytes, sizeof(bytes), &n), SG_OK);
	n = officers_approve(&officers[0], span_of(bytes, n), bytes);
	n = officers_approve(&officers[1], span_of(bytes, n), bytes);
	bytes[n - 1] ^= 1;
	assert_int_equal(approvals_add(approvals, 2, span_of(bytes, n)), SG_OK);
	judged("a signature does not verify", 2);
}

/* What a server that lost its power has put on record twice. */
static void test_repeated(void **state)
{
	(void)state;
	genesis(1, 7);
	again(5);
	officers_operation(OPERATION_OFFICERS, &o);
	officers_roll(4, 1, &o.roll);
	o.roll.officer[1] = o.roll.officer[3]; /* two others go */
	o.roll.n = 2;
	accepted(6, 3);
	again(8);
	plain(OPERATION_START, 9, 8);
	judged(NULL, 0);
}

static void test_same_nonce(void **state)
{
	static const uint8_t nonce[OPERATION_NONCE_BYTES] = {9, 9};

	(void)state;
	genesis(1, 7);
	officers_operation(OPERATION_START, &o);
	o.nonce = nonce;
	accepted(2, 6);
	officers_operation(OPERATION_RETIRE, &o);
	o.nonce = nonce;
	accepted(3, 6);
	judged("retire dsc-1: its nonce was used before", 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_good),	   TEST(test_nothing),
		TEST(test_follow),	   TEST(test_follow_unapproved),
		TEST(test_too_few),	   TEST(test_unsigned_stop),
		TEST(test_stranger),	   TEST(test_genesis_by_some),
		TEST(test_second_genesis), TEST(test_no_genesis),
		TEST(test_other_ledger),   TEST(test_none),
		TEST(test_changed),	   TEST(test_repeated),
		TEST(test_same_nonce),
	};

	return cmocka_run_group_tests(tests, officers_setup, officers_teardown);
}
