/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lives.h"

/* --- what each state allows ----------------------------------------------- */

/* In the order of KEY_STATE_MAP. */
static const struct {
	enum operation_kind kind;
	const char *allowed; /* a letter each: '+' yes, '-' no */
} STEPS[] = {
	/*                      GRCPARDSC */
	{OPERATION_REQUEST, "++++-----"},    {OPERATION_IMPORT, "-+++-----"},
	{OPERATION_PUBLISH, "--+------"},    {OPERATION_ACTIVATE, "---+-----"},
	{OPERATION_RETIRE, "----+--+-"},     {OPERATION_DESTROY, "++++-+--+"},
	{OPERATION_STOP, "--+++----"},	     {OPERATION_START, "-------+-"},
	{OPERATION_COMPROMISE, "++++++-+-"}, {OPERATION_LOG_KEY, "---------"},
};

static void test_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++)
		for (unsigned s = 0; s < KEY_STATE_COUNT; s++) {
			const bool want = STEPS[i].allowed[s] == '+';
			const char *no;

			bring("k", (enum key_state)s);
			now += LEAD;
			no = asked(STEPS[i].kind, "k");
			if (want != (no == NULL))
				fail_msg("%s in %s: %s",
					 operation_kind_name(STEPS[i].kind),
					 key_state_text((enum key_state)s),
					 no != NULL ? no : "allowed");
			assert_true(no == NULL || strlen(no) > 10);
		}
}

static void test_walk(void **state)
{
	(void)state;
	begin();
	generate("k", "a", DCC_ALL_KINDS);
	assert_int_equal(key("k")->state, KEY_GENERATED);
	assert_int_equal(key("k")->since, now);
	assert_int_equal(key("k")->spki_n, 4);
	now++;
	must(OPERATION_REQUEST, "k");
	assert_int_equal(key("k")->state, KEY_REQUESTED);
	assert_int_equal(key("k")->csr_n, 3);
	now++;
	must(OPERATION_REQUEST, "k"); /* once more */
	assert_int_equal(key("k")->since, now - 1);
	must(OPERATION_IMPORT, "k");
	assert_int_equal(key("k")->state, KEY_CERTIFIED);
	assert_true(
		span_is(span_of(key("k")->certificate, key("k")->certificate_n),
			"no certificate"));
	must(OPERATION_REQUEST, "k"); /* for another DSC */
	must(OPERATION_IMPORT, "k");
	assert_int_equal(key("k")->state, KEY_CERTIFIED);
	must(OPERATION_PUBLISH, "k");
	assert_int_equal(key("k")->published, now);
	now += LEAD;
	must(OPERATION_ACTIVATE, "k");
	assert_int_equal(key("k")->state, KEY_ACTIVE);
	assert_int_equal(key("k")->activated, now);
	/* Its kid is the one that verifiers know. */
	assert_non_null(strstr(asked(OPERATION_IMPORT, "k"), "another kid"));
	assert_non_null(strstr(asked(OPERATION_REQUEST, "k"), "another kid"));
	must(OPERATION_RETIRE, "k");
	assert_int_equal(key("k")->state, KEY_RETIRED);
	must(OPERATION_DESTROY, "k");
	assert_int_equal(key("k")->state, KEY_DESTROYED);
	assert_false(life_is_compromised(key("k")));
	assert_non_null(asked(OPERATION_COMPROMISE, "k"));
	assert_string_equal(asked(OPERATION_STOP, "nobody"),
			    "there is no key of this label");
}

static void test_officers(void **state)
{
	(void)state;
	now = START;
	memset(&life, 0, sizeof(life));
	for (unsigned k = 0; k < OPERATION_KINDS; k++) {
		officers_operation((enum operation_kind)k, &o);
		o.roll.n = 1;
		o.roll.threshold = 1;
		o.roll.stale_s = 1;
		o.roll.proposer_may_approve = true;
		if (k == OPERATION_GENESIS)
			assert_null(lifecycle_refuses(&life, &o, now));
		else
			assert_string_equal(lifecycle_refuses(&life, &o, now),
					    "there are no officers yet: a "
					    "genesis comes first");
	}
	begin();
	assert_int_equal(life.roll.n, 1);
	officers_operation(OPERATION_GENESIS, &o);
	o.roll = life.roll;
	assert_non_null(lifecycle_refuses(&life, &o, now));
	o.kind = OPERATION_OFFICERS;
	o.roll.threshold = 2;
	assert_non_null(lifecycle_refuses(&life, &o, now));
	o.roll.threshold = 1;
	o.roll.lead_s = 7;
	assert_null(done());
	assert_int_equal(life.roll.lead_s, 7);
	officers_operation(OPERATION_POLICY, &o);
	assert_false(life.has_policy);
	assert_null(done());
	assert_true(life.has_policy);
	assert_memory_equal(life.policy, OFFICERS_HASH, sizeof(life.policy));
}

