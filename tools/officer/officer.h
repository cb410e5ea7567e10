/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_OFFICER_H
#define SG_TOOLS_OFFICER_H

#include <openssl/evp.h>

#include "base/err.h"
#include "ledger/note.h"
#include "tools/common/args.h"

/* officer: signer-officer, a command a file. */

enum {
	EXIT_GOOD = 0,
	EXIT_REFUSED = 1, /* a check failed */
	EXIT_TROUBLE = 2  /* usage, a file that cannot be read */
};

enum { WHY_MAX = 512 /* bytes of a reason */ };

enum { OPT_HELP, OPT_JSON, OPT_COMMON };

/* clang-format off */
#define COMMON_OPTIONS                                                         \
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},                   \
	[OPT_JSON] = {"json", NULL, NULL, "print the result as JSON"}
/* clang-format on */

struct officer_command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *about; /* one line */
	const char *more;  /* lines below the options, or NULL */
	const struct arg_option *options;
	size_t noptions;
	int (*run)(const struct args *args);
};

/* Print "signer-officer: WHY" on standard error; returns EXIT_TROUBLE. */
int officer_trouble(const char *why);

/* An officer's own key, Ed25519, from a file. */
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
