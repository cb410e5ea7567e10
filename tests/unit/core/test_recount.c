/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recount.h"

#include "place.h"

static const char POLICY[] =
	"version: 1\nprofiles: [{name: p}]\nclients:\n"
	"  - {name: issuer, identities: [\"uri:urn:a\"], operations: [issue], "
	"kinds: [v], countries: [VN], issuers: [x], profile: p, "
	"validity: {v: 1d}, quota: {per_day: 100}}\n";

struct count {
	struct place *p;
	struct policy *policy;
	struct quota *quota;
	struct recount *recount;
	size_t done;
};

static void on_done(void *ctx)
{
	((struct count *)ctx)->done++;
}

static struct count *count_open(void)
{
	static struct faults faults;
	struct count *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->p = place_open();
	place_open_release(c->p);
	assert_int_equal(
		policy_load(span_str(POLICY), "p", &c->policy, &faults), SG_OK);
	assert_int_equal(quota_create(c->policy, &c->quota), SG_OK);
	return c;
}

/* Count what is on record, at WALL_S. */
static void count_start(struct count *c, int64_t wall_s)
{
	char journal[PLACE_PATH];
	struct recount_parts parts = {.loop = &c->p->loop,
				      .journal = release_journal(c->p->release),
				      .journal_dir = journal,
				      .state = c->p->dir,
				      .quota = c->quota,
				      .done = on_done,
				      .ctx = c};

	place_path(c->p, journal, "journal");
	assert_int_equal(recount_start(&parts, wall_s, &c->recount), SG_OK);
	assert_false(quota_counted(c->quota));
}

static void count_stop(struct count *c)
{
	recount_free(c->recount);
	c->recount = NULL;
	(void)uv_run(&c->p->loop, UV_RUN_NOWAIT);
}

static void count_close(struct count *c)
{
	count_stop(c);
	quota_free(c->quota);
	policy_unref(c->policy);
	place_close(c->p);
	free(c);
}

static uint64_t left(struct count *c, int64_t wall_s)
{
	struct policy_usage usage;

	assert_true(quota_usage(c->quota, policy_client_at(c->policy, 0),
				wall_s, &usage));
	return usage.left;
}

/* What is of today counts, and what is of another day does not. */
static void test_days(void **state)
{
	struct count *c = count_open();
	const int64_t now = clock_wall_s();

	(void)state;
	for (int i = 0; i < 7; i++)
		(void)place_submit(c->p, now + i);
	PLACE_WAIT(c->p, c->p->item[6].told == 1);
	count_start(c, now);
	PLACE_WAIT(c->p, c->done == 1);
	assert_true(quota_counted(c->quota));
	assert_int_equal(left(c, now), 93);
	count_stop(c);
	/* As it will be tomorrow. */
	quota_forget(c->quota);
	count_start(c, now + 86400);
	PLACE_WAIT(c->p, c->done == 2);
	assert_int_equal(left(c, now + 86400), 100);
	assert_int_equal(left(c, now), 100);
	count_close(c);
}

/* It can be begun again, and again does not count twice. */
static void test_again(void **state)
{
	struct count *c = count_open();
	const int64_t now = clock_wall_s();

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)place_submit(c->p, now);
	PLACE_WAIT(c->p, c->p->item[4].told == 1);
	count_start(c, now);
	count_stop(c);
	for (size_t i = 1; i <= 2; i++) {
		c->done = 0;
		count_start(c, now);
		PLACE_WAIT(c->p, c->done == 1);
		assert_int_equal(left(c, now), 95);
		count_stop(c);
	}
	recount_free(NULL);
	count_close(c);
}

/* A journal without a record. */
static void test_empty(void **state)
{
	struct count *c = count_open();

	(void)state;
	count_start(c, clock_wall_s());
	PLACE_WAIT(c->p, c->done == 1);
	assert_int_equal(left(c, clock_wall_s()), 100);
	count_close(c);
}

/* One that cannot be read keeps everything shut, and can be ended. */
static void test_damaged(void **state)
{
	static const uint8_t wrong = 0x5a;
	struct count *c = count_open();
	char path[PLACE_PATH];
	int fd;

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)place_submit(c->p, clock_wall_s());
	PLACE_WAIT(c->p, c->p->item[2].told == 1);
	place_path(c->p, path, "journal/00000000000000000000");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &wrong, 1, 200), 1);
	(void)close(fd);
	count_start(c, clock_wall_s());
	PLACE_UNTIL(c->p, 200, c->done > 0);
	assert_int_equal(c->done, 0);
	assert_false(quota_counted(c->quota));
	count_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
