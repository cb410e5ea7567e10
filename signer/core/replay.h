/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REPLAY_H
#define SG_REPLAY_H

#include "assembly.h"
#include "keyring.h"
#include "revoked.h"

/*
 * replay: what is on record about a UVCI, held against a request for it.  The
 * journal has the signature and all that was signed but the payload, which the
 * request brings again: from both the very same COSE_Sign1 is made, and
 * nothing leaves that does not match the ledger's entry.  Loop thread only;
 * reads the journal's files, blocking.
 */
struct replay; /* opaque */

enum replay_word {
	REPLAY_SAME,	 /* the same request: its certificate */
	REPLAY_EXPIRED,	 /* the same request; its certificate has run out */
	REPLAY_ANEW,	 /* the same request, but its key is compromised, or the
			    signature on record does not verify */
	REPLAY_CONFLICT, /* another client's; or, where no renewal is asked for,
			    another payload */
	REPLAY_REVOKED,	 /* the same request, but it is revoked */
	/* Of a renewal, where it is the same request: */
	REPLAY_DUE,   /* it has run out, or is in its window, or ANEW */
	REPLAY_EARLY, /* not yet; where it is a renewal itself: REPLAY_SAME */
	REPLAY_HAD,   /* the wish that the client signed had its renewal, which
			 would be due itself */
	/* Of a renewal: this client's, of another payload. */
	REPLAY_CHANGED
};

struct replay_request {
	uint64_t offset;	/* of the record in the journal */
	struct span client;	/* its name in the policy */
	struct span uvci;	/* UTF-8 */
	const uint8_t *uci;	/* 32: SHA-256(UVCI) */
	const uint8_t *payload; /* 32: SHA-256(DCC) */
	struct span dcc;
	int64_t now;	  /* seconds since 1970 */
	bool renew;	  /* it asks for a renewal, which may come: */
	int64_t window_s; /* so long before the certificate runs out */
	/* When the client signed that wish; INT64_MAX: it has not. */
	int64_t signed_at;
};

/* JOURNAL_DIR need not be there before the first replay_find(); copied.  KEYS
 * outlives it.
 * Owns: *OUT is the caller's; replay_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err replay_create(const char *journal_dir,
				      const struct keyring *keys,
				      struct replay **out);
/* What is revoked: REVOKED outlives R.  NULL: nothing. */
void replay_set_revoked(struct replay *r, const struct revoked *revoked);
/*
 * What is to become of Q.  *OUT is set where *WORD is REPLAY_SAME, without
 * violations; its COSE_Sign1 lies in SCRATCH, its UVCI is Q's.
 * Errors: SG_LEDGER_DOWN (the journal cannot be read now), SG_INTERNAL (it has
 * no such record, or one that does not belong to Q): logged; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err replay_find(struct replay *r,
				    const struct replay_request *q,
				    uint8_t scratch[ASSEMBLY_SCRATCH],
				    enum replay_word *word,
				    struct wire_issued *out);
/* The SHA-256 of the attestation of the record that was found last, NULL if it
 * has none; until the next call. */
const uint8_t *replay_attestation(const struct replay *r);
void replay_free(struct replay *r); /* NULL is allowed */

#endif /* SG_REPLAY_H */
