/* SPDX-License-Identifier: Apache-2.0 */
/* issue_limits: quotas and rates around a certificate's life. */
#include "bureau.h"

#define CLIENT(name, limits)                                                   \
	"  - {name: " name ", identities: [\"uri:urn:test:" name "\"], "       \
	"operations: [issue, validate], kinds: [v], countries: [VN], "         \
	"issuers: [\"*\"], profile: p, validity: {v: 365d}" limits "}\n"
#define POLICY(limits)                                                         \
	"version: 1\nprofiles: [{name: p, rules: {unknown-field: warning}}]\n" \
	"clients:\n" CLIENT("issuer", limits) CLIENT("other", "")

static const struct client *issuer_of(const struct bureau *b)
{
	return policy_client_at(b->o.policy, 0);
}

static uint64_t left(struct bureau *b)
{
	struct policy_usage usage;

	assert_true(
		quota_usage(b->quota, issuer_of(b), clock_wall_s(), &usage));
	return usage.left;
}

static struct bureau *bureau_with(const char *policy)
{
	struct bureau *b = bureau_open();

	memset(refused, 0, sizeof(refused));
	bureau_set_policy(b, policy);
	return b;
}

static void put_in_flight(struct bureau *b, size_t i, uint64_t id,
			  const struct ask *ask, size_t n)
{
	front_issue(&b->o.front[i], id, ask);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == n);
}

static void let_sign(struct bureau *b)
{
	b->o.hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[0]);
}

static void assert_limited(const struct answer *a, const char *code)
{
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_RATE);
	assert_int_equal(a->nviolations, 1);
	assert_string_equal(a->code, code);
	assert_string_equal(a->pointer, "");
	assert_true(a->retry_after_s >= 1);
}

/* The last of the quota goes to whoever comes first, at whatever front. */
static void test_quota(void **state)
{
	struct bureau *b = bureau_with(POLICY(", quota: {per_day: 3}"));
	struct ask ask = {.serial = 1};
	const struct answer *a;
	const struct answer *first;

	(void)state;
	for (ask.serial = 1; ask.serial <= 3; ask.serial++)
		(void)bureau_answer(b, ask.serial % 2, ask.serial, &ask);
	assert_int_equal(office_metric(&b->o, METRIC_ISSUED), 3);
	assert_int_equal(left(b), 0);
	ask.vietnamese = true;
	a = bureau_answer(b, 0, 4, &ask);
	assert_limited(a, "quota-exceeded");
	assert_string_equal(
		a->violation_detail,
		violation_detail(VIOLATION_QUOTA_EXCEEDED, VERDICT_VIETNAMESE));
	assert_true(a->retry_after_s <= 86401);
	/* A stream gets the same. */
	ask.bulk = true;
	assert_limited(bureau_answer(b, 1, 5, &ask), "quota-exceeded");
	assert_int_equal(refused[VIOLATION_QUOTA_EXCEEDED], 2);
	assert_int_equal(office_metric(&b->o, METRIC_QUOTA_REFUSED), 2);
	assert_int_equal(office_metric(&b->o, METRIC_REFUSED), 2);
	assert_int_equal(b->o.hsm[0].jobs, 3);
	/* What is on record is free, and so is what signs nothing. */
	ask = (struct ask){.serial = 1};
	first = front_answer(&b->o.front[1], 1);
	assert_same_certificate(first, bureau_answer(b, 0, 6, &ask));
	ask = (struct ask){.serial = 9, .dry_run = true};
	assert_int_equal(bureau_answer(b, 0, 7, &ask)->type, WIRE_ISSUED);
	/* And so are all others. */
	ask = (struct ask){.serial = 8, .identity = "urn:test:other"};
	assert_int_equal(bureau_answer(b, 0, 8, &ask)->type, WIRE_ISSUED);
	assert_int_equal(left(b), 0);
	bureau_close(b);
}

