/* SPDX-License-Identifier: Apache-2.0 */
/* young: all that was put is found, the newest of each; in order; then none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/young.h"

static int make(void **state)
{
	struct young *y;

	if (young_create(&y) != SG_OK)
		return -1;
	*state = y;
	return 0;
}

static int drop(void **state)
{
	young_free(*state);
	young_free(NULL);
	return 0;
}

/* Key number I: neighbours are far apart in the order of the bytes. */
static struct index_item item(uint32_t i)
{
	struct index_item it = {.uvci = {0}, .offset = 7 + i};
	const uint32_t mixed = i * UINT32_C(2654435761);

	memcpy(it.uvci, &mixed, sizeof(mixed));
	memcpy(it.uvci + INDEX_HASH_BYTES - sizeof(i), &i, sizeof(i));
	return it;
}

static void test_full(void **state)
{
	struct young *y = *state;
	const struct index_item *const *all;
	uint64_t offset = 0;
	size_t n;

	for (uint32_t i = 0; i < YOUNG_MAX; i++) {
		const struct index_item it = item(i);

		assert_int_equal(young_room(y), YOUNG_MAX - i);
		assert_int_equal(young_get(y, it.uvci, &offset), SG_NOT_FOUND);
		young_put(y, &it);
	}
	assert_int_equal(young_room(y), 0);
	for (uint32_t i = 0; i < YOUNG_MAX; i++) {
		assert_int_equal(young_get(y, item(i).uvci, &offset), SG_OK);
		assert_int_equal(offset, 7 + i);
	}
	assert_int_equal(young_get(y, item(YOUNG_MAX).uvci, &offset),
			 SG_NOT_FOUND);
	all = young_sorted(y, &n);
	assert_int_equal(n, YOUNG_MAX);
	for (size_t i = 1; i < n; i++)
		assert_true(memcmp(all[i - 1]->uvci, all[i]->uvci,
				   INDEX_HASH_BYTES) < 0);
	young_clear(y);
	assert_int_equal(young_room(y), YOUNG_MAX);
	assert_int_equal(young_get(y, item(0).uvci, &offset), SG_NOT_FOUND);
	(void)young_sorted(y, &n);
	assert_int_equal(n, 0);
}

static void test_newest(void **state)
{
	struct young *y = *state;
	struct index_item it = item(5);
	uint64_t offset = 0;
	size_t n;

	young_put(y, &it);
	it.offset = 99;
	young_put(y, &it);
	assert_int_equal(young_get(y, it.uvci, &offset), SG_OK);
	assert_int_equal(offset, 99);
	assert_int_equal(young_sorted(y, &n)[0]->offset, 99);
	assert_int_equal(n, 1);
}

/* Keys that differ in their last byte alone are different ones. */
static void test_alike(void **state)
{
	struct young *y = *state;
	struct index_item it = {.uvci = {1, 2, 3}};
	uint64_t offset = 0;

	for (unsigned i = 0; i < 200; i++) {
		it.uvci[INDEX_HASH_BYTES - 1] = (uint8_t)i;
		it.offset = i;
		young_put(y, &it);
	}
	for (unsigned i = 0; i < 200; i++) {
		it.uvci[INDEX_HASH_BYTES - 1] = (uint8_t)i;
		assert_int_equal(young_get(y, it.uvci, &offset), SG_OK);
		assert_int_equal(offset, i);
	}
	it.uvci[INDEX_HASH_BYTES - 1] = 200;
	assert_int_equal(young_get(y, it.uvci, &offset), SG_NOT_FOUND);
}

/* Also where what is compared first does not tell. */
static void test_order(void **state)
{
	struct young *y = *state;
	const struct index_item *const *all;
	struct index_item it = {.uvci = {0xff, 0x80}};
	size_t n;

	for (size_t byte = INDEX_HASH_BYTES; byte-- > 0;)
		for (unsigned bit = 8; bit-- > 0;) {
			it.uvci[byte] ^= (uint8_t)(1U << bit);
			young_put(y, &it);
			it.uvci[byte] ^= (uint8_t)(1U << bit);
		}
	all = young_sorted(y, &n);
	assert_int_equal(n, INDEX_HASH_BYTES * 8);
	for (size_t i = 1; i < n; i++)
		assert_true(memcmp(all[i - 1]->uvci, all[i]->uvci,
				   INDEX_HASH_BYTES) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full, make, drop),
		cmocka_unit_test_setup_teardown(test_newest, make, drop),
		cmocka_unit_test_setup_teardown(test_alike, make, drop),
		cmocka_unit_test_setup_teardown(test_order, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
