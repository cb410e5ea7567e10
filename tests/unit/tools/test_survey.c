/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "tools/auditor/survey.h"

enum { GAP_MS = 3600000 };

static const uint8_t KIDS[2][8] = {{1}, {2}};
static const uint8_t POLICIES[2][32] = {{0xaa}, {0xbb}};
static const uint8_t ATTESTATION[32];
static struct survey *s;
static uint64_t next_index;

static int setup(void **state)
{
	(void)state;
	next_index = 0;
	return survey_create(INT64_MIN, INT64_MAX, GAP_MS, &s) != SG_OK;
}

static int teardown(void **state)
{
	(void)state;
	survey_free(s);
	survey_free(NULL);
	return 0;
}

static void period(int64_t from_ms, int64_t to_ms)
{
	s->from_ms = from_ms;
	s->to_ms = to_ms;
}

static void add(const struct entry *e)
{
	static struct merkle_hash leaf;
	static struct walk_entry w;

	leaf.b[0] = (uint8_t)next_index;
	w = (struct walk_entry){.index = next_index++, .leaf = &leaf, .e = *e};
	survey_add(s, &w);
}

/* Entries are large: these are valid until the next one. */
static struct entry *certificate(const char *client, int64_t time_ms)
{
	static struct entry e;

	e = (struct entry){
		.type = ENTRY_ISSUED,
		.time_ms = time_ms,
		.client = span_str(client),
		.kid = KIDS[0],
		.alg = COSE_ES256,
		.kind = DCC_VACCINATION,
		.policy_hash = POLICIES[0],
	};
	return &e;
}

static struct entry *event(enum entry_type type, int64_t time_ms)
{
	static struct entry e;

	e = (struct entry){
		.type = type,
		.time_ms = time_ms,
		.policy_hash = type == ENTRY_POLICY ? POLICIES[1] : NULL,
	};
	return &e;
}

static void test_counts(void **state)
{
	struct entry *e = certificate("b", 1000);

	(void)state;
	add(e);
	e->kind = DCC_TEST;
	e->attestation = ATTESTATION;
	add(e);
	e = certificate("a", 90000000); /* the next day */
	e->type = ENTRY_RENEWED;
	e->kind = DCC_RECOVERY;
	e->kid = KIDS[1];
	e->policy_hash = POLICIES[1];
	add(e);
	assert_int_equal(s->entries, 3);
	assert_int_equal(survey_sum(s->total, SURVEY_ISSUED), 2);
	assert_int_equal(survey_sum(s->total, SURVEY_RENEWED), 1);
	assert_int_equal(s->total[SURVEY_ISSUED + DCC_TEST], 1);
	assert_int_equal(s->total[SURVEY_RENEWED + DCC_RECOVERY], 1);
	assert_int_equal(s->total[SURVEY_ATTESTED], 1);
	/* In the order of their names. */
	assert_int_equal(bag_keys(s->clients), 2);
	assert_int_equal(bag_at(s->clients, 0)->key[0], 'a');
	assert_int_equal(bag_at(s->clients, 1)->count[SURVEY_ISSUED + DCC_TEST],
			 1);
	assert_int_equal(bag_keys(s->keys), 2);
	assert_int_equal(bag_at(s->keys, 0)->key[0], 1);
	assert_int_equal(bag_at(s->keys, 0)->seen, 2);
	assert_int_equal(bag_at(s->keys, 1)->first, 2);
	assert_int_equal(bag_keys(s->policies), 2);
	assert_int_equal(bag_keys(s->days), 2);
	assert_int_equal(survey_day(bag_at(s->days, 0)), 0);
	assert_int_equal(survey_day(bag_at(s->days, 1)), 1);
	assert_int_equal(s->first_leaf.b[0], 0);
	assert_int_equal(s->last_leaf.b[0], 2);
}

static void test_days_before_1970(void **state)
{
	(void)state;
	add(certificate("a", -1));
	add(certificate("a", 0));
	assert_int_equal(survey_day(bag_at(s->days, 0)), -1);
	assert_int_equal(survey_day(bag_at(s->days, 1)), 0);
}

static void test_refusals(void **state)
{
	struct entry *e = event(ENTRY_REFUSED, 1000);
	struct span client;
	struct span code;

	(void)state;
	e->client = SPAN_LIT("a");
	e->refused.client = e->client;
	e->refused.records = 7;
	e->refused.n = 2;
	e->refused.code[0].code = SPAN_LIT("too-long");
	e->refused.code[0].count = 5;
	e->refused.code[1].code = SPAN_LIT("wrong-type");
	e->refused.code[1].count = 3;
	add(e);
	e->refused.n = 1;
	add(e);
	assert_int_equal(s->total[SURVEY_REFUSED], 14);
	assert_int_equal(bag_at(s->clients, 0)->count[SURVEY_REFUSED], 14);
	assert_int_equal(bag_keys(s->codes), 2);
	survey_code(bag_at(s->codes, 0), &client, &code);
	assert_true(span_is(client, "a"));
	assert_true(span_is(code, "too-long"));
	assert_int_equal(bag_at(s->codes, 0)->count[0], 10);
	assert_int_equal(bag_at(s->codes, 1)->count[0], 3);
}

