/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LIMITS_H
#define SG_LIMITS_H

#include "sandbox.h"

/* limits: resources of the process. */

/* Before the supervisor gives up anything: roles may lock their memory, where
 * the machine lets us say so. */
void limits_raise(void);

/* Lower the limits of the process to what its role needs.  Errors: SG_IO with
 * errno. */
SG_MUST_USE enum sg_err limits_lower(const struct sandbox *s);

/* No page of the process is swapped out from now on.  False: the limit on
 * locked memory does not allow it, or the build is RELAXED. */
bool limits_lock_memory(void);

#endif /* SG_LIMITS_H */
