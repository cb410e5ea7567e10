/* SPDX-License-Identifier: Apache-2.0 */
/* signer-officer valuesets: the EU's files as a part of policy.yaml. */
#include "tools/officer/officer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_fixture.h"
#include "policy/policy.h"

extern const struct command VALUESETS_COMMAND;

static const char MP[] =
	"{\"valueSetId\": \"vaccines-covid-19-names\", \"valueSetValues\": {"
	"\"EU/1/20/1528\": {\"display\": \"Comirnaty\", \"active\": true},"
	"\"NVX-CoV2373\": {\"display\": \"old\", \"active\": false},"
	"\"a \\\"b\\\\\": {}}}";
static const char INSTRUCTIONS[] =
	"{\"valueSetId\": \"vaccines-covid-19-encoding-instructions\","
	"\"valueSetValues\": {"
	"\"Comirnaty\": {\"vaccine-code\": \"EU/1/20/1528\","
	"\"vaccine-manufacturer\": \"ORG-100030215\","
	"\"sct-codes\": [\"1119349007\", \"28531000087107\"]},"
	"\"Old\": {\"vaccine-code\": \"NVX-CoV2373 (deprecated)\","
	"\"vaccine-manufacturer\": \"ORG-100032020\","
	"\"sct-codes\": [\"1162643001\"]},"
	"\"X\": {\"vaccine-code\": \"a \\\"b\\\\\","
	"\"vaccine-manufacturer\": \"CIGB\", \"sct-codes\": [\"J07BX03\"]}}}";
static const char YAML[] =
	"value_sets:\n"
	"  mp:\n"
	"    - \"EU/1/20/1528\"\n"
	"    - \"NVX-CoV2373\"\n"
	"    - \"a \\\"b\\\\\"\n"
	"  vaccines:\n"
	"    - {mp: \"EU/1/20/1528\", ma: \"ORG-100030215\", vp: "
	"\"1119349007\"}\n"
	"    - {mp: \"EU/1/20/1528\", ma: \"ORG-100030215\", vp: "
	"\"28531000087107\"}\n"
	"    - {mp: \"NVX-CoV2373\", ma: \"ORG-100032020\", vp: "
	"\"1162643001\"}\n"
	"    - {mp: \"a \\\"b\\\\\", ma: \"CIGB\", vp: \"J07BX03\"}\n";

static char dir[] = "/tmp/test_valuesets.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[4][128];
	static unsigned at;

	at = (at + 1) % 4;
	(void)snprintf(path[at], sizeof(path[0]), "%s/%s", dir, name);
	return path[at];
}

static const char *file_of(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path_of("a"));
	(void)unlink(path_of("b"));
	return rmdir(dir);
}

static void test_yaml(void **state)
{
	static const char client[] =
		"version: 1\nclients:\n  - {name: a, identities: "
		"[\"uri:u:a\"], operations: [audit]}\n";
	char text[4096];
	struct policy *policy;
	struct faults faults = {.n = 0};
	char *out;

	(void)state;
	assert_int_equal(COMMAND(&VALUESETS_COMMAND, &out, file_of("a", MP),
				 file_of("b", INSTRUCTIONS)),
			 EXIT_GOOD);
	assert_string_equal(out, YAML);
	/* What it prints, the policy takes. */
	(void)snprintf(text, sizeof(text), "%s%s", client, out);
	assert_int_equal(policy_load(span_str(text), "p", &policy, &faults),
			 SG_OK);
	assert_string_equal(faults.text, "");
	policy_unref(policy);
	free(out);
}

static void test_json(void **state)
{
	char *out;
	json_t *root;
	const json_t *sets;

	(void)state;
	assert_int_equal(COMMAND(&VALUESETS_COMMAND, &out, "--json",
				 file_of("a", MP), file_of("b", INSTRUCTIONS)),
			 EXIT_GOOD);
	root = json_loads(out, 0, NULL);
	sets = json_object_get(root, "value_sets");
	assert_int_equal(json_array_size(json_object_get(sets, "mp")), 3);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(sets, "vaccines"), 2),
			"mp")),
		"NVX-CoV2373");
	json_decref(root);
	free(out);
}

static void test_trouble(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"valueSetId\": \"country-2-codes\"}",
		"{\"valueSetId\": 1, \"valueSetValues\": {\"VN\": {}}}",
		"{\"valueSetId\": \"country-2-codes\", \"valueSetValues\": []}",
		"{\"valueSetId\": \"country-2-codes\", \"valueSetValues\": {}}",
		"{\"valueSetId\": \"other\", \"valueSetValues\": {\"VN\": {}}}",
		"{\"valueSetId\": \"country-2-codes\","
		"\"valueSetValues\": {\"VN\": 1}}",
		"{\"valueSetId\": \"country-2-codes\","
		"\"valueSetValues\": {\"\": {}}}",
		"{\"valueSetId\": \"country-2-codes\","
		"\"valueSetValues\": {\"V\\u0007\": {}}}",
		"{\"valueSetId\": \"country-2-codes\","
		"\"valueSetValues\": {\"VN\": {}, \"VN\": {}}}",
		"{\"valueSetId\": \"vaccines-covid-19-encoding-instructions\","
		"\"valueSetValues\": {\"A\": {\"vaccine-manufacturer\": \"B\","
		"\"sct-codes\": [\"C\"]}}}",
		"{\"valueSetId\": \"vaccines-covid-19-encoding-instructions\","
		"\"valueSetValues\": {\"A\": {\"vaccine-manufacturer\": \"B\","
		"\"vaccine-code\": \"A\", \"sct-codes\": [1]}}}",
		"{\"valueSetId\": \"vaccines-covid-19-encoding-instructions\","
		"\"valueSetValues\": {\"A\": {\"vaccine-manufacturer\": \"B\","
		"\"vaccine-code\": \"A\"}}}",
	};
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			COMMAND(&VALUESETS_COMMAND, &out, file_of("a", bad[i])),
			EXIT_TROUBLE);
		assert_string_equal(out, ""); /* no half of a policy */
		free(out);
	}
	assert_int_equal(COMMAND(&VALUESETS_COMMAND, NULL, "--json"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&VALUESETS_COMMAND, NULL, path_of("none")),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&VALUESETS_COMMAND, NULL, file_of("a", MP),
				 file_of("b", MP)),
			 EXIT_TROUBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
