/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REVOCATION_H
#define SG_REVOCATION_H

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "entry.h"

/*
 * revocation: what officers sign to revoke certificates: the text of a note,
 * and a list of hashes that it binds.
 *
 *	signerd revocation
 *	ORIGIN                 of the ledger
 *	serial N               1, 2, ...: each once, without a gap
 *	kind KIND              signature, uci or countrycodeuci
 *	reason TEXT
 *	list COUNT SHA-256     in hexadecimal, of the list
 *
 * The list is COUNT hashes of 16 bytes, one behind the other in ascending
 * order, each once: the first bytes of SHA-256 as in DCC revocation lists.
 * Pure, thread-safe but for the digest that revocation_binds() is lent.
 */
enum {
	REVOCATION_HASH_BYTES = ENTRY_REVOCATION_BYTES,
	REVOCATION_LIST_MAX = 1 << 20, /* hashes of one statement */
	REVOCATION_REASON_MAX = 200,   /* bytes */
	REVOCATION_TEXT_MAX = 1024,
	REVOCATION_SERIAL_MAX = 9999
};

enum revocation_kind {
	REVOCATION_SIGNATURE,	   /* of one signature */
	REVOCATION_UCI,		   /* of a UVCI: all its certificates */
	REVOCATION_COUNTRYCODEUCI, /* of issuing country and UVCI: likewise */
	REVOCATION_KINDS
};

struct revocation {
	struct span origin;
	unsigned serial; /* 1 .. REVOCATION_SERIAL_MAX */
	enum revocation_kind kind;
	struct span reason; /* printable UTF-8 */
	unsigned count;	    /* 1 .. REVOCATION_LIST_MAX */
	uint8_t list[ENTRY_HASH_BYTES];
};

/* "signature", "uci", "countrycodeuci"; static.  And back: REVOCATION_KINDS if
 * it is none. */
const char *revocation_kind_name(enum revocation_kind kind);
enum revocation_kind revocation_kind_of(struct span name);
/* The statement of R, with a NUL beyond *LEN.  Errors: SG_TOO_BIG; SG_MALFORMED
 * (R is not as above). */
SG_MUST_USE enum sg_err revocation_text(const struct revocation *r, char *out,
					size_t cap, size_t *len);
/* Read the statement TEXT, in which spans of OUT lie: in one spelling only.
 * Errors: SG_MALFORMED. */
SG_MUST_USE enum sg_err revocation_parse(struct span text,
					 struct revocation *out);
/* Is LIST what a statement may bind: whole hashes, in order, each once?
 * *COUNT: how many.  Errors: SG_MALFORMED, SG_TOO_BIG. */
SG_MUST_USE enum sg_err revocation_check_list(struct span list,
					      unsigned *count);
/* Is LIST the one that R binds?  Hashed by D.  Errors: SG_MALFORMED (it is
 * not), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err revocation_binds(const struct revocation *r,
					 struct span list, struct digest *d);

#endif /* SG_REVOCATION_H */
