/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_paths.h"

#include <jansson.h>

#include "request.h"

static char told[1024];

static void tell(void *ctx, const char *place, json_t *at, const char *why)
{
	(void)ctx;
	(void)at;
	(void)snprintf(told + strlen(told), sizeof(told) - strlen(told),
		       "%s: %s\n", place, why);
}

/* Of a rule with this LOGIC and these FIELDS (' for ") is told EXPECTED. */
static void check_rule(const char *logic, const char *fields,
		       const char *expected)
{
	const struct certlogic_listener listener = {.tell = tell};
	char text[1024];
	json_t *rule;

	(void)snprintf(text, sizeof(text), "{'Logic':%s,'AffectedFields':[%s]}",
		       logic, fields);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	rule = json_loads(text, 0, NULL);
	assert_non_null(rule);
	told[0] = '\0';
	certlogic_paths_check(rule, &listener);
	assert_string_equal(told, expected);
	json_decref(rule);
}

static void check_var(const char *path, const char *why)
{
	char logic[128];
	char expected[256] = "";

	(void)snprintf(logic, sizeof(logic), "{'!':[{'var':'%s'}]}", path);
	if (why[0] != '\0')
		(void)snprintf(expected, sizeof(expected), "%s: %s\n", path,
			       why);
	check_rule(logic, "", expected);
}

/* A field that begins with BEGIN and is too long is told up to SHOWN bytes. */
static void check_long(const char *begin, int shown)
{
	char path[CERTLOGIC_PATH_MAX + 100];
	char field[sizeof(path) + 2];
	char expected[sizeof(path) + 100];

	(void)snprintf(path, sizeof(path), "%s", begin);
	while (strlen(path) + 2 < sizeof(path))
		(void)strcat(path, "\xc3\xa9");
	(void)snprintf(field, sizeof(field), "'%s'", path);
	(void)snprintf(expected, sizeof(expected),
		       "%.*s: of AffectedFields: the DCC has no such field\n",
		       shown, path);
	check_rule("true", field, expected);
}

/* It is cut before a whole character, and the reason stays. */
static void test_long(void **state)
{
	(void)state;
	check_long("x", CERTLOGIC_PATH_MAX - 1);
	check_long("xx", CERTLOGIC_PATH_MAX - 2);
}

static void test_payload(void **state)
{
	static const char *const good[] = {
		"",
		"payload",
		"payload.v",
		"payload.v.0",
		"payload.v.0.mp",
		"payload.v.1.dn",
		"payload.t.0.sc",
		"payload.r.0.du",
		"payload.dob",
		"payload.nam.fnt",
		"payload.nam",
		"payload.ver",
	};
	static const char *const bad[] = {
		"payload.v.0.dnn",  "payload.v.0.sc", "payload.v.mp",
		"payload.v.0.mp.x", "payload.x",      "payload.dob.0",
		"payload.nam.0",    "payload.v.a.mp", "payload.v.-1.mp",
		"payload.v..mp",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_var(good[i], "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_var(bad[i], "the DCC has no such field");
}

static void test_external(void **state)
{
	static const char *const good[] = {
		"external",
		"external.validationClock",
		"external.client",
		"external.valueSets",
		"external.valueSets.country-2-codes",
	};
	static const char *const bad[] = {
		"external.kid",
		"external.validationclock",
		"external.valueSets.nothing",
		"external.iat.x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_var(good[i], "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_var(bad[i], "external has nothing of that name");
	check_var("foo", "must begin with payload or external");
	check_var("payloads.v", "must begin with payload or external");
}

/* Wherever in the logic it is, but in the function of a reduce. */
static void test_inside(void **state)
{
	(void)state;
	check_rule("{'and':[true,{'in':[{'var':'a'},[{'var':'b'}]]}]}", "",
		   "a: must begin with payload or external\n"
		   "b: must begin with payload or external\n");
	check_rule("{'reduce':[{'var':'c'},{'+':[{'var':'accumulator'},"
		   "{'var':'current.x'}]},{'var':'d'}]}",
		   "",
		   "c: must begin with payload or external\n"
		   "d: must begin with payload or external\n");
	check_rule("{'plusTime':[{'var':'payload.v.0.date'},1,'day']}", "",
		   "payload.v.0.date: the DCC has no such field\n");
}

static void test_fields(void **state)
{
	(void)state;
	check_rule("true", "'v.0.dn','dob','t.0','nam.fn'", "");
	check_rule("true", "'dobb','payload.v.0.dn',7",
		   "dobb: of AffectedFields: the DCC has no such field\n"
		   "payload.v.0.dn: of AffectedFields: the DCC has no such "
		   "field\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payload),	 cmocka_unit_test(test_long),
		cmocka_unit_test(test_external), cmocka_unit_test(test_inside),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
