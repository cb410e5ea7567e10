/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_file.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "literal.h"
#include "policy_source.h"

enum { PATH_BYTES = 160, FAULT_BYTES = 256, SHOWN_BYTES = 40 };

/* The reading of one file. */
struct reading {
	const char *name;
	struct faults *faults;
	struct policy_file *out;
};

/* One client's part of it. */
struct grant {
	struct reading *r;
	const struct source_client *source;
	struct client *client;
	uint32_t index;
	char path[PATH_BYTES]; /* "clients[3]" */
};

/* --- faults -------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void fault(struct reading *r,
							const char *path,
							const char *fmt, ...)
{
	char text[FAULT_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	faults_add(r->faults, r->name, yaml_line(&r->out->source->tree, path),
		   "%s%s%s", path, path[0] != '\0' ? ": " : "", text);
}

/* Of our own keys and of indices, so it fits. */
__attribute__((format(printf, 2, 3))) static void path_print(
	char out[PATH_BYTES], const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(out, PATH_BYTES, fmt, args);
	va_end(args);
	assert(n >= 0 && n < PATH_BYTES);
	(void)n;
}

/* Bytes of TEXT to show in a fault: whole characters (RFC 3629 s. 3). */
static int shown(const char *text)
{
	size_t n = strnlen(text, SHOWN_BYTES);

	while (n > 0 && ((unsigned char)text[n] & 0xC0U) == 0x80U)
		n--;
	return (int)n;
}

static void missing(struct reading *r, const char *path, const char *key)
{
	char inner[PATH_BYTES];

	path_print(inner, "%s.%s", path, key);
	fault(r, inner, "is missing");
}

/* Check the name of a profile or client. */
static bool check_name(struct reading *r, const char *path, const char *name)
{
	char inner[PATH_BYTES];

	if (name == NULL) {
		missing(r, path, "name");
		return false;
	}
	if (literal_is_name(name))
		return true;
	path_print(inner, "%s.name", path);
	fault(r, inner, "must be 1 to %d of the letters A-Z a-z 0-9 . _ -",
	      LITERAL_NAME_MAX);
	return false;
}

/* --- a client ------------------------------------------------------------ */

/* The bits of the COUNT NAMES that L has. */
static unsigned read_flags(struct grant *g, const char *key,
			   const struct source_list *l,
			   const char *(*name)(unsigned i), unsigned count)
{
	char path[PATH_BYTES];
	unsigned flags = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		unsigned bit = 0;

		path_print(path, "%s.%s[%u]", g->path, key, (unsigned)i);
		while (bit < count && strcmp(l->text[i], name(bit)) != 0)
			bit++;
		if (bit == count)
			fault(g->r, path, "unknown: '%.*s'", shown(l->text[i]),
			      l->text[i]);
		else if ((flags & 1U << bit) != 0)
			fault(g->r, path, "'%s' is there twice", name(bit));
		else
			flags |= 1U << bit;
	}
	return flags;
}

static const char *operation_name(unsigned i)
{
	return client_operation_name((enum client_operation)i);
}

static const char *kind_name(unsigned i)
{
	static const char *const name[DCC_KINDS] = {[DCC_VACCINATION] = "v",
						    [DCC_TEST] = "t",
						    [DCC_RECOVERY] = "r"};

	return name[i];
}

/* Is "*" in L?  It must be alone then. */
static bool read_any(struct grant *g, const char *key,
		     const struct source_list *l)
{
	char path[PATH_BYTES];

	for (uint32_t i = 0; i < l->n; i++) {
		if (strcmp(l->text[i], "*") != 0)
			continue;
		path_print(path, "%s.%s[%u]", g->path, key, (unsigned)i);
		if (l->n > 1)
			fault(g->r, path, "'*' must stand alone");
		return true;
	}
	return false;
}

static void read_countries(struct grant *g)
{
	const struct source_list *l = &g->source->countries;
	char path[PATH_BYTES];

	g->client->any_country = read_any(g, "countries", l);
	for (uint32_t i = 0; i < l->n && !g->client->any_country; i++) {
		const struct span code = span_str(l->text[i]);
		const int country = client_country(code);

		path_print(path, "%s.countries[%u]", g->path, (unsigned)i);
		if (country < 0)
			fault(g->r, path, "'%.*s' is not two capital letters",
			      shown(l->text[i]), l->text[i]);
		else if (client_may_country(g->client, code))
			fault(g->r, path, "'%s' is there twice", l->text[i]);
		else
			client_grant_country(g->client, country);
	}
}

