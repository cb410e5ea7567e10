/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RECORD_H
#define SG_RECORD_H

#include "entry.h"

/*
 * record: one record of the journal: a ledger entry, and what replay and
 * revocation need beside it.  Its frame is the length of its body and the
 * CRC-32 over that length and the body (both 32 bits, little-endian); its body
 * is deterministic CBOR, see README.md.  Pure, thread-safe.
 */
enum {
	RECORD_HASH_BYTES = 32,
	RECORD_HEAD_BYTES = 8,
	RECORD_COUNTRY_MAX = 8,
	RECORD_BYTES_MAX = ENTRY_BYTES_MAX + COSE_SIG_MAX + 256 /* with head */
};

struct record {
	uint64_t index;	   /* of its leaf in the ledger */
	struct span entry; /* encoded: entry.h */
	/* Of entries of ENTRY_ISSUED and ENTRY_RENEWED; else empty and NULL. */
	struct span signature;	    /* COSE form */
	struct span country;	    /* iss claim; may be empty */
	const uint8_t *uci;	    /* 32: SHA-256(UVCI) */
	const uint8_t *country_uci; /* 32: SHA-256(country || UVCI) */
	const uint8_t *payload;	    /* 32: SHA-256(DCC payload, as signed) */
};

/* Write R with its head.  *LEN: bytes needed, also on SG_TOO_BIG.
 * Errors: SG_TOO_BIG (CAP), SG_MALFORMED (no entry, something too long, some
 * but not all of a certificate). */
SG_MUST_USE enum sg_err record_encode(const struct record *r, uint8_t *out,
				      size_t cap, size_t *len);
/*
 * Read the record at the beginning of IN; *LEN gets its bytes, head included.
 * Spans and pointers of OUT lie in IN.
 * Errors: SG_NOT_FOUND (IN ends before it does), SG_MALFORMED.
 */
SG_MUST_USE enum sg_err record_decode(struct span in, struct record *out,
				      size_t *len);

/* The frame alone, which a segment's head (segment.h) has, too: write the head
 * in front of the BODY_N bytes that stand at FRAME + RECORD_HEAD_BYTES; take it
 * off the beginning of IN.  Errors: as record_decode(); SG_MALFORMED: empty,
 * beyond BODY_MAX, or another CRC. */
void record_frame(uint8_t *frame, size_t body_n);
SG_MUST_USE enum sg_err record_unframe(struct span in, size_t body_max,
				       struct span *body);

#endif /* SG_RECORD_H */
