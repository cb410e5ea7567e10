/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_TRUST_H
#define SG_TOOLS_TRUST_H

#include "findings.h"
#include "ledger/checkpoint.h"
#include "source.h"

/* trust: by whose signatures a checkpoint is believed. */
enum { TRUST_WITNESSES_MAX = 16 };

struct trust {
	struct note_key key;
	bool given; /* else the key is the log's own word */
	/* The log says that it is OWN, which is another one than was given. */
	bool differs;
	struct note_key own;
	bool follows; /* a checkpoint by OWN alone may do */
	bool kept_may_follow;
	size_t nwitnesses;
	struct note_key witness[TRUST_WITNESSES_MAX];
	size_t quorum;		   /* witnesses that must have cosigned */
	int64_t cosigned_within_s; /* ... before now, an older state */
};

/* What was given to believe; each may be NULL. */
struct trust_wanted {
	const char *vkey;      /* the log's key, or a file with it */
	const char *witnesses; /* a witness's key, or a file of them, one a
				  line; "#" begins a remark */
	const char *quorum;    /* how many of these must have cosigned, instead
				  of all */
	/* Seconds within which witnesses must have cosigned what a server shows
	 * of an older state, instead of an hour; see cosigned.h. */
	const char *cosigned_within;
	bool follow; /* the caller will prove that the log's own key follows on
			the given one */
	/* ... and had done so when it kept a checkpoint by the own key alone:
	 * VKEY is its own note of that, and may be one step behind.  Not where
	 * somebody else gives VKEY: it may be a newer one, given because the
	 * log's older one was stolen. */
	bool kept_may_follow;
};

/*
 * Load what is WANTED; without a vkey the key is what S says.  With one, S may
 * be NULL; where it says another one both must have signed its checkpoint.
 * Errors: SG_CONFIG, SG_IO, SG_FORBIDDEN, SG_NO_MEMORY, SG_NOT_FOUND (the log
 * has no vkey) with WHY; SG_MALFORMED, SG_BAD_KEY: what is wrong is in F.
 */
SG_MUST_USE enum sg_err trust_load(struct trust *t,
				   const struct trust_wanted *wanted,
				   struct source *s, struct findings *f,
				   char *why, size_t cap);

/* What witnesses have cosigned, where that is an older state than the log's
 * checkpoint: see cosigned.h. */
struct trust_cosigned {
	bool there;	     /* enough of them have; all below is set */
	struct checkpoint c; /* the checkpoint has been held against it */
	int64_t time_s;	     /* of the oldest of their cosignatures */
	bool by_log;	     /* the log's key has signed it, too */
	size_t n;
	uint8_t note[CHECKPOINT_NOTE_MAX];
	enum sg_err err; /* of reading it, and in words */
	char why[SOURCE_WHY_MAX];
};

/* A checkpoint and the bytes that it lies in. */
struct trust_checkpoint {
	struct checkpoint c;
	size_t n;
	uint8_t note[CHECKPOINT_NOTE_MAX];
	size_t cosigned; /* by known witnesses: it, or what is in OLDER */
	struct trust_cosigned older; /* where too few have cosigned it */
	int64_t kept_s;		     /* of a kept one: when it was written */
	bool by_own; /* signed by the log's own key, not by the given one:
			good for nothing until that is proved */
};

/* Read the log's checkpoint and judge it: it is signed by the key of T,
 * whatever its witnesses did (cosigned.h).  All that is wrong goes to F.
 * Errors: SG_IO, SG_FORBIDDEN, SG_NO_MEMORY with WHY; SG_NOT_FOUND: there is
 * none to go by. */
SG_MUST_USE enum sg_err trust_fetch(const struct trust *t, struct source *s,
				    struct trust_checkpoint *out,
				    struct findings *f, char *why, size_t cap);
/* The log's own key does not follow on the given one, WHY (may be empty): what
 * that means of its checkpoint goes to F. */
void trust_refuse_own(const struct trust *t, const char *why,
		      struct findings *f);
/* The kept checkpoint in the file PATH, which T's key must have signed, or the
 * log's own where KEPT_MAY_FOLLOW.
 * Errors: SG_NOT_FOUND (no such file), SG_CONFIG, SG_NO_MEMORY with WHY. */
SG_MUST_USE enum sg_err trust_kept(const struct trust *t, const char *path,
				   struct trust_checkpoint *out, char *why,
				   size_t cap);
/* HASH in base64, as checkpoints have it. */
enum { TRUST_HASH_TEXT = 45 };
void trust_hash_text(const struct merkle_hash *hash, char out[TRUST_HASH_TEXT]);

#endif /* SG_TOOLS_TRUST_H */