/* What is in flight counts; what fails, is late or loses its front does not. */
static void test_given_back(void **state)
{
	struct bureau *b = bureau_with(POLICY(", quota: {per_day: 2}"));
	struct ask ask = {.serial = 1, .within_us = 150000};

	(void)state;
	b->o.hsm[0].mood = HSM_HOLDS;
	put_in_flight(b, 0, 1, &ask, 1);
	ask = (struct ask){.serial = 2};
	put_in_flight(b, 1, 2, &ask, 2);
	assert_int_equal(left(b), 0);
	ask.serial = 3;
	assert_limited(bureau_answer(b, 0, 3, &ask), "quota-exceeded");
	/* Late. */
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[0], 1) != NULL);
	assert_int_equal(front_answer(&b->o.front[0], 1)->err, SG_TIMED_OUT);
	assert_int_equal(left(b), 1);
	/* Its front goes. */
	front_clear(&b->o.front[1]);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 0);
	assert_int_equal(left(b), 2);
	/* The hsm fails. */
	b->o.hsm[0].mood = HSM_FAILS;
	ask = (struct ask){.serial = 4, .within_us = 300000};
	assert_true(err_http(bureau_answer(b, 0, 4, &ask)->err) >= 500);
	assert_int_equal(left(b), 2);
	bureau_close(b);
}

/* The ledger loses what was counted. */
static void test_lost(void **state)
{
	struct bureau *b = bureau_with(POLICY(", quota: {per_day: 1}"));
	const struct ask ask = {.serial = 1};

	(void)state;
	b->release.mood = RELEASE_HOLDS;
	put_in_flight(b, 0, 1, &ask, 1);
	OFFICE_WAIT(&b->o, b->release.n == 1);
	assert_int_equal(left(b), 0);
	release_go_on(&b->release, RELEASE_LOSES);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_int_equal(b->o.front[0].answer[0].err, SG_LEDGER_DOWN);
	assert_int_equal(left(b), 1);
	/* Its front goes when it is signed: it is on record all the same. */
	b->release.mood = RELEASE_HOLDS;
	put_in_flight(b, 1, 2, &ask, 1);
	OFFICE_WAIT(&b->o, b->release.n == 1);
	front_clear(&b->o.front[1]);
	OFFICE_WAIT(&b->o, b->link[1] == NULL);
	release_go_on(&b->release, RELEASE_COMMITS);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 0);
	assert_int_equal(left(b), 0);
	bureau_close(b);
}

/* Those that wait behind the same request are free, and the one that takes its
 * place takes its share over. */
static void test_twins(void **state)
{
	struct bureau *b = bureau_with(POLICY(", quota: {per_day: 1}"));
	const struct ask brief = {.serial = 1, .within_us = 150000};
	const struct ask ask = {.serial = 1};
	const struct ask next = {.serial = 2};

	(void)state;
	b->o.hsm[0].mood = HSM_HOLDS;
	put_in_flight(b, 0, 1, &brief, 1);
	put_in_flight(b, 1, 2, &ask, 2);
	put_in_flight(b, 1, 3, &ask, 3);
	assert_int_equal(left(b), 0);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_int_equal(left(b), 0);
	assert_limited(bureau_answer(b, 0, 4, &next), "quota-exceeded");
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 2);
	assert_certificate(&b->o, front_answer(&b->o.front[1], 2), &ask);
	assert_same_certificate(front_answer(&b->o.front[1], 2),
				front_answer(&b->o.front[1], 3));
	assert_int_equal(left(b), 0);
	bureau_close(b);
}

/* Behind another client's request: what was left when it came may be gone when
 * its turn does. */
