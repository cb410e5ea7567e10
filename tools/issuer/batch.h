/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BATCH_H
#define SG_TOOLS_BATCH_H

#include <stdint.h>
#include <stdio.h>

#include "tools/common/check.h"

/* batch: results of verification as JSON lines. */

/* {"ok": true, "kid": hex, "alg", "iss"?, "iat"?, "exp", "kinds", "warning"?}
 * or {"ok": false, "failed": step, "detail": text, "failures": [step]}, and a
 * line end. */
void batch_print(FILE *to, const struct check *check);

/*
 * Verify each line {"hcert", "dsc", "at"?} of FROM and print a line to TO; AT
 * is the clock of lines that have none.  A line that cannot be read is
 * answered {"ok": false, "failed": "input", ...}.
 * Returns the exit status: 0 all genuine, 1 not, 2 no memory.
 */
int batch_verify(struct checker *checker, FILE *from, FILE *to, int64_t at);

#endif /* SG_TOOLS_BATCH_H */
