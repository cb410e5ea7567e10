/* SPDX-License-Identifier: Apache-2.0 */
#include "rights.h"

#include "client.h"
#include "place.h"

/* What a client is asked for a field of the entry. */
struct right {
	enum document_field field;
	bool (*granted)(const struct client *c, struct span value);
	enum violation_code code;
};

static const struct right RIGHT[] = {
	{DOC_CO, client_may_country, VIOLATION_COUNTRY_NOT_ALLOWED},
	{DOC_IS, client_may_issuer, VIOLATION_ISSUER_NOT_ALLOWED},
	{DOC_CI, client_may_uvci, VIOLATION_UVCI_NOT_ALLOWED},
};

void rights_judge(const struct rule_context *context, struct verdict *v)
{
	const struct document *d = context->document;

	if (!d->has_kind) /* refused, and there is no one entry to look at */
		return;
	if (!client_may_kind(context->client, d->kind))
		place_report_kind(context, v, VIOLATION_KIND_NOT_ALLOWED);
	for (size_t i = 0; i < sizeof(RIGHT) / sizeof(RIGHT[0]); i++) {
		const struct right *r = &RIGHT[i];

		if (d->present[r->field] &&
		    !r->granted(context->client, d->text[r->field]))
			place_report(context, v, r->code, r->field);
	}
}
