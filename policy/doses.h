/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DOSES_H
#define SG_DOSES_H

#include "rule.h"

/* doses: is the dose one of the series? */
void doses_judge(const struct rule_context *x, struct verdict *v);

#endif /* SG_DOSES_H */
