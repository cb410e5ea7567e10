/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/json_cbor.h"
#include "tools/officer/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hcert/cbor.h"

static void check_cbor(const char *json, struct span expected)
{
	json_t *j = json_loads(json, JSON_DECODE_ANY, NULL);
	uint8_t *cbor;
	size_t n;

	assert_non_null(j);
	assert_int_equal(json_cbor(j, &cbor, &n), SG_OK);
	assert_int_equal(n, expected.n);
	assert_memory_equal(cbor, expected.p, n);
	assert_int_equal(
		cbor_check(span_of(cbor, n),
			   (struct cbor_limits){.depth = 8, .items = 100}),
		SG_OK);
	free(cbor);
	json_decref(j);
}

static void test_cbor(void **state)
{
	(void)state;
	check_cbor("{\"bb\": [1, -1.0, null], \"a\": \"x\", \"aa\": true}",
		   SPAN_LIT("\xA3\x61"
			    "a\x61x\x62"
			    "aa\xF5\x62"
			    "bb\x83\x01\x20\xF6"));
	check_cbor("2.5", SPAN_LIT("\xF9\x41\x00"));
	check_cbor("2.0", SPAN_LIT("\x02"));
	check_cbor("1e300", SPAN_LIT("\xFB\x7E\x37\xE4\x3C\x88\x00\x75\x9C"));
	check_cbor("{}", SPAN_LIT("\xA0"));
}

static void test_too_deep(void **state)
{
	json_t *j = json_integer(1);
	uint8_t *cbor;
	size_t n;

	(void)state;
	for (int i = 0; i < 100; i++) {
		json_t *outer = json_array();

		assert_int_equal(json_array_append_new(outer, j), 0);
		j = outer;
	}
	assert_int_equal(json_cbor(j, &cbor, &n), SG_TOO_BIG);
	assert_null(cbor);
	json_decref(j);
}

/* The suite in TEXT, ' in place of ". */
static struct rules_run run(const char *text)
{
	struct rules_run r = {.quiet = true, .failures = json_array()};
	char *copy = strdup(text);
	json_t *suite;

	assert_non_null(copy);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	suite = json_loads(copy, 0, NULL);
	assert_non_null(suite);
	rules_run_suite(&r, "file", suite);
	json_decref(suite);
	free(copy);
	return r;
}

static void check_why(const struct rules_run *r, size_t i, const char *why)
{
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(r->failures, i), "why")),
			    why);
}

static void test_results(void **state)
{
	struct rules_run r =
		run("{'name':'s','cases':[{'name':'c','certLogicExpression':"
		    "{'var':'x'},'assertions':["
		    "{'data':{'x':{'b':[1,'y']}},'expected':{'b':[1,'y']}},"
		    "{'data':{'x':{'b':[1,'y']}},'expected':{'b':[1,'z']}},"
		    "{'data':{'x':{'b':1,'c':2}},'expected':{'b':1}},"
		    "{'data':{},'expected':null},"
		    "{'data':{},'expected':1,'directive':'skip'},"
		    "{'data':{'x':1}}]},"
		    "{'name':'d','assertions':[{'certLogicExpression':{'+':['a'"
		    ",1]},"
		    "'data':0,'expected':1}]}]}");

	(void)state;
	assert_int_equal(r.passed, 2);
	assert_int_equal(r.failed, 4);
	assert_int_equal(r.skipped, 1);
	check_why(&r, 0, "it does not evaluate to what is expected");
	check_why(&r, 2, "it needs data and expected");
	check_why(&r, 3, "an operand has the wrong type");
	json_decref(r.failures);
}

static void test_faults(void **state)
{
	struct rules_run r =
		run("{'name':'s','cases':["
		    "{'certLogicExpression':1,'issues':[]},"
		    "{'certLogicExpression':[1,null],'issues':[{'expr':null}]},"
		    "{'certLogicExpression':[1,null],'issues':[{'expr':1}]},"
		    "{'certLogicExpression':[1,null],'issues':[]},"
		    "{'certLogicExpression':1,'issues':[{'expr':1}]}]}");

	(void)state;
	assert_int_equal(r.passed, 2);
	assert_int_equal(r.failed, 3);
	check_why(&r, 0, "fault 0 is at another part");
	check_why(&r, 1, "0 faults expected, found: 1");
	check_why(&r, 2, "1 faults expected, found: 0");
	json_decref(r.failures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cbor),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