static void test_configured(void **state)
{
	struct life k = {.hsm = "a", .kinds = DCC_ALL_KINDS, .since = 5};

	(void)state;
	begin();
	(void)snprintf(k.label, sizeof(k.label), "old");
	assert_int_equal(lifecycle_adopt(&life, &k), SG_OK);
	assert_int_equal(lifecycle_adopt(&life, &k), SG_DUPLICATE_KEY);
	assert_int_equal(key("old")->state, KEY_ACTIVE);
	assert_int_equal(key("old")->activated, 5);
	assert_true(key("old")->configured);
	assert_non_null(asked(OPERATION_REQUEST, "old"));
	assert_non_null(asked(OPERATION_IMPORT, "old"));
	assert_non_null(asked(OPERATION_PUBLISH, "old"));
	assert_non_null(asked(OPERATION_GENERATE, "old"));
	must(OPERATION_STOP, "old");
	must(OPERATION_START, "old");
	assert_int_equal(key("old")->state, KEY_ACTIVE);
	activated("new", "a", DCC_ALL_KINDS);
	expect_due("old", KEY_RETIRED, now);
	must(OPERATION_DESTROY, "old");
}

/* --- one key for a kind, in an HSM ---------------------------------------- */

static void test_takeover(void **state)
{
	(void)state;
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	activated("b1", "b", DCC_ALL_KINDS);
	assert_nothing_due();
	activated("a2", "a", 1U << DCC_TEST);
	assert_nothing_due();
	assert_int_equal(key("a1")->kinds, DCC_ALL_KINDS & ~(1U << DCC_TEST));
	assert_int_equal(key("b1")->kinds, DCC_ALL_KINDS);
	activated("a3", "a", DCC_ALL_KINDS);
	expect_due("a1", KEY_RETIRED, now);
	expect_due("a2", KEY_RETIRED, now);
	assert_nothing_due();
	assert_int_equal(key("b1")->state, KEY_ACTIVE);
}

/* A key that is stopped loses its kinds, too, and cannot come back. */
static void test_takeover_from_stopped(void **state)
{
	(void)state;
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	must(OPERATION_STOP, "a1");
	activated("a2", "a", 1U << DCC_TEST);
	assert_nothing_due();
	must(OPERATION_START, "a1");
	assert_int_equal(key("a1")->kinds, DCC_ALL_KINDS & ~(1U << DCC_TEST));
	must(OPERATION_STOP, "a1");
	activated("a3", "a", DCC_ALL_KINDS);
	expect_due("a1", KEY_RETIRED, now);
	expect_due("a2", KEY_RETIRED, now);
	assert_nothing_due();
	assert_non_null(asked(OPERATION_START, "a1"));
}

/* --- times ---------------------------------------------------------------- */

static void test_lead(void **state)
{
	(void)state;
	bring("k", KEY_PUBLISHED);
	now += LEAD - 1;
	assert_non_null(asked(OPERATION_ACTIVATE, "k"));
	operation(OPERATION_ACTIVATE, "k");
	o.activate = now + 1;
	assert_null(lifecycle_refuses(&life, &o, now));
	o.activate = now;
	assert_non_null(lifecycle_refuses(&life, &o, now));
	o.override = true;
	assert_string_equal(
		lifecycle_refuses(&life, &o, now),
		"the time at which it is to be activated has passed");
	o.activate = 0;
	assert_null(done());
	assert_int_equal(key("k")->state, KEY_ACTIVE);
	/* No override for what nobody was told of. */
	bring("k", KEY_CERTIFIED);
	operation(OPERATION_ACTIVATE, "k");
	o.override = true;
	assert_non_null(lifecycle_refuses(&life, &o, now));
}

