/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/un.h>

#include "front/admission.h"

enum { RATE = 2, BURST = RATE * ADMISSION_BURST_S };

static struct admission *a;

static int setup(void **state)
{
	(void)state;
	return admission_create(&a) == SG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	admission_free(a);
	return 0;
}

static uint64_t address(const char *text)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u = {0};

	if (inet_pton(AF_INET, text, &u.in.sin_addr) == 1)
		u.sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &u.in6.sin6_addr) == 1)
		u.sa.sa_family = AF_INET6;
	return admission_address(&u.sa);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"192.0.2.255", "192.0.2.255"},
		{"::ffff:192.0.2.255", "192.0.2.255"},
		{"0.0.0.0", "0.0.0.0"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"2001:db8:1:2::9", "2001:db8:1:2::"},
		{"2001:db8:1:3::9", "2001:db8:1:3::"},
		{"fe80::1", "fe80::"},
	};
	const struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ADMISSION_ADDRESS_TEXT];
		const uint64_t n = address(cases[i].in);

		assert_true(n != 0);
		admission_address_text(n, text);
		assert_string_equal(text, cases[i].out);
	}
	assert_true(address("::1") != 0);
	assert_int_equal(admission_address((const struct sockaddr *)&local), 0);
}

static size_t begin(uint64_t who, size_t n, uint64_t now_ms)
{
	size_t got = 0;

	for (size_t i = 0; i < n; i++)
		got += admission_begin(a, who, RATE, now_ms);
	return got;
}

static void test_failures_run_out(void **state)
{
	const uint64_t one = address("192.0.2.1");
	const uint64_t two = address("192.0.2.2");

	(void)state;
	assert_int_equal(begin(one, 1000, 5000), BURST);
	assert_int_equal(begin(two, 1, 5000), 1); /* it is one address's */
	/* They come back, RATE a second, and no more than there were. */
	assert_int_equal(begin(one, 1000, 5499), 0);
	assert_int_equal(begin(one, 1000, 5500), 1);
	assert_int_equal(begin(one, 1000, 15500), 10 * RATE);
	assert_int_equal(begin(one, 1000, UINT64_C(1) << 42), BURST);
	/* A clock that goes back gives nothing. */
	assert_int_equal(begin(one, 1000, 5000), 0);
}

static void test_successes_cost_nothing(void **state)
{
	const uint64_t who = address("2001:db8::1");

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_true(admission_begin(a, who, RATE, 1));
		admission_succeeded(a, who, RATE, 1);
	}
	assert_int_equal(begin(who, 1000, 1), BURST);
	admission_succeeded(a, address("2001:db8:9::1"), RATE, 1); /* unknown */
	assert_int_equal(begin(who, 1000, 1), 0);
}

/* All handshakes: nothing is given back but by time. */
static void test_handshakes_run_out(void **state)
{
	const uint64_t one = address("192.0.2.1");
	size_t got = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		if (admission_handshake(a, one, RATE, 5000)) {
			assert_true(admission_begin(a, one, RATE, 5000));
			admission_succeeded(a, one, RATE, 5000);
			got++;
		}
	assert_int_equal(got, BURST);
	assert_true(admission_handshake(a, address("192.0.2.2"), RATE, 5000));
	assert_true(admission_handshake(a, one, RATE, 5500));
	assert_false(admission_handshake(a, one, RATE, 5500));
	assert_true(admission_handshake(a, one, 0, 5500));
	assert_true(admission_handshake(a, 0, RATE, 5500));
	/* Nor do they count as failed, or the other way round. */
	assert_int_equal(begin(one, 1000, 5500), BURST);
	assert_true(admission_handshake(a, one, RATE, 6000));
}

static void test_off(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		assert_true(admission_begin(a, address("192.0.2.1"), 0, 1));
		assert_true(admission_begin(a, 0, RATE, 1));
	}
	admission_succeeded(a, 0, RATE, 1);
	admission_succeeded(a, address("192.0.2.1"), 0, 1);
}

/* Many addresses do not wash away the one that has failed the most. */
static void test_a_full_table(void **state)
{
	const uint64_t who = address("192.0.2.1");
	const uint64_t some = address("10.0.0.0");

	(void)state;
	assert_int_equal(begin(who, 1000, 1), BURST);
	for (uint64_t i = 0; i < 100000; i++)
		assert_int_equal(begin(some + i, 1, 1), 1);
	assert_int_equal(begin(who, 1000, 1), 0);
}

static void test_clients(void **state)
{
	(void)state;
	assert_true(admission_enter(a, 7, 2));
	assert_true(admission_enter(a, 7, 2));
	assert_false(admission_enter(a, 7, 2));
	assert_true(admission_enter(a, 8, 2));
	admission_leave(a, 7);
	assert_true(admission_enter(a, 7, 2));
	assert_true(admission_enter(a, 7, 0)); /* any */
	assert_true(admission_enter(a, 7, 4));
	assert_false(admission_enter(a, 7, 3));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_failures_run_out),
		TEST(test_successes_cost_nothing),
		TEST(test_handshakes_run_out),
		TEST(test_off),
		TEST(test_a_full_table),
		TEST(test_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
