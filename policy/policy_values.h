/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_VALUES_H
#define SG_POLICY_VALUES_H

#include "policy_reading.h"

/* policy_values: the value sets of a policy: the EU's, and in place of each
 * that the file names its own. */

/* Read R's source into R->out->valuesets, faults told by R.
 * Owns: policy_values_clear().
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err policy_values_read(struct reading *r);
void policy_values_clear(struct policy_file *f);

#endif /* SG_POLICY_VALUES_H */
