/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_VERIFY_JOURNAL_H
#define SG_TOOLS_VERIFY_JOURNAL_H

#include "outcome.h"

/*
 * verify_journal: holds the entries of the log S, as SETTINGS name them,
 * against the journal in the directory JOURNAL: the same bytes under the same
 * index, and the revocation hash of the recorded signature.  What differs goes
 * to the findings of OUT; its `journal` is how many were there.
 * Errors: SG_CONFIG (no journal there), SG_IO, SG_FORBIDDEN, SG_NO_MEMORY,
 * with WHY.
 */
SG_MUST_USE enum sg_err verify_journal(struct source *s, const char *journal,
				       const struct audit_settings *settings,
				       struct outcome *out, char *why,
				       size_t cap);

#endif /* SG_TOOLS_VERIFY_JOURNAL_H */
