/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ACCUSATION_H
#define SG_ACCUSATION_H

#include "roster.h"

/*
 * accusation: what becomes of one process's word against another.  Loop thread
 * only.
 */

/* C, of R, says M.  Kills whom it is believed against, or C itself. */
void accusation_judge(const struct roster *r, struct child *c,
		      const struct wire_peer_bad *m);

#endif /* SG_ACCUSATION_H */
