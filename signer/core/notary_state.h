/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_NOTARY_STATE_H
#define SG_NOTARY_STATE_H

#include "notary.h"

/*
 * notary_state: the inside of the notary, for its files alone: notary.c (what
 * is signed, and by whom), notary_check.c (whether the log may go on).
 */

/* A key of the ledger. */
struct notary_key {
	size_t key; /* in the keyring */
	struct note_key note;
};

struct notary {
	struct notary_parts part;
	enum notary_state state;
	char reason[NOTARY_REASON_MAX];
	bool proved;	 /* the log has been held against the anchor */
	bool recovered;	 /* officers have let it go on, */
	bool told;	 /* and their statement is to be recorded */
	bool consulted;	 /* the witnesses have been asked, */
	bool consulting; /* or are being asked */
	/* Why the last checkpoint could not be made; NULL: it was. */
	const char *failed;
	enum sg_err failed_err;
	/* The offer in hand. */
	bool busy, signing;
	/* By whose keys, and which of them is at it: the one that is leaving
	 * first. */
	size_t nkeys, at;
	struct notary_key key[KEYRING_LEDGER_MAX];
	uint8_t signature[KEYRING_LEDGER_MAX][NOTE_SIGNATURE_BYTES];
	uint64_t size;
	struct merkle_hash root;
	struct op op;
	uint8_t text[CHECKPOINT_TEXT_MAX];
	size_t text_n;
	uint8_t note[WIRE_ANCHOR_MAX];
	size_t note_n;
	/* What is signed for, and since when something waits to be. */
	uint64_t covered;
	uint64_t handed_over;		     /* of it, by two keys; 0: by one */
	uint64_t offered_us, waits_since_us; /* 0: nothing waits */
};

/* --- notary.c ------------------------------------------------------------- */

/* The checkpoint could not be made for now, at STEP (static), for ERR. */
void notary_give_up(struct notary *n, const char *step, enum sg_err err);
/* Have the offer in hand signed. */
void notary_sign(struct notary *n);

/* --- notary_check.c ------------------------------------------------------- */

/* Hold the offer in hand against what the HSM has on record; then sign it, give
 * up, or refuse it. */
void notary_prove(struct notary *n);
/* The log is not what somebody knows it to be; KNOWN is that state, or NULL.
 * It is refused for the reason FMT, unless officers have said otherwise. */
void notary_contest(struct notary *n, const struct checkpoint *known,
		    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif /* SG_NOTARY_STATE_H */
