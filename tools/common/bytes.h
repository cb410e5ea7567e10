/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BYTES_H
#define SG_TOOLS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* bytes: hashes and key ids as people write them.  Pure. */
enum { BYTES_MAX = 64 /* of one run */ };

/* Room for N bytes (at most BYTES_MAX) in base64. */
#define BYTES_BASE64(n) (4 * (((n) + 2) / 3) + 1)

/* RFC 4648 s. 4, padded; OUT has BYTES_BASE64(N).  Returns OUT. */
const char *bytes_base64(const uint8_t *p, size_t n, char *out);
/* Read TEXT, N bytes (5 to BYTES_MAX: fewer could be either) in hexadecimal or
 * in base64, padded or not, with either alphabet; false if it is anything else.
 */
bool bytes_parse(const char *text, uint8_t *out, size_t n);

#endif /* SG_TOOLS_BYTES_H */
