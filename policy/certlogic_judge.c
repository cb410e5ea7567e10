/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_judge.h"

#include <assert.h>
#include <stdlib.h>

#include "certlogic_time.h"
#include "client.h"
#include "hcert/cbor.h"

enum { EXTERNAL_MEMBERS = 7, ENTRY_POINTER = 8 /* "/dcc/v/0" */ };

/* --- the set -------------------------------------------------------------- */

enum sg_err certlogic_set_create(size_t n, struct certlogic_set *out)
{
	*out = (struct certlogic_set){.n = 0};
	out->rule = calloc(n + 1, sizeof(out->rule[0]));
	out->order = calloc(n + 1, sizeof(out->order[0]));
	if (out->rule == NULL || out->order == NULL) {
		certlogic_set_clear(out);
		return SG_NO_MEMORY;
	}
	out->n = n;
	for (size_t i = 0; i < n; i++)
		out->order[i] = (uint32_t)i;
	return SG_OK;
}

void certlogic_set_sort(struct certlogic_set *s)
{
	for (size_t i = 1; i < s->n; i++) {
		const uint32_t moved = s->order[i];
		const struct span code = s->rule[moved].violation.code;
		size_t at = i;

		for (; at > 0 &&
		       cbor_text_before(
			       code, s->rule[s->order[at - 1]].violation.code);
		     at--)
			s->order[at] = s->order[at - 1];
		s->order[at] = moved;
	}
}

enum sg_err certlogic_set_codes(struct certlogic_set *s, const char *name,
				const struct span *code, size_t n)
{
	struct certlogic_value *item;

	if (s->ncodes == CERTLOGIC_CODES_MAX || n > UINT32_MAX)
		return SG_TOO_BIG;
	item = calloc(n + 1, sizeof(item[0]));
	if (item == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		item[i] = certlogic_text(code[i]);
	s->item[s->ncodes] = item;
	s->codes[s->ncodes++] = (struct certlogic_member){
		.key = span_str(name),
		.value = certlogic_list(item, (uint32_t)n)};
	return SG_OK;
}

void certlogic_set_clear(struct certlogic_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		certlogic_rule_clear(&s->rule[i]);
	for (size_t i = 0; i < s->ncodes; i++)
		free(s->item[i]);
	free(s->rule);
	free(s->order);
	*s = (struct certlogic_set){.n = 0};
}

/* --- the judge ------------------------------------------------------------ */

/* What rules can read beside the payload, and where its texts lie. */
struct external {
	char now[CERTLOGIC_TIME_TEXT], exp[CERTLOGIC_TIME_TEXT];
	struct certlogic_member member[EXTERNAL_MEMBERS];
};

/* A time that no date-time of four-digit years tells is null. */
static struct certlogic_value time_value(int64_t seconds,
					 char buf[CERTLOGIC_TIME_TEXT])
{
	const struct span text = certlogic_time_text(seconds, buf);

	return text.n > 0 ? certlogic_text(text)
			  : (struct certlogic_value){.type = CERTLOGIC_NULL};
}

static struct certlogic_value fill(struct external *e,
				   const struct rule_context *x)
{
	const struct document *d = x->document;
	const struct certlogic_value now = time_value(x->now, e->now);
	const struct certlogic_value country =
		d->present[DOC_CO]
			? certlogic_text(d->text[DOC_CO])
			: (struct certlogic_value){.type = CERTLOGIC_NULL};
	const struct certlogic_member member[EXTERNAL_MEMBERS] = {
		{SPAN_LIT("validationClock"), now},
		{SPAN_LIT("valueSets"),
		 certlogic_record(x->certlogic->codes, x->certlogic->ncodes)},
		{SPAN_LIT("countryCode"), country},
		{SPAN_LIT("issuerCountryCode"), country},
		{SPAN_LIT("exp"), time_value(x->exp, e->exp)},
		{SPAN_LIT("iat"), now},
		{SPAN_LIT("client"),
		 certlogic_text(span_str(client_name(x->client)))},
	};

	memcpy(e->member, member, sizeof(member));
	return certlogic_record(e->member, EXTERNAL_MEMBERS);
}

static void report(const struct certlogic_rule *rule, bool warning,
		   enum dcc_kind kind, struct verdict *v)
{
	const char entry[ENTRY_POINTER] = {
		'/', 'd', 'c', 'c', '/', dcc_kind_letter(kind), '/', '0'};
	const struct span pointer =
		rule->pointer_n[kind] > 0
			? span_of(rule->pointer[kind], rule->pointer_n[kind])
			: span_of(entry, sizeof(entry));

	verdict_add_rule(v, &rule->violation, warning, pointer);
}

/* Is RULE kept?  *LEFT: the steps that this request may still take. */
static bool is_kept(const struct certlogic_rule *rule,
		    const struct certlogic_value *payload,
		    const struct certlogic_value *external,
		    struct certlogic_scratch *scratch, uint32_t *left)
{
	enum certlogic_error why;
	uint32_t given;
	bool kept;

	certlogic_scratch_init(scratch);
	if (scratch->steps > *left)
		scratch->steps = *left;
	given = scratch->steps;
	kept = certlogic_rule_holds(rule, payload, external, scratch, &why);
	*left -= given - scratch->steps;
	return kept;
}

/* Apart, so that a policy without rules pays for no scratch. */
static __attribute__((noinline)) void judge(const struct rule_context *x,
					    struct verdict *v)
{
	const struct certlogic_set *set = x->certlogic;
	const uint8_t *levels = x->profile->certlogic;
	const enum dcc_kind kind = x->document->kind;
	struct certlogic_scratch scratch;
	struct external external;
	struct certlogic_value payload;
	uint32_t left = CERTLOGIC_REQUEST_STEPS;
	const struct certlogic_value outside = fill(&external, x);

	if (certlogic_value_read(x->document->dcc, &payload) != CERTLOGIC_OK)
		payload.type = CERTLOGIC_OTHER; /* no rule holds of it */
	for (size_t i = 0; i < set->n; i++) {
		const struct certlogic_rule *rule = &set->rule[i];
		const uint8_t level = levels != NULL ? levels[i] : RULE_ERROR;

		if (level != RULE_OFF &&
		    certlogic_rule_applies(rule, kind, x->now) &&
		    !is_kept(rule, &payload, &outside, &scratch, &left))
			report(rule, level == RULE_WARNING, kind, v);
	}
}

void certlogic_judge(const struct rule_context *context, struct verdict *v)
{
	if (context->certlogic == NULL || context->certlogic->n == 0 ||
	    !context->document->has_kind)
		return;
	judge(context, v);
}
