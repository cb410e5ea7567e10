/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pkcs11/pin.h"

#ifndef __SANITIZE_ADDRESS__
static unsigned pages_freed;

/* In place of libc's: a page that held a PIN is empty when it goes. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int munmap(void *p, size_t n)
{
	const unsigned char *byte = p;

	for (size_t i = 0; n == 4096 && i < n; i++)
		assert_int_equal(byte[i], 0);
	pages_freed++;
	return (int)syscall(SYS_munmap, p, n);
}
#endif

static char path[] = "/tmp/signerd-pin-XXXXXX";

static int make(void **state)
{
	const int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int cleanup(void **state)
{
	(void)state;
	return unlink(path);
}

static enum sg_err read_text(const char *text, size_t n, struct pin *pin)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return pin_read(path, pin);
}

static void expect_pin(const char *text, const char *pin_text)
{
	struct pin pin;

	assert_int_equal(read_text(text, strlen(text), &pin), SG_OK);
	assert_int_equal(pin.n, strlen(pin_text));
	assert_memory_equal(pin.bytes, pin_text, pin.n);
	pin_wipe(&pin);
	assert_null(pin.bytes);
	assert_int_equal(pin.n, 0);
	pin_wipe(&pin);
}

static void test_line_ends(void **state)
{
	(void)state;
	expect_pin("1234", "1234");
	expect_pin("1234\n", "1234");
	expect_pin("1234\r\n", "1234");
	expect_pin("1234\n\n", "1234\n"); /* one line end only */
	expect_pin(" 12 34 ", " 12 34 ");
}

/* The group's bits of a credential are systemd's ACL. */
static void test_shared(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
		bool shared;
	} rows[] = {
		{"/run/pin", 0600, false},	 {"/run/pin", 0400, false},
		{"/run/pin", 0640, true},	 {"/run/pin", 0604, true},
		{"/run/pin", 0610, true},	 {"/run/c/pin", 0440, false},
		{"/run/c/pin", 0444, true},	 {"/run/c2/pin", 0440, true},
		{"/run/c/../x/pin", 0444, true},
	};

	(void)state;
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/c", 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct stat st = {.st_mode = S_IFREG | rows[i].mode};

		assert_int_equal(pin_is_shared(rows[i].path, &st),
				 rows[i].shared);
	}
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct stat st = {.st_mode = S_IFREG | 0640};

		assert_true(pin_is_shared(rows[i].path, &st));
	}
}

static void test_refuses(void **state)
{
	char text[PIN_BYTES_MAX + 1];
	struct pin pin;

	(void)state;
	memset(text, '7', sizeof(text));
	assert_int_equal(read_text(text, PIN_BYTES_MAX, &pin), SG_OK);
	assert_int_equal(pin.n, PIN_BYTES_MAX);
	pin_wipe(&pin);
	assert_int_equal(read_text(text, PIN_BYTES_MAX + 1, &pin), SG_CONFIG);
	assert_null(pin.bytes);
	assert_int_equal(read_text("", 0, &pin), SG_CONFIG);
	assert_int_equal(read_text("\n", 1, &pin), SG_CONFIG);
	assert_int_equal(pin_read("/nonexistent/pin", &pin), SG_IO);
	assert_int_equal(pin_read("/tmp", &pin), SG_IO); /* a directory */
	assert_null(pin.bytes);
}

/* VmLck of this process in kB. */
static long locked_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kb = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmLck:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	(void)fclose(f);
	return kb;
}

static void test_is_locked_and_wiped(void **state)
{
	const long before = locked_kb();
	struct pin pin;

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* mlock() does nothing there */
#endif
	assert_int_equal(read_text("1234", 4, &pin), SG_OK);
	assert_true(locked_kb() > before);
#ifndef __SANITIZE_ADDRESS__
	pages_freed = 0;
	pin_wipe(&pin);
	assert_int_equal(pages_freed, 1);
#endif
	assert_int_equal(locked_kb(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_is_locked_and_wiped),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
