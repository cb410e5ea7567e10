/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BATCHES_H
#define SG_TOOLS_BATCHES_H

#include <stdio.h>

#include "hcert/cose.h"
#include "ledger/entry.h"

/*
 * batches: DCC revocation hashes in the form in which they are sent to the EU's
 * gateway: JSON objects of at most 1,000 hashes, each of one country and one
 * signing key.  In them hashes stand in their own order, each once: it does not
 * tell in which order the certificates were issued.
 */
enum batches_type {
	BATCHES_SIGNATURE,
	BATCHES_UCI,
	BATCHES_COUNTRYCODEUCI,
	BATCHES_TYPES
};

enum {
	BATCHES_ENTRIES_MAX = 1000, /* hashes in one, as the gateway has it */
	BATCHES_KEYS_MAX = 4096,    /* countries and keys */
	BATCHES_COUNTRY = 2	    /* letters: ISO 3166-1 alpha-2 */
};

struct batches; /* opaque */

/* One certificate to be revoked. */
struct batches_item {
	char country[BATCHES_COUNTRY];
	uint8_t kid[COSE_KID_BYTES];
	uint8_t hash[ENTRY_REVOCATION_BYTES];
	int64_t exp; /* seconds since 1970 */
};

/* What there is of one country and key. */
struct batches_key {
	char country[BATCHES_COUNTRY];
	uint8_t kid[COSE_KID_BYTES];
	uint64_t certificates;
	uint64_t hashes; /* after batches_seal(): each once */
	uint64_t batches;
	int64_t exp; /* the latest */
};

/* "SIGNATURE", static; and back, BATCHES_TYPES if it is none. */
const char *batches_type_name(enum batches_type type);
enum batches_type batches_type_of(const char *name);

/* Owns: *OUT is the caller's; batches_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err batches_create(enum batches_type type,
				       struct batches **out);
void batches_free(struct batches *b); /* NULL is allowed */
/* 24 bytes are kept for each.  Errors: SG_TOO_BIG (BATCHES_KEYS_MAX),
 * SG_NO_MEMORY. */
SG_MUST_USE enum sg_err batches_add(struct batches *b,
				    const struct batches_item *item);
/* No more come: put them in order.  Then the following can be asked. */
void batches_seal(struct batches *b);
/* The Ith country and key, in ascending order; NULL beyond the last. */
const struct batches_key *batches_key(const struct batches *b, size_t i);
/* Write batch N, from 0, of the Ith to TO, without a line end.
 * Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err batches_write(const struct batches *b, size_t i,
				      uint64_t n, FILE *to);

#endif /* SG_TOOLS_BATCHES_H */
