/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_gateway.h"

#include <stdlib.h>

#include "literal.h"

_Static_assert((int)SOURCE_GATEWAYS_MAX == (int)GATEWAYS_MAX, "one limit");

/* --- the gateways --------------------------------------------------------- */

size_t policy_gateway_names(const struct source *s)
{
	size_t names = s->ngateways;

	for (uint32_t i = 0; i < s->ngateways; i++)
		names += s->gateways[i].keys.n;
	return names;
}

/* Key N of gateway INDEX has been added: no other one may have its id, which
 * has to choose one. */
static void check_kid(struct reading *r, uint32_t index, const char *path)
{
	const struct gateway *g = &r->out->gateway[index];
	const struct span kid =
		span_of(g->keys.key[g->keys.n - 1].kid, VERIFIER_KID_BYTES);
	const uint32_t other =
		lookup_add(r->out->lookup, LOOKUP_GATEWAY_KEY, kid, index);

	if (other == index)
		reading_fault(r, path, "is there twice");
	else if (other != LOOKUP_NONE)
		reading_fault(r, path, "belongs to gateways[%u] as well",
			      (unsigned)other);
}

static enum sg_err read_keys(struct reading *r, uint32_t index)
{
	const struct source_list *l = &r->out->source->gateways[index].keys;
	char path[READING_PATH_BYTES];

	reading_path(path, "gateways[%u].keys", (unsigned)index);
	if (l->n == 0)
		reading_fault(r, path, "is missing");
	if (l->n > VERIFIERS_MAX)
		reading_fault(r, path, "more than %d keys", VERIFIERS_MAX);
	for (uint32_t i = 0; i < l->n && i < VERIFIERS_MAX; i++) {
		const enum sg_err err = verifiers_add(
			&r->out->gateway[index].keys, span_str(l->text[i]));

		reading_path(path, "gateways[%u].keys[%u]", (unsigned)index,
			     (unsigned)i);
		if (err == SG_NO_MEMORY)
			return err;
		if (err != SG_OK)
			reading_fault(r, path, "%s", verifiers_wanted(err));
		else
			check_kid(r, index, path);
	}
	return SG_OK;
}

static void read_max_age(struct reading *r, uint32_t index)
{
	const char *text = r->out->source->gateways[index].max_age;
	struct gateway *g = &r->out->gateway[index];
	char path[READING_PATH_BYTES];

	reading_path(path, "gateways[%u].max_age", (unsigned)index);
	g->max_age_s = text != NULL ? literal_duration_s(text) : 0;
	if (text == NULL)
		reading_fault(r, path, "is missing");
	else if (g->max_age_s == 0)
		reading_fault(r, path,
			      "must be an integer from 1 on and one of s, m, "
			      "h, d, such as 24h; at most %dd",
			      LITERAL_DAYS_MAX);
}

static enum sg_err read_gateway(struct reading *r, uint32_t index)
{
	struct gateway *g = &r->out->gateway[index];
	char path[READING_PATH_BYTES];

	reading_path(path, "gateways[%u]", (unsigned)index);
	g->name = r->out->source->gateways[index].name;
	g->digest = r->out->digest;
	if (reading_check_name(r, path, g->name) &&
	    lookup_add(r->out->lookup, LOOKUP_GATEWAY, span_str(g->name),
		       index) != LOOKUP_NONE)
		reading_fault(r, path, "there are two gateways '%s'", g->name);
	read_max_age(r, index);
	return read_keys(r, index);
}

enum sg_err policy_gateway_read(struct reading *r)
{
	struct policy_file *f = r->out;
	const uint32_t n = f->source->ngateways;
	enum sg_err err;

	if (n == 0)
		return SG_OK;
	f->gateway = calloc(n, sizeof(f->gateway[0]));
	if (f->gateway == NULL)
		return SG_NO_MEMORY;
	f->ngateways = n;
	err = digest_create(&f->digest);
	for (uint32_t i = 0; err == SG_OK && i < n; i++)
		err = read_gateway(r, i);
	return err;
}

void policy_gateway_clear(struct policy_file *f)
{
	for (size_t i = 0; i < f->ngateways; i++)
		verifiers_clear(&f->gateway[i].keys);
	free(f->gateway);
	digest_free(f->digest);
	f->ngateways = 0;
	f->gateway = NULL;
	f->digest = NULL;
}

/* --- a client's ----------------------------------------------------------- */

/* Does C have G already? */
static bool has(const struct client *c, const struct gateway *g)
{
	for (size_t i = 0; i < c->ngateways; i++)
		if (c->gateway[i] == g)
			return true;
	return false;
}

enum sg_err policy_gateway_grant(struct reading *r, uint32_t index)
{
	const struct source_list *l = &r->out->source->clients[index].gateways;
	struct client *c = &r->out->client[index];
	char path[READING_PATH_BYTES];

	if (l->n == 0)
		return SG_OK;
	c->gateway = calloc(l->n, sizeof(c->gateway[0]));
	if (c->gateway == NULL)
		return SG_NO_MEMORY;
	for (uint32_t i = 0; i < l->n; i++) {
		const char *name = l->text[i];
		const uint32_t at = lookup_find(r->out->lookup, LOOKUP_GATEWAY,
						span_str(name));

		reading_path(path, "clients[%u].gateways[%u]", (unsigned)index,
			     (unsigned)i);
		if (at == LOOKUP_NONE)
			reading_fault(r, path, "there is no gateway '%.*s'",
				      reading_shown(name), name);
		else if (has(c, &r->out->gateway[at]))
			reading_fault(r, path, "'%s' is there twice", name);
		else
			c->gateway[c->ngateways++] = &r->out->gateway[at];
	}
	return SG_OK;
}
