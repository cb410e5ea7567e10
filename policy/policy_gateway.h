/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_GATEWAY_H
#define SG_POLICY_GATEWAY_H

#include "policy_reading.h"

/* policy_gateway: the gateways of the file, and what clients have to do with
 * them. */

/* Names and keys that S's gateways add to the look-up. */
size_t policy_gateway_names(const struct source *s);
/* Read the gateways of R's source into R->out, faults told by R.
 * Owns: R->out has them; policy_gateway_clear().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err policy_gateway_read(struct reading *r);
/* Once more is allowed. */
void policy_gateway_clear(struct policy_file *f);

/* Read `gateways` of client INDEX; the gateways have been read.
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err policy_gateway_grant(struct reading *r, uint32_t index);

#endif /* SG_POLICY_GATEWAY_H */
