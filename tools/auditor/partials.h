/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PARTIALS_H
#define SG_TOOLS_PARTIALS_H

#include "findings.h"

/*
 * partials: the older, narrower tiles that a log's directory keeps beside the
 * newer ones: each must be the beginning of the one that follows it.  What is
 * beyond the log's SIZE is not looked at.  What differs goes to F.
 * Errors: SG_IO, SG_NO_MEMORY with WHY.
 */
SG_MUST_USE enum sg_err partials_check(const char *dir, uint64_t size,
				       struct findings *f, char *why,
				       size_t cap);

#endif /* SG_TOOLS_PARTIALS_H */
