/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_MEMBERS_ROLL_H
#define SG_TOOLS_MEMBERS_ROLL_H

#include "ceremony/operation.h"
#include "in_force.h"
#include "tools/common/args.h"

/* The officers and their terms, of the options of members.h.  In OFFICERS what
 * is not said stays as it is NOW (NULL: not known; then all must be said).
 * Errors, with WHY: SG_CONFIG. */
SG_MUST_USE enum sg_err members_roll(const struct args *args,
				     enum operation_kind kind,
				     const struct in_force *now,
				     struct roll *out, char *why, size_t cap);

#endif /* SG_TOOLS_MEMBERS_ROLL_H */
