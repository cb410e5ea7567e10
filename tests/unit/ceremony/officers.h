/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_OFFICERS_H
#define SG_TEST_OFFICERS_H

/* Officers with keys of each algorithm, rolls of them, operations, and
 * signatures under these, for tests. */
#include "ceremony/approval.h"
#include "hcert/dsc.h"
#include "tests/unit/hcert/pki.h"

enum { OFFICERS = 5 }; /* alice, bob, carol, dave; eve is on no roll */

struct test_officer {
	struct officer o;
	EVP_PKEY *pkey;
};

static struct test_officer officers[OFFICERS];

static inline int officers_setup(void **state)
{
	static const char *const names[OFFICERS] = {"alice", "bob", "carol",
						    "dave", "eve"};

	(void)state;
	officers[0].pkey = EVP_EC_gen("P-256");
	officers[1].pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	officers[2].pkey = EVP_EC_gen("P-384");
	officers[3].pkey = EVP_RSA_gen(2048);
	officers[4].pkey = EVP_EC_gen("P-256");
	for (size_t i = 0; i < OFFICERS; i++) {
		const struct pki_der spki = pki_spki(officers[i].pkey);

		pki_must(officer_make(span_str(names[i]), pki_span(&spki),
				      &officers[i].o) == SG_OK);
	}
	return 0;
}

static inline int officers_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < OFFICERS; i++)
		EVP_PKEY_free(officers[i].pkey);
	return 0;
}

/* The first N, of whom THRESHOLD must approve. */
static inline void officers_roll(size_t n, unsigned threshold, struct roll *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out->officer[i] = officers[i].o;
	out->n = n;
	out->threshold = threshold;
	out->lead_s = 3600;
	out->stale_s = 86400;
	out->proposer_may_approve = true;
}

/* OFFICER's signature over MESSAGE in COSE form. */
static inline size_t officers_sign(const struct test_officer *officer,
				   struct span message,
				   uint8_t out[COSE_SIG_MAX])
{
	const bool wide = officer->o.alg == COSE_ES384;
	const bool ec = wide || officer->o.alg == COSE_ES256;
	const int half = wide ? 48 : 32;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	uint8_t der[PKI_DER_MAX];
	const uint8_t *p = der;
	size_t n = sizeof(der);
	const EVP_MD *md = wide ? EVP_sha384() : EVP_sha256();
	ECDSA_SIG *sig;

	if (officer->o.alg == COSE_EDDSA)
		md = NULL;
	pki_must(EVP_DigestSignInit(ctx, &pctx, md, NULL, officer->pkey) == 1);
	if (officer->o.alg == COSE_PS256) {
		pki_must(EVP_PKEY_CTX_set_rsa_padding(
				 pctx, RSA_PKCS1_PSS_PADDING) == 1);
		pki_must(EVP_PKEY_CTX_set_rsa_pss_saltlen(
				 pctx, COSE_PS256_SALT) == 1);
	}
	pki_must(EVP_DigestSign(ctx, der, &n, message.p, message.n) == 1);
	EVP_MD_CTX_free(ctx);
	if (!ec) {
		memcpy(out, der, n);
		return n;
	}
	sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	pki_must(sig != NULL);
	pki_must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half) == half);
	pki_must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half) == half);
	ECDSA_SIG_free(sig);
	return 2 * (size_t)half;
}

/* IN, an operation or a COSE_Sign, signed by OFFICER too. */
static inline size_t officers_approve(const struct test_officer *officer,
				      struct span in,
				      uint8_t out[APPROVED_BYTES_MAX])
{
	static struct approved a;
	static uint8_t message[APPROVED_BYTES_MAX];
	static uint8_t whole[APPROVED_BYTES_MAX];
	uint8_t sig[COSE_SIG_MAX];
	size_t n;

	pki_must(approved_decode(in, &a) == SG_OK);
	pki_must(approval_message(&officer->o, a.operation, message,
				  sizeof(message), &n) == SG_OK);
	n = officers_sign(officer, span_of(message, n), sig);
	pki_must(approved_add(&a, &officer->o, span_of(sig, n), whole,
			      sizeof(whole), &n) == SG_OK);
	memcpy(out, whole, n);
	return n;
}

/* --- operations ----------------------------------------------------------- */

static const uint8_t OFFICERS_NONCE[OPERATION_NONCE_BYTES] = {1, 2, 3};
static const uint8_t OFFICERS_HASH[OPERATION_HASH_BYTES] = {7, 8, 9};

/* An operation of KIND on "dsc-1" by alice, with nothing optional; the rest of
 * it is for the caller, but is good as it is, save for a roll. */
static inline void officers_operation(enum operation_kind kind,
				      struct operation *out)
{
	const unsigned has = operation_members(kind);

	memset(out, 0, sizeof(*out));
	out->kind = kind;
	out->origin = SPAN_LIT("test.example/ledger");
	out->nonce = OFFICERS_NONCE;
	out->created = 1790000000;
	out->expires = 1790086400;
	out->proposer = SPAN_LIT("alice");
	out->size = 1000;
	out->root.b[0] = 5;
	if ((has & OP_KEY) != 0)
		out->key = SPAN_LIT("dsc-1");
	if ((has & OP_HSM) != 0)
		out->hsm = SPAN_LIT("hsm-a");
	if ((has & OP_ALG) != 0)
		out->alg = COSE_ES256;
	if ((has & OP_KINDS) != 0)
		out->kinds = DCC_ALL_KINDS;
	if ((has & OP_SUBJECT) != 0) /* C=VN */
		out->subject = SPAN_LIT("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55"
					"\x04\x06\x13\x02VN");
	if ((has & OP_CERTIFICATE) != 0)
		out->certificate = SPAN_LIT("no certificate");
	if ((has & OP_SPKI) != 0)
		out->spki = SPAN_LIT("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03"
				     "\x21\x00"
				     "the 32 bytes of an Ed25519 key..");
	if ((has & OP_POLICY) != 0)
		out->policy = OFFICERS_HASH;
}

/* The same with a roll where it has one; FULL: with all that it may have. */
static inline void officers_full(enum operation_kind kind, bool full,
				 struct operation *o)
{
	const unsigned has = operation_members(kind);

	officers_operation(kind, o);
	if ((has & OP_ROLL) != 0)
		officers_roll(4, 3, &o->roll);
	if (!full)
		return;
	o->reason = SPAN_LIT("N\xc4\x83m m\xe1\xbb\x9bi");
	if ((has & OP_ALG) != 0) {
		o->alg = COSE_PS256;
		o->bits = 2048;
	}
	if ((has & OP_COUNTRY) != 0)
		o->country = SPAN_LIT("VN");
	if ((has & OP_LIMITS) != 0) {
		o->signatures = UINT64_MAX;
		o->period_s = 86400;
	}
	if ((has & OP_ACTIVATE) != 0) {
		o->activate = 1800000000;
		o->override = true;
	}
	if ((has & OP_RETIRE) != 0) {
		o->retire = 1800000000;
		o->last = true;
	}
	if ((has & OP_ROLL) != 0) {
		o->roll.policy_approval = true;
		o->roll.proposer_may_approve = false;
	}
}

#endif /* SG_TEST_OFFICERS_H */
