/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <sys/wait.h>

#include "pidfile.h"

static int set_up(void **state)
{
	static struct fixture fix;

	fixture_make(&fix);
	*state = &fix;
	return 0;
}

static int tear_down(void **state)
{
	(void)unlink(fixture_path(*state, "signerd.pid"));
	fixture_remove(*state);
	return 0;
}

static long pid_in(const struct fixture *f)
{
	char text[32] = "";
	FILE *file = fopen(fixture_path(f, "signerd.pid"), "r");

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	return strtol(text, NULL, 10);
}

static void test_take(void **state)
{
	const struct fixture *f = *state;
	struct pidfile a;

	/* What a killed process left is overwritten, whole. */
	fixture_write(f, "signerd.pid", "99999999999999\n", 0644);
	assert_int_equal(pidfile_take(&a, f->dir), SG_OK);
	assert_int_equal(pid_in(f), getpid());
	pidfile_release(&a);
	assert_int_equal(access(fixture_path(f, "signerd.pid"), F_OK), -1);
	pidfile_release(&a); /* twice is once */
}

static void test_taken(void **state)
{
	const struct fixture *f = *state;
	struct pidfile a;
	struct pidfile b;

	assert_int_equal(pidfile_take(&a, f->dir), SG_OK);
	assert_int_equal(pidfile_take(&b, f->dir), SG_BUSY);
	assert_int_equal(pid_in(f), getpid());
	pidfile_release(&a);
	assert_int_equal(pidfile_take(&b, f->dir), SG_OK);
	pidfile_release(&b);
}

static void test_no_directory(void **state)
{
	const struct fixture *f = *state;
	struct pidfile a;

	assert_int_equal(pidfile_take(&a, fixture_path(f, "absent")), SG_IO);
	assert_int_equal(a.fd, -1);
}

/* A link in its place is not followed: the directory may be shared. */
static void test_link(void **state)
{
	const struct fixture *f = *state;
	struct pidfile a;
	struct stat st;

	assert_int_equal(symlink(fixture_path(f, "victim"),
				 fixture_path(f, "signerd.pid")),
			 0);
	assert_int_equal(pidfile_take(&a, f->dir), SG_IO);
	assert_int_equal(stat(fixture_path(f, "victim"), &st), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_take, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_directory, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
