/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/officer/document.h"
#include "tools/officer/in_force.h"
#include "tools/officer/proposal.h"

static json_t *read_good(struct span in)
{
	json_t *j = NULL;

	assert_int_equal(document_json(in, &j), SG_OK);
	assert_non_null(j);
	return j;
}

static void expect_bad(struct span in)
{
	json_t *j = NULL;

	assert_int_equal(document_json(in, &j), SG_MALFORMED);
	assert_null(j);
}

static void test_json(void **state)
{
	/* {"a": [1, -2, true, false, null, ""], "k": 8 bytes, "n": 16 bytes} */
	static const uint8_t in[] =
		"\xa3\x61"
		"a\x86\x01\x21\xf5\xf4\xf6\x60\x61k\x48\0\1\2\3\4\5\6\7\x61n"
		"\x50\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17";
	json_t *j = read_good(span_of(in, sizeof(in) - 1));
	char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	assert_string_equal(text,
			    "{\"a\":[1,-2,true,false,null,\"\"],"
			    "\"k\":\"AAECAwQFBgc=\","
			    "\"n\":\"000102030405060708090a0b0c0d0e0f\"}");
	free(text);
	json_decref(j);
}

static void test_bad(void **state)
{
	uint8_t deep[32];

	(void)state;
	expect_bad(span_of(NULL, 0));
	expect_bad(SPAN_LIT("\xa1\x01\x01"));	  /* a key that is none */
	expect_bad(SPAN_LIT("\x01\x01"));	  /* more than one item */
	expect_bad(SPAN_LIT("\x82\x01"));	  /* cut short */
	expect_bad(SPAN_LIT("\xc0\x01"));	  /* a tag */
	expect_bad(SPAN_LIT("\x9f\x01\xff"));	  /* no length */
	expect_bad(SPAN_LIT("\xa1\x61\xff\x01")); /* no UTF-8 */
	memset(deep, 0x81, sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0x01;
	expect_bad(span_of(deep, sizeof(deep)));
}

static const char DOCUMENT[] =
	"{\"origin\": \"log.example/1\", \"size\": 7, \"root\": "
	"\"0101010101010101010101010101010101010101010101010101010101010101\","
	"\"roll\": {\"officers\": [{\"name\": \"anne\", \"alg\": "
	"\"ES256\", \"kid\": \"AAECAwQFBgc=\"}], \"threshold\": 1, "
	"\"lead\": 0, \"stale\": 60, \"proposer-approves\": true, "
	"\"policy-approval\": false},"
	"\"keys\": [{\"label\": \"dsc-1\"}, {\"label\": \"dsc-2\", \"csr\": "
	"\"AAEC\"}]}";

static void test_members(void **state)
{
	json_t *j = json_loads(DOCUMENT, 0, NULL);
	struct span bytes;

	(void)state;
	assert_non_null(j);
	assert_null(document_key(j, "dsc-3"));
	assert_null(document_key(NULL, "dsc-3"));
	assert_false(document_bytes(document_key(j, "dsc-1"), "csr", &bytes));
	assert_true(document_bytes(document_key(j, "dsc-2"), "csr", &bytes));
	assert_int_equal(bytes.n, 3);
	free((void *)(uintptr_t)bytes.p);
	assert_false(document_bytes(j, "origin", &bytes)); /* no base64 */
	assert_int_equal(document_int(j, "size"), 7);
	assert_int_equal(document_int(j, "origin"), 0);
	assert_string_equal(document_text(j, "size"), "");
	json_decref(j);
}

static struct in_force now;

static enum sg_err told(json_t *j)
{
	char why[128] = "";
	const enum sg_err err = in_force_told(j, &now, why, sizeof(why));

	assert_int_equal(err == SG_OK, why[0] == '\0');
	assert_false(now.has_keys);
	return err;
}

static void test_in_force(void **state)
{
	static const uint8_t kid[] = {0, 1, 2, 3, 4, 5, 6, 7};
	json_t *j = json_loads(DOCUMENT, 0, NULL);
	json_t *roll = json_object_get(j, "roll");
	json_t *anne = json_array_get(json_object_get(roll, "officers"), 0);

	(void)state;
	assert_int_equal(told(j), SG_OK);
	assert_int_equal(now.roll.n, 1);
	assert_string_equal(roll_find(&now.roll, kid)->name, "anne");
	assert_int_equal(now.roll.officer[0].alg, COSE_ES256);
	assert_int_equal(now.roll.threshold, 1);
	assert_int_equal(now.roll.lead_s, 0);
	assert_int_equal(now.roll.stale_s, 60);
	assert_true(now.roll.proposer_may_approve);
	assert_false(now.roll.policy_approval);
	/* What cannot be is not shown. */
	assert_int_equal(json_object_set_new(anne, "name", json_string("a\nb")),
			 0);
	assert_int_equal(told(j), SG_MALFORMED);
	assert_int_equal(now.roll.n, 0);
	assert_int_equal(json_object_set_new(anne, "name", json_string("b")),
			 0);
	assert_int_equal(json_object_set_new(anne, "kid", json_string("AAEC")),
			 0);
	assert_int_equal(told(j), SG_MALFORMED);
	assert_int_equal(
		json_object_set_new(anne, "kid", json_string("AAECAwQFBgc=")),
		0);
	assert_int_equal(told(j), SG_OK);
	assert_int_equal(json_object_set_new(roll, "lead", json_integer(-1)),
			 0);
	assert_int_equal(told(j), SG_MALFORMED);
	assert_int_equal(json_object_del(j, "roll"), 0);
	assert_int_equal(told(j), SG_OK);
	assert_int_equal(now.roll.n, 0);
	json_decref(j);
}

static void test_checkpoint(void **state)
{
	json_t *j = json_loads(DOCUMENT, 0, NULL);
	struct checkpoint c;

	(void)state;
	assert_int_equal(proposal_checkpoint(j, &c), SG_OK);
	assert_true(span_is(c.origin, "log.example/1"));
	assert_int_equal(c.size, 7);
	assert_int_equal(c.root.b[31], 1);
	(void)json_object_set_new(j, "root", json_string("01"));
	assert_int_equal(proposal_checkpoint(j, &c), SG_MALFORMED);
	(void)json_object_set_new(
		j, "root",
		json_string("zz0101010101010101010101010101010101010101010101"
			    "01010101010101"));
	assert_int_equal(proposal_checkpoint(j, &c), SG_MALFORMED);
	json_decref(j);
	j = json_object();
	assert_int_equal(proposal_checkpoint(j, &c), SG_MALFORMED);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_in_force),
		cmocka_unit_test(test_checkpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
