/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "self.h"

/* What a copy of this program is told to do, and how it tells that it did. */
static const char REPLACE[] = "replace";
static const char STARTED_ANEW[] = "started-anew";
enum { STATUS_ANEW = 42 };

static void test_the_link_where_it_is_us(void **state)
{
	char path[SELF_PATH_MAX];

	(void)state;
	assert_int_equal(self_path(path), SG_OK);
	assert_string_equal(path, "/proc/self/exe");
}

static void copy_self(const char *to)
{
	static char buf[65536];
	FILE *in = fopen("/proc/self/exe", "r");
	FILE *out = fopen(to, "w");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		assert_int_equal(fwrite(buf, 1, n, out), n);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(to, 0755), 0);
}

/* Run the program at PATH; its exit status. */
static int run(const char *path, const char *what)
{
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl(path, path, what, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* In the copy: put another program in this one's place, then start "this one"
 * again. */
static int replace(const char *path)
{
	char new_path[FIXTURE_PATH];
	char again[SELF_PATH_MAX];
	FILE *other;

	(void)snprintf(new_path, sizeof(new_path), "%s.new", path);
	other = fopen(new_path, "w");
	if (other == NULL || fputs("#!/bin/sh\nexit 7\n", other) < 0 ||
	    fclose(other) != 0 || chmod(new_path, 0755) != 0 ||
	    rename(new_path, path) != 0 || self_path(again) != SG_OK)
		return 98;
	(void)execl(again, "again", STARTED_ANEW, NULL);
	return 97;
}

static void test_an_upgrade_changes_nothing(void **state)
{
	struct fixture fix;
	const char *path;

	(void)state;
	fixture_make(&fix);
	path = fixture_path(&fix, "program");
	copy_self(path);
	assert_int_equal(run(path, REPLACE), STATUS_ANEW);
	assert_int_equal(run(path, REPLACE), 7); /* it was replaced */
	assert_int_equal(unlink(path), 0);
	fixture_remove(&fix);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_link_where_it_is_us),
		cmocka_unit_test(test_an_upgrade_changes_nothing),
	};

	if (argc == 2 && strcmp(argv[1], STARTED_ANEW) == 0)
		return STATUS_ANEW;
	if (argc == 2 && strcmp(argv[1], REPLACE) == 0)
		return replace(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
