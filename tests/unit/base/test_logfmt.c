/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/logfmt.h"

enum { ROOM = 512 };

static char text[ROOM];

__attribute__((format(printf, 1, 2))) static const char *write_text(
	const char *fmt, ...)
{
	va_list ap;
	size_t n;

	memset(text, 'Z', sizeof(text));
	va_start(ap, fmt);
	n = logfmt_write(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(n, strlen(text));
	return text;
}

/* The pairs of IN, a line each: KEY=VALUE. */
static const char *pairs(const char *in)
{
	static char out[2 * ROOM];
	struct logfmt_pair p;
	size_t left = strlen(in);
	size_t n = 0;

	while (logfmt_next(&in, &left, &p)) {
		assert_true(n + p.key_n + p.value_n + 3 < sizeof(out));
		memcpy(out + n, p.key, p.key_n);
		n += p.key_n;
		out[n++] = '=';
		n += logfmt_value(&p, out + n);
		out[n++] = '\n';
	}
	out[n] = '\0';
	return out;
}

static void test_numbers(void **state)
{
	(void)state;
	assert_string_equal(write_text("a=%d b=%u c=%ld d=%lld e=%zu f=%llu",
				       -1, 2U, -3L, -4LL, (size_t)5, ~0ULL),
			    "a=-1 b=2 c=-3 d=-4 e=5 f=18446744073709551615");
	assert_string_equal(write_text("%08u.cose mode=%03o x=0x%lx y=%llx %%",
				       7U, 8U, 255UL, 16ULL),
			    "00000007.cose mode=010 x=0xff y=10 %");
	assert_string_equal(write_text("a=%04d b=%3d", -5, 6), "a=-005 b=  6");
}

static void test_strings(void **state)
{
	static const char raw[] = {'a', 'b', 'c'}; /* no NUL */

	(void)state;
	assert_string_equal(
		write_text("a=%s b=\"%.*s\" c=%s/%u", "x", 3, raw, "front", 1U),
		"a=x b=\"abc\" c=front/1");
	assert_string_equal(write_text("a=\"%.*s\" b=\"%.*s\"", 0,
				       (const char *)NULL, 9, "short"),
			    "a=\"\" b=\"short\"");
}

/* What a value says of other pairs stays within it. */
static void test_forged(void **state)
{
	static const char evil[] = "x\" key=\"dsc-1\" \\\" state=active";

	(void)state;
	assert_string_equal(
		write_text("reason=\"%s\" n=%d", evil, 1),
		"reason=\"x\\\" key=\\\"dsc-1\\\" \\\\\\\" state=active\" n=1");
	assert_string_equal(
		pairs(text),
		"reason=x\" key=\"dsc-1\" \\\" state=active\nn=1\n");
	assert_string_equal(write_text("reason=%s n=%d", evil, 1),
			    "reason=x??key??dsc-1??\\??state?active n=1");
}

static void test_read(void **state)
{
	(void)state;
	assert_string_equal(pairs(""), "");
	assert_string_equal(pairs("    "), "");
	assert_string_equal(pairs(" a=1  word b=\"x y\" c= d=\"\""),
			    "a=1\nb=x y\nc=\nd=\n");
	assert_string_equal(pairs("=x a=1 =\"b=2\" word"), "a=1\n");
	/* A line that was cut, also within an escape. */
	assert_string_equal(pairs("a=\"open b=1"), "a=open b=1\n");
	assert_string_equal(pairs("a=\"half \\"), "a=half \n");
	assert_string_equal(pairs("a=\""), "a=\n");
	assert_string_equal(pairs("a"), "");
}

/* --- what is written is read ---------------------------------------------- */

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static size_t random_value(uint32_t *x, char out[40])
{
	static const char alphabet[] = "\"\\= ab\"\\\xc3\xa9,";
	const size_t n = next_random(x) % 39;

	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[next_random(x) % (sizeof(alphabet) - 1)];
	out[n] = '\0';
	return n;
}

/* VALUE, bare, as it is to be read. */
static void blank(char *value)
{
	for (; *value != '\0'; value++)
		if (strchr("\" =", *value) != NULL)
			*value = '?';
}

static void test_round_trip(void **state)
{
	uint32_t x = 2463534242U;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char a[40];
		char b[40];
		char c[40];
		char expected[160];
		const size_t a_n = random_value(&x, a);

		(void)random_value(&x, b);
		(void)random_value(&x, c);
		(void)write_text("a=\"%.*s\" b=%s c=\"<%s>\" n=%u", (int)a_n, a,
				 b, c, i);
		blank(b);
		(void)snprintf(expected, sizeof(expected),
			       "a=%s\nb=%s\nc=<%s>\nn=%u\n", a, b, c, i);
		assert_string_equal(pairs(text), expected);
	}
}

/* However small the room: no byte beyond it, and what is there is the
 * beginning of the whole, whose whole pairs are read as they were. */
static void cut_to(size_t size, const char *whole, const char *fmt, ...)
{
	char out[ROOM];
	va_list ap;
	size_t n;

	memset(out, 'Z', sizeof(out));
	va_start(ap, fmt);
	n = logfmt_write(out, size, fmt, ap);
	va_end(ap);
	assert_int_equal(n, strlen(whole) < size ? strlen(whole) : size - 1);
	assert_memory_equal(out, whole, n);
	assert_int_equal(out[n], '\0');
	assert_int_equal(out[size], 'Z');
	assert_null(strstr(pairs(out), "\nforged="));
}

static void test_cut(void **state)
{
	static const char fmt[] = "a=\"%s\" n=%u b=%s c=\"%s\"";
	static const char evil[] = "\\\" forged=1 \\";
	char whole[ROOM];

	(void)state;
	(void)snprintf(whole, sizeof(whole), "%s",
		       write_text("a=\"%s\" n=%u b=%s c=\"%s\"", evil, 12345U,
				  evil, evil));
	for (size_t size = 1; size < strlen(whole) + 3; size++)
		cut_to(size, whole, fmt, evil, 12345U, evil, evil);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
