/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_UTF8_H
#define SG_UTF8_H

#include "base/span.h"

/* Is S well-formed UTF-8 (RFC 3629): shortest forms, no surrogates, nothing
 * beyond U+10FFFF?  Pure. */
bool utf8_valid(struct span s);

#endif /* SG_UTF8_H */
