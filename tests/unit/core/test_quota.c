/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "core/quota.h"

#define POLICY(zone, limits)                                                   \
	"version: 1\ntime_zone: \"" zone "\"\nprofiles: [{name: p}]\n"         \
	"clients:\n"                                                           \
	"  - {name: a, identities: [\"uri:urn:a\"], operations: [issue], "     \
	"kinds: [v], countries: [VN], issuers: [x], profile: p, "              \
	"validity: {v: 1d}" limits "}\n"                                       \
	"  - {name: b, identities: [\"uri:urn:b\"], operations: [issue], "     \
	"kinds: [v], countries: [VN], issuers: [x], profile: p, "              \
	"validity: {v: 1d}}\n"

static const int64_t MS = 1000, DAY = 86400, HOUR = 3600;
static const uint64_t TOKEN_US = 1000000;
/* Midnight in UTC. */
static const int64_t MIDNIGHT = INT64_C(1800000000) / 86400 * 86400;

static struct policy *policy;
static struct quota *quota;
static struct metrics_page *page;
static const struct client *a, *b;

static void load(const char *text)
{
	static struct faults faults;

	memset(&faults, 0, sizeof(faults));
	policy_unref(policy);
	if (policy_load(span_str(text), "p", &policy, &faults) != SG_OK)
		fail_msg("%s", faults.text);
	a = policy_client_at(policy, 0);
	b = policy_client_at(policy, 1);
	assert_int_equal(policy_clients(policy), 2);
}

static void begin(const char *text)
{
	load(text);
	assert_int_equal(quota_create(policy, &quota), SG_OK);
}

static void end(void)
{
	quota_free(quota);
	policy_unref(policy);
	policy = NULL;
}

static struct quota_answer ask_at(const struct client *c, int64_t wall_s,
				  uint64_t mono_us)
{
	const struct quota_time now = {.wall_s = wall_s, .mono_us = mono_us};
	struct quota_answer answer;

	assert_int_equal(quota_ask(quota, c, &now, &answer), SG_OK);
	assert_true((answer.word == QUOTA_ROOM) == (answer.wait_us == 0));
	return answer;
}

static enum quota_word word_at(const struct client *c, int64_t wall_s)
{
	return ask_at(c, wall_s, 1).word;
}

static struct quota_account *reserve(const struct client *c, int64_t wall_s)
{
	struct quota_account *account;

	assert_int_equal(quota_reserve(quota, c, wall_s, &account), SG_OK);
	return account;
}

/* N certificates of C are reserved, and go on record, at WALL_S. */
static void have_signed(const struct client *c, int64_t wall_s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		quota_record(quota, reserve(c, wall_s), c, wall_s * MS);
}

static uint64_t left_at(int64_t wall_s)
{
	struct policy_usage usage;

	assert_true(quota_usage(quota, a, wall_s, &usage));
	assert_true(usage.ends > wall_s && usage.ends <= wall_s + DAY);
	return usage.left;
}

static void test_count(void **state)
{
	struct policy_usage usage;
	struct quota_account *account;

	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 3}"));
	assert_int_equal(left_at(MIDNIGHT), 3);
	account = reserve(a, MIDNIGHT);
	assert_int_equal(left_at(MIDNIGHT), 2);
	have_signed(a, MIDNIGHT, 1);
	assert_int_equal(left_at(MIDNIGHT), 1);
	have_signed(a, MIDNIGHT + DAY - 1, 1);
	assert_int_equal(left_at(MIDNIGHT), 0);
	assert_int_equal(word_at(a, MIDNIGHT), QUOTA_USED_UP);
	assert_int_equal(
		quota_reserve(quota, a, MIDNIGHT, &(struct quota_account *){0}),
		SG_RATE);
	/* Until the day ends. */
	assert_int_equal(ask_at(a, MIDNIGHT + DAY - 10, 1).wait_us,
			 10 * TOKEN_US);
	/* What fails is given back. */
	quota_give_back(account);
	assert_int_equal(word_at(a, MIDNIGHT), QUOTA_ROOM);
	have_signed(a, MIDNIGHT, 1);
	assert_int_equal(word_at(a, MIDNIGHT), QUOTA_USED_UP);
	/* What the ledger loses, too. */
	account = NULL;
	assert_int_equal(quota_reserve(quota, a, MIDNIGHT, &account), SG_RATE);
	/* Nobody else has anything to do with it. */
	assert_int_equal(word_at(b, MIDNIGHT), QUOTA_ROOM);
	assert_false(quota_usage(quota, b, MIDNIGHT, &usage));
	end();
}

