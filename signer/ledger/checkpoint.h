/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CHECKPOINT_H
#define SG_CHECKPOINT_H

#include "merkle.h"
#include "note.h"

/*
 * checkpoint: the signed state of a log (C2SP tlog-checkpoint): its origin,
 * its size and its root, as the text of a note.  Pure.
 */
enum {
	CHECKPOINT_TEXT_MAX = NOTE_NAME_MAX + 128,
	/* With the log's signature and those of its witnesses. */
	CHECKPOINT_NOTE_MAX = 8192
};

struct checkpoint {
	struct span origin; /* lies in what was parsed */
	uint64_t size;	    /* leaves */
	struct merkle_hash root;
};

/* Its text, to be signed.  *LEN: bytes needed, also on SG_TOO_BIG.  Errors:
 * SG_MALFORMED (an origin that is no key name), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err checkpoint_text(const struct checkpoint *c,
					uint8_t *out, size_t cap, size_t *len);
/* Take the TEXT of a note apart; extension lines are passed over.  Errors:
 * SG_MALFORMED. */
SG_MUST_USE enum sg_err checkpoint_parse(struct span text,
					 struct checkpoint *out);
/* The whole of it: the note IN is a checkpoint that KEY has signed, and whose
 * origin is the key's name.  *N (may be NULL) gets its parts.  Errors:
 * SG_MALFORMED (also another origin), SG_NOT_FOUND (not signed by it),
 * SG_BAD_SIGNATURE, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err checkpoint_open(struct span in,
					const struct note_key *key,
					struct checkpoint *out, struct note *n);

/*
 * A proof that a log holds an entry, for offline use (C2SP tlog-proof, v1):
 * the entry's INDEX, the hashes of P, the signed CHECKPOINT, and EXTRA (may be
 * empty), which nothing in it vouches for: here the entry itself.
 * *LEN as above.
 */
SG_MUST_USE enum sg_err checkpoint_proof_text(uint64_t index,
					      const struct merkle_proof *p,
					      struct span checkpoint,
					      struct span extra, uint8_t *out,
					      size_t cap, size_t *len);
/* Take one apart; *CHECKPOINT lies in it.  EXTRA of CAP bytes gets its extra
 * data, *EXTRA_N bytes (0: none); both may be NULL.  Errors: SG_MALFORMED,
 * SG_TOO_BIG (EXTRA; all else is set). */
SG_MUST_USE enum sg_err checkpoint_proof_parse(struct span in, uint64_t *index,
					       struct merkle_proof *p,
					       struct span *checkpoint,
					       uint8_t *extra, size_t cap,
					       size_t *extra_n);

#endif /* SG_CHECKPOINT_H */
