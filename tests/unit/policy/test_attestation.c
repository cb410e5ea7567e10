/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/attestation.h"

#include "base/hex.h"
#include "gateways.h"
#include "request.h"

static const uint8_t PERSON[32] = {7};
static struct gate gate;

static int open_gate(void **state)
{
	(void)state;
	gate = gate_make(COSE_ES256);
	return 0;
}

static int close_gate(void **state)
{
	(void)state;
	gate_free(&gate);
	return 0;
}

static struct attested usual(void)
{
	const struct attestation_claims c =
		gate_claims("URN:UVCI:01:VN:X", PERSON, 1700000000);

	return gate_attest(&gate, &c);
}

static void test_whole(void **state)
{
	const struct attested a = usual();
	struct attestation_claims c;
	struct attestation out;

	(void)state;
	assert_int_equal(attestation_decode(attested_span(&a), &out), SG_OK);
	assert_int_equal(out.alg, COSE_ES256);
	assert_memory_equal(out.kid.p, gate.kid, sizeof(gate.kid));
	assert_int_equal(out.signature.n, COSE_ES256_BYTES);
	assert_int_equal(attestation_claims_decode(out.claims, &c), SG_OK);
	assert_true(span_is(c.uvci, "URN:UVCI:01:VN:X"));
	assert_memory_equal(c.person.p, PERSON, sizeof(PERSON));
	assert_true(span_eq(c.nonce, span_of(GATE_NONCE, sizeof(GATE_NONCE))));
	assert_true(span_eq(c.reference, span_of(GATE_REFERENCE, 32)));
	assert_int_equal(c.time, 1700000000);
	assert_true(c.verdict);
}

/* Cut anywhere, or with something behind it, it is none. */
static void test_cut(void **state)
{
	struct attested a = usual();
	struct attestation out;

	(void)state;
	for (size_t n = 0; n < a.n; n++)
		assert_int_equal(attestation_decode(span_of(a.bytes, n), &out),
				 SG_MALFORMED);
	a.bytes[a.n++] = 0;
	assert_int_equal(attestation_decode(attested_span(&a), &out),
			 SG_MALFORMED);
	memset(a.bytes, 0, sizeof(a.bytes));
	assert_int_equal(
		attestation_decode(span_of(a.bytes, ATTESTATION_BYTES_MAX + 1),
				   &out),
		SG_TOO_BIG);
	assert_int_equal(attestation_decode(
				 span_of(a.bytes, ATTESTATION_BYTES_MAX), &out),
			 SG_MALFORMED);
}

/* The bytes of HEX. */
static struct span bytes_of(const char *hex)
{
	static uint8_t out[2048];

	assert_true(hex_decode(hex, out, strlen(hex) / 2));
	return span_of(out, strlen(hex) / 2);
}

static void envelope(const char *hex, enum sg_err err)
{
	struct attestation out;

	assert_int_equal(attestation_decode(bytes_of(hex), &out), err);
}

