/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_source.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- texts and lists ------------------------------------------------------ */

typedef bool take_text(const struct yaml_at *at, struct span *out);

/* What a text, or each of a list, may be. */
struct text_limits {
	take_text *take;
	size_t bytes;
	size_t entries; /* of a list */
};

static const struct text_limits WORDS = {yaml_text, SOURCE_TEXT_MAX,
					 SOURCE_LIST_MAX};
static const struct text_limits LINES = {yaml_lines, SOURCE_TEXT_MAX,
					 SOURCE_LIST_MAX};
/* CertLogic: JSON in blocks of lines. */
static const struct text_limits RULES = {yaml_lines, SOURCE_CERTLOGIC_BYTES,
					 SOURCE_CERTLOGIC_MAX};

static char *copy(const struct yaml_at *at, const struct text_limits *limits)
{
	struct span s;
	char *text;

	if (!limits->take(at, &s))
		return NULL;
	if (s.n > limits->bytes) {
		yaml_fault(at, "longer than %zu bytes", limits->bytes);
		return NULL;
	}
	text = strndup((const char *)s.p, s.n);
	if (text == NULL)
		at->tree->no_memory = true;
	return text;
}

/* N zeroed entries of SIZE bytes. */
static void *entries(const struct yaml_at *at, size_t n, size_t size)
{
	void *p = n > 0 ? calloc(n, size) : NULL;

	if (n > 0 && p == NULL)
		at->tree->no_memory = true;
	return p;
}

static void read_text(const struct yaml_at *at, void *member,
		      const struct yaml_field *f)
{
	(void)f;
	*(char **)member = copy(at, &WORDS);
}

static void read_texts(const struct yaml_at *at, struct source_list *list,
		       const struct text_limits *limits)
{
	const size_t n = yaml_list(at, limits->entries);

	list->text = entries(at, n, sizeof(list->text[0]));
	if (list->text == NULL)
		return;
	list->n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		list->text[i] = copy(&item, limits);
	}
}

/* The text of a node, NULL if it is none. */
static const char *node_text(const yaml_node_t *n)
{
	const char *text;

	if (n->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)n->data.scalar.value;
	return strlen(text) == n->data.scalar.length ? text : NULL;
}

/* Take the pair P of AT, unless its key is there already. */
static void read_pair(const struct yaml_at *at, const yaml_node_pair_t *p,
		      struct source_pairs *pairs)
{
	yaml_document_t *document = &at->tree->document;
	yaml_node_t *key = yaml_document_get_node(document, p->key);
	const char *text = node_text(key);
	struct yaml_at value = *at;

	value.node = key;
	for (uint32_t i = 0; text != NULL && i < pairs->n; i++)
		if (pairs->pair[i].key != NULL &&
		    strcmp(pairs->pair[i].key, text) == 0)
			text = NULL;
	if (text == NULL) {
		yaml_fault(&value, "a key is there twice, or is no text");
		return;
	}
	value = (struct yaml_at){
		.tree = at->tree,
		.node = yaml_document_get_node(document, p->value),
		.up = at,
		.key = text};
	pairs->pair[pairs->n].key = strdup(text);
	if (pairs->pair[pairs->n].key == NULL)
		at->tree->no_memory = true;
	pairs->pair[pairs->n++].value = copy(&value, &WORDS);
}

static void read_pairs(const struct yaml_at *at, void *member,
		       const struct yaml_field *f)
{
	struct source_pairs *pairs = member;
	const yaml_node_pair_t *p;
	size_t n;

	(void)f;
	if (at->node->type != YAML_MAPPING_NODE) {
		yaml_fault(at, "must be a mapping of keys to values");
		return;
	}
	p = at->node->data.mapping.pairs.start;
	n = (size_t)(at->node->data.mapping.pairs.top - p);
	if (n > SOURCE_CERTLOGIC_MAX) {
		yaml_fault(at, "has more than %d keys", SOURCE_CERTLOGIC_MAX);
		return;
	}
	pairs->pair = entries(at, n, sizeof(pairs->pair[0]));
	for (size_t i = 0; pairs->pair != NULL && i < n; i++)
		read_pair(at, &p[i], pairs);
}

static void read_certlogic(const struct yaml_at *at, void *member,
			   const struct yaml_field *f)
{
	(void)f;
	read_texts(at, member, &RULES);
}

static void read_list(const struct yaml_at *at, void *member,
		      const struct yaml_field *f)
{
	(void)f;
	read_texts(at, member, &WORDS);
}

static void read_keys(const struct yaml_at *at, void *member,
		      const struct yaml_field *f)
{
	(void)f;
	read_texts(at, member, &LINES);
}

/* --- the tables ----------------------------------------------------------- */

/* Whether a field that may be absent is missed is a matter of its meaning
 * (policy_file), where it can be told beside the other faults. */

/* NOLINTBEGIN(bugprone-macro-parentheses): members and types take none. */
#define FIELD(name, reader, type, member)                                      \
	{                                                                      \
		.key = (name), .optional = true, .read = (reader),             \
		.offset = offsetof(type, member)                               \
	}
