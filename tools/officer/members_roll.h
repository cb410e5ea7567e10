/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_MEMBERS_ROLL_H
#define SG_TOOLS_MEMBERS_ROLL_H

#include "ceremony/roll.h"
#include "tools/common/args.h"

/* The officers and their terms, of the options of members.h.
 * Errors, with WHY: SG_CONFIG. */
SG_MUST_USE enum sg_err members_roll(const struct args *args, struct roll *out,
				     char *why, size_t cap);

#endif /* SG_TOOLS_MEMBERS_ROLL_H */
