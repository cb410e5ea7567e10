/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/claims.h"

struct room {
	char dir[64];
	struct index *index;
	struct claims *claims;
};

static int open_room(void **state)
{
	static struct room r;

	log_limit(LOG_ERROR);
	(void)snprintf(r.dir, sizeof(r.dir), "/tmp/test_claims.XXXXXX");
	if (mkdtemp(r.dir) == NULL || index_open(r.dir, &r.index) != SG_OK ||
	    claims_create(r.index, &r.claims) != SG_OK)
		return -1;
	*state = &r;
	return 0;
}

static int close_room(void **state)
{
	struct room *r = *state;

	claims_free(r->claims);
	claims_free(NULL);
	index_close(r->index);
	return index_destroy(r->dir) == SG_OK ? 0 : -1;
}

/* TWIN in the highest bit: a key that differs in its last byte alone, so that
 * a short comparison is found out. */
#define TWIN (1U << 31)

static const uint8_t *uvci(unsigned n)
{
	static uint8_t key[INDEX_HASH_BYTES];
	const uint64_t first = (n & ~TWIN) * UINT64_C(0x9e3779b97f4a7c15);

	memset(key, 0x5a, sizeof(key));
	memcpy(key, &first, sizeof(first));
	key[sizeof(key) - 1] = (n & TWIN) != 0;
	return key;
}

static void assert_state(struct room *r, unsigned n, enum claim_state expected,
			 const void *holder, uint64_t offset)
{
	enum claim_state state = CLAIM_FREE;
	void *found = NULL;
	uint64_t at = 0;

	assert_int_equal(claims_find(r->claims, uvci(n), &state, &found, &at),
			 SG_OK);
	assert_int_equal(state, expected);
	assert_ptr_equal(found, holder);
	assert_int_equal(at, offset);
}

static void test_life(void **state)
{
	struct room *r = *state;
	int a;
	int b;

	assert_state(r, 1, CLAIM_FREE, NULL, 0);
	assert_int_equal(claims_take(r->claims, uvci(1), &a), SG_OK);
	assert_int_equal(claims_take(r->claims, uvci(2), &b), SG_OK);
	assert_state(r, 1, CLAIM_IN_FLIGHT, &a, 0);
	assert_state(r, 2, CLAIM_IN_FLIGHT, &b, 0);
	assert_state(r, 3, CLAIM_FREE, NULL, 0);
	assert_state(r, 1 | TWIN, CLAIM_FREE, NULL, 0);
	claims_drop(r->claims, uvci(1));
	assert_state(r, 1, CLAIM_FREE, NULL, 0);
	assert_int_equal(claims_recent(r->claims), 0);
	claims_record(r->claims, uvci(2), 100);
	assert_state(r, 2, CLAIM_ON_RECORD, NULL, 100);
	assert_int_equal(claims_recent(r->claims), 1);
}

/* From the table to the index without a moment in neither. */
static void test_indexed(void **state)
{
	struct room *r = *state;
	struct index_item it = {.offset = 100};
	int a;

	for (unsigned n = 1; n <= 3; n++) {
		assert_int_equal(claims_take(r->claims, uvci(n), &a), SG_OK);
		claims_record(r->claims, uvci(n), UINT64_C(100) * n);
	}
	memcpy(it.uvci, uvci(1), sizeof(it.uvci));
	assert_int_equal(index_put(r->index, &it, 1, 200), SG_OK);
	assert_state(r, 1, CLAIM_ON_RECORD, NULL, 100);
	claims_indexed(r->claims, 200);
	assert_int_equal(claims_recent(r->claims), 2); /* 200 is not below */
	assert_state(r, 1, CLAIM_ON_RECORD, NULL, 100);
	assert_state(r, 2, CLAIM_ON_RECORD, NULL, 200);
	claims_indexed(r->claims, 301);
	assert_int_equal(claims_recent(r->claims), 0);
	/* It asks the index, which was not told: */
	assert_state(r, 2, CLAIM_FREE, NULL, 0);
}

/* Signed anew: in flight while an older certificate is on record. */
static void test_again(void **state)
{
	struct room *r = *state;
	int a;

	assert_int_equal(claims_take(r->claims, uvci(1), &a), SG_OK);
	claims_record(r->claims, uvci(1), 100);
	assert_int_equal(claims_take(r->claims, uvci(1), &a), SG_OK);
	assert_state(r, 1, CLAIM_IN_FLIGHT, &a, 0);
	claims_drop(r->claims, uvci(1));
	assert_state(r, 1, CLAIM_ON_RECORD, NULL, 100);
	assert_int_equal(claims_take(r->claims, uvci(2), &a), SG_OK);
	claims_record(r->claims, uvci(2), 150);
	assert_int_equal(claims_take(r->claims, uvci(1), &a), SG_OK);
	claims_record(r->claims, uvci(1), 300);
	assert_int_equal(claims_recent(r->claims), 2);
	assert_state(r, 1, CLAIM_ON_RECORD, NULL, 300);
	claims_indexed(r->claims, 200);
	assert_int_equal(claims_recent(r->claims), 1);
	assert_state(r, 1, CLAIM_ON_RECORD, NULL, 300);
	/* The older one is indexed while the newer one is in flight. */
	assert_int_equal(claims_take(r->claims, uvci(1), &a), SG_OK);
	claims_indexed(r->claims, 400);
	assert_state(r, 1, CLAIM_IN_FLIGHT, &a, 0);
	claims_drop(r->claims, uvci(1));
	assert_state(r, 1, CLAIM_FREE, NULL, 0);
}

/* Full is full, and what is freed can be taken again. */
static void test_bound(void **state)
{
	struct room *r = *state;
	int a;

	for (unsigned n = 0; n < CLAIMS_RECENT_MAX; n++) {
		assert_int_equal(claims_take(r->claims, uvci(n), &a), SG_OK);
		if (n % 2 == 0)
			claims_record(r->claims, uvci(n), 100 + n);
	}
	assert_int_equal(claims_take(r->claims, uvci(CLAIMS_RECENT_MAX), &a),
			 SG_BUSY);
	assert_int_equal(claims_recent(r->claims), CLAIMS_RECENT_MAX / 2);
	for (unsigned n = 0; n < CLAIMS_RECENT_MAX; n += 1001)
		assert_state(r, n,
			     n % 2 == 0 ? CLAIM_ON_RECORD : CLAIM_IN_FLIGHT,
			     n % 2 == 0 ? NULL : &a, n % 2 == 0 ? 100 + n : 0);
	claims_drop(r->claims, uvci(1));
	claims_indexed(r->claims, 101);
	assert_int_equal(claims_take(r->claims, uvci(CLAIMS_RECENT_MAX), &a),
			 SG_OK);
	assert_int_equal(claims_take(r->claims, uvci(1), &a), SG_OK);
	assert_int_equal(claims_take(r->claims, uvci(0), &a), SG_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(test_indexed, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(test_again, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(test_bound, open_room,
						close_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
