/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_source.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- texts and lists ------------------------------------------------------ */

static char *copy(const struct yaml_at *at)
{
	struct span s;
	char *text;

	if (!yaml_text(at, &s))
		return NULL;
	if (s.n > SOURCE_TEXT_MAX) {
		yaml_fault(at, "longer than %d bytes", SOURCE_TEXT_MAX);
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
	*(char **)member = copy(at);
}

static void read_list(const struct yaml_at *at, void *member,
		      const struct yaml_field *f)
{
	struct source_list *list = member;
	const size_t n = yaml_list(at, SOURCE_LIST_MAX);

	(void)f;
	list->text = entries(at, n, sizeof(list->text[0]));
	if (list->text == NULL)
		return;
	list->n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		list->text[i] = copy(&item);
	}
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
};

static const struct yaml_field CLIENT[] = {
	TEXT("name", struct source_client, name),
	LIST(identities),
	LIST(operations),
	LIST(kinds),
	LIST(countries),
	LIST(issuers),
	LIST(uvci_prefixes),
	TEXT("profile", struct source_client, profile),
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

static const struct yaml_field SOURCE[] = {
	TEXT("version", struct source, version),
	TEXT("time_zone", struct source, time_zone),
	FIELD("alarm", read_alarm, struct source, alarm),
	/* They set a member and its count. */
	{.key = "profiles", .optional = true, .read = read_profiles},
	{.key = "clients", .optional = true, .read = read_clients},
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
	free_list(&c->identities);
	free_list(&c->operations);
	free_list(&c->kinds);
	free_list(&c->countries);
	free_list(&c->issuers);
	free_list(&c->uvci_prefixes);
	for (size_t i = 0; i < DCC_KINDS; i++)
		free(c->validity.kind[i]);
}

void source_free(struct source *s)
{
	if (s == NULL)
		return;
	free(s->version);
	free(s->time_zone);
	free_alarm(&s->alarm);
	for (uint32_t i = 0; i < s->nprofiles; i++) {
		free(s->profiles[i].name);
		free(s->profiles[i].usual);
		for (size_t k = 0; k < RULE_COUNT; k++)
			free(s->profiles[i].rules.level[k]);
	}
	free(s->profiles);
	for (uint32_t i = 0; i < s->nclients; i++)
		free_client(&s->clients[i]);
	free(s->clients);
	yaml_tree_free(&s->tree);
	free(s);
}
