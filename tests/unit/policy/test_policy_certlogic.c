/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_certlogic.h"

#include "request.h"

#define LOGIC "{\\\"and\\\": [true, true]}"
/* A rule as one text in quotes. */
#define RULE(id, logic)                                                        \
	"  - \"{\\\"Identifier\\\": \\\"" id                                   \
	"\\\", \\\"Engine\\\": \\\"CERTLOGIC\\\", \\\"CertificateType\\\": "   \
	"\\\"Test\\\", \\\"ValidFrom\\\": \\\"2021\\\", \\\"ValidTo\\\": "     \
	"\\\"2022\\\", \\\"Description\\\": [{\\\"lang\\\": \\\"en\\\", "      \
	"\\\"desc\\\": \\\"d\\\"}], \\\"Logic\\\": " logic "}\"\n"
#define PROFILE                                                                \
	"version: 1\nprofiles:\n"                                              \
	"  - name: p\n    default: warning\n"
#define CLIENTS                                                                \
	"clients:\n  - name: c\n    identities: [\"uri:urn:c\"]\n"             \
	"    operations: [audit]\n"

static void check_faults(const char *text, const char *expected)
{
	struct faults faults = {.n = 0};
	struct policy_file f;

	assert_int_equal(policy_file_read(span_str(text), "p", &f, &faults),
			 SG_CONFIG);
	assert_string_equal(faults.text, expected);
	assert_null(f.source);
}

static void test_levels(void **state)
{
	static const char text[] =
		PROFILE "    certlogic: {B-2: error, A.1: 'off'}\n"
			"  - name: q\n    certlogic: {A.1: warning}\n" CLIENTS
			"certlogic:\n" RULE("A.1", LOGIC) RULE("B-2", LOGIC)
				RULE("C_3", LOGIC);
	struct faults faults = {.n = 0};
	struct policy_file f;

	(void)state;
	if (policy_file_read(span_str(text), "p", &f, &faults) != SG_OK)
		fail_msg("%s", faults.text);
	assert_int_equal(f.certlogic.n, 3);
	assert_string_equal(f.certlogic.rule[2].identifier, "C_3");
	assert_int_equal(f.profile[0].certlogic[0], RULE_OFF);
	assert_int_equal(f.profile[0].certlogic[1], RULE_ERROR);
	assert_int_equal(f.profile[0].certlogic[2], RULE_WARNING);
	assert_int_equal(f.profile[1].certlogic[0], RULE_WARNING);
	assert_int_equal(f.profile[1].certlogic[1], RULE_ERROR);
	assert_null(f.profile[2].certlogic); /* of clients without one */
	/* They can read the value sets. */
	assert_int_equal(f.certlogic.ncodes, VALUESET_COUNT - 1);
	assert_true(
		span_is(f.certlogic.codes[VALUESET_CO].key, "country-2-codes"));
	policy_file_clear(&f);
}

/* Each fault has the line of its rule, and the place in its JSON. */
static void test_faults(void **state)
{
	(void)state;
	check_faults(PROFILE
		     "    certlogic: {A: maybe, Z: error}\n" CLIENTS
		     "certlogic:\n" RULE("A", LOGIC) RULE("A", LOGIC)
			     RULE("D", "{\\\"!\\\": [{\\\"or\\\": []}]}")
				     RULE("E", "null"),
		     "p:5: profiles[0].certlogic: A must be error, warning or "
		     "off\n"
		     "p:5: profiles[0].certlogic: there is no rule 'Z'\n"
		     "p:12: certlogic[1]: there are two rules 'A'\n"
		     "p:13: certlogic[2]: Logic.![0]: there is no operation "
		     "'or'\n"
		     "p:14: certlogic[3]: Logic: null is no expression\n");
	check_faults("version: 1\n" CLIENTS
		     "certlogic:\n  - |\n    {\n    }}\n",
		     "p:7: certlogic[0]: line 2: end of file expected near "
		     "'}'\n");
}

static void test_shape(void **state)
{
	(void)state;
	check_faults("version: 1\n" CLIENTS "certlogic: x\n",
		     "p:6: certlogic: must be a list\n");
	check_faults("version: 1\n" CLIENTS "certlogic: [{a: b}, '', \"a\\0b\"]"
		     "\n",
		     "p:6: certlogic[0]: must be a single value\n"
		     "p:6: certlogic[1]: has no value\n"
		     "p:6: certlogic[2]: has a control character in it\n");
	check_faults(PROFILE "    certlogic: [a]\n" CLIENTS,
		     "p:5: profiles[0].certlogic: must be a mapping of keys to "
		     "values\n");
	check_faults(PROFILE "    certlogic: {a: error, a: error, [b]: error, "
			     "c: [d]}\n" CLIENTS,
		     "p:5: profiles[0].certlogic: a key is there twice, or is "
		     "no text\n"
		     "p:5: profiles[0].certlogic: a key is there twice, or is "
		     "no text\n"
		     "p:5: profiles[0].certlogic.c: must be a single value\n");
}

static void test_long(void **state)
{
	const size_t n = SOURCE_CERTLOGIC_BYTES + 1;
	char *text = calloc(1, n + 512);
	char *p = text;

	(void)state;
	assert_non_null(text);
	p = stpcpy(p, "version: 1\n" CLIENTS "certlogic:\n  - \"");
	memset(p, 'x', n);
	p[n] = '"';
	p[n + 1] = '\n';
	check_faults(text, "p:7: certlogic[0]: longer than 65536 bytes\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
