/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PRIVILEGES_H
#define SG_PRIVILEGES_H

#include "sandbox.h"

/* privileges: the user, and the capabilities that root has beside its name. */

/* Become the user of S, for good.  Without one, or when the process is not
 * root, nothing.  Errors: SG_IO with errno. */
SG_MUST_USE enum sg_err privileges_user(const struct sandbox *s);

/* Keep no capability, in no set; the supervisor keeps those by which it starts
 * other roles.  Errors: SG_IO with errno. */
SG_MUST_USE enum sg_err privileges_drop(const struct sandbox *s);

#endif /* SG_PRIVILEGES_H */
