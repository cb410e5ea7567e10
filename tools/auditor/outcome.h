/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_OUTCOME_H
#define SG_TOOLS_OUTCOME_H

#include "audit.h"
#include "trust.h"

/* outcome: what `verify` and `mirror` found, for people and as JSON. */
struct outcome {
	const char *where;
	struct trust trust;
	struct trust_checkpoint checkpoint;
	struct trust_checkpoint kept;
	uint64_t entry;
	struct audit_result result;
	uint64_t journal; /* entries found in it */
	struct findings *findings;
	bool has_checkpoint; /* CHECKPOINT is signed */
	bool has_kept;	     /* KEPT is what it was held against */
	bool followed; /* its own key follows on the given one, by ENTRY */
	bool unproved; /* that the log begins with KEPT: tiles are damaged */
	bool audited;  /* RESULT is set */
	bool has_journal;
};

/*
 * Read the checkpoint of S and judge it, by O->trust and by what was kept.
 * Errors: SG_IO, SG_FORBIDDEN, ... with WHY (CAP bytes).  SG_OK also where
 * there is none, or a wrong one: what is wrong is in O->findings.
 */
SG_MUST_USE enum sg_err outcome_look(struct outcome *o, struct source *s,
				     char *why, size_t cap);
/* For an audit of what the checkpoint, which there is, has more than KEPT; of
 * all where it remains to be seen whether its key follows. */
struct audit_settings outcome_audit(const struct outcome *o,
				    const struct source_settings *where);
/*
 * The audit that outcome_audit() asks for has given all of the log's operations
 * to A: are they approved, and, where the log's own key is to be followed, do
 * officers say so?  What is wrong goes to O->findings.
 * Errors: SG_NO_MEMORY with WHY (CAP bytes).
 */
SG_MUST_USE enum sg_err outcome_judge(struct outcome *o, struct approvals *a,
				      char *why, size_t cap);
/* Print O on standard output; what must not be missed on standard error, too.
 * Returns EXIT_GOOD, or EXIT_REFUSED where something is wrong. */
int outcome_print(const struct outcome *o, bool json);

#endif /* SG_TOOLS_OUTCOME_H */