static void test_scheduled(void **state)
{
	int64_t at;

	(void)state;
	begin();
	activated("old", "a", DCC_ALL_KINDS);
	published("new", "a", DCC_ALL_KINDS);
	at = now + 2 * LEAD;
	operation(OPERATION_ACTIVATE, "new");
	o.activate = at + 9;
	assert_null(done());
	o.activate = at; /* another time instead */
	assert_null(done());
	assert_int_equal(key("new")->state, KEY_PUBLISHED);
	operation(OPERATION_RETIRE, "new");
	assert_non_null(lifecycle_refuses(&life, &o, now));
	o.retire = at;
	assert_non_null(lifecycle_refuses(&life, &o, now));
	o.retire = at + 10;
	assert_null(done());
	operation(OPERATION_ACTIVATE, "new");
	o.activate = at + 10;
	assert_non_null(lifecycle_refuses(&life, &o, now));
	now = at - 1;
	assert_nothing_due();
	/* Late, as after a stop of the service: each at its own time. */
	now = at + 100;
	expect_due("new", KEY_ACTIVE, at);
	assert_int_equal(key("new")->since, at);
	assert_int_equal(key("new")->activated, at);
	expect_due("old", KEY_RETIRED, at);
	expect_due("new", KEY_RETIRED, at + 10);
	assert_nothing_due();
}

/* Why LABEL may not be retired at AT (0: at once), by who does not say that it
 * is the last. */
static const char *retire(const char *label, int64_t at)
{
	operation(OPERATION_RETIRE, label);
	o.last = false;
	o.retire = at;
	return done();
}

static void assert_last(const char *no)
{
	assert_non_null(no);
	assert_non_null(strstr(no, "--last"));
}

static void test_last(void **state)
{
	(void)state;
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	assert_last(retire("a1", 0));
	assert_last(retire("a1", now + 5));
	/* One that signs a part is not enough. */
	activated("b1", "b", 1U << DCC_TEST);
	assert_last(retire("a1", 0));
	assert_null(retire("b1", now + 9));
	activated("c1", "c", DCC_ALL_KINDS);
	expect_due("b1", KEY_RETIRED, now - LEAD + 9);
	/* Nor one that is stopped. */
	must(OPERATION_STOP, "c1");
	assert_last(retire("a1", 0));
	/* What is stopped could be started. */
	must(OPERATION_STOP, "a1");
	assert_last(retire("a1", 0));
	must(OPERATION_START, "a1");
	assert_null(retire("c1", 0));
	operation(OPERATION_RETIRE, "a1");
	assert_null(done());
	assert_int_equal(key("a1")->state, KEY_RETIRED);
}

/* By what is set for the others. */
static void test_last_in_time(void **state)
{
	int64_t at;

	(void)state;
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	activated("b1", "b", DCC_ALL_KINDS);
	at = now + 2 * LEAD;
	assert_null(retire("b1", at));
	assert_last(retire("a1", at));
	assert_last(retire("a1", at + 9));
	/* Not now either: nothing would be left at AT. */
	assert_last(retire("a1", 0));
	published("b2", "b", DCC_ALL_KINDS);
	operation(OPERATION_ACTIVATE, "b2");
	o.activate = at;
	assert_null(done());
	assert_null(retire("a1", at));
	operation(OPERATION_RETIRE, "b2");
	o.last = false;
	o.retire = at + 9;
	assert_last(done());
	/* A key whose time has come, and that cannot sign yet. */
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	published("b1", "b", DCC_ALL_KINDS);
	key("b1")->activate = now;
	assert_last(retire("a1", 0));
	assert_null(retire("a1", now + LEAD));
	/* One that takes over, and goes itself. */
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	published("a2", "a", DCC_ALL_KINDS);
	operation(OPERATION_ACTIVATE, "a2");
	o.activate = now + LEAD;
	assert_null(done());
	assert_last(retire("a2", now + LEAD + 9));
	assert_null(retire("a1", now + LEAD));
	/* A key's period ends sooner. */
	begin();
	activated("a1", "a", DCC_ALL_KINDS);
	activated("b1", "b", DCC_ALL_KINDS);
	key("b1")->period_s = 100;
	assert_last(retire("a1", now + 100));
	/* Before it another key signs, and will have its own successor: each
	 * new key has a period. */
	assert_null(retire("a1", now + 99));
	assert_null(retire("a1", 0));
}

static void test_period(void **state)
{
	(void)state;
	begin();
	activated("k", "a", DCC_ALL_KINDS);
	key("k")->period_s = 100;
	now += 50;
	must(OPERATION_STOP, "k");
	must(OPERATION_START, "k");
	now += 49;
	assert_nothing_due();
	must(OPERATION_STOP, "k"); /* the time goes on */
	now += 1;
	expect_due("k", KEY_RETIRED, now);
	begin();
	activated("k", "a", DCC_ALL_KINDS);
	key("k")->period_s = 100;
	operation(OPERATION_RETIRE, "k");
	o.retire = now + 99;
	assert_null(done());
	now += 1000;
	expect_due("k", KEY_RETIRED, now - 901);
	begin();
	activated("k", "a", DCC_ALL_KINDS);
	operation(OPERATION_RETIRE, "k");
	o.retire = now;
	assert_non_null(lifecycle_refuses(&life, &o, now));
}

