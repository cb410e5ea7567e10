/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEY_DESTROY_H
#define SG_KEY_DESTROY_H

#include "forge.h"

/*
 * Destroy the key of TASK (WIRE_TASK_DESTROY) on F's token: the private key of
 * its label, its public key, and the certificates of that; but only if the
 * public key is TASK's.  Then looks whether the private key is gone.  One that
 * was gone before is a success.  *OUT gets no more than that.
 */
void key_destroy(struct forge *f, const struct wire_forge *task,
		 struct forged *out);

#endif /* SG_KEY_DESTROY_H */
