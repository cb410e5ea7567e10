/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "ledger/merkle.h"

enum { LEAVES = 70, DEEP = 64 };

static struct merkle *m;
static uint8_t entry[LEAVES + 1];
static struct merkle_hash leaf[LEAVES + 1];
static struct merkle_hash root[LEAVES + 1]; /* by size, made naively */

/* --- RFC 6962 s. 2.1 word for word --------------------------------------- */

static void sha256(const uint8_t *p, size_t n, struct merkle_hash *out)
{
	assert_int_equal(EVP_Digest(p, n, out->b, NULL, EVP_sha256(), NULL), 1);
}

static void naive_root(size_t from, size_t n, struct merkle_hash *out)
{
	uint8_t buf[65] = {0};
	size_t k = 1;

	if (n == 0) {
		sha256(buf, 0, out);
		return;
	}
	if (n == 1) {
		buf[0] = 0;
		/* Leaf i has i bytes, up to 64, the rest 64. */
		memset(buf + 1, entry[from], 64);
		sha256(buf, 1 + (from < 64 ? from : 64), out);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	buf[0] = 1;
	naive_root(from, k, (struct merkle_hash *)(buf + 1));
	naive_root(from + k, n - k, (struct merkle_hash *)(buf + 33));
	sha256(buf, sizeof(buf), out);
}

static enum sg_err naive_get(void *ctx, unsigned level, uint64_t index,
			     struct merkle_hash *out)
{
	const size_t *size = ctx;

	/* What is no full subtree of the tree must not be asked for. */
	assert_true((index + 1) << level <= *size);
	naive_root((size_t)(index << level), (size_t)1 << level, out);
	return SG_OK;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(merkle_create(&m), SG_OK);
	for (size_t i = 0; i <= LEAVES; i++) {
		uint8_t buf[64];

		entry[i] = (uint8_t)(i * 7);
		memset(buf, entry[i], sizeof(buf));
		assert_int_equal(
			merkle_leaf(m, span_of(buf, i < 64 ? i : 64), &leaf[i]),
			SG_OK);
		naive_root(0, i, &root[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	merkle_free(m);
	merkle_free(NULL);
	return 0;
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- tests --------------------------------------------------------------- */

static void hex(const struct merkle_hash *h, char out[65])
{
	for (size_t i = 0; i < 32; i++) {
		out[2 * i] = "0123456789abcdef"[h->b[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[h->b[i] & 15];
	}
	out[64] = 0;
}

/* SHA-256 of nothing, and of one zero byte, are known everywhere. */
static void test_known(void **state)
{
	struct merkle_hash h;
	char text[65];

	(void)state;
	merkle_empty_root(&h);
	hex(&h, text);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb924"
				  "27ae41e4649b934ca495991b7852b855");
	assert_true(same(&h, &root[0]));
	assert_int_equal(merkle_leaf(m, span_of(NULL, 0), &h), SG_OK);
	hex(&h, text);
	assert_string_equal(text, "6e340b9cffb37a989ca544e6bb780a2c"
				  "78901d3fb33738768511a30617afa01d");
}

struct seen {
	size_t count[8];
	size_t size;
};

static void full(void *ctx, unsigned level, uint64_t index,
		 const struct merkle_hash *hash)
{
	struct seen *seen = ctx;
	struct merkle_hash want;

	/* Each ends with the leaf that is being added. */
	assert_int_equal((index + 1) << level, seen->size + 1);
	naive_root((size_t)(index << level), (size_t)1 << level, &want);
	assert_true(same(hash, &want));
	seen->count[level]++;
}

static void test_grows(void **state)
{
	struct merkle_frontier f = {0};
	struct merkle_frontier from;
	struct seen seen = {{0}, 0};
	struct merkle_hash got;
	size_t size;

	(void)state;
	for (size = 0; size <= LEAVES; size++) {
		const struct merkle_source src = {naive_get, &size};

		assert_int_equal(f.size, size);
		assert_int_equal(merkle_frontier_root(m, &f, &got), SG_OK);
		assert_true(same(&got, &root[size]));
		assert_int_equal(merkle_root_of(m, &src, size, &got), SG_OK);
		assert_true(same(&got, &root[size]));
		assert_int_equal(merkle_frontier_of(&src, size, &from), SG_OK);
		assert_int_equal(from.size, size);
		for (unsigned l = 0; l < 7; l++)
			if ((size >> l & 1) != 0)
				assert_true(same(&from.node[l], &f.node[l]));
		seen.size = size;
		assert_int_equal(merkle_add(m, &f, &leaf[size], full, &seen),
				 SG_OK);
	}
	for (unsigned l = 0; l < 7; l++)
		assert_int_equal(seen.count[l], (LEAVES + 1) >> l);
}

static void refuse(const struct merkle_proof *p, size_t size, size_t index)
{
	assert_int_equal(
		merkle_check(m, p, size, index, &leaf[index], &root[size]),
		SG_BAD_SIGNATURE);
}

/* Every hash changed, left out, doubled; one more. */
static void refuse_variants(const struct merkle_proof *p, size_t size,
			    size_t index)
{
	struct merkle_proof v = *p;

	v.hash[v.n] = leaf[0];
	v.n++;
	refuse(&v, size, index);
	for (size_t i = 0; i < p->n; i++) {
		v = *p;
		v.hash[i].b[i % 32] ^= 1;
		refuse(&v, size, index);
		v = *p;
		v.n--;
		memmove(&v.hash[i], &v.hash[i + 1],
			(v.n - i) * sizeof(v.hash[0]));
		refuse(&v, size, index);
		v = *p;
		v.n++;
		memmove(&v.hash[i + 1], &v.hash[i],
			(p->n - i) * sizeof(v.hash[0]));
		refuse(&v, size, index);
	}
	v = *p;
	v.n = MERKLE_PROOF_MAX + 1;
	refuse(&v, size, index);
}

static void check_proof(size_t size, size_t index)
{
	const struct merkle_source src = {naive_get, &size};
	struct merkle_hash wrong;
	struct merkle_proof p;

	assert_int_equal(merkle_prove(m, &src, size, index, &p), SG_OK);
	assert_int_equal(
		merkle_check(m, &p, size, index, &leaf[index], &root[size]),
		SG_OK);
	for (size_t i = 0; i < size; i++)
		if (i != index)
			assert_int_equal(merkle_check(m, &p, size, i,
						      &leaf[index],
						      &root[size]),
					 SG_BAD_SIGNATURE);
	assert_int_equal(
		merkle_check(m, &p, size, size, &leaf[index], &root[size]),
		SG_BAD_SIGNATURE);
	assert_int_equal(
		merkle_check(m, &p, 0, index, &leaf[index], &root[size]),
		SG_BAD_SIGNATURE);
	/* Too short for the size that is claimed, or too long. */
	assert_int_equal(
		merkle_check(m, &p, 1 << 20, index, &leaf[index], &root[size]),
		SG_BAD_SIGNATURE);
	if (size > 1)
		assert_int_equal(
			merkle_check(m, &p, 1, 0, &leaf[index], &root[size]),
			SG_BAD_SIGNATURE);
	wrong = leaf[index];
	wrong.b[31] ^= 0x80;
	assert_int_equal(merkle_check(m, &p, size, index, &wrong, &root[size]),
			 SG_BAD_SIGNATURE);
	wrong = root[size];
	wrong.b[0] ^= 1;
	assert_int_equal(merkle_check(m, &p, size, index, &leaf[index], &wrong),
			 SG_BAD_SIGNATURE);
	refuse_variants(&p, size, index);
}

static void test_proofs(void **state)
{
	struct merkle_proof p;

	(void)state;
	for (size_t size = 1; size <= LEAVES; size++) {
		const struct merkle_source src = {naive_get, &size};

		for (size_t index = 0; index < size; index++)
			check_proof(size, index);
		assert_int_equal(merkle_prove(m, &src, size, size, &p),
				 SG_NOT_FOUND);
	}
}

static enum sg_err consistent(const struct merkle_proof *p, size_t old,
			      size_t new)
{
	return merkle_check_consistency(m, p, old, &root[old], new, &root[new]);
}

static void refuse_inconsistent(const struct merkle_proof *p, size_t old,
				size_t new)
{
	struct merkle_hash wrong = root[old];
	struct merkle_proof v = *p;

	wrong.b[7] ^= 4;
	assert_int_equal(
		merkle_check_consistency(m, p, old, &wrong, new, &root[new]),
		SG_BAD_SIGNATURE);
	wrong = root[new];
	wrong.b[9] ^= 4;
	if (old != 0) /* every tree begins with the empty one */
		assert_int_equal(merkle_check_consistency(m, p, old, &root[old],
							  new, &wrong),
				 SG_BAD_SIGNATURE);
	if (old != 0)
		assert_int_equal(merkle_check_consistency(m, p, old, &root[old],
							  1 << 20, &root[new]),
				 SG_BAD_SIGNATURE);
	if (p->n > 1)
		assert_int_equal(merkle_check_consistency(m, p, 1, &root[old],
							  2, &root[new]),
				 SG_BAD_SIGNATURE);
	v.hash[v.n] = leaf[1];
	v.n++;
	assert_int_equal(consistent(&v, old, new), SG_BAD_SIGNATURE);
	for (size_t i = 0; i < p->n; i++) {
		v = *p;
		v.hash[i].b[i] ^= 2;
		assert_int_equal(consistent(&v, old, new), SG_BAD_SIGNATURE);
		v = *p;
		v.n--;
		memmove(&v.hash[i], &v.hash[i + 1],
			(v.n - i) * sizeof(v.hash[0]));
		assert_int_equal(consistent(&v, old, new), SG_BAD_SIGNATURE);
	}
	v.n = MERKLE_PROOF_MAX + 1;
	assert_int_equal(consistent(&v, old, new), SG_BAD_SIGNATURE);
}

static void test_consistency(void **state)
{
	struct merkle_proof p;

	(void)state;
	for (size_t new = 0; new <= LEAVES; new ++) {
		const struct merkle_source src = {naive_get, &new};

		for (size_t old = 0; old <= new; old++) {
			assert_int_equal(
				merkle_prove_consistency(m, &src, old, new, &p),
				SG_OK);
			assert_int_equal(p.n == 0, old == 0 || old == new);
			assert_int_equal(consistent(&p, old, new), SG_OK);
			refuse_inconsistent(&p, old, new);
			if (old != new)
				assert_int_equal(consistent(&p, new, old),
						 SG_BAD_SIGNATURE);
		}
		assert_int_equal(
			merkle_prove_consistency(m, &src, new + 1, new, &p),
			SG_NOT_FOUND);
	}
}

static enum sg_err broken_get(void *ctx, unsigned level, uint64_t index,
			      struct merkle_hash *out)
{
	int *left = ctx;

	(void)level;
	(void)index;
	memset(out, 0, sizeof(*out));
	return (*left)-- > 0 ? SG_OK : SG_MALFORMED;
}

static void test_source_errors(void **state)
{
	struct merkle_frontier f;
	struct merkle_proof p;
	struct merkle_hash h;

	(void)state;
	for (int i = 0; i < 4; i++) {
		int left = i;
		const struct merkle_source src = {broken_get, &left};

		assert_int_equal(merkle_root_of(m, &src, 31, &h), SG_MALFORMED);
		left = i;
		assert_int_equal(merkle_frontier_of(&src, 31, &f),
				 SG_MALFORMED);
		left = i;
		assert_int_equal(merkle_prove(m, &src, 31, 30, &p),
				 SG_MALFORMED);
		left = i;
		assert_int_equal(merkle_prove_consistency(m, &src, 7, 31, &p),
				 SG_MALFORMED);
	}
}

static enum sg_err zero_get(void *ctx, unsigned level, uint64_t index,
			    struct merkle_hash *out)
{
	(void)ctx;
	(void)level;
	(void)index;
	memset(out, 0, sizeof(*out));
	return SG_OK;
}

/* The longest proofs fit, and what is too large for any log is refused. */
static void test_extremes(void **state)
{
	const struct merkle_source src = {zero_get, NULL};
	const uint64_t most = UINT64_C(1) << 63;
	struct merkle_frontier f = {.size = most};
	struct merkle_proof p;

	(void)state;
	assert_int_equal(merkle_prove(m, &src, most, most - 1, &p), SG_OK);
	assert_int_equal(p.n, 63);
	assert_int_equal(merkle_prove_consistency(m, &src, most - 1, most, &p),
			 SG_OK);
	assert_int_equal(p.n, DEEP);
	assert_int_equal(merkle_prove(m, &src, most - 1, 0, &p), SG_OK);
	assert_int_equal(merkle_prove(m, &src, most + 1, 0, &p), SG_NOT_FOUND);
	assert_int_equal(merkle_prove_consistency(m, &src, 1, most + 1, &p),
			 SG_NOT_FOUND);
	assert_int_equal(merkle_add(m, &f, &leaf[0], NULL, NULL), SG_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_consistency),
		cmocka_unit_test(test_source_errors),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
