/* SPDX-License-Identifier: Apache-2.0 */
#include "doses.h"

#include "place.h"

void doses_judge(const struct rule_context *x, struct verdict *v)
{
	const struct document *d = x->document;

	if (d->has_kind && d->kind == DCC_VACCINATION && d->present[DOC_DN] &&
	    d->present[DOC_SD] && d->number[DOC_DN] > d->number[DOC_SD])
		place_report(x, v, VIOLATION_DOSE_EXCEEDS_SERIES, DOC_DN);
}
