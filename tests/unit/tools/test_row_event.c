/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and ceremonies in print. */
#include "tools/auditor/row_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "tests/unit/ceremony/vectors.h"
#include "tests/unit/hcert/hex.h"

static const uint8_t KID[COSE_KID_BYTES] = {1, 2, 3};
static const uint8_t HASH[ENTRY_HASH_BYTES] = {0xab};

static const struct entry KEY = {.type = ENTRY_KEY_EVENT,
				 .label = SPAN_LIT("dsc-\x1b[7"),
				 .state = SPAN_LIT("active"),
				 .kid = KID,
				 .operation_hash = HASH};

static char *printed(void (*print)(FILE *, const struct entry *),
		     const struct entry *e)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	print(to, e);
	assert_int_equal(fclose(to), 0);
	return text;
}

static json_t *json(const struct entry *e)
{
	char *members = printed(row_event_json, e);
	char *text = NULL;
	json_t *j;

	assert_true(asprintf(&text, "{\"x\": 0%s}", members) > 0);
	j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	free(text);
	free(members);
	return j;
}

static const char *text_of(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static size_t commas(const char *text)
{
	bool quoted = false;
	size_t n = 0;

	for (; *text != '\0'; text++) {
		quoted = *text == '"' ? !quoted : quoted;
		n += !quoted && *text == ',';
	}
	return n;
}

static void test_key(void **state)
{
	struct entry e = KEY;
	char *text = printed(row_event_table, &e);
	json_t *j = json(&e);

	(void)state;
	assert_string_equal(text, "dsc-\xef\xbf\xbd[7 is active, kid "
				  "AQIDAAAAAAA=, by operation "
				  "ab00000000000000");
	free(text);
	assert_string_equal(text_of(j, "label"), "dsc-\x1b[7");
	assert_string_equal(text_of(j, "state"), "active");
	assert_string_equal(text_of(j, "kid"), "AQIDAAAAAAA=");
	assert_int_equal(strlen(text_of(j, "operation_id")), 64);
	json_decref(j);
	text = printed(row_event_csv, &e);
	assert_int_equal(commas(text), commas(ROW_EVENT_CSV) + 1);
	free(text);
	e.kid = NULL;
	e.operation_hash = NULL;
	text = printed(row_event_table, &e);
	assert_string_equal(text, "dsc-\xef\xbf\xbd[7 is active");
	free(text);
	text = printed(row_event_csv, &e);
	assert_int_equal(commas(text), commas(ROW_EVENT_CSV) + 1);
	free(text);
}

static void test_ceremony(void **state)
{
	struct entry e = {.type = ENTRY_CEREMONY,
			  .operation = hex(VECTOR_SIGN)};
	char *text = printed(row_event_table, &e);
	json_t *j = json(&e);
	const json_t *officers = json_object_get(j, "officers");

	(void)state;
	assert_ptr_equal(
		strstr(text,
		       "stop dsc-7 (operation 573e9d896e2d4e9e), proposed by "),
		text);
	free(text);
	assert_string_equal(text_of(j, "operation"), "stop");
	assert_string_equal(text_of(j, "key"), "dsc-7");
	assert_string_equal(text_of(j, "proposer"), "alice");
	assert_null(text_of(j, "refusal"));
	assert_null(json_object_get(j, "claimed_officers"));
	assert_int_equal(json_array_size(officers), 3);
	assert_string_equal(text_of(json_array_get(officers, 1), "alg"),
			    "EdDSA");
	assert_int_equal(strlen(text_of(json_array_get(officers, 1), "kid")),
			 16);
	json_decref(j);
	text = printed(row_event_csv, &e);
	assert_int_equal(commas(text), commas(ROW_EVENT_CSV) + 1);
	assert_non_null(strstr(text, ",dsc-7,alice,"));
	assert_non_null(strstr(text, "=ES256 "));
	assert_non_null(strstr(text, "=ES384,,")); /* none is claimed */
	free(text);
}

/* That its signers have signed it nobody says of what was refused. */
static void test_claimed(void **state)
{
	const struct entry e = {.type = ENTRY_CEREMONY,
				.operation = hex(VECTOR_SIGN),
				.refusal = SPAN_LIT("no")};
	char *text = printed(row_event_table, &e);
	json_t *j = json(&e);

	(void)state;
	assert_null(strstr(text, "; signed by"));
	assert_non_null(strstr(text, "; claimed to be signed by "));
	free(text);
	assert_null(json_object_get(j, "officers"));
	assert_int_equal(
		json_array_size(json_object_get(j, "claimed_officers")), 3);
	json_decref(j);
	text = printed(row_event_csv, &e);
	assert_int_equal(commas(text), commas(ROW_EVENT_CSV) + 1);
	assert_non_null(strstr(text, ",alice,,")); /* none is proven */
	assert_non_null(strstr(text, "=ES384,\"no\","));
	free(text);
}

static void test_refused(void **state)
{
	const struct entry e = {.type = ENTRY_CEREMONY,
				.operation = SPAN_LIT("not one"),
				.refusal = SPAN_LIT("=too, \"few\"")};
	char *text = printed(row_event_table, &e);
	json_t *j = json(&e);

	(void)state;
	assert_ptr_equal(
		strstr(text, "REFUSED (=too, \"few\"): 7 bytes, SHA-256 "),
		text);
	free(text);
	assert_string_equal(text_of(j, "refusal"), "=too, \"few\"");
	assert_null(text_of(j, "operation"));
	json_decref(j);
	text = printed(row_event_csv, &e);
	assert_int_equal(commas(text), commas(ROW_EVENT_CSV) + 1);
	assert_non_null(strstr(text, ",\"'=too, \"\"few\"\"\","));
	free(text);
}

static void test_others(void **state)
{
	const struct entry e = {.type = ENTRY_STARTED};
	char *text = printed(row_event_csv, &e);

	(void)state;
	assert_int_equal(commas(text), commas(ROW_EVENT_CSV) + 1);
	free(text);
	text = printed(row_event_table, &e);
	assert_string_equal(text, "");
	free(text);
	text = printed(row_event_json, &e);
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),	cmocka_unit_test(test_ceremony),
		cmocka_unit_test(test_claimed), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
