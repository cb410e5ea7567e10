/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONFIG_READ_H
#define SG_CONFIG_READ_H

#include "config.h"
#include "config_values.h"
#include "policy/yamltree.h"

/* Fill C, which has its defaults from config_defaults(), from the tree.
 * Faults go where T has them. */
void config_read(struct yaml_tree *t, struct config *c);
void config_defaults(struct config *c, const char *base);

/* One key is the core's and an hsm's: read whole, then handed to both. */
struct config_key {
	struct core_key_settings core;
	char hsm[CONFIG_LABEL_BYTES];
	char uri[CONFIG_PATH_BYTES];
};
/* Hand KEY, read from AT, to the core and to its HSM. */
void config_key_add(const struct yaml_at *at, struct config *c,
		    const struct config_key *key);
/* NULL: there is none. */
struct config_hsm *config_hsm_named(struct config *c, const char *name);

/* The section "tls", into struct config. */
void config_read_tls(const struct yaml_at *at, void *config,
		     const struct yaml_field *f);
void config_tls_defaults(struct config *c);
/* Its key, where that is in an HSM: after the keys of certificates, and before
 * the ledger's, which is the last one. */
void config_read_tls_key(const struct yaml_at *root, struct config *c);
/* That key; NULL: it is in a file. */
const struct core_key_settings *config_tls_key(const struct config *c);

/* The section "ledger", into struct config; hsms and keys are read before. */
void config_read_ledger(const struct yaml_at *at, void *config,
			const struct yaml_field *f);

/* The section "sandbox", into struct config_sandbox. */
void config_read_sandbox(const struct yaml_at *at, void *sandbox,
			 const struct yaml_field *f);
/* An HSM's "access", into struct config_access. */
void config_read_access(const struct yaml_at *at, void *access,
			const struct yaml_field *f);
bool config_same_access(const struct config_access *a,
			const struct config_access *b);
/* Users that are not there; and notes of what is weak, in C's doubts. */
void config_check_sandbox(const struct yaml_at *root, struct config *c);

/* Add to NOTES a line like that of a fault at AT. */
void config_note(const struct yaml_at *at, char notes[CONFIG_NOTE_BYTES],
		 const char *text);

/*
 * Check the files that C names: that they are there, parse and fit each other;
 * T tells the lines.  C's notes are set.  *POLICY (may be NULL) gets the
 * policy's text on SG_OK; free() it. Errors: SG_CONFIG with faults added,
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err config_check(struct yaml_tree *t, struct config *c,
				     struct span *policy);

#endif /* SG_CONFIG_READ_H */
