/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_NAMES_H
#define SG_NAMES_H

#include "rule.h"

/* names: is fnt the transliteration of fn, and gnt of gn?  Judged where both
 * are there. */
void names_judge(const struct rule_context *x, struct verdict *v);

#endif /* SG_NAMES_H */
