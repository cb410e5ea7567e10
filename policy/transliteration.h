/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TRANSLITERATION_H
#define SG_TRANSLITERATION_H

#include "base/span.h"

/*
 * transliteration: may a text of A to Z and '<' be what ICAO Doc 9303 part 3
 * section 6 makes of a name?  Tables 6.A (Latin) and 6.B (Cyrillic); Latin
 * letters that 6.A does not have (all of Vietnamese) lose their marks.  Where
 * the standard names several spellings, by letter or by language, any of them
 * is right.  Precomposed and decomposed, small and capital letters are alike.
 * README.md says what becomes of everything else.  Pure.
 */
enum { TRANSLITERATION_MAX = 80 /* characters of either; schema 1.3.3 */ };

/*
 * May STANDARD (fnt, gnt) stand for NAME (fn, gn; UTF-8)?  True also where
 * nothing can be said: either is longer than TRANSLITERATION_MAX, or STANDARD
 * has other characters, which the schema refuses.  The time is bounded by the
 * characters of NAME, whatever they are.
 */
bool transliteration_matches(struct span name, struct span standard);

#endif /* SG_TRANSLITERATION_H */
