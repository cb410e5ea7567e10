/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_KEYSET_H
#define SG_TOOLS_KEYSET_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "hcert/dsc.h"

/*
 * keyset: document signer certificates to verify with.  They are trusted as
 * they are given: their own signatures by a CSCA are not looked at.
 */
enum { KEYSET_MAX = 4096, KEYSET_NAME_MAX = 128 };

struct keyset_key {
	char name[KEYSET_NAME_MAX]; /* where it came from, for people */
	struct dsc dsc;
	struct cose_key *key; /* NULL: no algorithm of ours fits it */
};

struct keyset {
	size_t n;
	size_t cap;
	struct keyset_key *key;
};

/*
 * Add the certificates in BYTES, one in DER or any number in PEM; NAME says
 * where they are from.
 * Errors: SG_MALFORMED, SG_TOO_BIG (more than KEYSET_MAX), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err keyset_add(struct keyset *set, struct span bytes,
				   const char *name);
/*
 * Add the file PATH, or all files *.pem *.crt *.cer *.der in directory PATH.
 * Errors: as above, SG_IO, SG_NOT_FOUND (no certificate in the directory);
 * WHY (CAP bytes) names the file.
 */
SG_MUST_USE enum sg_err keyset_load(struct keyset *set, const char *path,
				    char *why, size_t cap);
/* SET begins as {0}; it may be filled again afterwards. */
void keyset_clear(struct keyset *set);

#endif /* SG_TOOLS_KEYSET_H */
