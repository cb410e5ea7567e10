/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/request.h"

static char why[200];

static enum sg_err build(const char *file, const char *exp, const char *id,
			 char **out)
{
	const struct request_extra extra = {.exp = exp, .id = id};
	size_t n;
	const enum sg_err err = request_build(span_str(file), &extra, out, &n,
					      why, sizeof(why));

	if (err == SG_OK) { /* for string comparison */
		char *text = strndup(*out, n);

		free(*out);
		*out = text;
	}
	return err;
}

static bool makes(const char *file, const char *exp, const char *id,
		  const char *want)
{
	char *text;
	bool same;

	if (build(file, exp, id, &text) != SG_OK)
		return false;
	same = strcmp(text, want) == 0;
	if (!same)
		print_message("got %s\n", text);
	free(text);
	return same;
}

static enum sg_err error(const char *file, const char *exp, const char *id)
{
	char *text;
	const enum sg_err err = build(file, exp, id, &text);

	if (err == SG_OK)
		free(text);
	return err;
}

static void test_wraps(void **state)
{
	(void)state;
	assert_true(makes("{\"v\":[]}", NULL, NULL, "{\"dcc\":{\"v\":[]}}"));
	assert_true(makes(" {\"dcc\": {}}\n", NULL, NULL, "{\"dcc\": {}}\n"));
	assert_true(makes("{}", "1970-01-01T00:00:07Z", "a\"b",
			  "{\"exp\":7,\"id\":\"a\\\"b\",\"dcc\":{}}"));
	assert_true(
		makes("\t{ \"dcc\":{}}", "7", NULL, "{\"exp\":7, \"dcc\":{}}"));
}

static void test_attestation(void **state)
{
	const struct request_extra extra = {.attestation = "AQID"};
	char *text;
	size_t n;

	(void)state;
	assert_int_equal(request_build(SPAN_LIT("{\"dcc\":{},\"id\":\"x\"}"),
				       &extra, &text, &n, why, sizeof(why)),
			 SG_OK);
	assert_true(span_is(span_of(text, n), "{\"attestation\":\"AQID\","
					      "\"dcc\":{},\"id\":\"x\"}"));
	free(text);
	assert_int_equal(
		request_build(SPAN_LIT("{\"dcc\":{},\"attestation\":\"\"}"),
			      &extra, &text, &n, why, sizeof(why)),
		SG_MALFORMED);
	assert_string_equal(why, "the file has its own \"attestation\"");
}

static void test_keeps_every_byte(void **state)
{
	/* Duplicate keys, number forms and escapes are for the server. */
	static const char odd[] =
		"{\"dn\": 2.50, \"dn\" : 1E2,\r\n \"fn\":\"\\u0041\"}";
	char want[128];

	(void)state;
	(void)snprintf(want, sizeof(want), "{\"dcc\":%s}", odd);
	assert_true(makes(odd, NULL, NULL, want));
}

static void test_refuses(void **state)
{
	(void)state;
	assert_int_equal(error("", NULL, NULL), SG_MALFORMED);
	assert_int_equal(error("[]", NULL, NULL), SG_MALFORMED);
	assert_non_null(strstr(why, "array"));
	assert_int_equal(error("{}\n{\"dcc\":{}}\n", NULL, NULL), SG_MALFORMED);
	assert_non_null(strstr(why, "bulk"));
	assert_int_equal(error("{\"dcc\":{}} x", NULL, NULL), SG_MALFORMED);
	assert_int_equal(error("{\"v\":}", NULL, NULL), SG_MALFORMED);
	/* What is there may be somebody's name. */
	assert_int_equal(error("{\"fn\":\"Nguyen\" \"Lua\"}", NULL, NULL),
			 SG_MALFORMED);
	assert_null(strstr(why, "Lua"));
	assert_null(strstr(why, "near"));
	assert_non_null(strstr(why, "line 1"));
	assert_int_equal(error("{}", "soon", NULL), SG_CONFIG);
	assert_int_equal(error("{}", NULL, "\xff"), SG_CONFIG);
	assert_int_equal(error("{\"dcc\":{},\"exp\":1}", "7", NULL),
			 SG_MALFORMED);
	assert_int_equal(error("{\"dcc\":{},\"id\":\"\"}", NULL, "7"),
			 SG_MALFORMED);
	assert_int_equal(error("{\"dcc\":{},\"id\":\"\"}", "7", NULL), SG_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_attestation),
		cmocka_unit_test(test_keeps_every_byte),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
