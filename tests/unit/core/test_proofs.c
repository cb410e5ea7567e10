/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "published.h"
#include "request.h"

/* The proof of INDEX leads to the root of the newest checkpoint, of SIZE. */
static void expect_proof(uint64_t index, uint64_t size)
{
	const struct merkle_hash want = root_of(size);
	const struct merkle_hash h = leaf(index);
	struct merkle_proof p;
	struct checkpoint c;
	struct span text;
	struct span note;
	struct note parts;
	uint64_t named;

	assert_int_equal(proofs_answer(proofs, index, size, NULL, &text),
			 SG_OK);
	assert_int_equal(
		checkpoint_proof_parse(text, &named, &p, &note, NULL, 0, NULL),
		SG_OK);
	assert_int_equal(named, index);
	assert_int_equal(note_parse(note, &parts), SG_OK);
	assert_int_equal(parts.n, 1); /* its signatures come along */
	assert_int_equal(checkpoint_parse(parts.text, &c), SG_OK);
	assert_int_equal(c.size, size);
	assert_memory_equal(c.root.b, want.b, sizeof(want.b));
	assert_int_equal(merkle_check(merkle, &p, size, index, &h, &want),
			 SG_OK);
}

static void test_proofs(void **state)
{
	static const uint64_t indexes[] = {0,	1,   254, 255, 256,
					   257, 700, 767, 768, LEAVES - 1};

	(void)state;
	publish(LEAVES);
	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
		expect_proof(indexes[i], LEAVES);
}

/* It is the newest checkpoint that counts, also when the log grows. */
static void test_growth(void **state)
{
	(void)state;
	for (uint64_t size = 1; size < 12; size++) {
		publish(size);
		for (uint64_t i = 0; i < size; i++)
			expect_proof(i, size);
	}
	publish(LEAVES);
	expect_proof(3, LEAVES);
}

static void test_not_yet(void **state)
{
	struct span text;

	(void)state;
	/* no checkpoint at all */
	assert_int_equal(proofs_answer(proofs, 0, 1, NULL, &text), SG_NOT_YET);
	assert_int_equal(proofs_answer(proofs, 0, 0, NULL, &text),
			 SG_NOT_FOUND);
	publish(OTHER_SIZE);
	assert_int_equal(proofs_answer(proofs, 4, 9, NULL, &text), SG_OK);
	assert_int_equal(proofs_answer(proofs, 5, 9, NULL, &text), SG_NOT_YET);
	assert_int_equal(proofs_answer(proofs, 8, 9, NULL, &text), SG_NOT_YET);
	assert_int_equal(proofs_answer(proofs, 9, 9, NULL, &text),
			 SG_NOT_FOUND);
	assert_int_equal(proofs_answer(proofs, UINT64_MAX, 9, NULL, &text),
			 SG_NOT_FOUND);
}

static void remove_file(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

/* What is wrong here is not the asker's fault, and ends nothing. */
static void test_damaged(void **state)
{
	struct span text;

	(void)state;
	publish(LEAVES);
	remove_file("tile/0/001");
	assert_int_equal(proofs_answer(proofs, 300, LEAVES, NULL, &text),
			 SG_INTERNAL);
	/* Nothing of it is needed here but its root, one level above. */
	expect_proof(LEAVES - 1, LEAVES);
	assert_int_equal(tiles_write_file(tiles, "checkpoint",
					  SPAN_LIT("no checkpoint\n")),
			 SG_OK);
	assert_int_equal(proofs_answer(proofs, 0, LEAVES, NULL, &text),
			 SG_INTERNAL);
	publish(LEAVES);
	expect_proof(300, LEAVES);
}

static void test_create(void **state)
{
	struct proofs *p;

	(void)state;
	assert_int_equal(proofs_create("/nowhere/at/all", &p), SG_IO);
	assert_null(p);
	proofs_free(NULL);
}

/* --- who may ask ---------------------------------------------------------- */

static void test_admit(void **state)
{
	static const char text[] =
		"version: 1\n"
		"profiles:\n"
		"  - name: full\n"
		"    rules: {}\n"
		"clients:\n"
		"  - name: auditor\n"
		"    identities: [\"uri:urn:test:auditor\"]\n"
		"    operations: [audit]\n";
	struct faults faults = {0};
	struct policy *policy = NULL;
	const struct client *client;
	uint8_t id[IDENTITY_BYTES_MAX];
	size_t n;

	(void)state;
	if (policy_load(span_str(text), "test", &policy, &faults) != SG_OK)
		fail_msg("%s", faults.text);
	n = identity_make("urn:test:auditor", id, sizeof(id));
	assert_int_equal(proofs_admit(policy, span_of(id, n), &client), SG_OK);
	n = identity_make("urn:test:stranger", id, sizeof(id));
	assert_int_equal(proofs_admit(policy, span_of(id, n), &client),
			 SG_FORBIDDEN);
	assert_int_equal(proofs_admit(policy, span_of(NULL, 0), &client),
			 SG_OK);
	assert_null(client);
	assert_int_equal(proofs_admit(policy, SPAN_LIT("x"), &client),
			 SG_MALFORMED);
	policy_unref(policy);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_proofs),  CASE(test_growth), CASE(test_not_yet),
		CASE(test_damaged), CASE(test_create), CASE(test_admit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
