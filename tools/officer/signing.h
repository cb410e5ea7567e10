/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SIGNING_H
#define SG_TOOLS_SIGNING_H

#include "officer.h"

/* signing: one officer's signature comes to those that a statement has. */
struct signing {
	const struct officer_key *key;
	const char *out;   /* a file; NULL: standard output */
	const char *place; /* where a statement with enough of them goes */
	bool json;
};

/* The text of the statement IN and the signatures that it has: N, and their
 * LINES; none where IN is a bare text. */
void signing_take_apart(struct span in, struct note *n, struct span *lines);
/* TEXT, which ends with a line feed, on standard error. */
void signing_show(struct span text);
/* Sign N's text beside its LINES and write what is asked for: the note, with
 * JSON in an object; with OUT the note goes there.  Returns the exit status. */
int signing_add(const struct signing *to, const struct note *n,
		struct span lines);

#endif /* SG_TOOLS_SIGNING_H */