static enum sg_err read_texts(struct grant *g, const char *key,
			      const struct source_list *l, struct text_set *out)
{
	char path[PATH_BYTES];

	if (l->n == 0)
		return SG_OK;
	out->text = calloc(l->n, sizeof(out->text[0]));
	if (out->text == NULL)
		return SG_NO_MEMORY;
	out->n = l->n;
	for (uint32_t i = 0; i < l->n; i++)
		out->text[i] = span_str(l->text[i]);
	if (!text_set_sort(out)) {
		path_print(path, "%s.%s", g->path, key);
		fault(g->r, path, "an entry is there twice");
	}
	return SG_OK;
}

static enum sg_err read_issuers(struct grant *g)
{
	const struct source_list *l = &g->source->issuers;

	g->client->any_issuer = read_any(g, "issuers", l);
	if (g->client->any_issuer)
		return SG_OK;
	return read_texts(g, "issuers", l, &g->client->issuers);
}

static enum sg_err read_prefixes(struct grant *g)
{
	const struct source_list *l = &g->source->uvci_prefixes;
	enum sg_err err;

	g->client->any_uvci = l->n == 0 || read_any(g, "uvci_prefixes", l);
	if (g->client->any_uvci)
		return SG_OK;
	err = read_texts(g, "uvci_prefixes", l, &g->client->prefixes);
	text_set_cover(&g->client->prefixes);
	return err;
}

/* Read TEXT, which is decoded in place where need be. */
static bool read_identity(char *text, enum lookup_space *space,
			  struct span *key)
{
	char *value = strchr(text, ':');

	if (value == NULL)
		return false;
	value++;
	*key = span_str(value);
	if (strncmp(text, "uri:", 4) == 0) {
		*space = LOOKUP_URI;
		return literal_is_uri(value);
	}
	if (strncmp(text, "dns:", 4) == 0) {
		*space = LOOKUP_DNS;
		return literal_is_dns(value);
	}
	*space = LOOKUP_SPKI;
	if (strncmp(text, "spki:", 5) != 0 || !literal_decode_spki(value))
		return false;
	key->n = LITERAL_SPKI_BYTES;
	return true;
}

static void read_identities(struct grant *g)
{
	const struct source_list *l = &g->source->identities;
	char path[PATH_BYTES];

	for (uint32_t i = 0; i < l->n; i++) {
		enum lookup_space space;
		struct span key;
		uint32_t other;

		path_print(path, "%s.identities[%u]", g->path, (unsigned)i);
		if (!read_identity(l->text[i], &space, &key)) {
			fault(g->r, path,
			      "must be uri:URI, dns:NAME or spki: and 64 "
			      "hexadecimal digits");
			continue;
		}
		other = lookup_add(g->r->out->lookup, space, key, g->index);
		if (other == g->index)
			fault(g->r, path, "is there twice");
		else if (other != LOOKUP_NONE)
			fault(g->r, path, "belongs to clients[%u] as well",
			      (unsigned)other);
	}
}

static void read_validity(struct grant *g)
{
	char path[PATH_BYTES];
	char key[] = "validity.?";

	for (unsigned k = 0; k < DCC_KINDS; k++) {
		const char *text = g->source->validity.kind[k];
		const int64_t seconds =
			text != NULL ? literal_duration_s(text) : 0;

		key[sizeof(key) - 2] = *kind_name(k);
		path_print(path, "%s.%s", g->path, key);
		if (text != NULL && seconds == 0)
			fault(g->r, path,
			      "must be an integer from 1 on and one of s, m, "
			      "h, d, such as 365d; at most %dd",
			      LITERAL_DAYS_MAX);
		else if (text == NULL && client_may_kind(g->client, k))
			fault(g->r, path, "is missing");
		else if (client_may_kind(g->client, k))
			g->client->validity_s[k] = seconds;
	}
}

static void read_profile_of(struct grant *g)
{
	const char *name = g->source->profile;
	char path[PATH_BYTES];
	uint32_t i;

	g->client->profile = &g->r->out->profile[g->r->out->nprofiles];
	if (name == NULL)
		return;
	i = lookup_find(g->r->out->lookup, LOOKUP_PROFILE, span_str(name));
	if (i != LOOKUP_NONE) {
		g->client->profile = &g->r->out->profile[i];
		return;
	}
	path_print(path, "%s.profile", g->path);
	fault(g->r, path, "there is no profile '%.*s'", shown(name), name);
}

