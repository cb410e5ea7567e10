/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/issuer/tally_print.h"

static void test_counts_are_bounded(void **state)
{
	struct counts *c;
	const struct count *const *sorted;
	char key[16];
	size_t n;

	(void)state;
	assert_int_equal(counts_create(3, &c), SG_OK);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(key, sizeof(key), "key %d", i);
		for (int k = 0; k <= i; k++)
			(void)counts_add(c, span_str(key), (uint64_t)k / 2);
	}
	sorted = counts_sorted(c, &n);
	assert_int_equal(n, 4);
	assert_string_equal(sorted[0]->key, "key 2");
	assert_int_equal(sorted[0]->n, 3);
	assert_int_equal(sorted[0]->nlines, 2); /* lines 0, 0, 1 */
	assert_string_equal(sorted[3]->key, "(other)");
	assert_int_equal(sorted[3]->n, 4 + 5 + 6 + 7 + 8 + 9 + 10);
	assert_int_equal(sorted[3]->nlines, COUNTS_LINES);
	counts_free(c);
}

static void test_keys_are_cut_between_characters(void **state)
{
	char long_key[COUNTS_KEY_MAX + 2];
	struct counts *c;
	const struct count *e;

	(void)state;
	memset(long_key, 'a', sizeof(long_key));
	memcpy(long_key + COUNTS_KEY_MAX - 1, "\xe1\xba\xbf", 3);
	assert_int_equal(counts_create(3, &c), SG_OK);
	e = counts_add(c, span_of(long_key, sizeof(long_key)), 1);
	assert_int_equal(strlen(e->key), COUNTS_KEY_MAX - 1);
	e = counts_add(c, SPAN_LIT("a\x1b[2J\0b"), 1);
	assert_string_equal(e->key, "a?[2J?b");
	counts_free(c);
}

static void test_issuer(void **state)
{
	char out[64];

	(void)state;
	assert_true(tally_issuer(SPAN_LIT("{\"exp\":1,\"dcc\":{\"v\":[{\"is\":"
					  "\"B\\u1ed9 Y t\\u1ebf\"}]}}"),
				 out, sizeof(out)));
	assert_string_equal(out, "Bộ Y tế");
	assert_true(tally_issuer(SPAN_LIT("{\"dcc\":{\"r\":[{\"is\":\"R\"}]}}"),
				 out, sizeof(out)));
	assert_string_equal(out, "R");
	assert_false(tally_issuer(SPAN_LIT("{\"dcc\":{\"v\":[{\"is\":7}]}}"),
				  out, sizeof(out)));
	assert_false(tally_issuer(SPAN_LIT("{\"dcc\":{\"v\":[]}}"), out,
				  sizeof(out)));
	assert_false(
		tally_issuer(SPAN_LIT("{\"is\":\"x\"}"), out, sizeof(out)));
	assert_false(tally_issuer(SPAN_LIT("not JSON"), out, sizeof(out)));
}

static void test_field(void **state)
{
	char out[64];

	(void)state;
	tally_field("/dcc/v/0/dt", out, sizeof(out));
	assert_string_equal(out, "/dcc/v/0/dt");
	tally_field("", out, sizeof(out));
	assert_string_equal(out, "");
	/* Data that stands where a name should. */
	tally_field("/dcc/Nguyễn Văn A/0912345678//a~1b", out, sizeof(out));
	assert_string_equal(out, "/dcc/?/?/?/?");
	tally_field("/dcc/v/0/dt", out, 8);
	assert_int_equal(strlen(out), 7);
}

static void add(struct tally *t, uint64_t line, const char *request,
		const char *text)
{
	struct answer a;

	answer_read(span_str(text), &a);
	tally_add(t, line, span_str(request), &a);
}

static void test_tally(void **state)
{
	static const char of_a[] = "{\"dcc\":{\"v\":[{\"is\":\"A\"}]}}";
	const struct count *const *sorted;
	struct tally *t;
	size_t n;

	(void)state;
	assert_int_equal(tally_create(true, &t), SG_OK);
	add(t, 1, of_a, "{\"hcert\":\"x\",\"replayed\":true}");
	add(t, 2, of_a,
	    "{\"hcert\":\"x\",\"warnings\":[{\"code\":\"c\",\"level\":"
	    "\"warning\",\"pointer\":\"/dcc/dob\"}]}");
	add(t, 3, "{}",
	    "{\"status\":422,\"violations\":[{\"code\":\"c\",\"level\":"
	    "\"error\",\"pointer\":\"/dcc/dob\"},{\"code\":\"d\",\"level\":"
	    "\"error\",\"pointer\":\"\"}]}");
	add(t, 4, of_a, "{\"status\":503,\"type\":\"/problems/unavailable\"}");
	assert_int_equal(t->records, 4);
	assert_int_equal(t->good, 2);
	assert_int_equal(t->replayed, 1);
	assert_int_equal(t->warned, 1);
	assert_int_equal(t->refused, 1);
	assert_int_equal(t->again, 1);
	sorted = counts_sorted(t->codes, &n);
	assert_int_equal(n, 3);
	assert_string_equal(sorted[0]->key, "c");
	assert_int_equal(sorted[0]->n, 2);
	assert_false(sorted[0]->warning); /* once an error */
	assert_string_equal(sorted[1]->key, "d");
	assert_string_equal(sorted[2]->key, "unavailable");
	sorted = counts_sorted(t->fields, &n);
	assert_string_equal(sorted[0]->key, "/dcc/dob");
	assert_string_equal(sorted[1]->key, "(whole record)");
	sorted = counts_sorted(t->issuers, &n);
	assert_int_equal(n, 2);
	assert_string_equal(sorted[0]->key, "A");
	assert_int_equal(sorted[0]->n, 3);
	assert_int_equal(sorted[0]->good, 2);
	tally_free(t);
}

static void test_csv(void **state)
{
	struct tally *t;
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_int_equal(tally_create(true, &t), SG_OK);
	add(t, 1, "{\"dcc\":{\"v\":[{\"is\":\"=1+\\\"1\\\"\"}]}}",
	    "{\"hcert\":\"x\"}");
	tally_print_csv(f, t);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "\xef\xbb\xbf"
				  "section,key,level,count,refused,lines\r\n"
				  "total,records,,1,0,\r\n"
				  "issuer,\"'=1+\"\"1\"\"\",,1,0,1\r\n");
	free(text);
	tally_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_are_bounded),
		cmocka_unit_test(test_keys_are_cut_between_characters),
		cmocka_unit_test(test_issuer),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_tally),
		cmocka_unit_test(test_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
