/* SPDX-License-Identifier: Apache-2.0 */
/* A sound log, and no memory to verify it at one moment or from one on: that is
 * trouble of the auditor's own, and never held against the log. */
#include "../hcert/starved.h"
#include "kept_log.h"

enum { STRIDE = 7, FIRST = 64, MOST = 1 << 16 };

static int verify(const char *option)
{
	const char *const argv[] = {"--json", "--quiet", "--vkey", f.vkey,
				    f.dir,    option,	 kept,	   NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, argv, NULL);
}

static int prove(void)
{
	const char *const argv[] = {"--vkey",  f.vkey, f.dir,
				    "--index", "7",    NULL};

	return run_command(&AUDIT_PROVE_COMMAND, argv, NULL);
}

/* Do it with each early allocation failing in turn, then with some of the
 * others, until all of it goes well. */
static void starve(int (*act)(const char *), const char *option, bool once)
{
	unsigned trouble = 0;

	for (unsigned n = 0; n < MOST; n += n < FIRST ? 1 : STRIDE) {
		int status;

		starved_after(n, once);
		status = act(option);
		starved_end();
		if (!starved_was()) {
			assert_int_equal(status, EXIT_GOOD);
			assert_true(trouble > 0);
			return;
		}
		if (status != EXIT_GOOD)
			assert_int_equal(status, EXIT_TROUBLE);
		trouble += status != EXIT_GOOD;
	}
	fail_msg("it never went well");
}

static int do_prove(const char *option)
{
	(void)option;
	return prove();
}

static void test_verify(void **state)
{
	(void)state;
	assert_int_equal(verify("--keep"), EXIT_GOOD);
	starve(verify, "--since", false);
	starve(verify, "--since", true);
}

static void test_prove(void **state)
{
	(void)state;
	assert_int_equal(prove(), EXIT_GOOD);
	starve(do_prove, NULL, false);
	starve(do_prove, NULL, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prove, setup, teardown),
	};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
