/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "place.h"
#include "transliteration.h"

void names_judge(const struct rule_context *x, struct verdict *v)
{
	static const struct {
		enum document_field name, standard;
	} pair[] = {
		{DOC_FN, DOC_FNT},
		{DOC_GN, DOC_GNT},
	};
	const struct document *d = x->document;

	if (rule_profile_level(x->profile, RULE_NAME_TRANSLITERATION) ==
	    RULE_OFF)
		return;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
		if (d->present[pair[i].name] && d->present[pair[i].standard] &&
		    !transliteration_matches(d->text[pair[i].name],
					     d->text[pair[i].standard]))
			place_report(x, v, VIOLATION_NAME_TRANSLITERATION,
				     pair[i].standard);
}
