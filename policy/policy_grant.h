/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_GRANT_H
#define SG_POLICY_GRANT_H

#include "policy_reading.h"

/* policy_grant: what a client of the file is granted. */

/* Read client INDEX of R's source into R->out, faults told by R.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err policy_grant_read(struct reading *r, uint32_t index);

#endif /* SG_POLICY_GRANT_H */
