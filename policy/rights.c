/* SPDX-License-Identifier: Apache-2.0 */
#include "rights.h"

#include "client.h"

/* What a client is asked for a field of the entry. */
struct right {
	enum document_field field;
	const char *key;
	bool (*granted)(const struct client *c, struct span value);
	enum violation_code code;
};

static const struct right RIGHT[] = {
	{DOC_CO, "co", client_may_country, VIOLATION_COUNTRY_NOT_ALLOWED},
	{DOC_IS, "is", client_may_issuer, VIOLATION_ISSUER_NOT_ALLOWED},
	{DOC_CI, "ci", client_may_uvci, VIOLATION_UVCI_NOT_ALLOWED},
};

void rights_judge(const struct rule_context *context, struct verdict *v)
{
	const struct document *d = context->document;
	const char letter = dcc_kind_letter(d->kind);
	const struct pointer dcc = {.key = SPAN_LIT("dcc")};
	const struct pointer kind = {.up = &dcc, .key = span_of(&letter, 1)};
	const struct pointer entry = {.up = &kind, .indexed = true};

	if (!d->has_kind) /* refused, and there is no one entry to look at */
		return;
	if (!client_may_kind(context->client, d->kind))
		rule_report(context->profile, v, VIOLATION_KIND_NOT_ALLOWED,
			    &kind);
	for (size_t i = 0; i < sizeof(RIGHT) / sizeof(RIGHT[0]); i++) {
		const struct right *r = &RIGHT[i];
		const struct pointer field = {.up = &entry,
					      .key = span_str(r->key)};

		if (d->present[r->field] &&
		    !r->granted(context->client, d->text[r->field]))
			rule_report(context->profile, v, r->code, &field);
	}
}
