/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ACCOUNT_H
#define SG_TOOLS_ACCOUNT_H

#include <jansson.h>

#include "sheet.h"
#include "survey.h"

/* account: a survey in words, for an auditor who is no programmer. */
struct account {
	const struct survey *survey;
	const struct walk_head *head;
	const char *where; /* the log, as it was named */
	int64_t made_ms;   /* when the report was made */
	bool selected;	   /* only some of the log's entries were looked at */
};

/* The whole report in FORM on TO.  Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err account_print(const struct account *a,
				      enum sheet_form form, FILE *to);
/* The same as JSON.  Owns: it is the caller's; NULL: no memory. */
json_t *account_json(const struct account *a);

/* Parts of it: the counts; what happened. */
void account_counts(const struct account *a, struct sheet *s);
void account_events(const struct account *a, struct sheet *s);

#endif /* SG_TOOLS_ACCOUNT_H */
