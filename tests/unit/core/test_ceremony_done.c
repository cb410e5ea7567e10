/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/ceremony_done.h"
#include "hcert/cbor.h"

static const uint8_t HASH[STORE_HASH_BYTES] = {1, 2, 3};
static const uint8_t OTHER[STORE_HASH_BYTES] = {4, 5, 6};

static void fill(struct store_item *item)
{
	memset(item, 0, sizeof(*item));
	item->outcome.time = 1700000000;
	item->outcome.csr = SPAN_LIT("a request");
	item->outcome.spki = SPAN_LIT("a key");
	item->policy = OTHER;
	item->nadopted = 2;
	item->adopted[0] =
		(struct store_adopted){.label = SPAN_LIT("a"), .spki = OTHER};
	item->adopted[1] =
		(struct store_adopted){.label = SPAN_LIT("b"), .spki = HASH};
}

static void test_round(void **state)
{
	const struct cbor_limits limits = {.depth = 4, .items = 64};
	static struct store_item item;
	static struct store_item back;
	uint8_t text[1024];
	size_t n;
	size_t m;

	(void)state;
	fill(&item);
	assert_int_equal(ceremony_done_encode(&item, HASH, NULL, 0, &n),
			 SG_TOO_BIG);
	assert_int_equal(
		ceremony_done_encode(&item, HASH, text, sizeof(text), &m),
		SG_OK);
	assert_int_equal(n, m);
	assert_int_equal(cbor_check(span_of(text, n), limits), SG_OK);
	assert_int_equal(ceremony_done_decode(span_of(text, n), HASH, &back),
			 SG_OK);
	assert_int_equal(back.outcome.time, 1700000000);
	assert_true(span_is(back.outcome.csr, "a request"));
	assert_true(span_is(back.outcome.spki, "a key"));
	assert_memory_equal(back.policy, OTHER, sizeof(OTHER));
	assert_int_equal(back.nadopted, 2);
	assert_true(span_is(back.adopted[1].label, "b"));
	assert_memory_equal(back.adopted[1].spki, HASH, sizeof(HASH));
	/* Another operation's; cut short anywhere; with more behind it. */
	assert_int_equal(ceremony_done_decode(span_of(text, n), OTHER, &back),
			 SG_MALFORMED);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			ceremony_done_decode(span_of(text, i), HASH, &back),
			SG_MALFORMED);
	text[n] = 0;
	assert_int_equal(
		ceremony_done_decode(span_of(text, n + 1), HASH, &back),
		SG_MALFORMED);
	/* With another number of members. */
	text[0]++;
	assert_int_equal(ceremony_done_decode(span_of(text, n), HASH, &back),
			 SG_MALFORMED);
}

static void test_least(void **state)
{
	static struct store_item item = {.outcome = {.time = -5}};
	static struct store_item back;
	uint8_t text[128];
	size_t n;

	(void)state;
	assert_int_equal(
		ceremony_done_encode(&item, HASH, text, sizeof(text), &n),
		SG_OK);
	assert_int_equal(ceremony_done_decode(span_of(text, n), HASH, &back),
			 SG_OK);
	assert_int_equal(back.outcome.time, -5);
	assert_int_equal(back.nadopted, 0);
	assert_null(back.policy);
	assert_int_equal(back.outcome.csr.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round),
					   cmocka_unit_test(test_least)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
