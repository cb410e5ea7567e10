/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PLACE_H
#define SG_PLACE_H

#include "document.h"
#include "rule.h"

/* place: where a field lies in a request, for the judges, who know fields and
 * not pointers. */

/* Report CODE, as rule_report() does, at FIELD of the request of X: in dcc, in
 * nam or in the first entry of the document's kind. */
void place_report(const struct rule_context *x, struct verdict *v,
		  enum violation_code code, enum document_field field);
/* The same at the entry itself: /dcc/v/0. */
void place_report_entry(const struct rule_context *x, struct verdict *v,
			enum violation_code code);
/* And at the one entry's kind: /dcc/v. */
void place_report_kind(const struct rule_context *x, struct verdict *v,
		       enum violation_code code);

#endif /* SG_PLACE_H */
