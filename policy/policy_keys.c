/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_keys.h"

#include "literal.h"

/* Without `request_age`: a day's file may be signed the night before. */
enum { AGE_DEFAULT_S = 24 * 60 * 60 };

size_t policy_keys_names(const struct source *s)
{
	size_t names = 0;

	for (uint32_t i = 0; i < s->nclients; i++)
		names += s->clients[i].request_keys.n;
	return names;
}

/* The newest key of client INDEX may be no other client's, in whose name it
 * would sign as well. */
static void check_kid(struct reading *r, uint32_t index, const char *path)
{
	const struct verifiers *v = &r->out->client[index].keys;
	const struct span kid =
		span_of(v->key[v->n - 1].kid, VERIFIER_KID_BYTES);
	const uint32_t other =
		lookup_add(r->out->lookup, LOOKUP_CLIENT_KEY, kid, index);

	if (other == index)
		reading_fault(r, path, "is there twice");
	else if (other != LOOKUP_NONE)
		reading_fault(r, path, "belongs to clients[%u] as well",
			      (unsigned)other);
}

static enum sg_err read_keys(struct reading *r, uint32_t index)
{
	const struct source_list *l =
		&r->out->source->clients[index].request_keys;
	struct client *c = &r->out->client[index];
	char path[READING_PATH_BYTES];

	reading_path(path, "clients[%u].request_keys", (unsigned)index);
	if (l->n > VERIFIERS_MAX)
		reading_fault(r, path, "more than %d keys", VERIFIERS_MAX);
	for (uint32_t i = 0; i < l->n && i < VERIFIERS_MAX; i++) {
		const enum sg_err err =
			verifiers_add(&c->keys, span_str(l->text[i]));

		reading_path(path, "clients[%u].request_keys[%u]",
			     (unsigned)index, (unsigned)i);
		if (err == SG_NO_MEMORY)
			return err;
		if (err != SG_OK)
			reading_fault(r, path, "%s", verifiers_wanted(err));
		else
			check_kid(r, index, path);
	}
	return SG_OK;
}

static void read_age(struct reading *r, uint32_t index)
{
	const struct source_client *s = &r->out->source->clients[index];
	struct client *c = &r->out->client[index];
	char path[READING_PATH_BYTES];

	c->signature_age_s = s->request_keys.n > 0 ? AGE_DEFAULT_S : 0;
	if (s->request_age == NULL)
		return;
	reading_path(path, "clients[%u].request_age", (unsigned)index);
	c->signature_age_s = literal_duration_s(s->request_age);
	if (s->request_keys.n == 0)
		reading_fault(r, path, "needs request_keys");
	else if (c->signature_age_s == 0)
		reading_fault(r, path,
			      "must be an integer from 1 on and one of s, m, "
			      "h, d, such as 24h; at most %dd",
			      LITERAL_DAYS_MAX);
}

/* What may be required of a client's requests. */
static void read_require(struct reading *r, uint32_t index)
{
	const struct source_client *s = &r->out->source->clients[index];
	struct client *c = &r->out->client[index];
	const struct {
		const char *word, *needs;
		bool has;
		bool *wanted;
	} known[] = {
		{"attestation", "needs gateways whose attestations count",
		 s->gateways.n > 0, &c->must_attest},
		{"signature", "needs request_keys", s->request_keys.n > 0,
		 &c->must_sign},
	};
	char path[READING_PATH_BYTES];

	for (uint32_t i = 0; i < s->require.n; i++) {
		const char *word = s->require.text[i];
		size_t k = 0;

		reading_path(path, "clients[%u].require[%u]", (unsigned)index,
			     (unsigned)i);
		while (k < sizeof(known) / sizeof(known[0]) &&
		       strcmp(word, known[k].word) != 0)
			k++;
		if (k == sizeof(known) / sizeof(known[0]))
			reading_fault(r, path, "unknown: '%.*s'",
				      reading_shown(word), word);
		else if (*known[k].wanted)
			reading_fault(r, path, "'%s' is there twice", word);
		else if (!known[k].has)
			reading_fault(r, path, "%s", known[k].needs);
		else
			*known[k].wanted = true;
	}
}

enum sg_err policy_keys_grant(struct reading *r, uint32_t index)
{
	read_age(r, index);
	read_require(r, index);
	return read_keys(r, index);
}
