/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEY_MAKE_H
#define SG_KEY_MAKE_H

#include "forge.h"

/*
 * Make the key pair of TASK (WIRE_TASK_GENERATE) on F's token: sensitive, not
 * extractable, for signing and nothing else, under its label and a random id;
 * not modifiable either, where the module allows it and no session copies are
 * made: a copy differs in CKA_TOKEN, which is a modification (PKCS #11 v2.40
 * s. 4.1.2).
 * Refuses a label that is there already.  Reads the attributes back, and
 * destroys the pair again if one is not as it must be.  *OUT gets the public
 * key.
 */
void key_make(struct forge *f, const struct wire_forge *task,
	      struct forged *out);

#endif /* SG_KEY_MAKE_H */
