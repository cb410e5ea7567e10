/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ANSWER_H
#define SG_TOOLS_ANSWER_H

#include "base/span.h"

/* answer: what one line of a server's stream says.  Pure. */

enum answer_kind {
	ANSWER_NONE, /* not an answer at all */
	ANSWER_GOOD, /* a certificate or an accepting verdict */
	ANSWER_PROBLEM
};

struct answer {
	enum answer_kind kind;
	int status; /* of a problem, else 200 */
	bool replayed;
	/* The same record may get another answer later: 408, 429, 503, 504. */
	bool again;
	bool quota; /* again, but not today */
	/* As they stand in the line, strings without quotes; n = 0: absent. */
	struct span id, uvci, type;
	struct span violations; /* of a problem, or the warnings: an array */
};

void answer_read(struct span line, struct answer *out);
/* Is the record of A to be sent again in another run: what asks for it, and if
 * REFUSED, whatever is a problem? */
bool answer_is_open(const struct answer *a, bool refused);
/* May the same request be sent again after STATUS? */
bool answer_again(int status);
/*
 * Can A be the answer to the record REQUEST?  False if its id or its UVCI is
 * another one.  True where that cannot be told: a problem need not name its
 * record, escapes are not compared, and the text of a certificate hides its
 * UVCI.
 */
bool answer_fits(const struct answer *a, struct span request);

#endif /* SG_TOOLS_ANSWER_H */