/* Each part in turn is not as it must be. */
static void test_envelope(void **state)
{
#define KID "480102030405060708"
#define PROT "4da2012604" KID
#define REST "a041a04101"
	(void)state;
	envelope("d284" PROT REST, SG_OK);
	envelope("84" PROT REST, SG_MALFORMED);	      /* no tag */
	envelope("d83dd284" PROT REST, SG_MALFORMED); /* a CWT's */
	envelope("d184" PROT REST, SG_MALFORMED);     /* a COSE_Mac0's */
	envelope("d81284" PROT REST, SG_MALFORMED);   /* a long head */
	envelope("d283" PROT "a041a0", SG_MALFORMED);
	envelope("d285" PROT REST "00", SG_MALFORMED);
	envelope("d29f" PROT REST "ff", SG_MALFORMED);
	envelope("d284" PROT REST "00", SG_MALFORMED);
	/* protected: empty, other order, other labels, more, tail, text */
	envelope("d28440" REST, SG_MALFORMED);
	envelope("d284"
		 "41a0" REST,
		 SG_MALFORMED);
	envelope("d284"
		 "43a10126" REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4da204" KID "0126" REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4da2012605" KID REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4fa3012604" KID "0500" REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4ea2012604" KID "00" REST,
		 SG_MALFORMED);
	envelope("d284"
		 "6da2012604" KID REST,
		 SG_MALFORMED);
	/* kid of 7 bytes; alg: ES384, a text, EdDSA, PS256 */
	envelope("d284"
		 "4ca20126044701020304050607" REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4ea201382204" KID REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4ea201614104" KID REST,
		 SG_MALFORMED);
	envelope("d284"
		 "4da2012704" KID REST,
		 SG_OK);
	envelope("d284"
		 "4ea201382404" KID REST,
		 SG_OK);
	/* unprotected: not empty, no map; claims nil, empty; no signature */
	envelope("d284" PROT "a10126"
		 "41a04101",
		 SG_MALFORMED);
	envelope("d284" PROT "80"
		 "41a04101",
		 SG_MALFORMED);
	envelope("d284" PROT "a0f64101", SG_MALFORMED);
	envelope("d284" PROT "a0404101", SG_MALFORMED);
	envelope("d284" PROT "a041a040", SG_MALFORMED);
	envelope("d284" PROT "a05f41a0ff4101", SG_MALFORMED);
#undef KID
#undef PROT
#undef REST
}

static void claims(const char *hex, enum sg_err err)
{
	struct attestation_claims out;

	assert_int_equal(attestation_claims_decode(bytes_of(hex), &out), err);
}

#define X16 "000102030405060708090a0b0c0d0e0f"
#define X32 X16 X16
#define PERSON_IS "025820" X32
#define NONCE_IS "0350" X16
#define REFERENCE_IS "0450" X16
#define TIME_IS "051a65000000"

static void test_claims(void **state)
{
	static const char head[] = "a6016155" PERSON_IS;
	struct attestation_claims c;

	(void)state;
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f5",
	       SG_OK);
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS "051b"
	       "7fffffffffffffff"
	       "06f4",
	       SG_OK);
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS "0520"
	       "06f5",
	       SG_OK); /* before 1970 */
	assert_int_equal(attestation_claims_decode(
				 bytes_of("a6016155" PERSON_IS NONCE_IS
						  REFERENCE_IS TIME_IS "06f4"),
				 &c),
			 SG_OK);
	assert_false(c.verdict);
	/* one missing, one too many, in another order, twice */
	claims("a5016155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS,
	       SG_MALFORMED);
	claims("a7016155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f50700",
	       SG_MALFORMED);
	claims("a6016155" NONCE_IS PERSON_IS REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS PERSON_IS REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f500",
	       SG_MALFORMED);
	/* the UVCI: bytes, empty, not UTF-8 */
	claims("a6014155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	claims("a60160" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	claims("a60161ff" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	/* a short person, nonce, reference */
	claims("a6016155"
	       "0250" X16 NONCE_IS REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS
	       "034f0102030405060708090a0b0c0d0e0f" REFERENCE_IS TIME_IS "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS NONCE_IS
	       "044f0102030405060708090a0b0c0d0e0f" TIME_IS "06f5",
	       SG_MALFORMED);
	/* of the greatest length, and one byte more */
	claims("a6016155" PERSON_IS "035840" X32 X32 "045840" X32 X32 TIME_IS
	       "06f5",
	       SG_OK);
	claims("a6016155" PERSON_IS "035841" X32 X32 "00" REFERENCE_IS TIME_IS
	       "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS NONCE_IS "045841" X32 X32 "00" TIME_IS
	       "06f5",
	       SG_MALFORMED);
	/* a time beyond 64 bits, with a fraction; a verdict of 1, null */
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS "051bffffffffffffffff"
	       "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS "05f93e00"
	       "06f5",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "0601",
	       SG_MALFORMED);
	claims("a6016155" PERSON_IS NONCE_IS REFERENCE_IS TIME_IS "06f6",
	       SG_MALFORMED);
	claims(head, SG_MALFORMED);
	claims("f6", SG_MALFORMED);
}

