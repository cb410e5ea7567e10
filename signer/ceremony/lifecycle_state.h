/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LIFECYCLE_STATE_H
#define SG_LIFECYCLE_STATE_H

#include "lifecycle.h"

/* What the halves of lifecycle share.  Only for this folder. */

/* Where a new key can go: behind the others, or in the place of the one that
 * was destroyed first, but for those that were compromised, stand in
 * signerd.yaml, or are the ledger's.  LIFE_KEYS_MAX:
 * nowhere. */
size_t life_room(const struct lifecycle *l);
/* K, which signs or will, signs no more from AT on (NOW or later): those of its
 * kinds that nothing signs then, or at a time that officers have set for
 * another key's end. */
unsigned life_gap(const struct lifecycle *l, const struct life *k, int64_t at,
		  int64_t now);

#endif /* SG_LIFECYCLE_STATE_H */