/* A stop and another certificate take back what was set. */
static void test_taken_back(void **state)
{
	static const enum operation_kind by[] = {OPERATION_STOP,
						 OPERATION_IMPORT};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bring("k", KEY_PUBLISHED);
		operation(OPERATION_ACTIVATE, "k");
		o.activate = now + LEAD;
		assert_null(done());
		now += LEAD - 1;
		must(by[i], "k");
		now += LEAD - 1;
		assert_nothing_due();
		if (by[i] == OPERATION_STOP)
			must(OPERATION_START, "k");
		assert_int_equal(key("k")->state, KEY_PUBLISHED);
		assert_nothing_due();
		/* The lead time begins anew with a new certificate only. */
		if (by[i] == OPERATION_IMPORT)
			assert_non_null(asked(OPERATION_ACTIVATE, "k"));
		now++;
		must(OPERATION_ACTIVATE, "k");
	}
	bring("k", KEY_CERTIFIED);
	must(OPERATION_STOP, "k");
	assert_non_null(asked(OPERATION_RETIRE, "k"));
	must(OPERATION_START, "k");
	assert_int_equal(key("k")->state, KEY_CERTIFIED);
}

/* --- room ----------------------------------------------------------------- */

static void test_room(void **state)
{
	char label[16];

	(void)state;
	begin();
	for (unsigned i = 0; i < LIFE_KEYS_MAX; i++) {
		(void)snprintf(label, sizeof(label), "k%u", i);
		generate(label, "a", DCC_ALL_KINDS);
		now++;
	}
	assert_int_equal(life.n, LIFE_KEYS_MAX);
	assert_int_equal(lifecycle_adopt(&life, &(struct life){.label = "x"}),
			 SG_TOO_BIG);
	assert_non_null(asked(OPERATION_GENERATE, "one-more"));
	must(OPERATION_COMPROMISE, "k3");
	must(OPERATION_DESTROY, "k3");
	assert_true(life_is_compromised(key("k3")));
	/* It is not forgotten. */
	assert_non_null(asked(OPERATION_GENERATE, "one-more"));
	now++;
	must(OPERATION_DESTROY, "k9");
	now++;
	must(OPERATION_DESTROY, "k5");
	assert_non_null(asked(OPERATION_GENERATE, "k5"));
	generate("one-more", "a", DCC_ALL_KINDS);
	assert_int_equal(life.n, LIFE_KEYS_MAX);
	assert_null(key("k9"));
	assert_non_null(key("k5"));
	assert_ptr_equal(key("one-more"), &life.key[9]);
	generate("two-more", "a", DCC_ALL_KINDS);
	assert_non_null(asked(OPERATION_GENERATE, "three-more"));
}

static void test_texts(void **state)
{
	(void)state;
	assert_string_equal(key_state_text(KEY_GENERATED), "generated");
	assert_string_equal(key_state_text(KEY_COMPROMISED), "compromised");
	assert_string_equal(key_state_text(KEY_STATE_COUNT), "unknown");
}

/* What no HSM makes is refused before one is asked; what is on record of it can
 * be read all the same. */
static void test_rsa_bits(void **state)
{
	static const uint32_t bits[] = {2048, 3072, 4096};
	static uint8_t bytes[OPERATION_BYTES_MAX];
	static struct operation back;
	const char *why = NULL;
	size_t n;

	(void)state;
	begin();
	operation(OPERATION_GENERATE, "rsa");
	o.alg = COSE_PS256;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		o.bits = bits[i];
		assert_null(lifecycle_refuses(&life, &o, now));
	}
	o.bits = 2304;
	assert_string_equal(lifecycle_refuses(&life, &o, now),
			    "an RSA key has 2048, 3072 or 4096 bits");
	assert_int_equal(operation_encode(&o, bytes, sizeof(bytes), &n), SG_OK);
	assert_int_equal(operation_decode(span_of(bytes, n), &back, &why),
			 SG_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, lives_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_steps),    TEST(test_walk),
		TEST(test_officers), TEST(test_configured),
		TEST(test_takeover), TEST(test_takeover_from_stopped),
		TEST(test_lead),     TEST(test_scheduled),
		TEST(test_period),   TEST(test_taken_back),
		TEST(test_room),     TEST(test_texts),
		TEST(test_last),     TEST(test_last_in_time),
		TEST(test_rsa_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