/* What is written is read, and what no reader takes is not written. */
static void test_encode(void **state)
{
	static const uint8_t long_bytes[ATTESTATION_UVCI_MAX + 1];
	struct attestation_claims c = gate_claims("U", PERSON, -1);
	uint8_t out[ATTESTATION_CLAIMS_MAX];
	size_t n;
	size_t need;

	(void)state;
	assert_int_equal(attestation_claims_encode(&c, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(attestation_claims_encode(&c, out, n - 1, &need),
			 SG_TOO_BIG);
	assert_int_equal(n, need);
	c.uvci = span_of(long_bytes, sizeof(long_bytes));
	assert_int_equal(attestation_claims_encode(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c.uvci = span_of(long_bytes, 0);
	assert_int_equal(attestation_claims_encode(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c = gate_claims("U", PERSON, 0);
	c.nonce.n = ATTESTATION_NONCE_MIN - 1;
	assert_int_equal(attestation_claims_encode(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c = gate_claims("U", PERSON, 0);
	c.reference.n = ATTESTATION_REFERENCE_MIN - 1;
	assert_int_equal(attestation_claims_encode(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c = gate_claims("U", PERSON, 0);
	c.person.n = 31;
	assert_int_equal(attestation_claims_encode(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
}

/* The example of README.md. */
static void test_person(void **state)
{
	static const char expected[] = "9a4b35f988f094555b19010309a2678e209ef97"
				       "a996d2df6845da18f54dc0bd2";
	const struct attestation_person person = {
		.has_fnt = true,
		.has_gnt = true,
		.fnt = SPAN_LIT("NGUYEN"),
		.gnt = SPAN_LIT("BAO<DUY"),
		.dob = SPAN_LIT("1984-03-02")};
	struct attestation_person other = person;
	static char name[300];
	struct digest *d;
	uint8_t hash[ATTESTATION_PERSON_BYTES];
	uint8_t hash2[ATTESTATION_PERSON_BYTES];
	char hex[HEX_TEXT(ATTESTATION_PERSON_BYTES)];
	uint8_t nonce[16];

	(void)state;
	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)(0x10 + i);
	assert_int_equal(digest_create(&d), SG_OK);
	assert_int_equal(attestation_person_hash(d,
						 span_of(nonce, sizeof(nonce)),
						 &person, hash),
			 SG_OK);
	assert_string_equal(hex_encode(hash, sizeof(hash), hex), expected);
	/* A letter moved from one field to the next, an absent field. */
	other.fnt = SPAN_LIT("NGUYENB");
	other.gnt = SPAN_LIT("AO<DUY");
	assert_int_equal(attestation_person_hash(d,
						 span_of(nonce, sizeof(nonce)),
						 &other, hash2),
			 SG_OK);
	assert_memory_not_equal(hash, hash2, sizeof(hash));
	other = person;
	other.gnt = SPAN_LIT("");
	assert_int_equal(attestation_person_hash(d,
						 span_of(nonce, sizeof(nonce)),
						 &other, hash),
			 SG_OK);
	other.has_gnt = false;
	assert_int_equal(attestation_person_hash(d,
						 span_of(nonce, sizeof(nonce)),
						 &other, hash2),
			 SG_OK);
	assert_memory_not_equal(hash, hash2, sizeof(hash));
	memset(name, 'A', sizeof(name));
	other.fnt = span_of(name, sizeof(name));
	assert_int_equal(attestation_person_hash(d,
						 span_of(nonce, sizeof(nonce)),
						 &other, hash2),
			 SG_TOO_BIG);
	digest_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	 cmocka_unit_test(test_cut),
		cmocka_unit_test(test_envelope), cmocka_unit_test(test_claims),
		cmocka_unit_test(test_encode),	 cmocka_unit_test(test_person),
	};

	return cmocka_run_group_tests(tests, open_gate, close_gate);
}
