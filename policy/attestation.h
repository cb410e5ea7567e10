/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ATTESTATION_H
#define SG_ATTESTATION_H

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"

/*
 * attestation: the form of a gateway's word that a person is who a certificate
 * says: a COSE_Sign1 (RFC 9052 s. 4.2) over a few claims, bound to this purpose
 * by its external data.  README.md has the format, with an example.  Only form:
 * who signed it, and what its claims are worth, is for gateway and attested.
 * Pure, no allocation but where said.
 */
enum {
	/* Longest UVCI and RSA-4096: some 1,050 bytes. */
	ATTESTATION_BYTES_MAX = 1280,
	ATTESTATION_KID_BYTES = COSE_KID_BYTES,
	ATTESTATION_PERSON_BYTES = DIGEST_BYTES,
	ATTESTATION_UVCI_MAX = 320, /* 80 code points in UTF-8 */
	/* Of the nonce: what there is to know of a person is soon guessed, a
	 * nonce is not. */
	ATTESTATION_NONCE_MIN = 16,
	ATTESTATION_NONCE_MAX = 64,
	ATTESTATION_REFERENCE_MIN = 16,
	ATTESTATION_REFERENCE_MAX = 64,
	ATTESTATION_CLAIMS_MAX = 512,
	/* The Sig_structure's frame, protected header and external data. */
	ATTESTATION_TBS_MAX = ATTESTATION_BYTES_MAX + 128
};

/* Taken apart; every span lies in the input. */
struct attestation {
	struct span prot; /* the protected header's bytes */
	enum cose_alg alg;
	struct span kid; /* ATTESTATION_KID_BYTES */
	struct span claims;
	struct span signature;
};

struct attestation_claims {
	struct span uvci;      /* of the certificate; UTF-8 */
	struct span person;    /* ATTESTATION_PERSON_BYTES */
	struct span nonce;     /* drawn at random for this attestation */
	struct span reference; /* of the national ID; opaque here */
	int64_t time;	       /* of the look-up, seconds since 1970 */
	bool verdict;	       /* the population database knows the person so */
};

/* Who a certificate is for, as its payload says. */
struct attestation_person {
	bool has_fnt, has_gnt;
	struct span fnt, gnt, dob; /* UTF-8 */
};

/*
 * Take IN apart: tag 18, one deterministic encoding, the two headers that
 * there must be and no others.  Nothing of it is verified, and the claims are
 * not looked at.
 * Errors: SG_MALFORMED; SG_TOO_BIG (longer than ATTESTATION_BYTES_MAX).
 */
SG_MUST_USE enum sg_err attestation_decode(struct span in,
					   struct attestation *out);

/* Read the CLAIMS of an attestation, which are all there, of their types and
 * lengths.  Errors: SG_MALFORMED. */
SG_MUST_USE enum sg_err attestation_claims_decode(
	struct span claims, struct attestation_claims *out);

/* The claims in deterministic CBOR.  *LEN is the bytes needed, also on
 * SG_TOO_BIG.  Errors: SG_TOO_BIG; SG_MALFORMED: a length that no reader
 * takes. */
SG_MUST_USE enum sg_err attestation_claims_encode(
	const struct attestation_claims *c, uint8_t *out, size_t cap,
	size_t *len);

/* What is signed: the Sig_structure (RFC 9052 s. 4.4) of PROT and CLAIMS with
 * the external data of attestations.  *LEN and Errors as above. */
SG_MUST_USE enum sg_err attestation_tbs(struct span prot, struct span claims,
					uint8_t *out, size_t cap, size_t *len);

/*
 * SHA-256(NONCE || canonical form of PERSON), by D.
 * Errors: SG_TOO_BIG: longer than any payload's names; SG_INTERNAL.
 */
SG_MUST_USE enum sg_err attestation_person_hash(
	struct digest *d, struct span nonce,
	const struct attestation_person *person,
	uint8_t out[ATTESTATION_PERSON_BYTES]);

#endif /* SG_ATTESTATION_H */
