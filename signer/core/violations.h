/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VIOLATIONS_H
#define SG_VIOLATIONS_H

#include "ipc/wire.h"
#include "policy/verdict.h"

/* violations: a verdict as it goes to a front.  Pure. */
enum { VIOLATIONS_BYTES_MAX = 32768 }; /* holds VERDICT_MAX of them */

/* Encode the violations of V, their details in LANGUAGE (enum wire_language),
 * into BUF.  What does not fit is left out.  The result lies in BUF. */
struct span violations_encode(const struct verdict *v, uint8_t language,
			      uint8_t *buf, size_t cap);

#endif /* SG_VIOLATIONS_H */