/* NOLINTEND(bugprone-macro-parentheses) */
#define TEXT(name, type, member) FIELD(name, read_text, type, member)
#define LIST(member) FIELD(#member, read_list, struct source_client, member)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void read_rules(const struct yaml_at *at, void *member,
		       const struct yaml_field *f)
{
	static const struct yaml_field rules[] = {
#define X(id, name) TEXT(name, struct source_rules, level[RULE_##id]),
		RULE_MAP(X)
#undef X
	};

	(void)f;
	yaml_fields(at, rules, COUNT(rules), member);
}

static void read_validity(const struct yaml_at *at, void *member,
			  const struct yaml_field *f)
{
	static const struct yaml_field validity[] = {
		TEXT("v", struct source_validity, kind[DCC_VACCINATION]),
		TEXT("t", struct source_validity, kind[DCC_TEST]),
		TEXT("r", struct source_validity, kind[DCC_RECOVERY]),
	};

	(void)f;
	yaml_fields(at, validity, COUNT(validity), member);
}

static void read_rate(const struct yaml_at *at, void *member,
		      const struct yaml_field *f)
{
	static const struct yaml_field rate[] = {
		TEXT("per_second", struct source_rate, per_second),
		TEXT("burst", struct source_rate, burst),
	};

	(void)f;
	yaml_fields(at, rate, COUNT(rate), member);
}

static void read_quota(const struct yaml_at *at, void *member,
		       const struct yaml_field *f)
{
	static const struct yaml_field quota[] = {
		TEXT("per_day", struct source_quota, per_day),
	};

	(void)f;
	yaml_fields(at, quota, COUNT(quota), member);
}

static void read_alarm(const struct yaml_at *at, void *member,
		       const struct yaml_field *f)
{
	static const struct yaml_field alarm[] = {
		TEXT("factor", struct source_alarm, factor),
		TEXT("minimum", struct source_alarm, minimum),
		TEXT("stop", struct source_alarm, stop),
	};

	(void)f;
	yaml_fields(at, alarm, COUNT(alarm), member);
}

static const struct yaml_field PROFILE[] = {
	TEXT("name", struct source_profile, name),
	TEXT("default", struct source_profile, usual),
	FIELD("rules", read_rules, struct source_profile, rules),
	FIELD("certlogic", read_pairs, struct source_profile, certlogic),
};

static const struct yaml_field GATEWAY[] = {
	TEXT("name", struct source_gateway, name),
	FIELD("keys", read_keys, struct source_gateway, keys),
	TEXT("max_age", struct source_gateway, max_age),
};

static const struct yaml_field CLIENT[] = {
	TEXT("name", struct source_client, name),
	LIST(identities),
	LIST(operations),
	LIST(kinds),
	LIST(countries),
	LIST(issuers),
	LIST(uvci_prefixes),
	LIST(gateways),
	LIST(require),
	FIELD("request_keys", read_keys, struct source_client, request_keys),
	TEXT("request_age", struct source_client, request_age),
	TEXT("profile", struct source_client, profile),
	TEXT("renewal_window", struct source_client, renewal_window),
	FIELD("validity", read_validity, struct source_client, validity),
	FIELD("rate", read_rate, struct source_client, rate),
	FIELD("quota", read_quota, struct source_client, quota),
	FIELD("alarm", read_alarm, struct source_client, alarm),
};

static void read_profiles(const struct yaml_at *at, void *member,
			  const struct yaml_field *f)
{
	struct source *s = member;
	const size_t n = yaml_list(at, SOURCE_PROFILES_MAX);

	(void)f;
	s->profiles = entries(at, n, sizeof(s->profiles[0]));
	if (s->profiles == NULL)
		return;
	s->nprofiles = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		yaml_fields(&item, PROFILE, COUNT(PROFILE), &s->profiles[i]);
	}
}

static void read_gateways(const struct yaml_at *at, void *member,
			  const struct yaml_field *f)
{
	struct source *s = member;
	const size_t n = yaml_list(at, SOURCE_GATEWAYS_MAX);

	(void)f;
	s->gateways = entries(at, n, sizeof(s->gateways[0]));
	if (s->gateways == NULL)
		return;
	s->ngateways = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		yaml_fields(&item, GATEWAY, COUNT(GATEWAY), &s->gateways[i]);
	}
}

static void read_clients(const struct yaml_at *at, void *member,
			 const struct yaml_field *f)
{
	struct source *s = member;
	const size_t n = yaml_list(at, SOURCE_CLIENTS_MAX);

	(void)f;
	s->clients = entries(at, n, sizeof(s->clients[0]));
	if (s->clients == NULL)
		return;
	s->nclients = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		yaml_fields(&item, CLIENT, COUNT(CLIENT), &s->clients[i]);
	}
}

