/* SPDX-License-Identifier: Apache-2.0 */
/* The section "sandbox" and hsms[].access of the configuration. */
#include "config_fixture.h"

#include "sandbox/sandbox.h"

static void test_takes_it(void **state)
{
	char text[FIXTURE_TEXT];
	char both[FIXTURE_TEXT];
	struct faults faults = {0};
	struct config *began = parse(good, &faults);
	struct config *c;
	char names[128];

	(void)state;
	fixture_edit(good, "log: debug",
		     "log: debug\nsandbox:\n  users: {hsm: vault}\n"
		     "  off: {hsm: [files, memory]}",
		     text);
	fixture_edit(text, "sessions: 4\n",
		     "sessions: 4\n    access: {read: [a, /b], "
		     "write: [/dev/x], network: true}\n",
		     both);
	c = parse(both, &faults);
	assert_string_equal(faults.text, "");
	assert_string_equal(c->sandbox.user[WIRE_SMITH], "vault");
	assert_int_equal(c->sandbox.off[WIRE_HSM],
			 SANDBOX_BIT(SANDBOX_FILES) |
				 SANDBOX_BIT(SANDBOX_MEMORY));
	assert_int_equal(c->sandbox.off[WIRE_SMITH], c->sandbox.off[WIRE_HSM]);
	assert_int_equal(c->sandbox.off[WIRE_FRONT], 0);
	assert_int_equal(c->hsm[0].access.nread, 2);
	assert_string_equal(c->hsm[0].access.read[0], fixture_path(&fix, "a"));
	assert_string_equal(c->hsm[0].access.write[0], "/dev/x");
	assert_true(c->hsm[0].access.network);
	/* What has begun cannot be taken back. */
	config_keep_fixed(began, c, names, sizeof(names));
	assert_string_equal(names, "hsms, sandbox");
	assert_string_equal(c->sandbox.user[WIRE_HSM], "");
	assert_false(c->hsm[0].access.network);
	config_free(c);
	config_free(began);
}

static void test_refuses(void **state)
{
	static const char *const bad[][2] = {
		{"off: {front: [everything]}", "sandbox.off.front[0]: must be"},
		{"off: {clerk: [files]}", "sandbox.off: unknown key"},
		{"users: {smith: a}", "sandbox.users: unknown key"},
		{"users: {front: 'a b'}", "sandbox.users.front: must be"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[FIXTURE_TEXT];
		char line[128];

		(void)snprintf(line, sizeof(line), "log: debug\nsandbox:\n  %s",
			       bad[i][0]);
		fixture_edit(good, "log: debug", line, text);
		must_fail(text, bad[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_it),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
