/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/pattern.h"

#include "request.h"

struct sample {
	const char *text;
	bool matches;
};

static void check(enum pattern pattern, const struct sample *sample, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pattern_matches(pattern, span_str(sample[i].text)) !=
		    sample[i].matches)
			fail_msg("'%s' must%s match", sample[i].text,
				 sample[i].matches ? "" : " not");
}

#define CHECK(pattern, ...)                                                    \
	do {                                                                   \
		const struct sample sample[] = {__VA_ARGS__};                  \
		check(pattern, sample, sizeof(sample) / sizeof(sample[0]));    \
	} while (0)

static void test_version(void **state)
{
	(void)state;
	CHECK(PATTERN_VERSION, {"1.3.0", true}, {"1.0.0", true},
	      {"10.30.400", true}, {"1.3", false}, {"", false}, {"1", false},
	      {"1.3.0-rc1", false}, {"1.3.0.1", false}, {" 1.3.0", false},
	      {"1.3.0\n", false}, {"v1.3.0", false}, {"1..0", false});
	/* '.' is any character: a digit, a letter of any length in bytes. */
	CHECK(PATTERN_VERSION, {"12345", true}, {"1234", false},
	      {"1x3x0", true}, {"1ễ3😀0", true}, {"123x5", true},
	      {"12x3x", false}, {"1xx30", false}, {"1x345", true},
	      {"1x34", false}, {"12x45", false}, {"12x456", true},
	      {"1xx3x0", false}, {"x1.3.0", false});
	/* But no line terminator of ECMA-262; others pass. */
	CHECK(PATTERN_VERSION, {"1\n3.0", false}, {"1.3\r0", false},
	      {"1\u20283.0", false}, {"1.3\u20290", false},
	      {"1\u20273.0", true}, {"1\u202F3.0", true},
	      {"1\xC2\x85"
	       "3.0",
	       true},
	      {"1\v3\f0", true});
	/* Digits are 0 to 9: not those of other scripts. */
	CHECK(PATTERN_VERSION, {"\u0663.\u0663.\u0663", false});
	assert_false(pattern_matches(PATTERN_VERSION,
				     span_of("1.3.0\0", 6))); /* $ is the end */
}

/* Against the definition: every way to place the two dots. */
static bool slow_version(const char *text, size_t n)
{
	bool digit[16];

	for (size_t i = 0; i < n; i++)
		digit[i] = text[i] >= '0' && text[i] <= '9';
	for (size_t a = 1; a < n; a++) {
		for (size_t b = a + 2; b + 1 < n; b++) {
			bool all = text[a] != '\n' && text[b] != '\n';

			for (size_t i = 0; i < n; i++)
				all = all && (i == a || i == b || digit[i]);
			if (all)
				return true;
		}
	}
	return false;
}

static void test_version_exhaustively(void **state)
{
	static const char letter[] = "1.\n";
	char text[9];

	(void)state;
	for (size_t n = 0; n <= 8; n++) {
		size_t count = 1;

		for (size_t i = 0; i < n; i++)
			count *= 3;
		for (size_t c = 0; c < count; c++) {
			for (size_t i = 0, left = c; i < n; i++, left /= 3)
				text[i] = letter[left % 3];
			assert_int_equal(pattern_matches(PATTERN_VERSION,
							 span_of(text, n)),
					 slow_version(text, n));
		}
	}
}

static void test_birth(void **state)
{
	(void)state;
	CHECK(PATTERN_BIRTH, {"", true}, {"1979-04-14", true}, {"1950", true},
	      {"1901-08", true}, {"2099-99-99", true}, {"1899", false},
	      {"2100", false}, {"19", false}, {"195", false}, {"19500", false},
	      {"1950-", false}, {"1950-1", false}, {"1950-01-", false},
	      {"1950-01-1", false}, {"1950-01-011", false},
	      {"1950-01-01-01", false}, {"1950/01/01", false},
	      {"1950-01-01\n", false}, {" ", false}, {"19५0", false},
	      {"1950-0a", false}, {"-950", false});
}

static void test_mrz(void **state)
{
	(void)state;
	CHECK(PATTERN_MRZ, {"", true}, {"NGUYEN", true}, {"BAO<DUY", true},
	      {"<<<", true}, {"AZ", true}, {"nguyen", false},
	      {"BAO DUY", false}, {"A-B", false}, {"NGUYỄN", false},
	      {"A1", false}, {"A\n", false}, {"@", false}, {"[", false});
	assert_false(pattern_matches(PATTERN_MRZ, span_of("A\0", 2)));
}

static void test_country(void **state)
{
	(void)state;
	CHECK(PATTERN_COUNTRY, {"VN", true}, {"V", true}, {"vnV", true},
	      {"ABCDEFGHIJKLMNOP", true}, {"1A", true}, {"\nZ", true},
	      {"", false}, {"vn", false}, {"12", false}, {"É", false});
}

static void test_length(void **state)
{
	char text[4 * 80 + 1];

	(void)state;
	assert_true(pattern_matches(PATTERN_ANY, SPAN_LIT("\n")));
	assert_false(pattern_longer(SPAN_LIT(""), 0));
	assert_true(pattern_longer(SPAN_LIT("a"), 0));
	for (size_t i = 0; i < 80; i++)
		(void)snprintf(text + 4 * i, 5, "😀");
	text[sizeof(text) - 1] = 'x';
	assert_false(pattern_longer(span_of(text, sizeof(text) - 1), 80));
	assert_true(pattern_longer(span_of(text, sizeof(text)), 80));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_version_exhaustively),
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_mrz),
		cmocka_unit_test(test_country),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
