/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONFIG_READ_H
#define SG_CONFIG_READ_H

#include "config.h"
#include "policy/yamltree.h"

/* Fill C, which has its defaults from config_defaults(), from the tree.
 * Faults go where T has them. */
void config_read(struct yaml_tree *t, struct config *c);
void config_defaults(struct config *c, const char *base);

/*
 * Check the files that C names: that they are there, parse and fit each other;
 * T tells the lines.  C's notes are set.  *POLICY (may be NULL) gets the
 * policy's text on SG_OK; free() it. Errors: SG_CONFIG with faults added,
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err config_check(struct yaml_tree *t, struct config *c,
				     struct span *policy);

#endif /* SG_CONFIG_READ_H */
