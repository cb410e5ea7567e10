/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CEREMONY_H
#define SG_TOOLS_CEREMONY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
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
};

/* Have entries of TYPE an operation? */
bool ceremony_is(enum entry_type type);
/* What OPERATION says; with an unknown one, nothing. */
struct ceremony ceremony_of(struct span operation);

enum { CEREMONY_TEXT = 128 };
/* The same in words; "" of nothing. */
const char *ceremony_text(const struct ceremony *c, char out[CEREMONY_TEXT]);

#endif /* SG_TOOLS_CEREMONY_H */
