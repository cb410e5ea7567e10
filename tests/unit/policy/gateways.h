/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_GATEWAYS_H
#define SG_TEST_GATEWAYS_H

#include "../hcert/pki.h"
#include "base/base64.h"
#include "policy/attestation.h"
#include "policy/verifiers.h"

/* For the tests: a gateway with a key of its own, and what it attests. */
struct gate {
	EVP_PKEY *pkey;
	enum cose_alg alg;
	char text[1400]; /* the key as base64 */
	uint8_t kid[VERIFIER_KID_BYTES];
};

struct attested {
	size_t n;
	uint8_t bytes[1400];
};

/* Not inline: their buffers are large, and a frame is not to be. */
#define GATE_FUNCTION __attribute__((noinline, unused)) static

static const uint8_t GATE_NONCE[16] = {1, 2, 3};
static const uint8_t GATE_REFERENCE[32] = {9, 9};

static inline struct span attested_span(const struct attested *a)
{
	return span_of(a->bytes, a->n);
}

/* Takes PKEY over. */
GATE_FUNCTION struct gate gate_of(EVP_PKEY *pkey, enum cose_alg alg)
{
	struct gate g = {.pkey = pkey, .alg = alg};
	struct pki_der spki;

	pki_must(pkey != NULL);
	spki = pki_spki(pkey);
	g.text[base64_encode(pki_span(&spki), BASE64_STANDARD, g.text)] = 0;
	pki_must(verifier_kid(pki_span(&spki), g.kid) == SG_OK);
	return g;
}

GATE_FUNCTION struct gate gate_make(enum cose_alg alg)
{
	switch (alg) {
	case COSE_ES256: return gate_of(EVP_EC_gen("P-256"), alg);
	case COSE_PS256: return gate_of(EVP_RSA_gen(2048), alg);
	default: return gate_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), alg);
	}
}

static inline void gate_free(struct gate *g)
{
	EVP_PKEY_free(g->pkey);
}

/* Sign TBS by G in COSE's form. */
GATE_FUNCTION size_t gate_sign(const struct gate *g, struct span tbs,
			       uint8_t out[PKI_DER_MAX])
{
	uint8_t der[PKI_DER_MAX];
	size_t n;

	if (g->alg != COSE_ES256)
		return pki_sign(g->pkey, tbs, RSA_PKCS1_PSS_PADDING, 32, out);
	n = pki_sign(g->pkey, tbs, 0, 0, der);
	pki_raw_ecdsa(der, n, out);
	return COSE_ES256_BYTES;
}

/* CLAIMS, encoded, by G; EMPTY_AAD: as any other COSE_Sign1 would be signed. */
GATE_FUNCTION struct attested gate_seal(const struct gate *g,
					struct span claims, bool empty_aad)
{
	struct attested a;
	uint8_t prot[COSE_PROTECTED_MAX];
	uint8_t tbs[2048];
	uint8_t signature[PKI_DER_MAX];
	size_t prot_n;
	size_t n;
	struct span p;

	pki_must(cose_protected(g->alg, g->kid, prot, sizeof(prot), &prot_n) ==
		 SG_OK);
	p = span_of(prot, prot_n);
	if (empty_aad)
		pki_must(cose_sig_structure(p, span_of(NULL, 0), claims, tbs,
					    sizeof(tbs), &n) == SG_OK);
	else
		pki_must(attestation_tbs(p, claims, tbs, sizeof(tbs), &n) ==
			 SG_OK);
	n = gate_sign(g, span_of(tbs, n), signature);
	pki_must(cose_sign1_encode(p, claims, span_of(signature, n), a.bytes,
				   sizeof(a.bytes), &a.n) == SG_OK);
	return a;
}

/* The hash of the person FNT, GNT, DOB with GATE_NONCE; NULL: absent. */
static inline void gate_person(const char *fnt, const char *gnt,
			       const char *dob, uint8_t out[32])
{
	const struct attestation_person person = {
		.has_fnt = fnt != NULL,
		.has_gnt = gnt != NULL,
		.fnt = span_str(fnt != NULL ? fnt : ""),
		.gnt = span_str(gnt != NULL ? gnt : ""),
		.dob = span_str(dob)};
	struct digest *d;

	pki_must(digest_create(&d) == SG_OK);
	pki_must(attestation_person_hash(
			 d, span_of(GATE_NONCE, sizeof(GATE_NONCE)), &person,
			 out) == SG_OK);
	digest_free(d);
}

/* Claims for UVCI and the PERSON with that hash at TIME. */
static inline struct attestation_claims gate_claims(const char *uvci,
						    const uint8_t person[32],
						    int64_t time)
{
	return (struct attestation_claims){
		.uvci = span_str(uvci),
		.person = span_of(person, ATTESTATION_PERSON_BYTES),
		.nonce = span_of(GATE_NONCE, sizeof(GATE_NONCE)),
		.reference = span_of(GATE_REFERENCE, sizeof(GATE_REFERENCE)),
		.time = time,
		.verdict = true};
}

GATE_FUNCTION struct attested gate_attest(const struct gate *g,
					  const struct attestation_claims *c)
{
	uint8_t claims[ATTESTATION_CLAIMS_MAX];
	size_t n;

	pki_must(attestation_claims_encode(c, claims, sizeof(claims), &n) ==
		 SG_OK);
	return gate_seal(g, span_of(claims, n), false);
}

#endif /* SG_TEST_GATEWAYS_H */
