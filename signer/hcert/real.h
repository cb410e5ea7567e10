/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REAL_H
#define SG_REAL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the shortest IEEE 754 format, half (2), single (4) or double (8),
 * that holds V exactly; 2 for a NaN.  Pure. */
size_t real_shortest_bytes(double v);

/* V, of which the shortest format is half, in that format; a NaN is 0x7e00
 * (RFC 8949 s. 4.2.2).  Pure. */
uint16_t real_half(double v);

#endif /* SG_REAL_H */
