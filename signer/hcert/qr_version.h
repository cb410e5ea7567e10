/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_QR_VERSION_H
#define SG_QR_VERSION_H

#include <stddef.h>

/* qr_version: how large a QR code gets (ISO/IEC 18004 s. 7.4, table 7). */
enum { QR_VERSION_MAX = 40 };

/* The smallest version whose symbol holds CHARACTERS in alphanumeric mode at
 * error correction Q; QR_VERSION_MAX + 1: none does. */
unsigned qr_version(size_t characters);

#endif /* SG_QR_VERSION_H */
