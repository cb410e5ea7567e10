/* SPDX-License-Identifier: Apache-2.0 */
#include "core/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/log.h"

static const char POLICY[] =
	"version: 1\nclients:\n"
	"  - {name: a, identities: [\"uri:urn:a\"], operations: [audit]}\n";

static char dir[64], file[80];
static struct policy *policy;
static struct quota *quota;

static int open_dir(void **state)
{
	static struct faults faults;

	(void)state;
	log_limit(LOG_ERROR);
	(void)snprintf(dir, sizeof(dir), "/tmp/test_history.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(file, sizeof(file), "%s/hours", dir);
	if (policy_load(span_str(POLICY), "p", &policy, &faults) != SG_OK)
		return -1;
	return quota_create(policy, &quota) == SG_OK ? 0 : -1;
}

static int close_dir(void **state)
{
	(void)state;
	quota_free(quota);
	policy_unref(policy);
	(void)unlink(file);
	return rmdir(dir);
}

static void add(void *ctx, const char *name, int64_t hour, uint32_t n)
{
	char *text = ctx;

	(void)snprintf(text + strlen(text), 200 - strlen(text), "%s %lld %u,",
		       name, (long long)hour, n);
}

static void assert_hours(const char *expected)
{
	char text[200] = "";

	quota_each_hour(quota, add, text);
	assert_string_equal(text, expected);
}

static void put(const char *text)
{
	assert_int_equal(fileio_replace(file, span_str(text), 0600), SG_OK);
}

static void test_again(void **state)
{
	(void)state;
	assert_int_equal(history_load(dir, 1000, quota), SG_OK); /* none */
	assert_int_equal(quota_count_hour(quota, SPAN_LIT("a"), 500, 7), SG_OK);
	assert_int_equal(quota_count_hour(quota, SPAN_LIT("a"), 501, 8), SG_OK);
	assert_int_equal(quota_count_hour(quota, SPAN_LIT("a"), 503, 9), SG_OK);
	assert_int_equal(history_save(dir, quota), SG_OK);
	quota_forget(quota);
	assert_hours("");
	/* The day's own are counted from the journal. */
	assert_int_equal(history_load(dir, 503, quota), SG_OK);
	assert_hours("a 500 7,a 501 8,");
}

static void test_damaged(void **state)
{
	static const char *const wrong[] = {
		"",
		"signerd hours 1\n",
		"signerd hours 1\na 1 2\n",
		"signerd hours 2\na 1 2\nend\n",
		"signerd hours 1\na 1 2\nb 1\nend\n",
		"signerd hours 1\na 1 2\nb 1 x\nend\n",
		"signerd hours 1\na 1 2\nb 1 0\nend\n",
		"signerd hours 1\na 1 2\nb -1 5\nend\n",
		"signerd hours 1\na 1 2\nb 1 4294967296\nend\n",
		"signerd hours 1\na 1 2\nb 1 9999999999999\nend\n",
		"signerd hours 1\na 1 2\n 1 5\nend\n",
		"signerd hours 1\na 1 2\nb 1 5 5\nend\n",
		"signerd hours 1\na 1 2end\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put(wrong[i]);
		assert_int_equal(history_load(dir, 1000, quota), SG_OK);
		assert_hours("");
	}
	put("signerd hours 1\na 1 2\nend\n");
	assert_int_equal(history_load(dir, 1000, quota), SG_OK);
	assert_hours("a 1 2,");
}

/* Once an hour, and not while it is being counted. */
static void test_keep(void **state)
{
	int64_t kept_s = 0;

	(void)state;
	quota_set_counted(quota, false);
	history_keep(dir, quota, 7200, &kept_s);
	assert_int_equal(access(file, F_OK), -1);
	quota_set_counted(quota, true);
	history_keep(dir, quota, 7200, &kept_s);
	assert_int_equal(unlink(file), 0);
	history_keep(dir, quota, 10799, &kept_s);
	assert_int_equal(access(file, F_OK), -1);
	history_keep(dir, quota, 10800, &kept_s);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(history_save("/nowhere", quota), SG_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_again, open_dir,
						close_dir),
		cmocka_unit_test_setup_teardown(test_damaged, open_dir,
						close_dir),
		cmocka_unit_test_setup_teardown(test_keep, open_dir, close_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
