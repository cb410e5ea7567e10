/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_UTF8_H
#define SG_UTF8_H

#include <stdint.h>

#include "base/span.h"

/* Is S well-formed UTF-8 (RFC 3629): shortest forms, no surrogates, nothing
 * beyond U+10FFFF?  Pure. */
bool utf8_valid(struct span s);

/* Take the first character from *REST, which is not empty; UTF8_BROKEN, and one
 * byte, where there is none. */
enum { UTF8_BROKEN = 0xfffd };
uint32_t utf8_next(struct span *rest);

/* Is C not to be seen, but there: controls (C0, DEL, C1), line and paragraph
 * separators, explicit embeddings, overrides and isolates of direction (UAX #9
 * s. 2), and what Unicode calls default ignorable: joiners, fillers, invisible
 * operators, variation selectors, tags? */
bool utf8_is_hidden(uint32_t c);
/* Is there such a character in S? */
bool utf8_has_hidden(struct span s);
/* Is C white space (Unicode's White_Space), or of no width and no meaning at a
 * text's end (U+200B, U+FEFF)? */
bool utf8_is_space(uint32_t c);
/* Is neither the first nor the last character of S one?  Empty texts are
 * trimmed. */
bool utf8_is_trimmed(struct span s);

#endif /* SG_UTF8_H */
