/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RIGHTS_H
#define SG_RIGHTS_H

#include "rule.h"

/* rights: may this client issue this kind, for this country, in this issuer's
 * name, under this UVCI?  Never switchable. */
void rights_judge(const struct rule_context *context, struct verdict *v);

#endif /* SG_RIGHTS_H */
