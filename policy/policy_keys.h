/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_KEYS_H
#define SG_POLICY_KEYS_H

#include "policy_reading.h"

/* policy_keys: the keys that clients sign their requests with, and what is
 * required of a client's requests. */

/* Keys of S's clients: what they add to the look-up. */
size_t policy_keys_names(const struct source *s);
/* Read `request_keys`, `request_age` and `require` of client INDEX.
 * Owns: the client has the keys; verifiers_clear().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err policy_keys_grant(struct reading *r, uint32_t index);

#endif /* SG_POLICY_KEYS_H */
