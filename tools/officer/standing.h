/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_STANDING_H
#define SG_TOOLS_STANDING_H

#include "opfile.h"

/* standing: how an operation stands to what is in force. */

/* What would be another way, old and new: of the officers and terms; and what
 * nothing would sign any more.  A line each on TO, or none. */
void standing_changes(const struct opfile *f, const struct opfile_known *known,
		      FILE *to);
/* How many approvals it has of how many, where keys are known; a line or two.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err standing_show(const struct opfile *f,
				      const struct opfile_known *known,
				      FILE *to);
/* The same as JSON: "approvals", "needed", and what keeps it from being
 * accepted, "fault".
 * Owns: the caller's; json_decref().  NULL: keys are not known; no memory. */
json_t *standing_json(const struct opfile *f, const struct opfile_known *known);

#endif /* SG_TOOLS_STANDING_H */
