/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_CERTLOGIC_H
#define SG_POLICY_CERTLOGIC_H

#include "policy_reading.h"

/* policy_certlogic: the CertLogic rules of the file, and their levels. */

/* Read the rules of R's source into R->out, faults told by R at the rule's
 * line, with the place in its JSON.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err policy_certlogic_read(struct reading *r);
/* Read what profile INDEX says of them; of what it does not name, the level is
 * USUAL. */
void policy_certlogic_levels(struct reading *r, uint32_t index,
			     enum rule_level usual);

#endif /* SG_POLICY_CERTLOGIC_H */
