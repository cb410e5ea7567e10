/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_PATHS_H
#define SG_CERTLOGIC_PATHS_H

#include "certlogic_load.h"

/*
 * certlogic_paths: does what a rule of a policy reads exist?  CertLogic takes
 * any path, and what is not there is null: with a name misspelt a rule would be
 * kept by nobody, or by all.
 */

/*
 * Tell LISTENER, at the path itself (cut as its places are), each `var` of
 * RULE's Logic that is neither a field of the DCC schema 1.3.3 under "payload"
 * nor what certlogic_judge.h lists under "external", and each of its
 * AffectedFields that is no such field. What the function of a `reduce` reads
 * is its own matter.  RULE has been loaded (certlogic_rule.h).
 */
void certlogic_paths_check(struct json_t *rule,
			   const struct certlogic_listener *listener);

#endif /* SG_CERTLOGIC_PATHS_H */
