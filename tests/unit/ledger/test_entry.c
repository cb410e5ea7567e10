/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "hcert/cbor.h"
#include "ledger/entry.h"

static uint8_t signature[256];
static const uint8_t POLICY[32] = {0xaa, 0xbb};
static const uint8_t ATTESTATION[32] = {0xcc};

static struct entry_certificate facts(enum cose_alg alg, size_t sig_n)
{
	for (size_t i = 0; i < sizeof(signature); i++)
		signature[i] = (uint8_t)i;
	return (struct entry_certificate){
		.client = SPAN_LIT("issuer"),
		.kid = {1, 2, 3, 4, 5, 6, 7, 8},
		.alg = alg,
		.kind = DCC_RECOVERY,
		.signature = span_of(signature, sig_n),
		.uvci = SPAN_LIT("URN:UVCI:01:VN:1"),
		.sig_structure = SPAN_LIT("to be signed"),
		.iat = 1700000000,
		.exp = 1731536000,
		.policy_hash = POLICY};
}

static void sha256(const char *tail, size_t sig_n, uint8_t out[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	EVP_DigestUpdate(ctx, signature, sig_n);
	EVP_DigestUpdate(ctx, tail, strlen(tail));
	EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
}

/* The item at KEY of the map in ENTRY. */
static struct cbor_item field(struct span entry, uint64_t key)
{
	struct cbor_reader r = cbor_read(entry, CBOR_DETERMINISTIC);
	struct cbor_item map;
	struct cbor_item k;
	struct cbor_item v;

	assert_int_equal(cbor_next(&r, &map), SG_OK);
	assert_int_equal(map.type, CBOR_MAP);
	for (uint64_t i = 0; i < map.arg; i++) {
		assert_int_equal(cbor_next(&r, &k), SG_OK);
		assert_int_equal(cbor_next(&r, &v), SG_OK);
		if (k.type == CBOR_UINT && k.arg == key)
			return v;
	}
	fail_msg("no field %d", (int)key);
	abort();
}

static void assert_bytes(struct span entry, uint64_t key, const uint8_t *want,
			 size_t n)
{
	const struct cbor_item item = field(entry, key);

	assert_int_equal(item.type, CBOR_BYTES);
	assert_true(span_eq(item.run, span_of(want, n)));
}

static void assert_number(struct span entry, uint64_t key, int64_t want)
{
	const struct cbor_item item = field(entry, key);
	int64_t got;

	assert_true(cbor_int(&item, &got));
	assert_int_equal(got, want);
}

static void check_certificate(enum cose_alg alg, size_t sig_n, size_t named_n)
{
	const struct cbor_limits limits = {.depth = 2, .items = 40};
	struct entry_certificate c = facts(alg, sig_n);
	uint8_t out[512];
	uint8_t hash[32];
	struct span e;
	size_t n;

	assert_int_equal(entry_encode_certificate(ENTRY_ISSUED, 1700000000123,
						  &c, out, sizeof(out), &n),
			 SG_OK);
	e = span_of(out, n);
	assert_int_equal(cbor_check(e, limits), SG_OK);
	assert_int_equal(out[0], 0xac); /* 12 fields */
	assert_number(e, 1, 1);
	assert_number(e, 2, 1700000000123);
	assert_true(span_is(field(e, 3).run, "issuer"));
	assert_bytes(e, 4, c.kid, sizeof(c.kid));
	assert_number(e, 5, alg);
	assert_int_equal(field(e, 6).type, CBOR_TEXT);
	assert_true(span_is(field(e, 6).run, "r"));
	sha256("URN:UVCI:01:VN:1", sig_n, hash);
	assert_bytes(e, 7, hash, 32);
	sha256("", named_n, hash);
	assert_bytes(e, 9, hash, 16);
	sha256("to be signed", sig_n, hash);
	assert_bytes(e, 10, hash, 32);
	assert_number(e, 11, 1700000000);
	assert_number(e, 12, 1731536000);
	assert_bytes(e, 13, POLICY, 32);
}

static void test_certificate(void **state)
{
	(void)state;
	check_certificate(COSE_ES256, 64, 32); /* r alone */
	check_certificate(COSE_EDDSA, 64, 64);
	check_certificate(COSE_PS256, 256, 256);
}

/* FIPS 180: SHA-256 of the bytes 00..1f, computed elsewhere. */
static void test_revocation(void **state)
{
	static const uint8_t want[16] = {0x63, 0x0d, 0xcd, 0x29, 0x66, 0xc4,
					 0x33, 0x66, 0x91, 0x12, 0x54, 0x48,
					 0xbb, 0xb2, 0x5b, 0x4f};
	uint8_t out[ENTRY_REVOCATION_BYTES];

	(void)state;
	(void)facts(COSE_ES256, 64);
	assert_int_equal(
		entry_revocation(COSE_ES256, span_of(signature, 64), out),
		SG_OK);
	assert_memory_equal(out, want, sizeof(want));
	/* s may be negated by anybody: the name stays. */
	signature[63] ^= 0xff;
	assert_int_equal(
		entry_revocation(COSE_ES256, span_of(signature, 64), out),
		SG_OK);
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(
		entry_revocation(COSE_ES256, span_of(signature, 63), out),
		SG_MALFORMED);
	assert_int_equal(entry_revocation(COSE_PS256, span_of(NULL, 0), out),
			 SG_MALFORMED);
}

static void test_attestation(void **state)
{
	struct entry_certificate c = facts(COSE_ES256, 64);
	uint8_t out[512];
	size_t n;
	size_t measured;

	(void)state;
	c.attestation = ATTESTATION;
	assert_int_equal(entry_encode_certificate(ENTRY_RENEWED, -5, &c, NULL,
						  0, &measured),
			 SG_TOO_BIG);
	assert_int_equal(entry_encode_certificate(ENTRY_RENEWED, -5, &c, out,
						  measured, &n),
			 SG_OK);
	assert_int_equal(n, measured);
	assert_number(span_of(out, n), 1, 2);
	assert_number(span_of(out, n), 2, -5);
	assert_bytes(span_of(out, n), 14, ATTESTATION, 32);
	for (size_t cap = 0; cap < measured; cap++)
		assert_int_equal(entry_encode_certificate(ENTRY_RENEWED, -5, &c,
							  out, cap, &n),
				 SG_TOO_BIG);
}

static void test_run(void **state)
{
	static const uint8_t want[] = {0xa2, 0x01, 0x06, 0x02,
				       0x19, 0x03, 0xe8};
	struct entry_certificate c = facts(COSE_ES256, 64);
	uint8_t out[512];
	size_t n;

	(void)state;
	assert_int_equal(
		entry_encode_run(ENTRY_STARTED, 1000, out, sizeof(out), &n),
		SG_OK);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(out, want, n);
	assert_int_equal(entry_encode_run(ENTRY_STOPPED, 1000, out, 6, &n),
			 SG_TOO_BIG);
	assert_int_equal(entry_encode_run(ENTRY_ISSUED, 1, out, 9, &n),
			 SG_MALFORMED);
	assert_int_equal(entry_encode_certificate(ENTRY_STARTED, 1, &c, out,
						  sizeof(out), &n),
			 SG_MALFORMED);
}

static void test_policy(void **state)
{
	uint8_t out[64];
	size_t n;

	(void)state;
	assert_int_equal(entry_encode_policy(7, POLICY, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(n, 1 + 2 + 2 + 1 + 34);
	assert_number(span_of(out, n), 1, ENTRY_POLICY);
	assert_number(span_of(out, n), 2, 7);
	assert_bytes(span_of(out, n), 13, POLICY, 32);
}

static void test_refused(void **state)
{
	/* {1: 3, 2: 500, 3: "c", 15: 100, 16: {"b": 2, "aa": 300}, 17: 9} */
	static const uint8_t want[] = {0xa6, 0x01, 0x03, 0x02, 0x19, 0x01, 0xf4,
				       0x03, 0x61, 'c',	 0x0f, 0x18, 0x64, 0x10,
				       0xa2, 0x61, 'b',	 0x02, 0x62, 'a',  'a',
				       0x19, 0x01, 0x2c, 0x11, 0x09};
	static struct entry_refused r = {
		.client = SPAN_LIT("c"), .from_ms = 100, .records = 9, .n = 2};
	uint8_t out[64];
	size_t n;

	(void)state;
	r.code[0].code = SPAN_LIT("b");
	r.code[0].count = 2;
	r.code[1].code = SPAN_LIT("aa");
	r.code[1].count = 300;
	assert_int_equal(entry_encode_refused(500, &r, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(out, want, n);
	r.code[0].code = SPAN_LIT("aa"); /* twice */
	assert_int_equal(entry_encode_refused(500, &r, out, sizeof(out), &n),
			 SG_MALFORMED);
	r.code[0].code = SPAN_LIT("ccc"); /* not in order */
	assert_int_equal(entry_encode_refused(500, &r, out, sizeof(out), &n),
			 SG_MALFORMED);
	r.n = ENTRY_CODES_MAX + 1;
	assert_int_equal(entry_encode_refused(500, &r, out, sizeof(out), &n),
			 SG_MALFORMED);
}

/* A leaf's length must fit the 16 bits that the tiles give it. */
static void test_limit(void **state)
{
	struct entry_certificate c = facts(COSE_ES256, 64);
	static uint8_t out[70000];
	static uint8_t operation[70000];
	char name[ENTRY_NAME_MAX + 1];
	size_t room = 65000;
	size_t n;

	(void)state;
	memset(name, 'x', sizeof(name));
	c.client = span_of(name, ENTRY_NAME_MAX);
	assert_int_equal(entry_encode_certificate(ENTRY_ISSUED, 1, &c, out,
						  sizeof(out), &n),
			 SG_OK);
	c.client.n++;
	assert_int_equal(entry_encode_certificate(ENTRY_ISSUED, 1, &c, out,
						  sizeof(out), &n),
			 SG_TOO_BIG);
	assert_int_equal(entry_encode_ceremony(
				 1,
				 &(struct entry_ceremony){
					 .operation = span_of(operation, room)},
				 out, sizeof(out), &n),
			 SG_OK);
	room += ENTRY_BYTES_MAX - n;
	assert_int_equal(entry_encode_ceremony(
				 1,
				 &(struct entry_ceremony){
					 .operation = span_of(operation, room)},
				 out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(n, ENTRY_BYTES_MAX);
	assert_bytes(span_of(out, n), 18, operation, room);
	room++;
	assert_int_equal(entry_encode_ceremony(
				 1,
				 &(struct entry_ceremony){
					 .operation = span_of(operation, room)},
				 out, sizeof(out), &n),
			 SG_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_attestation),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
