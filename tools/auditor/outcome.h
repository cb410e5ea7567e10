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
	bool followed; /* its own key follows on the given one, by ENTRY */
	uint64_t entry;
	bool unproved; /* that the log begins with KEPT: tiles are damaged */
	bool audited;  /* RESULT is set */
	struct audit_result result;
	bool has_journal;
	uint64_t journal; /* entries found in it */
	struct findings *findings;
};

/*
 * Read the checkpoint of S and judge it, by O->trust and by what was kept.
 * Errors: SG_IO, SG_FORBIDDEN, ... with WHY (CAP bytes).  SG_OK also where
 * there is none, or a wrong one: what is wrong is in O->findings.
 */
SG_MUST_USE enum sg_err outcome_look(struct outcome *o, struct source *s,
				     char *why, size_t cap);
/* For an audit of what the checkpoint, which there is, has more than KEPT. */
struct audit_settings outcome_audit(const struct outcome *o,
				    const struct source_settings *where);
/* Print O on standard output; what must not be missed on standard error, too.
 * Returns EXIT_GOOD, or EXIT_REFUSED where something is wrong. */
int outcome_print(const struct outcome *o, bool json);

#endif /* SG_TOOLS_OUTCOME_H */
