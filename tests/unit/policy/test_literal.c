/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/literal.h"

#include "request.h"

static void test_names(void **state)
{
	char text[LITERAL_NAME_MAX + 2] = "";

	(void)state;
	assert_true(literal_is_name("any-country"));
	assert_true(literal_is_name("A.b_9"));
	assert_false(literal_is_name(""));
	assert_false(literal_is_name("a b"));
	assert_false(literal_is_name("Bộ"));
	assert_false(literal_is_name("a\"b"));
	memset(text, 'a', LITERAL_NAME_MAX);
	assert_true(literal_is_name(text));
	text[LITERAL_NAME_MAX] = 'a';
	assert_false(literal_is_name(text));
}

static void test_durations(void **state)
{
	(void)state;
	assert_int_equal(literal_duration_s("1s"), 1);
	assert_int_equal(literal_duration_s("90m"), 5400);
	assert_int_equal(literal_duration_s("24h"), 86400);
	assert_int_equal(literal_duration_s("365d"), 31536000);
	assert_int_equal(literal_duration_s("36525d"), 36525 * 86400LL);
	assert_int_equal(literal_duration_s("36526d"), 0);
	assert_int_equal(literal_duration_s("3155760001s"), 0);
	assert_int_equal(literal_duration_s("99999999999999999999999d"), 0);
	assert_int_equal(literal_duration_s("0d"), 0);
	assert_int_equal(literal_duration_s(""), 0);
	assert_int_equal(literal_duration_s("d"), 0);
	assert_int_equal(literal_duration_s("365"), 0);
	assert_int_equal(literal_duration_s("-1d"), 0);
	assert_int_equal(literal_duration_s("+1d"), 0);
	assert_int_equal(literal_duration_s(" 1d"), 0);
	assert_int_equal(literal_duration_s("1 d"), 0);
	assert_int_equal(literal_duration_s("1d "), 0);
	assert_int_equal(literal_duration_s("1.5d"), 0);
	assert_int_equal(literal_duration_s("5x"), 0);
	assert_int_equal(literal_duration_s("10ms"), 0);
	assert_int_equal(literal_duration_s("1D"), 0);
}

static void test_spki(void **state)
{
	char good[] = "000102030405060708090a0b0c0d0e0f"
		      "101112131415161718191A1B1C1D1EfF";
	char odd[] = "000102030405060708090a0b0c0d0e0f"
		     "101112131415161718191A1B1C1D1Ef";
	char bad[] = "000102030405060708090a0b0c0d0e0f"
		     "101112131415161718191A1B1C1D1EfG";
	char longer[] = "000102030405060708090a0b0c0d0e0f"
			"101112131415161718191A1B1C1D1EfF0";

	(void)state;
	assert_true(literal_decode_spki(good));
	for (int i = 0; i < LITERAL_SPKI_BYTES - 1; i++)
		assert_int_equal(good[i], i);
	assert_int_equal((unsigned char)good[31], 0xFF);
	assert_false(literal_decode_spki(odd));
	assert_false(literal_decode_spki(bad));
	assert_false(literal_decode_spki(longer));
}

static void test_uris(void **state)
{
	(void)state;
	assert_true(literal_is_uri("urn:signerd:demo:issuer"));
	assert_true(literal_is_uri("https://example.org/a?b"));
	assert_false(literal_is_uri(""));
	assert_false(literal_is_uri("issuer"));
	assert_false(literal_is_uri(":a"));
	assert_false(literal_is_uri("urn:"));
	assert_false(literal_is_uri("urn:a b"));
	assert_false(literal_is_uri("urn:Bộ"));
}

static void test_dns(void **state)
{
	char text[256];

	(void)state;
	assert_true(literal_is_dns("api.example.org"));
	assert_true(literal_is_dns("API-1.Example"));
	assert_true(literal_is_dns("localhost"));
	assert_false(literal_is_dns(""));
	assert_false(literal_is_dns("*.example.org"));
	assert_false(literal_is_dns(".example.org"));
	assert_false(literal_is_dns("example.org."));
	assert_false(literal_is_dns("a..b"));
	assert_false(literal_is_dns("-a.b"));
	assert_false(literal_is_dns("a-.b"));
	assert_false(literal_is_dns("a.b-"));
	assert_false(literal_is_dns("a_b"));
	assert_false(literal_is_dns("a b"));
	memset(text, 'a', sizeof(text));
	text[253] = '\0';
	assert_true(literal_is_dns(text));
	text[253] = 'a';
	text[254] = '\0';
	assert_false(literal_is_dns(text));
}

static void test_counts(void **state)
{
	int64_t n = 0;

	(void)state;
	assert_true(literal_count("1", 9, &n));
	assert_int_equal(n, 1);
	assert_true(literal_count("5000000", 5000000, &n));
	assert_int_equal(n, 5000000);
	assert_true(literal_count("9223372036854775807", INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_false(literal_count("9223372036854775808", INT64_MAX, &n));
	assert_false(literal_count("99999999999999999999", INT64_MAX, &n));
	assert_false(literal_count("5000001", 5000000, &n));
	assert_false(literal_count("0", 9, &n));
	assert_false(literal_count("01", 9, &n));
	assert_false(literal_count("", 9, &n));
	assert_false(literal_count("+1", 9, &n));
	assert_false(literal_count("-1", 9, &n));
	assert_false(literal_count("1.0", 9, &n));
	assert_false(literal_count("1x", 9, &n));
	assert_false(literal_count(" 1", 9, &n));
}

static void test_zones(void **state)
{
	static const char *const wrong[] = {
		"",	  "7",	    "+7:00",  "07:00",	"+07:60",
		"+14:15", "-14:15", "+07:10", "+0700",	"+07:00 ",
		"Z",	  "+aa:00", "*07:00", "+07-00", "+07:0x"};
	int32_t s = 1;

	(void)state;
	assert_true(literal_zone("+00:00", &s));
	assert_int_equal(s, 0);
	assert_true(literal_zone("+07:00", &s));
	assert_int_equal(s, 25200);
	assert_true(literal_zone("-03:30", &s));
	assert_int_equal(s, -12600);
	assert_true(literal_zone("+05:45", &s));
	assert_int_equal(s, 20700);
	assert_true(literal_zone("+14:00", &s));
	assert_int_equal(s, 50400);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(literal_zone(wrong[i], &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_durations),
		cmocka_unit_test(test_spki),  cmocka_unit_test(test_uris),
		cmocka_unit_test(test_dns),   cmocka_unit_test(test_counts),
		cmocka_unit_test(test_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
