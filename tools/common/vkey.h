/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_VKEY_H
#define SG_TOOLS_VKEY_H

#include "ledger/note.h"

/* vkey: verifier keys of logs and witnesses, as users give them. */

/*
 * ARG if it is a verifier key itself, else what the file of that name holds.
 * Owns: *OUT is the caller's; free().
 * Errors: SG_CONFIG, SG_NO_MEMORY, with WHY (CAP bytes).
 */
SG_MUST_USE enum sg_err vkey_text(const char *arg, char **out, char *why,
				  size_t cap);
/* The key of a log that ARG gives so.  Errors: as above. */
SG_MUST_USE enum sg_err vkey_of_log(const char *arg, struct note_key *out,
				    char *why, size_t cap);
/* TEXT without white space at its end. */
struct span vkey_trimmed(struct span text);

#endif /* SG_TOOLS_VKEY_H */
