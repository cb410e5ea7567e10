/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DSC_H
#define SG_DSC_H

#include "base/err.h"
#include "base/span.h"
#include "cose.h"

/* Kinds of certificate, one bit each: the DCC's "v", "t" and "r". */
enum dcc_kind { DCC_VACCINATION, DCC_TEST, DCC_RECOVERY, DCC_KINDS };
#define DCC_KIND_BIT(kind) (1U << (kind))
enum { DCC_ALL_KINDS = (1 << DCC_KINDS) - 1 };

/* 'v', 't' or 'r'. */
char dcc_kind_letter(enum dcc_kind kind);

/* The extended key usage that allows KIND: the OID of certificate governance
 * s. 4.1.3, in dots.  Static; NULL for no kind.  None of the three means all.
 */
const char *dcc_kind_oid(enum dcc_kind kind);

/* What a document signer certificate says (RFC 5280; eHealth Network
 * certificate governance s. 4). */
struct dsc {
	uint8_t kid[COSE_KID_BYTES];
	int64_t not_before, not_after; /* seconds since 1970 */
	unsigned kinds; /* from the extended key usage; DCC_ALL_KINDS if it
			   names none of the three (both arcs are read) */
	bool digital_signature; /* key usage; true where it is absent */
	enum cose_alg alg;	/* that the key fits; COSE_NONE: none of ours */
};

/* Read the certificate in DER.  Pure.  Errors: SG_MALFORMED, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err dsc_read(struct span der, struct dsc *out);

#endif /* SG_DSC_H */
