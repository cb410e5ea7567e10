/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_SOURCE_H
#define SG_POLICY_SOURCE_H

#include "hcert/dsc.h"
#include "rule.h"
#include "yaml_text.h"

/*
 * policy_source: policy.yaml as it is written: its shape is right, what it
 * means has not been looked at.  A text that is absent is NULL, a list that is
 * absent has no entries.  Memory is libcyaml's.
 */
enum {
	SOURCE_CLIENTS_MAX = 10000,
	SOURCE_PROFILES_MAX = 100,
	SOURCE_LIST_MAX = 10000, /* entries of any other list */
	SOURCE_TEXT_MAX = 1024	 /* bytes of any text */
};

struct source_list {
	char **text;
	uint32_t n;
};

struct source_rules {
	char *level[RULE_COUNT];
};

struct source_profile {
	char *name;
	struct source_rules rules;
};

struct source_validity {
	char *kind[DCC_KINDS];
};

struct source_client {
	char *name, *profile;
	struct source_list identities, operations, kinds, countries, issuers,
		uvci_prefixes;
	struct source_validity validity;
};

struct source {
	char *version;
	struct source_profile *profiles;
	uint32_t nprofiles;
	struct source_client *clients;
	uint32_t nclients;
};

/*
 * Read TEXT, called NAME in the faults.
 * Owns: *OUT and *YAML, which knows the lines, are the caller's;
 * source_free() and yaml_text_free().
 * Errors: SG_CONFIG, FAULTS say why; SG_NO_MEMORY.  FAULTS may grow (unknown
 * keys) although the rest could be read: SG_OK.
 */
SG_MUST_USE enum sg_err source_read(struct span text, const char *name,
				    struct source **out,
				    struct yaml_text **yaml,
				    struct faults *faults);
void source_free(struct source *s); /* NULL is allowed */

#endif /* SG_POLICY_SOURCE_H */
