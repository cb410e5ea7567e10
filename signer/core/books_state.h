/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BOOKS_STATE_H
#define SG_BOOKS_STATE_H

#include "books.h"
#include "notary.h"
#include "recount.h"
#include "revocations.h"
#include "scribe.h"
#include "witnesses.h"

/*
 * books_state: the common inside of books.c (what they are made of, and what
 * goes from one to the other) and books_look.c (what state they are in).
 */
struct books {
	struct books_parts part;
	struct core_ledger_settings ledger;
	char state_dir[CORE_PATH_MAX];
	char journal_dir[BOOKS_PATH_MAX], ledger_dir[BOOKS_PATH_MAX],
		index_dir[BOOKS_PATH_MAX];
	struct index *index;
	struct claims *claims;
	struct quota *quota;
	struct recount *recount; /* NULL: it could not begin */
	int64_t kept_s;		 /* when the history was written last */
	struct proofs *proofs;
	struct revocations *revocations;
	struct notary *notary; /* NULL: the ledger's key is not known yet */
	struct scribe *scribe; /* likewise */
	struct witnesses *witnesses; /* NULL: there are none */
	bool failed;		     /* they cannot be made: logged */
	enum books_state state;
	char reason[BOOKS_REASON_MAX];
	char unwitnessed[BOOKS_REASON_MAX];
};

/* Entries that the journal has committed. */
uint64_t books_committed_leaves(const struct books *b);

#endif /* SG_BOOKS_STATE_H */
