/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tools/officer/hashes.h"

#define ONE "01010101010101010101010101010101"
#define TWO_UPPER "0202020202020202020202020202020A"
#define THREE_BASE64 "AwMDAwMDAwMDAwMDAwMDAw=="

static struct hashes h;
static char why[256];

static enum sg_err add(const char *text)
{
	return hashes_add(&h, span_str(text), REVOCATION_SIGNATURE, why,
			  sizeof(why));
}

static void test_lines(void **state)
{
	unsigned n;

	(void)state;
	assert_int_equal(add(TWO_UPPER "\r\n\n  " ONE " \n" THREE_BASE64),
			 SG_OK);
	assert_int_equal(add(ONE "\n"), SG_OK);
	assert_int_equal(h.n, 4);
	hashes_sort(&h);
	assert_int_equal(h.n, 3);
	assert_int_equal(revocation_check_list(
				 span_of(h.p, h.n * REVOCATION_HASH_BYTES), &n),
			 SG_OK);
	assert_int_equal(h.p[0], 1);
	assert_int_equal(h.p[31], 10);
	assert_int_equal(h.p[47], 3);
	hashes_clear(&h);
}

static void test_batches(void **state)
{
#define BATCH(type, hash)                                                      \
	"{\"country\":\"VN\",\"hashType\":\"" type                             \
	"\",\"entries\":[{\"hash\":\"" hash "\"}]}"
	(void)state;
	assert_int_equal(add("[" BATCH("SIGNATURE", THREE_BASE64) ",\n" BATCH(
				 "SIGNATURE", ONE) "]"),
			 SG_OK);
	assert_int_equal(h.n, 2);
	assert_int_equal(add(BATCH("SIGNATURE", THREE_BASE64)), SG_OK);
	hashes_sort(&h);
	assert_int_equal(h.n, 2);
	assert_int_equal(add("[" BATCH("UCI", THREE_BASE64) "]"), SG_MALFORMED);
	assert_non_null(strstr(why, "kind"));
	assert_int_equal(add(BATCH("SIGNATURE", "AAAA")), SG_MALFORMED);
	assert_int_equal(add("[{}]"), SG_MALFORMED);
	assert_int_equal(add("[1]"), SG_MALFORMED);
	assert_int_equal(add("["), SG_MALFORMED);
	hashes_clear(&h);
#undef BATCH
}

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(add(ONE "\n" ONE "0\n"), SG_MALFORMED);
	assert_non_null(strstr(why, "line 2"));
	assert_int_equal(add("x1010101010101010101010101010101"), SG_MALFORMED);
	assert_int_equal(add("AwMDAwMDAwMDAwMDAwMDAwMD"), SG_MALFORMED);
	hashes_clear(&h);
	hashes_sort(&h);
	assert_int_equal(h.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
