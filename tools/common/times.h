/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_TIMES_H
#define SG_TOOLS_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* times: seconds since 1970 and their readable form.  Pure. */
enum { TIMES_TEXT = 32 /* room for any text that is made here */ };

/*
 * Read TEXT: seconds since 1970, or a date and time as in RFC 3339 s. 5.6.
 * Wider than the RFC where people write otherwise: the offset may lack its
 * colon or be absent (UTC), a date may stand alone (midnight UTC).  Fractions
 * are cut off.  False if it is anything else, or outside years 1..9999.
 */
bool times_parse(struct span text, int64_t *out);
/* "2026-01-31T09:00:00Z", or the number where it has no such form. */
void times_format(int64_t t, char out[TIMES_TEXT]);

#endif /* SG_TOOLS_TIMES_H */
