/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_source.h"

#include <stdio.h>

/* Whether a field that may be absent is missed is a matter of its meaning
 * (policy_file), where it can be told beside the other faults. */
#define MAYBE CYAML_FLAG_OPTIONAL
#define MAYBE_AT (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)

/* NOLINTBEGIN(bugprone-macro-parentheses): members and types take none. */
#define TEXT(key, type, member)                                                \
	CYAML_FIELD_STRING_PTR(key, MAYBE, type, member, 1, SOURCE_TEXT_MAX)
#define LIST(member)                                                           \
	CYAML_FIELD_SEQUENCE_COUNT(#member, MAYBE_AT, struct source_client,    \
				   member.text, member.n, &LIST_TEXT, 1,       \
				   SOURCE_LIST_MAX)
/* NOLINTEND(bugprone-macro-parentheses) */

static const cyaml_schema_value_t LIST_TEXT = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, SOURCE_TEXT_MAX)};

static const cyaml_schema_field_t RULES[] = {
#define X(id, name) TEXT(name, struct source_rules, level[RULE_##id]),
	RULE_MAP(X)
#undef X
		CYAML_FIELD_END};

static const cyaml_schema_field_t PROFILE[] = {
	TEXT("name", struct source_profile, name),
	CYAML_FIELD_MAPPING("rules", MAYBE, struct source_profile, rules,
			    RULES),
	CYAML_FIELD_END};

static const cyaml_schema_field_t VALIDITY[] = {
	TEXT("v", struct source_validity, kind[DCC_VACCINATION]),
	TEXT("t", struct source_validity, kind[DCC_TEST]),
	TEXT("r", struct source_validity, kind[DCC_RECOVERY]), CYAML_FIELD_END};

static const cyaml_schema_field_t CLIENT[] = {
	TEXT("name", struct source_client, name),
	LIST(identities),
	LIST(operations),
	LIST(kinds),
	LIST(countries),
	LIST(issuers),
	LIST(uvci_prefixes),
	TEXT("profile", struct source_client, profile),
	CYAML_FIELD_MAPPING("validity", MAYBE, struct source_client, validity,
			    VALIDITY),
	CYAML_FIELD_END};

static const cyaml_schema_value_t PROFILE_ENTRY = {CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct source_profile, PROFILE)};
static const cyaml_schema_value_t CLIENT_ENTRY = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct source_client, CLIENT)};

static const cyaml_schema_field_t SOURCE[] = {
	TEXT("version", struct source, version),
	CYAML_FIELD_SEQUENCE_COUNT("profiles", MAYBE_AT, struct source,
				   profiles, nprofiles, &PROFILE_ENTRY, 1,
				   SOURCE_PROFILES_MAX),
	CYAML_FIELD_SEQUENCE_COUNT("clients", MAYBE_AT, struct source, clients,
				   nclients, &CLIENT_ENTRY, 1,
				   SOURCE_CLIENTS_MAX),
	CYAML_FIELD_END};

static const cyaml_schema_value_t SCHEMA = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct source, SOURCE)};

/* Where libcyaml's own complaints go. */
struct complaints {
	const char *name;
	struct faults *faults;
};

__attribute__((format(printf, 3, 0))) static void complain(cyaml_log_t level,
							   void *ctx,
							   const char *fmt,
							   va_list args)
{
	const struct complaints *c = ctx;
	char text[256];

	(void)level;
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	faults_add(c->faults, c->name, 0, "%s", text);
}

static cyaml_config_t config(struct complaints *c)
{
	return (cyaml_config_t){
		.log_fn = complain,
		.log_ctx = c,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS | CYAML_CFG_NO_ALIAS,
	};
}

enum sg_err source_read(struct span text, const char *name, struct source **out,
			struct yaml_text **yaml, struct faults *faults)
{
	struct complaints complaints = {.name = name, .faults = faults};
	const cyaml_config_t cfg = config(&complaints);
	cyaml_data_t *data = NULL;
	cyaml_err_t bad;
	enum sg_err err;

	*out = NULL;
	err = yaml_text_read(text, name, &SCHEMA, yaml, faults);
	if (err != SG_OK)
		return err;
	bad = cyaml_load_data(text.p, text.n, &cfg, &SCHEMA, &data, NULL);
	if (bad == CYAML_OK) {
		*out = data;
		return SG_OK;
	}
	/* Only if the two disagree about what is sound, which is a fault of
	 * ours and no reason to run with half a policy. */
	yaml_text_free(*yaml);
	*yaml = NULL;
	if (bad == CYAML_ERR_OOM)
		return SG_NO_MEMORY;
	faults_add(faults, name, 0, "%s", cyaml_strerror(bad));
	return SG_CONFIG;
}

void source_free(struct source *s)
{
	struct complaints complaints = {.name = ""};
	cyaml_config_t cfg = config(&complaints);

	cfg.log_fn = NULL;
	(void)cyaml_free(&cfg, &SCHEMA, s, 0);
}
