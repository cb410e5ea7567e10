/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hcert/labels.h"
#include "hex.h"

static struct labels set;

static enum sg_err add(const char *text)
{
	struct cbor_reader r = cbor_read(hex(text), CBOR_LAX);
	struct cbor_item item;

	assert_int_equal(cbor_next(&r, &item), SG_OK);
	return labels_add(&set, &item);
}

static void test_duplicates(void **state)
{
	(void)state;
	set.n = 0;
	assert_int_equal(add("01"), SG_OK);
	assert_int_equal(add("20"), SG_OK); /* -1, whose argument is 0 */
	assert_int_equal(add("00"), SG_OK);
	assert_int_equal(add("6131"), SG_OK); /* "1" */
	assert_int_equal(add("01"), SG_DUPLICATE_KEY);
	assert_int_equal(add("1801"), SG_DUPLICATE_KEY);
	assert_int_equal(add("1b0000000000000001"), SG_DUPLICATE_KEY);
	assert_int_equal(add("3800"), SG_DUPLICATE_KEY);
	assert_int_equal(add("780131"), SG_DUPLICATE_KEY);
}

static void test_types(void **state)
{
	static const char *const texts[] = {"40", "80", "a0",	 "f6",
					    "7f", "c1", "f93e00"};

	(void)state;
	set.n = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(add(texts[i]), SG_MALFORMED);
	assert_int_equal(set.n, 0);
}

static void test_bound(void **state)
{
	struct cbor_item item = {.type = CBOR_UINT};

	(void)state;
	set.n = 0;
	for (item.arg = 0; item.arg < LABELS_MAX; item.arg++)
		assert_int_equal(labels_add(&set, &item), SG_OK);
	assert_int_equal(labels_add(&set, &item), SG_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