static void read_vaccines(const struct yaml_at *at, void *member,
			  const struct yaml_field *f)
{
	static const struct yaml_field vaccine[] = {
		TEXT("mp", struct source_vaccine, mp),
		TEXT("ma", struct source_vaccine, ma),
		TEXT("vp", struct source_vaccine, vp),
	};
	struct source_valuesets *s = member;
	const size_t n = yaml_list(at, SOURCE_LIST_MAX);

	(void)f;
	s->vaccines = entries(at, n, sizeof(s->vaccines[0]));
	if (s->vaccines == NULL)
		return;
	s->nvaccines = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		yaml_fields(&item, vaccine, COUNT(vaccine), &s->vaccines[i]);
	}
}

static void read_value_sets(const struct yaml_at *at, void *member,
			    const struct yaml_field *f)
{
	static const struct yaml_field sets[] = {
#define X(id, key, name)                                                       \
	FIELD(key, read_list, struct source_valuesets, set[VALUESET_##id]),
		VALUESET_MAP(X)
#undef X
		/* Sets a member and its count. */
		{.key = "vaccines", .optional = true, .read = read_vaccines},
	};

	(void)f;
	yaml_fields(at, sets, COUNT(sets), member);
}

static const struct yaml_field SOURCE[] = {
	TEXT("version", struct source, version),
	TEXT("time_zone", struct source, time_zone),
	FIELD("alarm", read_alarm, struct source, alarm),
	/* They set a member and its count. */
	{.key = "profiles", .optional = true, .read = read_profiles},
	{.key = "gateways", .optional = true, .read = read_gateways},
	{.key = "clients", .optional = true, .read = read_clients},
	FIELD("value_sets", read_value_sets, struct source, value_sets),
	FIELD("certlogic", read_certlogic, struct source, certlogic),
};

/* --- the whole ------------------------------------------------------------ */

enum sg_err source_read(struct span text, const char *name, struct source **out,
			struct faults *faults)
{
	const size_t before = faults->n;
	struct source *s = calloc(1, sizeof(*s));
	struct yaml_at root;
	enum sg_err err;

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	err = yaml_tree_load(&s->tree, text, name, NULL, faults);
	if (err != SG_OK) {
		free(s);
		return err;
	}
	root = yaml_root(&s->tree);
	yaml_fields(&root, SOURCE, COUNT(SOURCE), s);
	if (s->tree.no_memory)
		err = SG_NO_MEMORY;
	else if (faults->n - before > s->tree.unknown_keys)
		err = SG_CONFIG;
	if (err == SG_OK)
		*out = s;
	else
		source_free(s);
	return err;
}

void source_forget_lines(struct source *s)
{
	yaml_tree_free(&s->tree); /* empty from here on, and free to be freed */
}

static void free_list(struct source_list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		free(list->text[i]);
	free(list->text);
}

static void free_pairs(struct source_pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->n; i++) {
		free(pairs->pair[i].key);
		free(pairs->pair[i].value);
	}
	free(pairs->pair);
}

static void free_alarm(struct source_alarm *a)
{
	free(a->factor);
	free(a->minimum);
	free(a->stop);
}

static void free_client(struct source_client *c)
{
	free(c->rate.per_second);
	free(c->rate.burst);
	free(c->quota.per_day);
	free_alarm(&c->alarm);
	free(c->name);
	free(c->profile);
	free(c->renewal_window);
	free_list(&c->identities);
	free_list(&c->operations);
	free_list(&c->kinds);
	free_list(&c->countries);
	free_list(&c->issuers);
	free_list(&c->uvci_prefixes);
	free_list(&c->gateways);
	free_list(&c->request_keys);
	free(c->request_age);
	free_list(&c->require);
	for (size_t i = 0; i < DCC_KINDS; i++)
		free(c->validity.kind[i]);
}

static void free_value_sets(struct source_valuesets *s)
{
	for (size_t i = 0; i < VALUESET_COUNT; i++)
		free_list(&s->set[i]);
	for (uint32_t i = 0; i < s->nvaccines; i++) {
		free(s->vaccines[i].mp);
		free(s->vaccines[i].ma);
		free(s->vaccines[i].vp);
	}
	free(s->vaccines);
}

void source_free(struct source *s)
{
	if (s == NULL)
		return;
	free(s->version);
	free_list(&s->certlogic);
	free(s->time_zone);
	free_alarm(&s->alarm);
	for (uint32_t i = 0; i < s->nprofiles; i++) {
		free(s->profiles[i].name);
		free(s->profiles[i].usual);
		free_pairs(&s->profiles[i].certlogic);
		for (size_t k = 0; k < RULE_COUNT; k++)
			free(s->profiles[i].rules.level[k]);
	}
	free(s->profiles);
	for (uint32_t i = 0; i < s->ngateways; i++) {
		free(s->gateways[i].name);
		free(s->gateways[i].max_age);
		free_list(&s->gateways[i].keys);
	}
	free(s->gateways);
	for (uint32_t i = 0; i < s->nclients; i++)
		free_client(&s->clients[i]);
	free(s->clients);
	free_value_sets(&s->value_sets);
	yaml_tree_free(&s->tree);
	free(s);
}
