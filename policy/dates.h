/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DATES_H
#define SG_DATES_H

#include "rule.h"

/*
 * dates: do the dates exist, is the event in the past and after the birth, can
 * it have happened when it is said to have, does a recovery's period begin
 * before it ends?  Where a day begins is a matter of the policy's time zone; a
 * test's time may be DATES_SKEW_S ahead of our clock.
 */
enum { DATES_SKEW_S = 60 };

void dates_judge(const struct rule_context *x, struct verdict *v);

#endif /* SG_DATES_H */
