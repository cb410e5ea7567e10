/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_grant.h"

#include <stdlib.h>

#include "literal.h"
#include "policy_gateway.h"
#include "policy_keys.h"
#include "policy_limits.h"

/* One client's part of it. */
struct grant {
	struct reading *r;
	const struct source_client *source;
	struct client *client;
	uint32_t index;
	char path[READING_PATH_BYTES]; /* "clients[3]" */
};

/* The bits of the COUNT NAMES that L has. */
static unsigned read_flags(struct grant *g, const char *key,
			   const struct source_list *l,
			   const char *(*name)(unsigned i), unsigned count)
{
	char path[READING_PATH_BYTES];
	unsigned flags = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		unsigned bit = 0;

		reading_path(path, "%s.%s[%u]", g->path, key, (unsigned)i);
		while (bit < count && strcmp(l->text[i], name(bit)) != 0)
			bit++;
		if (bit == count)
			reading_fault(g->r, path, "unknown: '%.*s'",
				      reading_shown(l->text[i]), l->text[i]);
		else if ((flags & 1U << bit) != 0)
			reading_fault(g->r, path, "'%s' is there twice",
				      name(bit));
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
	char path[READING_PATH_BYTES];

	for (uint32_t i = 0; i < l->n; i++) {
		if (strcmp(l->text[i], "*") != 0)
			continue;
		reading_path(path, "%s.%s[%u]", g->path, key, (unsigned)i);
		if (l->n > 1)
			reading_fault(g->r, path, "'*' must stand alone");
		return true;
	}
	return false;
}

static void read_countries(struct grant *g)
{
	const struct source_list *l = &g->source->countries;
	char path[READING_PATH_BYTES];

	g->client->any_country = read_any(g, "countries", l);
	for (uint32_t i = 0; i < l->n && !g->client->any_country; i++) {
		const struct span code = span_str(l->text[i]);
		const int country = client_country(code);

		reading_path(path, "%s.countries[%u]", g->path, (unsigned)i);
		if (country < 0)
			reading_fault(g->r, path,
				      "'%.*s' is not two capital letters",
				      reading_shown(l->text[i]), l->text[i]);
		else if (client_may_country(g->client, code))
			reading_fault(g->r, path, "'%s' is there twice",
				      l->text[i]);
		else
			client_grant_country(g->client, country);
	}
}

static enum sg_err read_texts(struct grant *g, const char *key,
			      const struct source_list *l, struct text_set *out)
{
	char path[READING_PATH_BYTES];

	if (l->n == 0)
		return SG_OK;
	out->text = calloc(l->n, sizeof(out->text[0]));
	if (out->text == NULL)
		return SG_NO_MEMORY;
	out->n = l->n;
	for (uint32_t i = 0; i < l->n; i++)
		out->text[i] = span_str(l->text[i]);
	if (!text_set_sort(out)) {
		reading_path(path, "%s.%s", g->path, key);
		reading_fault(g->r, path, "an entry is there twice");
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
	char path[READING_PATH_BYTES];

	for (uint32_t i = 0; i < l->n; i++) {
		enum lookup_space space;
		struct span key;
		uint32_t other;

		reading_path(path, "%s.identities[%u]", g->path, (unsigned)i);
		if (!read_identity(l->text[i], &space, &key)) {
			reading_fault(
				g->r, path,
				"must be uri:URI, dns:NAME or spki: and 64 "
				"hexadecimal digits");
			continue;
		}
		other = lookup_add(g->r->out->lookup, space, key, g->index);
		if (other == g->index)
			reading_fault(g->r, path, "is there twice");
		else if (other != LOOKUP_NONE)
			reading_fault(g->r, path,
				      "belongs to clients[%u] as well",
				      (unsigned)other);
	}
}

static void read_validity(struct grant *g)
{
	char path[READING_PATH_BYTES];
	char key[] = "validity.?";

	for (unsigned k = 0; k < DCC_KINDS; k++) {
		const char *text = g->source->validity.kind[k];
		const int64_t seconds =
			text != NULL ? literal_duration_s(text) : 0;

		key[sizeof(key) - 2] = *kind_name(k);
		reading_path(path, "%s.%s", g->path, key);
		if (text != NULL && seconds == 0)
			reading_fault(
				g->r, path,
				"must be an integer from 1 on and one of s, m, "
				"h, d, such as 365d; at most %dd",
				LITERAL_DAYS_MAX);
		else if (text == NULL && client_may_kind(g->client, k))
			reading_fault(g->r, path, "is missing");
		else if (client_may_kind(g->client, k))
			g->client->validity_s[k] = seconds;
	}
}

/* The default is a month: a national job has some weeks for everybody. */
static void read_renewal_window(struct grant *g)
{
	enum { DEFAULT_S = 30 * 24 * 60 * 60 };
	const char *text = g->source->renewal_window;
	char path[READING_PATH_BYTES];

	g->client->renewal_window_s = DEFAULT_S;
	if (text == NULL)
		return;
	g->client->renewal_window_s = literal_duration_s(text);
	reading_path(path, "%s.renewal_window", g->path);
	if (g->client->renewal_window_s == 0)
		reading_fault(g->r, path,
			      "must be an integer from 1 on and one of s, m, "
			      "h, d, such as 30d; at most %dd",
			      LITERAL_DAYS_MAX);
}

static void read_profile_of(struct grant *g)
{
	const char *name = g->source->profile;
	char path[READING_PATH_BYTES];
	uint32_t i;

	g->client->profile = &g->r->out->profile[g->r->out->nprofiles];
	if (name == NULL)
		return;
	i = lookup_find(g->r->out->lookup, LOOKUP_PROFILE, span_str(name));
	if (i != LOOKUP_NONE) {
		g->client->profile = &g->r->out->profile[i];
		return;
	}
	reading_path(path, "%s.profile", g->path);
	reading_fault(g->r, path, "there is no profile '%.*s'",
		      reading_shown(name), name);
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
			reading_missing(g->r, g->path, required[i].key);
}

enum sg_err policy_grant_read(struct reading *r, uint32_t index)
{
	struct grant g = {.r = r,
			  .source = &r->out->source->clients[index],
			  .client = &r->out->client[index],
			  .index = index};
	const char *name = g.source->name;
	enum sg_err err;

	reading_path(g.path, "clients[%u]", (unsigned)index);
	g.client->name = name;
	if (reading_check_name(r, g.path, name) &&
	    lookup_add(r->out->lookup, LOOKUP_CLIENT, span_str(name), index) !=
		    LOOKUP_NONE)
		reading_fault(r, g.path, "there are two clients '%s'", name);
	read_identities(&g);
	g.client->operations =
		read_flags(&g, "operations", &g.source->operations,
			   operation_name, CLIENT_OPERATION_COUNT);
	g.client->kinds =
		read_flags(&g, "kinds", &g.source->kinds, kind_name, DCC_KINDS);
	read_countries(&g);
	read_profile_of(&g);
	read_validity(&g);
	read_renewal_window(&g);
	policy_limits_read(r, g.path, g.source, g.client);
	check_missing(&g);
	err = read_issuers(&g);
	if (err == SG_OK)
		err = read_prefixes(&g);
	if (err == SG_OK)
		err = policy_gateway_grant(r, index);
	if (err == SG_OK)
		err = policy_keys_grant(r, index);
	return err;
}