static void test_lost(void **state)
{
	struct quota_account *account;

	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 1}"));
	account = reserve(a, MIDNIGHT);
	quota_record(quota, account, a, MIDNIGHT * MS);
	assert_int_equal(left_at(MIDNIGHT), 0);
	quota_lost(quota, account, MIDNIGHT * MS);
	assert_int_equal(left_at(MIDNIGHT), 1);
	/* Of a day that is over: nothing of today's. */
	account = reserve(a, MIDNIGHT);
	quota_record(quota, account, a, (MIDNIGHT + DAY) * MS);
	quota_lost(quota, account, MIDNIGHT * MS);
	assert_int_equal(left_at(MIDNIGHT + DAY), 0);
	end();
}

/* The day is the zone's. */
static void test_zone(void **state)
{
	(void)state;
	begin(POLICY("+07:00", ", quota: {per_day: 2}"));
	assert_int_equal(quota_day_begins(quota, MIDNIGHT),
			 MIDNIGHT - 7 * HOUR);
	have_signed(a, MIDNIGHT + 17 * HOUR - 1, 2);
	assert_int_equal(left_at(MIDNIGHT + 17 * HOUR - 1), 0);
	assert_int_equal(left_at(MIDNIGHT + 17 * HOUR), 2);
	end();
	begin(POLICY("-03:30", ", quota: {per_day: 2}"));
	have_signed(a, MIDNIGHT, 2);
	assert_int_equal(left_at(MIDNIGHT + 3 * HOUR + 1799), 0);
	assert_int_equal(left_at(MIDNIGHT + 3 * HOUR + 1800), 2);
	/* Before 1970. */
	assert_int_equal(quota_day_begins(quota, -1), 3 * HOUR + 1800 - DAY);
	end();
}

/* Whoever moves the beginning of the day gets no second quota by it. */
static void test_zone_moves(void **state)
{
	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 5}"));
	have_signed(a, MIDNIGHT + HOUR, 5);
	assert_int_equal(left_at(MIDNIGHT + HOUR), 0);
	load(POLICY("-12:00", ", quota: {per_day: 5}"));
	quota_set_policy(quota, policy, MIDNIGHT + HOUR);
	assert_int_equal(left_at(MIDNIGHT + HOUR), 0);
	assert_int_equal(left_at(MIDNIGHT + 12 * HOUR), 5);
	load(POLICY("+13:00", ", quota: {per_day: 5}"));
	quota_set_policy(quota, policy, MIDNIGHT + HOUR);
	assert_int_equal(left_at(MIDNIGHT + HOUR), 0);
	end();
}

/* What is in flight over midnight counts on the day that it comes on record,
 * and no day has more than its quota. */
static void test_midnight(void **state)
{
	struct quota_account *account[3];

	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 3}"));
	for (size_t i = 0; i < 3; i++)
		account[i] = reserve(a, MIDNIGHT - 1);
	assert_int_equal(left_at(MIDNIGHT), 0);
	quota_record(quota, account[0], a, MIDNIGHT * MS - 1);
	assert_int_equal(left_at(MIDNIGHT), 1);
	quota_record(quota, account[1], a, MIDNIGHT * MS);
	assert_int_equal(left_at(MIDNIGHT), 1);
	quota_give_back(account[2]);
	assert_int_equal(left_at(MIDNIGHT), 2);
	assert_int_equal(left_at(MIDNIGHT - 1), 2);
	end();
}

/* A clock that goes back finds the day's count as it was. */
static void test_clock_back(void **state)
{
	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 5}"));
	have_signed(a, MIDNIGHT - 3, 5);
	have_signed(a, MIDNIGHT, 1);
	assert_int_equal(left_at(MIDNIGHT - 3), 0);
	assert_int_equal(word_at(a, MIDNIGHT - 3), QUOTA_USED_UP);
	assert_int_equal(left_at(MIDNIGHT), 4);
	/* And nothing on one of which nothing is known any more. */
	have_signed(a, MIDNIGHT + DAY, 1);
	assert_int_equal(left_at(MIDNIGHT - 3), 0);
	end();
}

