/* SPDX-License-Identifier: Apache-2.0 */
/* The value beside the ledger's key, on a module that fails at will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "anchor_fixture.h"

static enum sg_err put(const char *value, struct anchor *out)
{
	return vault_anchor(fake.vault, 0, KEY_LEDGER, span_str(value), out);
}

static void assert_put(const char *value)
{
	struct anchor a;

	assert_int_equal(put(value, &a), SG_OK);
	assert_true(span_is(span_of(a.value, a.n), value));
}

static void assert_holds(const char *value)
{
	struct anchor a;

	assert_int_equal(put("", &a), SG_OK);
	assert_true(span_is(span_of(a.value, a.n), value));
}

static void test_reads_what_was_put(void **state)
{
	char value[ANCHOR_BYTES_MAX + 2] = {0};
	struct anchor a;

	(void)state;
	assert_holds("");
	assert_int_equal(count_objects("ed"), 0);
	for (unsigned i = 0; i < 9; i++) {
		(void)snprintf(value, sizeof(value), "size %u\nroot %u", i, i);
		assert_put(value);
		assert_holds(value);
		assert_int_equal(count_objects("ed"), i == 0 ? 1 : 2);
	}
	assert_int_equal(fake.creates, 2);
	assert_int_equal(fake.destroys, 0);
	memset(value, 'x', ANCHOR_BYTES_MAX);
	assert_put(value);
	assert_holds(value);
	value[ANCHOR_BYTES_MAX] = 'x';
	assert_int_equal(put(value, &a), SG_INTERNAL);
	assert_int_equal(a.rv, CKR_DATA_LEN_RANGE);
	/* The key signs in between. */
	assert_signs(fake.vault, 0, KEY_LEDGER);
	assert_signs(fake.vault, 0, KEY_PLAIN);
	value[ANCHOR_BYTES_MAX] = '\0';
	assert_holds(value);
	/* The ledger's token alone is written to. */
	assert_int_equal(fake.read_write, 1);
}

static void test_outlives_the_process(void **state)
{
	void *none = NULL;

	(void)state;
	assert_put("before");
	vault_close(fake.vault, &watch);
	*fake.list = fake.calls;
	assert_int_equal(begin(&none), 0);
	assert_holds("before");
	assert_put("after");
	assert_holds("after");
}

static void test_which_keys_have_one(void **state)
{
	(void)state;
	assert_true(vault_has_anchor(fake.vault, KEY_LEDGER));
	assert_false(vault_has_anchor(fake.vault, KEY_RSA));
	assert_false(vault_has_anchor(fake.vault, KEY_PLAIN));
	assert_false(vault_has_anchor(fake.vault, KEYS));
}

static void test_leaves_strangers_alone(void **state)
{
	(void)state;
	stranger("signerd", "dsc");
	stranger("another", "ed");
	assert_holds("");
	assert_put("mine");
	assert_put("mine too");
	assert_put("and this");
	assert_int_equal(count_objects("ed"), 3);
	assert_int_equal(count_objects("dsc"), 1);
}

/* A write that breaks off in the middle of an object. */
static void test_a_torn_write(void **state)
{
	(void)state;
	assert_put("one");
	assert_put("two");
	/* The first try is torn, the second on a new session is not. */
	fake.tear = 1;
	assert_put("three");
	assert_holds("three");
	/* Both are: what was there before still counts. */
	fake.tear = 2;
	fake.fewest = 99;
	assert_int_equal(put("four", &(struct anchor){0}), SG_TOKEN_DOWN);
	assert_int_equal(fake.tear, 0);
	assert_int_equal(fake.fewest, 1);
	assert_holds("three");
	assert_put("four");
	assert_holds("four");
	assert_int_equal(count_objects("ed"), 2);
}

static void test_damage_is_seen(void **state)
{
	struct anchor a;

	(void)state;
	assert_put("one");
	assert_put("two");
	assert_put("three"); /* numbers 2 and 3 are there */
	damage(3);
	assert_holds("two");
	assert_put("next");
	assert_holds("next");
	damage(0);
	assert_int_equal(put("", &a), SG_INTERNAL);
	assert_int_equal(a.rv, CKR_DATA_INVALID);
	assert_int_equal(a.n, 0);
	/* To write it anew is the way on. */
	assert_put("anew");
	assert_holds("anew");
	assert_int_equal(count_objects("ed"), 2);
}

