/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <assert.h>

static const char *const KEY[DOC_FIELD_COUNT] = {
	[DOC_VER] = "ver", [DOC_DOB] = "dob", [DOC_FN] = "fn",
	[DOC_FNT] = "fnt", [DOC_GN] = "gn",   [DOC_GNT] = "gnt",
	[DOC_TG] = "tg",   [DOC_VP] = "vp",   [DOC_MP] = "mp",
	[DOC_MA] = "ma",   [DOC_DN] = "dn",   [DOC_SD] = "sd",
	[DOC_DT] = "dt",   [DOC_TT] = "tt",   [DOC_NM] = "nm",
	[DOC_SC] = "sc",   [DOC_TR] = "tr",   [DOC_TC] = "tc",
	[DOC_FR] = "fr",   [DOC_DF] = "df",   [DOC_DU] = "du",
	[DOC_CO] = "co",   [DOC_IS] = "is",   [DOC_CI] = "ci",
};

/* The steps down to an entry; every judge's way is one of them and a field. */
struct way {
	char letter;
	struct pointer dcc, nam, kind, entry;
};

static void way_init(struct way *w, enum dcc_kind kind)
{
	w->letter = dcc_kind_letter(kind);
	w->dcc = (struct pointer){.key = SPAN_LIT("dcc")};
	w->nam = (struct pointer){.up = &w->dcc, .key = SPAN_LIT("nam")};
	w->kind =
		(struct pointer){.up = &w->dcc, .key = span_of(&w->letter, 1)};
	w->entry = (struct pointer){.up = &w->kind, .indexed = true};
}

static const struct pointer *way_above(const struct way *w,
				       enum document_field field)
{
	switch (field) {
	case DOC_VER:
	case DOC_DOB: return &w->dcc;
	case DOC_FN:
	case DOC_FNT:
	case DOC_GN:
	case DOC_GNT: return &w->nam;
	default: return &w->entry;
	}
}

void place_report(const struct rule_context *x, struct verdict *v,
		  enum violation_code code, enum document_field field)
{
	struct way w;
	struct pointer at = {.up = NULL};

	assert(field < DOC_FIELD_COUNT);
	way_init(&w, x->document->kind);
	at.up = way_above(&w, field);
	at.key = span_str(KEY[field]);
	rule_report(x->profile, v, code, &at);
}

void place_report_entry(const struct rule_context *x, struct verdict *v,
			enum violation_code code)
{
	struct way w;

	way_init(&w, x->document->kind);
	rule_report(x->profile, v, code, &w.entry);
}

void place_report_kind(const struct rule_context *x, struct verdict *v,
		       enum violation_code code)
{
	struct way w;

	way_init(&w, x->document->kind);
	rule_report(x->profile, v, code, &w.kind);
}
