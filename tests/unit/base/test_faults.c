/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/faults.h"

static void test_lines(void **state)
{
	struct faults f = {0};

	(void)state;
	faults_add(&f, "policy.yaml", 12, "%s: unknown", "clients[0].x");
	faults_add(&f, "policy.yaml", 0, "empty");
	faults_add(&f, "p", 3, "bad \"%s\"", "a\nb");
	assert_int_equal(f.n, 3);
	assert_string_equal(f.text, "policy.yaml:12: clients[0].x: unknown\n"
				    "policy.yaml: empty\n"
				    "p:3: bad \"a?b\"\n");
	assert_int_equal(f.len, strlen(f.text));
}

/* Of each file in the order of its lines, whenever they are found. */
static void test_order(void **state)
{
	struct faults f = {0};

	(void)state;
	faults_add(&f, "a", 7, "seven");
	faults_add(&f, "a", 30, "thirty");
	faults_add(&f, "ab", 2, "other file");
	faults_add(&f, "a", 0, "whole");
	faults_add(&f, "a", 9, "nine");
	faults_add(&f, "a", 9, "nine again");
	faults_add(&f, "a", 2, "two");
	faults_add(&f, "ab", 1, "first");
	assert_string_equal(f.text, "a:2: two\n"
				    "a:7: seven\n"
				    "a:9: nine\n"
				    "a:9: nine again\n"
				    "a:30: thirty\n"
				    "ab:1: first\n"
				    "ab:2: other file\n"
				    "a: whole\n");
	assert_int_equal(f.len, strlen(f.text));
}

/* What does not fit is counted, and leaves whole lines behind. */
static void test_full(void **state)
{
	static struct faults f;
	char text[100];
	size_t fitting = 0;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		const size_t before = f.len;

		faults_add(&f, "name", 1, "%s", text);
		if (f.len > before)
			fitting++;
		assert_true(f.len < sizeof(f.text));
		assert_int_equal(f.text[f.len], '\0');
		assert_int_equal(f.text[f.len - 1], '\n');
	}
	assert_int_equal(f.n, 200);
	assert_int_equal(f.len, fitting * strlen("name:1: \n") + fitting * 99);
	assert_int_equal(fitting, (sizeof(f.text) - 1) / (99 + 9));
	faults_add(&f, "n", 1, "s"); /* a short one still fits */
	assert_non_null(strstr(f.text, "n:1: s\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
