/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LOG_MAKER_H
#define SG_LOG_MAKER_H

#include <openssl/evp.h>

#include "ledger/entry.h"
#include "ledger/note.h"
#include "ledger/tree.h"

/*
 * log_maker: logs for trials, with plausible entries of nobody's certificates,
 * signed by an Ed25519 key that is made for them.  The same entry for the same
 * number and SEED.
 */
enum { LOG_MAKER_CLIENTS = 3, LOG_MAKER_ENTRY_MAX = 1024 };

struct log_maker {
	struct tiles *tiles;
	struct tree *tree;
	EVP_PKEY *key;
	struct note_key note_key;
	uint64_t seed;	 /* another one: other entries */
	int64_t time_ms; /* of the first entry */
};

/* What an entry of this kind is made from. */
struct log_maker_certificate {
	char uvci[64];
	uint8_t signature[COSE_ES256_BYTES];
	uint8_t sig_structure[256];
	uint8_t hashes[64];	    /* a policy's */
	struct entry_certificate c; /* its spans lie here */
};

/* Begin an empty log in DIR, or go on with the SIZE leaves that it has, which
 * then needs the KEY of then; NULL: a fresh one.  KEY is kept a reference to.
 * Owns: log_maker_close() gives all back. */
SG_MUST_USE enum sg_err log_maker_open(struct log_maker *l, const char *dir,
				       const char *origin, EVP_PKEY *key,
				       uint64_t size);
void log_maker_close(struct log_maker *l);
/* The certificate that entry I is about. */
void log_maker_fill(const struct log_maker *l, uint64_t i,
		    struct log_maker_certificate *out);
/* Entry I: 0 is "started", 1 a policy, all others certificates. */
SG_MUST_USE enum sg_err log_maker_entry(const struct log_maker *l, uint64_t i,
					uint8_t out[LOG_MAKER_ENTRY_MAX],
					size_t *len);
/* Add entries until there are SIZE. */
SG_MUST_USE enum sg_err log_maker_grow(struct log_maker *l, uint64_t size);
/* Write the partial tiles, sign, write `checkpoint` and `vkey`. */
SG_MUST_USE enum sg_err log_maker_publish(struct log_maker *l);
/* The signed checkpoint of any SIZE and ROOT, into OUT of CAP bytes. */
SG_MUST_USE enum sg_err log_maker_sign(const struct log_maker *l, uint64_t size,
				       const struct merkle_hash *root,
				       uint8_t *out, size_t cap, size_t *len);

#endif /* SG_LOG_MAKER_H */
