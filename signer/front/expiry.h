/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_EXPIRY_H
#define SG_EXPIRY_H

#include "front/front_state.h"

/*
 * expiry: when the certificates, CRLs and the OCSP response of f->tls run
 * out: metrics, and a line of the log when one has.  Loop thread only.
 */

/* f->tls is another one. */
void expiry_renewed(struct front *f);
/* Once a second. */
void expiry_second(struct front *f);

#endif /* SG_EXPIRY_H */
