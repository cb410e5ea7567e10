/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_certlogic.h"

#include <stdlib.h>

#include <jansson.h>

#include "certlogic_paths.h"

/* A rule of the file that is being read. */
struct rule_reading {
	struct reading *r;
	const char *path; /* "certlogic[3]" */
};

static void tell(void *ctx, const char *place, struct json_t *at,
		 const char *why)
{
	const struct rule_reading *one = ctx;

	(void)at;
	reading_fault(one->r, one->path, "%s%s%s", place,
		      *place != '\0' ? ": " : "", why);
}

/* The rule called IDENTIFIER of the first N, N if there is none. */
static size_t find(const struct certlogic_set *s, size_t n,
		   const char *identifier)
{
	size_t i = 0;

	while (i < n && (s->rule[i].identifier == NULL ||
			 strcmp(s->rule[i].identifier, identifier) != 0))
		i++;
	return i;
}

static enum sg_err read_rule(struct reading *r, size_t i)
{
	struct certlogic_set *set = &r->out->certlogic;
	struct certlogic_rule *rule = &set->rule[i];
	const char *text = r->out->source->certlogic.text[i];
	json_t *json;
	char path[READING_PATH_BYTES];
	struct rule_reading one = {.r = r, .path = path};
	const struct certlogic_listener listener = {.tell = tell, .ctx = &one};
	enum sg_err err;

	reading_path(path, "certlogic[%zu]", i);
	err = certlogic_rule_json(span_str(text), &listener, &json);
	if (err == SG_OK)
		err = certlogic_rule_load(json, &listener, rule);
	if (err == SG_OK)
		certlogic_paths_check(json, &listener);
	json_decref(json);
	if (err != SG_OK) /* SG_MALFORMED and SG_TOO_BIG have been told */
		return err == SG_NO_MEMORY ? err : SG_OK;
	if (find(set, i, rule->identifier) < i)
		reading_fault(r, path, "there are two rules '%s'",
			      rule->identifier);
	return SG_OK;
}

enum sg_err policy_certlogic_read(struct reading *r)
{
	const size_t n = r->out->source->certlogic.n;
	const size_t before = r->faults->n;
	enum sg_err err = certlogic_set_create(n, &r->out->certlogic);

	for (size_t i = 0; i < n && err == SG_OK; i++)
		err = read_rule(r, i);
	if (err == SG_OK && r->faults->n == before)
		certlogic_set_sort(&r->out->certlogic);
	if (err == SG_OK && n > 0) {
		r->out->levels = calloc(r->out->nprofiles + 1, n);
		if (r->out->levels == NULL)
			err = SG_NO_MEMORY;
	}
	return err;
}

void policy_certlogic_levels(struct reading *r, uint32_t index,
			     enum rule_level usual)
{
	const struct source_pairs *says =
		&r->out->source->profiles[index].certlogic;
	const struct certlogic_set *set = &r->out->certlogic;
	uint8_t *levels = set->n > 0 ? r->out->levels + index * set->n : NULL;
	char path[READING_PATH_BYTES];

	for (size_t i = 0; i < set->n; i++)
		levels[i] = (uint8_t)usual;
	r->out->profile[index].certlogic = levels;
	/* The path ends before the identifier, which may look like one. */
	reading_path(path, "profiles[%u].certlogic", (unsigned)index);
	for (uint32_t i = 0; i < says->n; i++) {
		const struct source_pair *p = &says->pair[i];
		const size_t at = find(set, set->n, p->key);
		enum rule_level level;

		if (at == set->n)
			reading_fault(r, path, "there is no rule '%.*s'",
				      reading_shown(p->key), p->key);
		else if (!rule_level_of(p->value, &level))
			reading_fault(r, path,
				      "%s must be error, warning or off",
				      p->key);
		else
			levels[at] = (uint8_t)level;
	}
}
