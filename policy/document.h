/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DOCUMENT_H
#define SG_DOCUMENT_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/dsc.h"
#include "verdict.h"

/*
 * document: a request {dcc, exp?, id?, attestation?} in deterministic CBOR,
 * taken apart: where each of its fields lies, typed by the schema's tables.
 * All spans lie in the request.
 */

/* The DCC's leaves by name (schema 1.3.3); a field of an entry is the same
 * enum in all kinds that have it. */
enum document_field {
	DOC_VER,
	DOC_DOB,
	DOC_FN,
	DOC_FNT,
	DOC_GN,
	DOC_GNT,
	DOC_TG,
	DOC_VP,
	DOC_MP,
	DOC_MA,
	DOC_DN,
	DOC_SD,
	DOC_DT,
	DOC_TT,
	DOC_NM,
	DOC_SC,
	DOC_TR,
	DOC_TC,
	DOC_FR,
	DOC_DF,
	DOC_DU,
	DOC_CO,
	DOC_IS,
	DOC_CI,
	DOC_FIELD_COUNT
};

struct document {
	struct span dcc; /* the payload's bytes, exactly as they are signed */
	bool has_kind;	 /* exactly one of v, t and r is there */
	enum dcc_kind kind;
	/* The fields of dcc, nam and the first entry: */
	bool present[DOC_FIELD_COUNT];	   /* there, and of the right type */
	struct span text[DOC_FIELD_COUNT]; /* of text fields that are present */
	int64_t number[DOC_FIELD_COUNT];   /* of dn, sd; likewise, but absent
					      where it is beyond 64 bits */
	bool asks_exp;			   /* there, of whatever type */
	bool has_exp; /* there, and an integer of 64 bits */
	int64_t exp;
	struct span id, attestation; /* n is 0 when absent or refused */
	bool wrong_attestation;	     /* it was refused */
};

#endif /* SG_DOCUMENT_H */