/* Who has certificates issued or judged needs to have been told which. */
static void check_missing(struct grant *g)
{
	enum {
		JUDGED = 1 << CLIENT_ISSUE | 1 << CLIENT_VALIDATE |
			 1 << CLIENT_RENEW
	};
	const struct source_client *s = g->source;
	const bool judged = (g->client->operations & JUDGED) != 0;
	const struct {
		const char *key;
		bool absent;
	} required[] = {
		{"identities", s->identities.n == 0},
		{"operations", s->operations.n == 0},
		{"kinds", judged && s->kinds.n == 0},
		{"countries", judged && s->countries.n == 0},
		{"issuers", judged && s->issuers.n == 0},
		{"profile", judged && s->profile == NULL},
	};

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if (required[i].absent)
			missing(g->r, g->path, required[i].key);
}

static enum sg_err read_client(struct reading *r, uint32_t index)
{
	struct grant g = {.r = r,
			  .source = &r->out->source->clients[index],
			  .client = &r->out->client[index],
			  .index = index};
	const char *name = g.source->name;
	enum sg_err err;

	path_print(g.path, "clients[%u]", (unsigned)index);
	g.client->name = name;
	if (check_name(r, g.path, name) &&
	    lookup_add(r->out->lookup, LOOKUP_CLIENT, span_str(name), index) !=
		    LOOKUP_NONE)
		fault(r, g.path, "there are two clients '%s'", name);
	read_identities(&g);
	g.client->operations =
		read_flags(&g, "operations", &g.source->operations,
			   operation_name, CLIENT_OPERATION_COUNT);
	g.client->kinds =
		read_flags(&g, "kinds", &g.source->kinds, kind_name, DCC_KINDS);
	read_countries(&g);
	read_profile_of(&g);
	read_validity(&g);
	check_missing(&g);
	err = read_issuers(&g);
	if (err == SG_OK)
		err = read_prefixes(&g);
	return err;
}

/* --- the file ------------------------------------------------------------ */

static void read_profile(struct reading *r, uint32_t index)
{
	const struct source_profile *s = &r->out->source->profiles[index];
	struct rule_profile *p = &r->out->profile[index];
	char path[PATH_BYTES];
	char inner[PATH_BYTES];

	rule_profile_init(p);
	path_print(path, "profiles[%u]", (unsigned)index);
	if (check_name(r, path, s->name) &&
	    lookup_add(r->out->lookup, LOOKUP_PROFILE, span_str(s->name),
		       index) != LOOKUP_NONE)
		fault(r, path, "there are two profiles '%s'", s->name);
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		const enum rule rule = (enum rule)i;
		enum rule_level level;

		if (s->rules.level[i] == NULL)
			continue;
		if (rule_level_of(s->rules.level[i], &level)) {
			rule_profile_set(p, rule, level);
			continue;
		}
		path_print(inner, "profiles[%u].rules.%s", (unsigned)index,
			   rule_name(rule));
		fault(r, inner, "must be error, warning or off");
	}
}

static enum sg_err allocate(struct policy_file *f)
{
	const struct source *s = f->source;
	size_t names = (size_t)s->nprofiles + s->nclients;

	for (uint32_t i = 0; i < s->nclients; i++)
		names += s->clients[i].identities.n;
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

static enum sg_err read_meaning(struct reading *r)
{
	const struct source *s = r->out->source;
	enum sg_err err = allocate(r->out);

	if (err != SG_OK)
		return err;
	if (s->version == NULL)
		fault(r, "version", "is missing");
	else if (strcmp(s->version, "1") != 0)
		fault(r, "version", "must be 1");
	if (s->nclients == 0)
		fault(r, "clients", "is missing");
	for (uint32_t i = 0; i < s->nprofiles; i++)
		read_profile(r, i);
	for (uint32_t i = 0; err == SG_OK && i < s->nclients; i++)
		err = read_client(r, i);
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
	}
	free(f->client);
	free(f->profile);
	lookup_free(f->lookup);
	source_free(f->source);
	*f = (struct policy_file){.source = NULL};
}
