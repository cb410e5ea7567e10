/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_APPLY_H
#define SG_TOOLS_APPLY_H

#include <stdbool.h>

#include "daemon.h"
#include "opfile.h"

/* apply: bring F to D, and print what came of it.  CSR (may be NULL): where the
 * request that it makes goes.  Returns the exit status. */
int apply_operation(struct daemon *d, const struct opfile *f, const char *csr,
		    bool json);

#endif /* SG_TOOLS_APPLY_H */
