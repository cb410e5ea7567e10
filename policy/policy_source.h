/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_SOURCE_H
#define SG_POLICY_SOURCE_H

#include "hcert/dsc.h"
#include "rule.h"
#include "valueset.h"
#include "yamltree.h"

/*
 * policy_source: policy.yaml as it is written: its shape is right, what it
 * means has not been looked at.  A text that is absent is NULL, a list that is
 * absent has no entries.
 */
enum {
	SOURCE_CLIENTS_MAX = 10000,
	SOURCE_PROFILES_MAX = 100,
	SOURCE_GATEWAYS_MAX = 32,
	SOURCE_LIST_MAX = 10000, /* entries of any other list */
	SOURCE_TEXT_MAX = 1024,	 /* bytes of any text */
	SOURCE_CERTLOGIC_MAX = 256,
	SOURCE_CERTLOGIC_BYTES = 65536 /* of a CertLogic rule */
};

struct source_list {
	char **text;
	uint32_t n;
};

/* A map of keys that are not ours. */
struct source_pair {
	char *key, *value;
};

struct source_pairs {
	struct source_pair *pair;
	uint32_t n;
};

struct source_rules {
	char *level[RULE_COUNT];
};

struct source_profile {
	char *name, *usual; /* the level of the rules that RULES leaves out */
	struct source_rules rules;
	struct source_pairs certlogic; /* levels by identifier */
};

struct source_validity {
	char *kind[DCC_KINDS];
};

struct source_gateway {
	char *name, *max_age;
	struct source_list keys; /* with line breaks */
};

struct source_rate {
	char *per_second, *burst;
};

struct source_quota {
	char *per_day;
};

struct source_alarm {
	char *factor, *minimum, *stop;
};

struct source_client {
	char *name, *profile, *renewal_window, *request_age;
	struct source_list request_keys; /* with line breaks */
	struct source_list identities, operations, kinds, countries, issuers,
		uvci_prefixes, gateways, require;
	struct source_validity validity;
	struct source_rate rate;
	struct source_quota quota;
	struct source_alarm alarm;
};

struct source_vaccine {
	char *mp, *ma, *vp;
};

struct source_valuesets {
	struct source_list set[VALUESET_COUNT];
	struct source_vaccine *vaccines;
	uint32_t nvaccines;
};

struct source {
	struct yaml_tree tree; /* the lines, until they are let go */
	char *version, *time_zone;
	struct source_alarm alarm;    /* of clients that have none */
	struct source_list certlogic; /* each a rule in JSON */
	struct source_profile *profiles;
	uint32_t nprofiles;
	struct source_gateway *gateways;
	uint32_t ngateways;
	struct source_client *clients;
	uint32_t nclients;
	struct source_valuesets value_sets;
};

/*
 * Read TEXT, called NAME in the faults; NAME and FAULTS stay borrowed.
 * Owns: *OUT is the caller's; source_free().
 * Errors: SG_CONFIG, FAULTS say why; SG_NO_MEMORY.  FAULTS may grow (unknown
 * keys) although the rest could be read: SG_OK.
 */
SG_MUST_USE enum sg_err source_read(struct span text, const char *name,
				    struct source **out, struct faults *faults);
/* When all faults have been told: the text's tree is of no more use. */
void source_forget_lines(struct source *s);
void source_free(struct source *s); /* NULL is allowed */

#endif /* SG_POLICY_SOURCE_H */
