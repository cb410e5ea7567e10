/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_OUTCOME_H
#define SG_TOOLS_OUTCOME_H

#include "audit.h"
#include "trust.h"

/* outcome: what `verify` and `mirror` found, for people and as JSON. */
struct outcome {
	const char *where;
	struct trust trust;
	bool has_checkpoint; /* CHECKPOINT is signed */
	struct trust_checkpoint checkpoint;
	bool has_kept; /* KEPT is what it was held against */
	struct trust_checkpoint kept;
	bool audited; /* RESULT is set */
	struct audit_result result;
	bool has_journal;
	uint64_t journal; /* entries found in it */
	struct findings *findings;
};

/* Print O on standard output; what must not be missed on standard error, too.
 * Returns EXIT_GOOD, or EXIT_REFUSED where something is wrong. */
int outcome_print(const struct outcome *o, bool json);

#endif /* SG_TOOLS_OUTCOME_H */
