/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hcert/dsc.h"
#include "tools/common/payload.h"

#define CBOR(s) span_of("" s, sizeof(s) - 1)

/* The JSON of IN is WANT. */
static bool shows(struct span in, const char *want)
{
	json_t *j;
	char *text;
	bool same;

	if (payload_json(in, &j) != SG_OK)
		return false;
	text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(j);
	same = text != NULL && strcmp(text, want) == 0;
	if (!same)
		print_message("got %s\n", text);
	free(text);
	return same;
}

static enum sg_err error(struct span in)
{
	json_t *j;
	const enum sg_err err = payload_json(in, &j);

	if (err == SG_OK)
		json_decref(j);
	return err;
}

static void test_values(void **state)
{
	(void)state;
	assert_true(shows(CBOR("\x18\x2a"), "42"));
	assert_true(shows(CBOR("\x39\x01\x03"), "-260"));
	assert_true(shows(CBOR("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
			  "\"18446744073709551615\""));
	assert_true(shows(CBOR("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"),
			  "\"-18446744073709551616\""));
	assert_true(shows(CBOR("\x3b\x80\x00\x00\x00\x00\x00\x00\x00"),
			  "\"-9223372036854775809\""));
	assert_true(shows(CBOR("\x42\x00\xff"), "\"h'00ff'\""));
	assert_true(shows(CBOR("\x40"), "\"h''\""));
	assert_true(shows(CBOR("\x64\xe1\xbb\x87x"), "\"\xe1\xbb\x87x\""));
	assert_true(shows(CBOR("\x83\xf4\xf5\xf6"), "[false,true,null]"));
	assert_true(shows(CBOR("\xf7"), "\"undefined\""));
	assert_true(shows(CBOR("\xf0"), "\"simple(16)\""));
	assert_true(shows(CBOR("\xf9\x7e\x00"), "\"NaN\""));
	assert_true(shows(CBOR("\xf9\xfc\x00"), "\"-Infinity\""));
	assert_true(shows(CBOR("\xf9\x3e\x00"), "1.5"));
	assert_true(shows(CBOR("\xc0\x61z"), "\"z\""));
}

static void test_structures(void **state)
{
	(void)state;
	assert_true(shows(CBOR("\xa3\x61z\x01\x01\x02\x61x\x80"),
			  "{\"z\":1,\"1\":2,\"x\":[]}"));
	assert_true(
		shows(CBOR("\xbf\x61x\x9f\x01\x02\xff\xff"), "{\"x\":[1,2]}"));
	assert_true(shows(CBOR("\x7f\x61x\x60\x62yz\xff"), "\"xyz\""));
	assert_true(shows(CBOR("\x5f\x41\x01\x41\x02\xff"), "\"h'0102'\""));
}

static void test_refusals(void **state)
{
	uint8_t deep[PAYLOAD_DEPTH_MAX + 2];

	(void)state;
	assert_int_equal(error(CBOR("")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\x01\x01")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\x82\x01")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\xff")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\x81\xff")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\xbf\x61x\xff")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\x9f\x01")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\x7f\x41x\xff")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\xa2\x61x\x01\x61x\x02")),
			 SG_DUPLICATE_KEY);
	assert_int_equal(error(CBOR("\xa1\x61\x00\x01")), SG_MALFORMED);
	memset(deep, 0x81, sizeof(deep));
	deep[PAYLOAD_DEPTH_MAX] = 0x01;
	assert_int_equal(error(span_of(deep, PAYLOAD_DEPTH_MAX + 1)), SG_OK);
	deep[PAYLOAD_DEPTH_MAX] = 0x81;
	deep[PAYLOAD_DEPTH_MAX + 1] = 0x01;
	assert_int_equal(error(span_of(deep, PAYLOAD_DEPTH_MAX + 2)),
			 SG_MALFORMED);
}

/* A few bytes of keys within keys must not become gigabytes of escapes. */
static void test_keys_that_are_maps(void **state)
{
	enum { LEVELS = PAYLOAD_DEPTH_MAX - 2 };
	uint8_t keys[2 * LEVELS + 1];

	(void)state;
	memset(keys, 0xa1, LEVELS);
	keys[LEVELS] = 0x60;
	memset(keys + LEVELS + 1, 0x01, LEVELS);
	assert_int_equal(error(span_of(keys, sizeof(keys))), SG_MALFORMED);
	assert_int_equal(payload_kinds(span_of(keys, sizeof(keys))), 0);
	assert_int_equal(error(CBOR("\xa1\xa0\x01")), SG_MALFORMED);
	assert_int_equal(error(CBOR("\xa1\x80\x01")), SG_MALFORMED);
}

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(payload_kinds(CBOR("\xa1\x61v\x81\xa0")),
			 DCC_KIND_BIT(DCC_VACCINATION));
	assert_int_equal(payload_kinds(CBOR("\xa2\x61t\x81\xa0\x61r\x81\xa0")),
			 DCC_KIND_BIT(DCC_TEST) | DCC_KIND_BIT(DCC_RECOVERY));
	assert_int_equal(payload_kinds(CBOR("\xa3\x61v\xf6\x61t\x80\x61r\x81"
					    "\xa0")),
			 DCC_KIND_BIT(DCC_RECOVERY));
	assert_int_equal(payload_kinds(CBOR("\xa0")), 0);
	assert_int_equal(payload_kinds(CBOR("\x80")), 0);
	assert_int_equal(payload_kinds(CBOR("\xa1")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_structures),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_keys_that_are_maps),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