static void test_rival(void **state)
{
	struct bureau *b = bureau_with(POLICY(", quota: {per_day: 1}"));
	const struct ask brief = {
		.serial = 1, .within_us = 200000, .identity = "urn:test:other"};
	const struct ask ask = {.serial = 1};
	const struct ask next = {.serial = 2};

	(void)state;
	b->o.hsm[0].mood = HSM_HOLDS;
	put_in_flight(b, 0, 1, &brief, 1);
	put_in_flight(b, 1, 2, &ask, 2);
	assert_int_equal(left(b), 1);
	put_in_flight(b, 0, 3, &next, 3);
	assert_int_equal(left(b), 0);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 1);
	assert_limited(front_answer(&b->o.front[1], 2), "quota-exceeded");
	let_sign(b);
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[0], 3) != NULL);
	assert_certificate(&b->o, front_answer(&b->o.front[0], 3), &next);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 0);
	bureau_close(b);
}

/* A single request beyond the burst is refused, one of a stream comes later. */
static void test_rate(void **state)
{
	struct bureau *b =
		bureau_with(POLICY(", rate: {per_second: 1, burst: 2}"));
	struct ask ask = {.serial = 1};
	const struct answer *a;

	(void)state;
	for (ask.serial = 1; ask.serial <= 2; ask.serial++)
		assert_int_equal(bureau_answer(b, 0, ask.serial, &ask)->type,
				 WIRE_ISSUED);
	a = bureau_answer(b, 0, 3, &ask);
	assert_limited(a, "rate-exceeded");
	assert_in_range(a->retry_after_s, 1, 2);
	assert_int_equal(refused[VIOLATION_RATE_EXCEEDED], 1);
	assert_int_equal(office_metric(&b->o, METRIC_RATE_REFUSED), 1);
	ask.bulk = true;
	a = bureau_answer(b, 1, 4, &ask);
	assert_int_equal(a->type, WIRE_LATER);
	assert_in_range(a->wait_ms, 1, 1001);
	assert_int_equal(a->per_second, 1);
	assert_true(a->same);
	assert_int_equal(refused[VIOLATION_RATE_EXCEEDED], 1);
	assert_int_equal(office_metric(&b->o, METRIC_RATE_DELAYED), 1);
	assert_int_equal(b->link[1]->outstanding, 0);
	/* Neither what is on record nor what is refused anyway costs a token,
	 * nor needs one. */
	ask = (struct ask){.serial = 1};
	assert_true(bureau_answer(b, 0, 5, &ask)->issued.replayed);
	ask = (struct ask){.serial = 7, .country = "DE"};
	assert_int_equal(bureau_answer(b, 0, 6, &ask)->err, SG_REFUSED);
	ask = (struct ask){.serial = 8, .dry_run = true};
	assert_int_equal(bureau_answer(b, 0, 7, &ask)->type, WIRE_ISSUED);
	/* When its time has come it is signed. */
	OFFICE_UNTIL(&b->o, 1100, false);
	ask = (struct ask){.serial = 3, .bulk = true};
	assert_certificate(&b->o, bureau_answer(b, 1, 8, &ask), &ask);
	bureau_close(b);
}

static void test_stopped(void **state)
{
	struct bureau *b = bureau_with(
		POLICY(", alarm: {factor: 1, minimum: 2, stop: true}"));
	struct ask ask = {.serial = 1};

	(void)state;
	for (ask.serial = 1; ask.serial <= 3; ask.serial++)
		assert_int_equal(bureau_answer(b, 0, ask.serial, &ask)->type,
				 WIRE_ISSUED);
	assert_int_equal(office_metric(&b->o, METRIC_ALARMS), 1);
	ask.bulk = true; /* a stream is refused, too */
	assert_limited(bureau_answer(b, 0, 4, &ask), "client-stopped");
	assert_int_equal(office_metric(&b->o, METRIC_ALARM_REFUSED), 1);
	ask = (struct ask){.serial = 1};
	assert_true(bureau_answer(b, 0, 5, &ask)->issued.replayed);
	bureau_set_policy(b, POLICY(""));
	ask.serial = 4;
	assert_certificate(&b->o, bureau_answer(b, 0, 6, &ask), &ask);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_rival),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
