/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_OFFICER_H
#define SG_TOOLS_OFFICER_H

#include <openssl/evp.h>

#include "base/err.h"
#include "ledger/note.h"
#include "tools/common/command.h"

/* officer: signer-officer, a command a file. */

/* Print "signer-officer: WHY" on standard error; returns EXIT_TROUBLE. */
int officer_trouble(const char *why);

/* The private key in the PEM file PATH, of any type; a passphrase is asked for
 * on the terminal.
 * Owns: the caller's; EVP_PKEY_free().  NULL, with WHY. */
EVP_PKEY *officer_pem_read(const char *path, char *why, size_t cap);

/* An officer's own key, Ed25519, from a file: what the ledger's officers have.
 */
struct officer_key {
	EVP_PKEY *pkey;
	struct note_key note; /* its verifier key */
};

/*
 * Read the PEM file PATH; a passphrase is asked for on the terminal.  NAME: the
 * officer's, as in ledger.officers.
 * Owns: OUT->pkey is the caller's; EVP_PKEY_free().
 * Errors, with WHY: SG_IO, SG_MALFORMED, SG_BAD_KEY (not Ed25519).
 */
SG_MUST_USE enum sg_err officer_key_read(const char *path, const char *name,
					 struct officer_key *out, char *why,
					 size_t cap);

#endif /* SG_TOOLS_OFFICER_H */
