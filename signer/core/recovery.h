/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RECOVERY_H
#define SG_RECOVERY_H

#include "core.h"
#include "ledger/checkpoint.h"
#include "ledger/note.h"

/*
 * recovery: how officers let signerd go on with a ledger that is not what it
 * was, after a disaster.  The core writes down what it found, STATE/
 * recovery.request; the officers sign these very bytes as a note
 * (signer-officer recover), and put it at STATE/recovery.  It counts for this
 * one contradiction and no other, and goes on record: until it is there, the
 * file stays.  Loop thread only.
 *
 *	signerd ledger recovery
 *	ORIGIN
 *	disk SIZE ROOT
 *	known SIZE ROOT        (or: known nothing)
 *
 * Nothing is known of an HSM without a record, and of a witness, whose word
 * names no root.
 */
enum {
	RECOVERY_TEXT_MAX = CHECKPOINT_TEXT_MAX + 256,
	RECOVERY_NOTE_MAX = 8192 /* with its signatures */
};

struct recovery_facts {
	const char *origin;
	uint64_t disk_size;
	struct merkle_hash disk_root;
	bool known; /* somebody knows of a state of this log: */
	uint64_t known_size;
	struct merkle_hash known_root;
};

/* *OUT: officers of SETTINGS that have signed N; one key counts once, by
 * whatever names.  Errors: SG_NO_MEMORY (one could not be verified). */
SG_MUST_USE enum sg_err recovery_approvals(
	const struct note *n, const struct core_ledger_settings *settings,
	unsigned *out);
/* What the officers are to sign.  *LEN: bytes needed, also on SG_TOO_BIG. */
SG_MUST_USE enum sg_err recovery_text(const struct recovery_facts *f,
				      uint8_t *out, size_t cap, size_t *len);
/* Write it to DIR/recovery.request.  Errors: SG_IO. */
SG_MUST_USE enum sg_err recovery_ask(const char *dir,
				     const struct recovery_facts *f);
/*
 * Is there, at DIR/recovery, the statement of F, signed by at least
 * SETTINGS->approvals of its officers?  An officer counts once, whatever the
 * number of names.  NOTE (CAP bytes, *LEN) gets it.  Errors: SG_NOT_FOUND
 * (there is none), SG_MALFORMED (no note, or of other facts), SG_BAD_SIGNATURE
 * (not enough of them have signed it), SG_TOO_BIG, SG_IO, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err recovery_find(
	const char *dir, const struct recovery_facts *f,
	const struct core_ledger_settings *settings, uint8_t *note, size_t cap,
	size_t *len);
/* Is there one by which the log went on from AT, the state that is anchored?
 * Then a crash came before it was recorded.  Errors: as above. */
SG_MUST_USE enum sg_err recovery_find_used(
	const char *dir, const struct checkpoint *at,
	const struct core_ledger_settings *settings, uint8_t *note, size_t cap,
	size_t *len);
/* It has been used and is on record: put both files aside. */
void recovery_used(const char *dir);

#endif /* SG_RECOVERY_H */
