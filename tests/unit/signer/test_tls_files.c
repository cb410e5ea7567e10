/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls_files.h"

static char directory[64];
static struct front_settings settings;

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void write_new(const char *path, const char *text)
{
	char beside[FRONT_PATH_MAX + 8];

	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	write_file(beside, text);
	assert_int_equal(rename(beside, path), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/signerd-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(settings.certificate, FRONT_PATH_MAX, "%s/cert",
		       directory);
	(void)snprintf(settings.crl, FRONT_PATH_MAX, "%s/crl", directory);
	write_file(settings.certificate, "a");
	write_file(settings.crl, "b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(settings.certificate);
	(void)unlink(settings.crl);
	return rmdir(directory);
}

static void test_nothing_changes(void **state)
{
	struct tls_files f;

	(void)state;
	tls_files_know(&f, &settings);
	for (int i = 0; i < 3; i++)
		assert_false(tls_files_changed(&f, &settings));
}

static void test_once_and_when_it_is_done(void **state)
{
	struct tls_files f;

	(void)state;
	tls_files_know(&f, &settings);
	write_new(settings.crl, "c");
	assert_false(tls_files_changed(&f, &settings));
	write_file(settings.crl, "more"); /* still being written */
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	assert_false(tls_files_changed(&f, &settings));
}

static void test_what_goes_and_comes(void **state)
{
	struct tls_files f;

	(void)state;
	tls_files_know(&f, &settings);
	assert_int_equal(unlink(settings.certificate), 0);
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	write_file(settings.certificate, "a");
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
}

/* As Kubernetes and certbot have them. */
static void test_links(void **state)
{
	char other[sizeof(directory) + 8];
	struct tls_files f;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	write_file(other, "b");
	tls_files_know(&f, &settings);
	assert_int_equal(unlink(settings.crl), 0);
	assert_int_equal(symlink("other", settings.crl), 0);
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	assert_int_equal(unlink(settings.crl), 0);
	assert_int_equal(rename(other, settings.crl), 0);
}

static void test_files_that_are_no_good(void **state)
{
	char reason[256];

	(void)state;
	assert_false(tls_files_are_good(&settings, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "/cert: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_changes),
		cmocka_unit_test(test_once_and_when_it_is_done),
		cmocka_unit_test(test_what_goes_and_comes),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_files_that_are_no_good),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
