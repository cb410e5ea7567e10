/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HEX_H
#define SG_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* hex: hexadecimal (RFC 4648 s. 8); written in lower case, read in either.
 * Pure. */

/* Room for N bytes as digits and a NUL. */
#define HEX_TEXT(n) (2 * (n) + 1)

/* The N bytes at P as digits and a NUL; OUT has HEX_TEXT(N).  Returns OUT. */
const char *hex_encode(const uint8_t *p, size_t n, char *out);
/* The 2 * N characters at TEXT as N bytes; OUT may lie where TEXT does.  False
 * at the first that is no digit; what is in OUT then is undefined. */
bool hex_decode(const char *text, uint8_t *out, size_t n);
/* The value of the digit C, or -1. */
int hex_digit(char c);

#endif /* SG_HEX_H */