/* A client that goes and comes back goes on where it was. */
static void test_reload(void **state)
{
	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 3}"));
	have_signed(a, MIDNIGHT, 2);
	load(POLICY("+00:00", ", quota: {per_day: 2}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	assert_int_equal(left_at(MIDNIGHT), 0);
	load(POLICY("+00:00", ", quota: {per_day: 9}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	assert_int_equal(left_at(MIDNIGHT), 7);
	end();
}

static void test_recounted(void **state)
{
	const struct quota_time now = {.wall_s = MIDNIGHT, .mono_us = 1};
	struct quota_account *account;
	struct policy_usage usage;
	struct quota_answer answer;
	char name[66] = "";

	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 3}"));
	quota_set_counted(quota, false);
	assert_int_equal(quota_ask(quota, a, &now, &answer), SG_LEDGER_DOWN);
	assert_int_equal(quota_reserve(quota, a, MIDNIGHT, &account),
			 SG_LEDGER_DOWN);
	assert_false(quota_usage(quota, a, MIDNIGHT, &usage));
	assert_int_equal(quota_count(quota, SPAN_LIT("a"), MIDNIGHT * MS - 1),
			 SG_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			quota_count(quota, SPAN_LIT("a"), MIDNIGHT * MS + i),
			SG_OK);
	memset(name, 'x', 65); /* no policy has it */
	assert_int_equal(quota_count(quota, span_str(name), MIDNIGHT * MS),
			 SG_OK);
	quota_set_counted(quota, true);
	assert_int_equal(left_at(MIDNIGHT), 1);
	assert_int_equal(left_at(MIDNIGHT - 1), 2);
	quota_set_counted(quota, false);
	quota_forget(quota);
	quota_set_counted(quota, true);
	assert_int_equal(left_at(MIDNIGHT), 3);
	end();
}

/* N requests are let through at MONO_US, and no more. */
static void check_burst(uint64_t mono_us, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ask_at(a, MIDNIGHT, mono_us).word, QUOTA_ROOM);
	assert_int_equal(ask_at(a, MIDNIGHT, mono_us).word, QUOTA_TOO_FAST);
}

static void test_bucket(void **state)
{
	(void)state;
	begin(POLICY("+00:00", ", rate: {per_second: 3, burst: 5}"));
	check_burst(1, 5);
	/* A third of a second for a token, rounded up. */
	assert_int_equal(ask_at(a, MIDNIGHT, 1).wait_us, 333334);
	assert_int_equal(ask_at(a, MIDNIGHT, 333334).word, QUOTA_TOO_FAST);
	assert_int_equal(ask_at(a, MIDNIGHT, 333334).wait_us, 1);
	assert_int_equal(ask_at(a, MIDNIGHT, 333335).word, QUOTA_ROOM);
	/* It never holds more than the burst. */
	check_burst(UINT64_MAX / 2, 5);
	/* A clock that does not go on brings nothing. */
	check_burst(1, 0);
	assert_int_equal(ask_at(b, MIDNIGHT, 1).word, QUOTA_ROOM);
	end();
}

/* Asked each 7 ms for 1,000 seconds: not one more or less than the rate. */
static void test_no_drift(void **state)
{
	size_t n = 0;
	uint64_t us;

	(void)state;
	begin(POLICY("+00:00", ", rate: {per_second: 7, burst: 1}"));
	for (us = 1; us <= 1000 * TOKEN_US + 1; us += 7000)
		n += ask_at(a, MIDNIGHT, us).word == QUOTA_ROOM;
	/* What is lost is what flows in while the bucket is full. */
	assert_in_range(n, 6800, 7001);
	end();
	begin(POLICY("+00:00", ", rate: {per_second: 7, burst: 2}"));
	n = 0;
	for (us = 1; us <= 1000 * TOKEN_US + 1; us += 7000)
		n += ask_at(a, MIDNIGHT, us).word == QUOTA_ROOM;
	assert_in_range(n, 7001, 7002);
	end();
}

/* The greatest rate, and a burst that a new policy makes smaller. */
static void test_bounds(void **state)
{
	(void)state;
	begin(POLICY("+00:00", ", rate: {per_second: 1000000, burst: "
			       "1000000}"));
	check_burst(1, 1000000);
	check_burst(1 + 10, 10);
	(void)ask_at(a, MIDNIGHT, 5 * TOKEN_US);
	load(POLICY("+00:00", ", rate: {per_second: 1, burst: 2}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	check_burst(5 * TOKEN_US, 2);
	/* Over its quota a client loses no tokens. */
	load(POLICY("+00:00",
		    ", rate: {per_second: 1, burst: 2}, quota: {per_day: 1}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	have_signed(a, MIDNIGHT, 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask_at(a, MIDNIGHT, 9 * TOKEN_US).word,
				 QUOTA_USED_UP);
	load(POLICY("+00:00", ", rate: {per_second: 1, burst: 2}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	check_burst(9 * TOKEN_US, 2);
	end();
}

static uint64_t alarms(void)
{
	return metric_get(page, METRIC_ALARMS);
}

static void test_alarm(void **state)
{
	const uint64_t before = alarms();

	(void)state;
	begin(POLICY("+00:00", ", alarm: {factor: 2, minimum: 10}"));
	/* Twice the minimum, as long as nothing is known. */
	have_signed(a, MIDNIGHT, 20);
	assert_int_equal(alarms(), before);
	have_signed(a, MIDNIGHT, 1);
	assert_int_equal(alarms(), before + 1);
	have_signed(a, MIDNIGHT + HOUR - 1, 50); /* once an hour */
	assert_int_equal(alarms(), before + 1);
	/* The next hours: twice the mean of those before, which is 71, then
	 * 50. */
	have_signed(a, MIDNIGHT + HOUR, 29);
	have_signed(a, MIDNIGHT + 5 * HOUR, 100);
	assert_int_equal(alarms(), before + 1);
	have_signed(a, MIDNIGHT + 5 * HOUR, 1);
	assert_int_equal(alarms(), before + 2);
	assert_int_equal(word_at(a, MIDNIGHT + 5 * HOUR), QUOTA_ROOM);
	/* After a week nothing of it is left. */
	have_signed(a, MIDNIGHT + 5 * HOUR + 7 * DAY, 21);
	assert_int_equal(alarms(), before + 3);
	/* Others have none. */
	have_signed(b, MIDNIGHT, 500);
	assert_int_equal(alarms(), before + 3);
	end();
}

static void test_stop(void **state)
{
	struct quota_answer answer;

	(void)state;
	begin(POLICY("+00:00", ", alarm: {factor: 1, minimum: 5, stop: true}"));
	have_signed(a, MIDNIGHT, 6);
	answer = ask_at(a, MIDNIGHT, 1);
	assert_int_equal(answer.word, QUOTA_STOPPED);
	assert_true(answer.wait_us > 0);
	assert_int_equal(metric_get(page, METRIC_CLIENTS_STOPPED), 1);
	/* Time alone does not help, nor the same policy once more. */
	quota_set_policy(quota, policy, MIDNIGHT);
	assert_int_equal(word_at(a, MIDNIGHT + DAY), QUOTA_STOPPED);
	assert_int_equal(word_at(b, MIDNIGHT), QUOTA_ROOM);
	/* Another one does, for this hour. */
	load(POLICY("+00:00", ", alarm: {factor: 1, minimum: 6, stop: true}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	assert_int_equal(metric_get(page, METRIC_CLIENTS_STOPPED), 0);
	have_signed(a, MIDNIGHT, 20);
	assert_int_equal(word_at(a, MIDNIGHT), QUOTA_ROOM);
	have_signed(a, MIDNIGHT + HOUR, 27);
	assert_int_equal(word_at(a, MIDNIGHT + HOUR), QUOTA_STOPPED);
	end();
}

/* More names than there is room for, from a journal that has seen them all. */
static void test_full(void **state)
{
	const struct quota_time now = {.wall_s = MIDNIGHT, .mono_us = 1};
	struct quota_answer answer;
	char name[16];

	(void)state;
	begin(POLICY("+00:00", ", quota: {per_day: 3}"));
	for (unsigned i = 0; i < QUOTA_ACCOUNTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(
			quota_count(quota, span_str(name), MIDNIGHT * MS),
			SG_OK);
	}
	assert_int_equal(quota_ask(quota, a, &now, &answer), SG_NO_MEMORY);
	/* They are kept for the day, and swept away after it. */
	load(POLICY("+00:00", ", quota: {per_day: 4}"));
	quota_set_policy(quota, policy, MIDNIGHT);
	assert_int_equal(quota_ask(quota, a, &now, &answer), SG_NO_MEMORY);
	load(POLICY("+00:00", ", quota: {per_day: 5}"));
	quota_set_policy(quota, policy, MIDNIGHT + DAY);
	assert_int_equal(quota_ask(quota, a, &now, &answer), SG_NO_MEMORY);
	load(POLICY("+00:00", ", quota: {per_day: 6}"));
	quota_set_policy(quota, policy, MIDNIGHT + 3 * DAY);
	assert_int_equal(word_at(a, MIDNIGHT + 3 * DAY), QUOTA_ROOM);
	end();
}

static int open_page(void **state)
{
	const int fd = metrics_memfd();

	(void)state;
	log_limit(LOG_ERROR);
	page = metrics_map(fd, 1);
	(void)close(fd);
	if (page == NULL)
		return -1;
	metrics_install(page);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_zone_moves),
		cmocka_unit_test(test_midnight),
		cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_recounted),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_no_drift),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, open_page, NULL);
}
