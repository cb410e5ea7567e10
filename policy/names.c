/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "transliteration.h"

void names_judge(const struct rule_context *x, struct verdict *v)
{
	static const struct {
		enum document_field name, standard;
		const char *key;
	} pair[] = {
		{DOC_FN, DOC_FNT, "fnt"},
		{DOC_GN, DOC_GNT, "gnt"},
	};
	const struct document *d = x->document;
	const struct pointer dcc = {.key = SPAN_LIT("dcc")};
	const struct pointer nam = {.up = &dcc, .key = SPAN_LIT("nam")};

	if (rule_profile_level(x->profile, RULE_NAME_TRANSLITERATION) ==
	    RULE_OFF)
		return;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		const struct pointer field = {.up = &nam,
					      .key = span_str(pair[i].key)};

		if (d->present[pair[i].name] && d->present[pair[i].standard] &&
		    !transliteration_matches(d->text[pair[i].name],
					     d->text[pair[i].standard]))
			rule_report(x->profile, v,
				    VIOLATION_NAME_TRANSLITERATION, &field);
	}
}
