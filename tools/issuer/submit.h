/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SUBMIT_H
#define SG_TOOLS_SUBMIT_H

#include "issuer.h"

/* submit: sends the one record that a command is given. */

/* Options that all commands with a record have beside the online ones. */
enum { OPT_EXP = OPT_ONLINE, OPT_ID, OPT_SIGN_WITH, OPT_AUDIENCE, OPT_SUBMIT };

/* clang-format off */
#define SUBMIT_OPTIONS                                                         \
	[OPT_EXP] = {"exp", "TIME", NULL,                                      \
		     "when it shall expire (seconds or RFC 3339)"},            \
	[OPT_ID] = {"id", "TEXT", NULL, "your own mark, given back"}

#define SIGNING_OPTIONS                                                        \
	[OPT_SIGN_WITH] = {"sign-with", "FILE", "SIGNER_SIGN_WITH",            \
			   "sign what is asked for by this key, PEM"},         \
	[OPT_AUDIENCE] = {"audience", "NAME", "SIGNER_AUDIENCE",               \
			  "for the server whose ledger has this name"}
/* clang-format on */

struct submit_to {
	const char *path;
	const char *accept;    /* the form of the answer */
	const char *operation; /* "issue", "validate" */
};

/*
 * Send the record in the file that ARGS name to their server and wait for the
 * answer.
 * Owns: OUT->body is the caller's; free().
 * Errors: any; WHY (WHY_MAX bytes) says what.
 */
SG_MUST_USE enum sg_err submit_record(const struct args *args,
				      const struct submit_to *to,
				      struct https_reply *out, char *why);
/* The same with what such a FILE holds. */
SG_MUST_USE enum sg_err submit_text(const struct args *args, struct span file,
				    const struct submit_to *to,
				    struct https_reply *out, char *why);

#endif /* SG_TOOLS_SUBMIT_H */
