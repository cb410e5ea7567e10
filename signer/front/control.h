/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONTROL_H
#define SG_CONTROL_H

#include "front/front_state.h"

/* control: the front's end of the channel to the supervisor: takes links,
 * metrics pages, reloads and the order to drain.  Loop thread only. */

/* Errors: SG_IO, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err control_open(struct front *f, int fd);
/* Tell the supervisor that this front serves.  Errors: SG_IO. */
SG_MUST_USE enum sg_err control_up(struct front *f);
void control_close(struct front *f);

/* Begin to drain: no new connections, what is in flight is finished. */
void front_drain(struct front *f);

#endif /* SG_CONTROL_H */