static void test_period(void **state)
{
	(void)state;
	period(1000, 2000);
	add(event(ENTRY_POLICY, 500));
	add(certificate("a", 999));
	add(certificate("a", 1000));
	add(certificate("a", 1999));
	add(certificate("a", 2000));
	add(certificate("a", 1500)); /* out of order, but it belongs to it */
	assert_int_equal(s->entries, 3);
	assert_int_equal(s->first, 2);
	assert_int_equal(s->last, 5);
	assert_int_equal(s->total[SURVEY_ISSUED], 3);
	assert_int_equal(s->nevents, 0);
	assert_true(s->has_policy);
	assert_memory_equal(s->policy, POLICIES[1], 32);
	assert_int_equal(s->back, 1);
	assert_int_equal(s->back_most_ms, 500);
}

static void test_runs(void **state)
{
	(void)state;
	add(event(ENTRY_STARTED, 0));
	add(certificate("a", 10));
	add(event(ENTRY_STOPPED, 20));
	add(event(ENTRY_STARTED, 2 * GAP_MS)); /* no gap: it was stopped */
	add(certificate("a", 2 * GAP_MS + 5));
	add(event(ENTRY_STARTED, 5 * GAP_MS)); /* a crash */
	assert_int_equal(s->nevents, 4);
	assert_false(s->event[0].follows);
	assert_true(s->event[2].follows);
	assert_false(s->event[2].unclean);
	assert_int_equal(s->event[2].follows_ms, 20);
	assert_true(s->event[3].unclean);
	assert_int_equal(s->event[3].follows_ms, 2 * GAP_MS + 5);
	assert_int_equal(s->unclean, 1);
	assert_int_equal(s->gaps, 0);
}

static void test_gaps(void **state)
{
	int64_t time = 0;

	(void)state;
	add(certificate("a", time));
	add(certificate("a", time += GAP_MS)); /* not longer */
	assert_int_equal(s->gaps, 0);
	/* 1 .. 60 ms longer each: the longest 50 are kept, in order. */
	for (int i = 1; i <= 60; i++)
		add(certificate("a", time += GAP_MS + i));
	assert_int_equal(s->gaps, 60);
	assert_int_equal(s->ngaps, SURVEY_GAPS);
	for (size_t i = 0; i < s->ngaps; i++)
		assert_int_equal(s->gap[i].to_ms - s->gap[i].from_ms,
				 GAP_MS + 11 + (int)i);
	/* A short one changes nothing. */
	add(certificate("a", time += GAP_MS + 1));
	assert_int_equal(s->gaps, 61);
	assert_int_equal(s->gap[0].to_ms - s->gap[0].from_ms, GAP_MS + 11);
}

/* Of what lies between entries that were left out, nothing is said. */
static void test_left_out(void **state)
{
	(void)state;
	add(certificate("a", 10 * GAP_MS));
	next_index += 5;
	add(event(ENTRY_STARTED, 0));
	next_index += 5;
	add(certificate("a", 10 * GAP_MS));
	assert_int_equal(s->gaps, 0);
	assert_int_equal(s->back, 0);
	assert_int_equal(s->unclean, 0);
	assert_false(s->event[0].follows);
}

static void test_bounded(void **state)
{
	char name[32];
	const struct bag_cell *other;

	(void)state;
	for (int i = 0; i < SURVEY_CLIENTS + 10; i++) {
		(void)snprintf(name, sizeof(name), "client %d", i);
		add(certificate(name, i));
	}
	for (int i = 0; i < SURVEY_EVENTS + 10; i++)
		add(event(ENTRY_KEY_EVENT, 10000));
	assert_int_equal(bag_keys(s->clients), SURVEY_CLIENTS);
	other = bag_at(s->clients, SURVEY_CLIENTS);
	assert_int_equal(other->n, 0);
	assert_int_equal(other->count[SURVEY_ISSUED], 10);
	assert_null(bag_at(s->clients, SURVEY_CLIENTS + 1));
	assert_int_equal(s->nevents, SURVEY_EVENTS);
	assert_int_equal(s->more_events, 10);
	assert_int_equal(s->total[SURVEY_ISSUED], SURVEY_CLIENTS + 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_counts),   TEST(test_days_before_1970),
		TEST(test_refusals), TEST(test_period),
		TEST(test_runs),     TEST(test_gaps),
		TEST(test_left_out), TEST(test_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
