/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_file.h"

#include <stdlib.h>

#include "literal.h"
#include "policy_certlogic.h"
#include "policy_gateway.h"
#include "policy_grant.h"
#include "policy_keys.h"
#include "policy_limits.h"
#include "policy_values.h"

/* The level TEXT names at PATH into *LEVEL, which stays where it is absent
 * (NULL).  Returns false when there is no such level. */
static bool read_level(struct reading *r, const char *path, const char *text,
		       enum rule_level *level)
{
	if (text == NULL || rule_level_of(text, level))
		return true;
	reading_fault(r, path, "must be error, warning or off");
	return false;
}

static void read_profile(struct reading *r, uint32_t index)
{
	const struct source_profile *s = &r->out->source->profiles[index];
	struct rule_profile *p = &r->out->profile[index];
	char path[READING_PATH_BYTES];
	char inner[READING_PATH_BYTES];
	enum rule_level usual = RULE_ERROR;

	rule_profile_init(p);
	reading_path(path, "profiles[%u]", (unsigned)index);
	if (reading_check_name(r, path, s->name) &&
	    lookup_add(r->out->lookup, LOOKUP_PROFILE, span_str(s->name),
		       index) != LOOKUP_NONE)
		reading_fault(r, path, "there are two profiles '%s'", s->name);
	reading_path(inner, "%s.default", path);
	(void)read_level(r, inner, s->usual, &usual);
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		const enum rule rule = (enum rule)i;
		enum rule_level level = usual;

		reading_path(inner, "%s.rules.%s", path, rule_name(rule));
		if (read_level(r, inner, s->rules.level[i], &level))
			rule_profile_set(p, rule, level);
	}
	policy_certlogic_levels(r, index, usual);
}

static enum sg_err allocate(struct policy_file *f)
{
	const struct source *s = f->source;
	size_t names = (size_t)s->nprofiles + s->nclients;

	for (uint32_t i = 0; i < s->nclients; i++)
		names += s->clients[i].identities.n;
	names += policy_gateway_names(s) + policy_keys_names(s);
	/* One profile more: of clients that name none. */
	f->profile = calloc((size_t)s->nprofiles + 1, sizeof(f->profile[0]));
	f->client = calloc((size_t)s->nclients + 1, sizeof(f->client[0]));
	if (f->profile == NULL || f->client == NULL)
		return SG_NO_MEMORY;
	rule_profile_init(&f->profile[s->nprofiles]);
	f->nprofiles = s->nprofiles;
	f->nclients = s->nclients;
	return lookup_create(names, &f->lookup);
}

/* Let the CertLogic rules read the value sets that hold here. */
static enum sg_err tell_rules(struct policy_file *f)
{
	enum sg_err err = SG_OK;

	for (unsigned i = 0;
	     f->certlogic.n > 0 && err == SG_OK && i < VALUESET_COUNT; i++) {
		const struct valueset *s = &f->valuesets.set[i];

		if (s->n == 0) /* whatever it is, it is right */
			continue;
		err = certlogic_set_codes(&f->certlogic,
					  valueset_name((enum valueset_id)i),
					  s->code, s->n);
	}
	return err;
}

static enum sg_err read_meaning(struct reading *r)
{
	const struct source *s = r->out->source;
	enum sg_err err = allocate(r->out);

	if (err != SG_OK)
		return err;
	if (s->version == NULL)
		reading_fault(r, "version", "is missing");
	else if (strcmp(s->version, "1") != 0)
		reading_fault(r, "version", "must be 1");
	if (s->time_zone != NULL &&
	    !literal_zone(s->time_zone, &r->out->zone_s))
		reading_fault(r, "time_zone",
			      "must be an offset from UTC such as +07:00");
	policy_limits_check_alarm(r);
	if (s->nclients == 0)
		reading_fault(r, "clients", "is missing");
	err = policy_certlogic_read(r);
	if (err != SG_OK)
		return err;
	for (uint32_t i = 0; i < s->nprofiles; i++)
		read_profile(r, i);
	err = policy_gateway_read(r);
	for (uint32_t i = 0; err == SG_OK && i < s->nclients; i++)
		err = policy_grant_read(r, i);
	if (err == SG_OK)
		err = policy_values_read(r);
	if (err == SG_OK)
		err = tell_rules(r->out);
	return err;
}

enum sg_err policy_file_read(struct span text, const char *name,
			     struct policy_file *out, struct faults *faults)
{
	struct reading r = {.name = name, .faults = faults, .out = out};
	const size_t before = faults->n;
	enum sg_err err;

	*out = (struct policy_file){.source = NULL};
	if (text.n > POLICY_FILE_BYTES_MAX) {
		faults_add(faults, name, 0, "longer than %d bytes",
			   POLICY_FILE_BYTES_MAX);
		return SG_CONFIG;
	}
	err = source_read(text, name, &out->source, faults);
	if (err != SG_OK)
		return err;
	err = read_meaning(&r);
	source_forget_lines(out->source);
	if (err == SG_OK && faults->n > before)
		err = SG_CONFIG;
	if (err != SG_OK)
		policy_file_clear(out);
	return err;
}

void policy_file_clear(struct policy_file *f)
{
	for (size_t i = 0; i < f->nclients; i++) {
		free(f->client[i].issuers.text);
		free(f->client[i].prefixes.text);
		free(f->client[i].gateway);
		verifiers_clear(&f->client[i].keys);
	}
	free(f->client);
	free(f->profile);
	policy_values_clear(f);
	lookup_free(f->lookup);
	certlogic_set_clear(&f->certlogic);
	free(f->levels);
	policy_gateway_clear(f);
	source_free(f->source);
	*f = (struct policy_file){.source = NULL};
}
