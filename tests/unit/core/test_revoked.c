/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/revoked.h"

enum { BYTES = REVOCATION_HASH_BYTES, MANY = 1 << 20 };

static void number(uint32_t v, uint8_t out[BYTES])
{
	memset(out, 0, BYTES);
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static bool has(const struct revoked *r, uint32_t v)
{
	uint8_t hash[BYTES];

	number(v, hash);
	return revoked_has(r, hash);
}

/* N numbers from FIRST on, STEP apart. */
static void add(struct revoked *r, uint32_t first, uint32_t step, size_t n)
{
	uint8_t *list = malloc(n * BYTES);

	assert_non_null(list);
	for (size_t i = 0; i < n; i++)
		number(first + step * (uint32_t)i, list + i * BYTES);
	assert_int_equal(revoked_add(r, span_of(list, n * BYTES)), SG_OK);
	free(list);
}

static void test_million(void **state)
{
	struct revoked *r;

	(void)state;
	assert_int_equal(revoked_create(&r), SG_OK);
	assert_int_equal(revoked_count(NULL), 0);
	assert_false(has(r, 0));
	add(r, 1, 2, MANY); /* odd ones */
	assert_int_equal(revoked_count(r), MANY);
	add(r, 0, 4, 1000);
	add(r, 0, 1, 10); /* most of them again */
	assert_int_equal(revoked_count(r), MANY + 1000 + 2);
	for (uint32_t v = 0; v < 5000; v++)
		assert_int_equal(has(r, v), v % 2 == 1 ||
						    (v % 4 == 0 && v < 4000) ||
						    v < 10);
	assert_true(has(r, 2 * MANY - 1));
	assert_false(has(r, 2 * MANY + 1));
	revoked_free(r);
	revoked_free(NULL);
}

static void test_full(void **state)
{
	struct revoked *r;
	const size_t before = 3 * (size_t)MANY;
	uint8_t hash[2 * BYTES] = {0};

	(void)state;
	assert_int_equal(revoked_create(&r), SG_OK);
	add(r, 1, 1, before);
	add(r, 1 + (uint32_t)before, 1, REVOKED_MAX - before);
	hash[BYTES] = 0xff;
	assert_int_equal(revoked_add(r, span_of(hash, sizeof(hash))),
			 SG_TOO_BIG);
	assert_int_equal(revoked_count(r), REVOKED_MAX);
	assert_false(revoked_has(r, hash));
	revoked_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
