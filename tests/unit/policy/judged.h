/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_JUDGED_H
#define SG_TEST_JUDGED_H

#include "policy/rule.h"
#include "request.h"

/* For the tests of judges: a document made field by field, and what one judge
 * says of it. */
struct judged {
	struct rule_profile profile;
	struct document document;
	struct rule_context context;
	struct verdict verdict;
};

static inline void judged_init(struct judged *j, enum dcc_kind kind,
			       int64_t now)
{
	rule_profile_init(&j->profile);
	j->document = (struct document){.has_kind = true, .kind = kind};
	j->context = (struct rule_context){
		.profile = &j->profile, .document = &j->document, .now = now};
}

static inline void judged_text(struct judged *j, enum document_field field,
			       const char *text)
{
	j->document.present[field] = text != NULL;
	if (text != NULL)
		j->document.text[field] = span_str(text);
}

static inline void judged_number(struct judged *j, enum document_field field,
				 int64_t number)
{
	j->document.present[field] = true;
	j->document.number[field] = number;
}

/* JUDGE says exactly LINES. */
static inline void judged_check(struct judged *j,
				void (*judge)(const struct rule_context *,
					      struct verdict *),
				const char *lines)
{
	verdict_init(&j->verdict);
	judge(&j->context, &j->verdict);
	assert_string_equal(verdict_lines(&j->verdict), lines);
}

#endif /* SG_TEST_JUDGED_H */
