/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PRINTABLE_H
#define SG_TOOLS_PRINTABLE_H

#include <jansson.h>
#include <stdio.h>

#include "base/span.h"

/*
 * printable: text that anybody wrote, for a terminal.  What a certificate that
 * nobody vouches for says must not move the cursor, or turn a line around.
 */

/* Write TEXT to TO, U+FFFD for each character that is hidden (hcert/utf8.h),
 * and for each byte that belongs to none. */
void printable_put(FILE *to, struct span text);

/*
 * J as JSON text (FLAGS as for json_dumps()), hidden characters escaped: it
 * means the same.
 * Owns: the text is the caller's; free() it.  NULL: no memory.
 */
char *printable_json(const json_t *j, size_t flags);

#endif /* SG_TOOLS_PRINTABLE_H */
