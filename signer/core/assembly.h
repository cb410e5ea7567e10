/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ASSEMBLY_H
#define SG_ASSEMBLY_H

#include "hcert/cose.h"
#include "ipc/wire.h"

/*
 * assembly: the bytes of one certificate while it is signed: the Sig_structure,
 * whose last field is the CWT, and what the answer needs beside it.  They lie
 * in a fixed buffer; a certificate beyond it costs one allocation.  Pure.
 */
enum {
	ASSEMBLY_FIXED = 2048, /* bytes: a usual certificate takes 500 */
	/* CWT claims, Sig_structure or COSE_Sign1 around a payload, without
	 * the signature. */
	ASSEMBLY_WRAP_MAX = 256,
	ASSEMBLY_SCRATCH =
		WIRE_REQUEST_MAX + 2 * ASSEMBLY_WRAP_MAX + COSE_SIG_MAX
};

struct assembly {
	struct span sig_structure; /* RFC 9052 s. 4.4 */
	struct span payload;	   /* the CWT, inside it */
	struct span prot;	   /* the protected header that is signed */
	struct span uvci, warnings;
	uint8_t kid[COSE_KID_BYTES]; /* in it */
	uint8_t *more; /* the buffer where `fixed` is too small, or NULL */
	uint8_t fixed[ASSEMBLY_FIXED];
};

struct assembly_parts {
	struct span country; /* iss claim; may be empty */
	struct span prot;    /* the protected header */
	const uint8_t *kid;  /* COSE_KID_BYTES, as in PROT */
	int64_t iat, exp;    /* seconds since 1970 */
	struct span dcc;     /* the payload, as it was judged */
	struct span uvci;
	struct span warnings; /* see violations.h */
};

/*
 * Assemble PARTS, copying all of it (the key's certificate may be renewed
 * before the signature comes), by way of SCRATCH.
 * Owns: A is the caller's; assembly_clear().
 * Errors: SG_TOO_BIG, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err assembly_make(struct assembly *a,
				      const struct assembly_parts *parts,
				      uint8_t scratch[ASSEMBLY_SCRATCH]);

/* The COSE_Sign1 of A with SIGNATURE, written to SCRATCH.  Errors: SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err assembly_sign1(const struct assembly *a,
				       struct span signature,
				       uint8_t scratch[ASSEMBLY_SCRATCH],
				       struct span *cose);

/* Put FRESH in the place of A, which is cleared; FRESH is empty then. */
void assembly_replace(struct assembly *a, struct assembly *fresh);

/* Give back what A holds; allowed for one that is zeroed. */
void assembly_clear(struct assembly *a);

#endif /* SG_ASSEMBLY_H */
