/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CEREMONY_H
#define SG_TOOLS_CEREMONY_H

#include <stdbool.h>
#include <stdint.h>

#include "ceremony/approval.h"
#include "ledger/entry.h"

/*
 * ceremony: what an operation that officers approved says, as far as it can be
 * told in a line.
 */
struct ceremony {
	bool recovery;	  /* the ledger went on as it was found on disk */
	uint64_t disk;	  /* entries that it had there */
	bool is_known;	  /* the HSM or a witness knew of another state, */
	uint64_t known;	  /* of so many entries */
	unsigned serial;  /* of a revocation, from 1; 0: it is none */
	unsigned revoked; /* hashes of certificates in it */
	/* Of an operation, signed or not; OPERATION_KINDS: it is none. */
	enum operation_kind kind;
	/* SHA-256 of its own bytes, without signatures: what changes of keys
	 * name it by. */
	uint8_t id[ENTRY_HASH_BYTES];
	char key[ROLL_NAME_MAX]; /* that it is about; "": none */
	char proposer[ROLL_NAME_MAX];
	/* It was refused: that its proposer and its signers are those whom it
	 * names is its own word, by which nobody has gone. */
	bool claimed;
	/* Whose signatures it bears; whether they verify is not known here. */
	size_t signers;
	struct {
		enum cose_alg alg;
		uint8_t kid[ROLL_KID_BYTES];
	} signer[APPROVALS_MAX];
};

/* Have entries of TYPE an operation? */
bool ceremony_is(enum entry_type type);
/* What the operation of E says, an entry of such a type; with an unknown one,
 * nothing. */
struct ceremony ceremony_of(const struct entry *e);

enum { CEREMONY_TEXT = 1200, CEREMONY_ID_SHOWN = 16 /* digits */ };
/* Does C say anything? */
bool ceremony_speaks(const struct ceremony *c);
/* The same in words; "" of nothing. */
const char *ceremony_text(const struct ceremony *c, char out[CEREMONY_TEXT]);

#endif /* SG_TOOLS_CEREMONY_H */