static void test_too_many_to_tell(void **state)
{
	struct anchor a;

	(void)state;
	for (int i = 0; i < 8; i++)
		stranger("signerd", "ed");
	assert_int_equal(put("", &a), SG_INTERNAL);
	assert_int_equal(a.rv, CKR_DATA_INVALID);
	assert_int_equal(put("x", &a), SG_INTERNAL);
	assert_int_equal(count_objects("ed"), 8);
}

/* A module that does not change data objects: SoftHSM2 as it is. */
static void test_new_objects_instead(void **state)
{
	char value[32];

	(void)state;
	fake.in_place = false;
	assert_put("0");
	fake.fewest = 99;
	for (unsigned i = 1; i < 9; i++) {
		(void)snprintf(value, sizeof(value), "%u", i);
		assert_put(value);
		assert_holds(value);
	}
	assert_int_equal(fake.writes, 7);
	assert_int_equal(fake.destroys, 7);
	/* Never a moment without a whole one, never more than two. */
	assert_int_equal(fake.fewest, 1);
	assert_int_equal(fake.most, 2);
	/* Neither destroying nor creating works: the last one stays. */
	fake.rv = CKR_ACTION_PROHIBITED;
	fake.destroys_fail = 1;
	assert_int_equal(put("x", &(struct anchor){0}), SG_INTERNAL);
	assert_holds("8");
	fake.creates_fail = 1;
	assert_int_equal(put("x", &(struct anchor){0}), SG_INTERNAL);
	assert_holds("8");
	assert_put("9");
	assert_holds("9");
}

static void test_a_lie_is_found(void **state)
{
	struct anchor a;

	(void)state;
	assert_put("one");
	assert_put("two");
	fake.forgets = true;
	assert_int_equal(put("three", &a), SG_INTERNAL);
	assert_int_equal(a.rv, CKR_DATA_INVALID);
	fake.forgets = false;
	assert_holds("two");
}

static void test_one_failure_is_mended(void **state)
{
	static const CK_RV rvs[] = {
		CKR_SESSION_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN,
		CKR_DEVICE_REMOVED,	    CKR_OBJECT_HANDLE_INVALID,
		CKR_DEVICE_ERROR,	    CKR_FUNCTION_FAILED,
		CKR_GENERAL_ERROR,	    CKR_VENDOR_DEFINED | 7};
	char value[32];

	(void)state;
	assert_put("a");
	assert_put("b");
	for (unsigned i = 0; i < sizeof(rvs) / sizeof(rvs[0]); i++) {
		(void)snprintf(value, sizeof(value), "%u", i);
		fake.rv = rvs[i];
		fake.finds_fail = 1;
		assert_put(value);
		assert_int_equal(fake.finds_fail, 0);
		fake.sets_fail = 1;
		assert_put("again");
		assert_int_equal(fake.sets_fail, 0);
		assert_holds("again");
	}
	/* The new sessions are read-write as well. */
	assert_true(fake.read_write > sizeof(rvs) / sizeof(rvs[0]));
}

static void test_lasting_failures(void **state)
{
	struct anchor a;

	(void)state;
	fake.rv = CKR_TOKEN_WRITE_PROTECTED;
	fake.creates_fail = 1;
	assert_int_equal(put("x", &a), SG_INTERNAL);
	assert_int_equal(a.rv, CKR_TOKEN_WRITE_PROTECTED);
	assert_int_equal(fake.creates_fail, 0);
	fake.rv = CKR_DEVICE_MEMORY;
	for (unsigned i = 1; i < VAULT_FAILURES_MAX; i++) {
		fake.creates_fail = 2;
		assert_int_equal(put("x", &a), SG_INTERNAL);
		assert_int_equal(fake.creates_fail, 0);
	}
	fake.creates_fail = 2;
	assert_int_equal(put("x", &a), SG_TOKEN_DOWN);
	assert_put("x");
	fake.rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	fake.creates_fail = 2;
	assert_int_equal(put("y", &a), SG_TOKEN_DOWN);
	assert_int_equal(fake.creates_fail, 1);
	fake.creates_fail = 0;
	assert_holds("x");
}

#define ANCHOR_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ANCHOR_TEST(test_reads_what_was_put),
		ANCHOR_TEST(test_outlives_the_process),
		ANCHOR_TEST(test_which_keys_have_one),
		ANCHOR_TEST(test_leaves_strangers_alone),
		ANCHOR_TEST(test_a_torn_write),
		ANCHOR_TEST(test_damage_is_seen),
		ANCHOR_TEST(test_too_many_to_tell),
		ANCHOR_TEST(test_new_objects_instead),
		ANCHOR_TEST(test_a_lie_is_found),
		ANCHOR_TEST(test_one_failure_is_mended),
		ANCHOR_TEST(test_lasting_failures),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
