/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/auditor/filter.h"

enum { FIRST = 3 };

static const struct arg_option OPTIONS[FIRST + FILTER_OPTION_COUNT] = {
	FILTER_OPTIONS(FIRST)};
static char why[200];

static enum sg_err read_words(struct filter *f, int n, const char *const *word)
{
	static struct args args;

	assert_int_equal(args_parse(OPTIONS, FIRST + FILTER_OPTION_COUNT, n,
				    (char *const *)(uintptr_t)word, &args),
			 SG_OK);
	why[0] = '\0';
	return filter_read(&args, FIRST, f, why, sizeof(why));
}

#define READ(f, ...)                                                           \
	read_words(f,                                                          \
		   (int)(sizeof((const char *[]){__VA_ARGS__}) /               \
			 sizeof(const char *)),                                \
		   (const char *[]){__VA_ARGS__})

static const uint8_t KID[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t POLICY[32] = {0xab, 0xcd, 0xef};

static const struct entry ISSUED = {
	.type = ENTRY_ISSUED,
	.time_ms = 1000500,
	.client = {(const uint8_t *)"ministry", 8},
	.kid = KID,
	.alg = COSE_ES256,
	.kind = DCC_TEST,
	.policy_hash = POLICY,
};
static const struct entry STARTED = {.type = ENTRY_STARTED, .time_ms = 1000000};

/* Which of ISSUED (1) and STARTED (2) match? */
static int matches(const char *option, const char *value)
{
	struct filter f;
	int n;

	assert_int_equal(READ(&f, option, value), SG_OK);
	n = (filter_match(&f, &ISSUED) ? 1 : 0) +
	    (filter_match(&f, &STARTED) ? 2 : 0);
	filter_clear(&f);
	return n;
}

static void test_each(void **state)
{
	static const struct {
		const char *option, *value;
		int want;
	} CASES[] = {
		{"--client", "ministry", 1},
		{"--client", "ministr", 0},
		{"--kid", "0102030405060708", 1},
		{"--kid", "AQIDBAUGBwg=", 1},
		{"--kid", "0102030405060709", 0},
		{"--alg", "ES256", 1},
		{"--alg", "PS256", 0},
		{"--kind", "t", 1},
		{"--kind", "v,r", 0},
		{"--kind", "v,t", 1},
		{"--policy", "a", 1},
		{"--policy", "ABCDEF00", 1},
		{"--policy", "abcdef01", 0},
		{"--type", "issued", 1},
		{"--type", "stopped,started", 2},
		{"--type", "issued,started", 3},
		{"--from", "1000", 3},
		{"--from", "1001", 0},
		{"--from", "1970-01-01T00:16:40Z", 3},
		{"--to", "1001", 3},
		{"--to", "1000", 0},
		{"--to", "1970-01-02", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_int_equal(matches(CASES[i].option, CASES[i].value),
				 CASES[i].want);
}

static void test_together(void **state)
{
	struct filter f;

	(void)state;
	assert_int_equal(READ(&f, "--client", "ministry", "--kind", "t",
			      "--from", "1000", "--to", "1001", "--index",
			      "5..6"),
			 SG_OK);
	assert_true(filter_match(&f, &ISSUED));
	assert_false(filter_match(&f, &STARTED));
	assert_int_equal(f.index.range[0].last, 6);
	filter_clear(&f);
	assert_int_equal(READ(&f, "--client", "ministry", "--kind", "v"),
			 SG_OK);
	assert_false(filter_match(&f, &ISSUED));
	filter_clear(&f);
}

static void test_refused(void **state)
{
	static const char *const BAD[][2] = {
		{"--kid", "01020304"},	 {"--alg", "RS256"},
		{"--kind", ""},		 {"--kind", "v,"},
		{"--kind", "vt"},	 {"--type", "issue"},
		{"--from", "yesterday"}, {"--from", "9999999999999999999"},
		{"--to", "2026-13-01"},	 {"--policy", ""},
		{"--policy", "xyz"},	 {"--index", "a"},
	};
	struct filter f;

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		assert_int_equal(READ(&f, BAD[i][0], BAD[i][1]), SG_CONFIG);
		assert_int_not_equal(why[0], '\0');
		filter_clear(&f);
	}
	assert_int_equal(READ(&f, "--from", "1000", "--to", "1000"), SG_CONFIG);
	filter_clear(&f);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(filter_type_name(ENTRY_ISSUED), "issued");
	assert_string_equal(filter_type_name(ENTRY_REVOCATION), "revocation");
	assert_string_equal(filter_type_name((enum entry_type)0), "unknown");
	assert_string_equal(filter_type_name((enum entry_type)10), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
