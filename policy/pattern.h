/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PATTERN_H
#define SG_PATTERN_H

#include "base/span.h"

/*
 * pattern: the regular expressions of the DCC schema 1.3.3 as small matchers,
 * with the meaning of ECMA-262, which JSON Schema prescribes: \d is 0 to 9, $
 * is the very end, '.' is any code point but a line terminator, and what is
 * not anchored may match anywhere.  TEXT is UTF-8.  Pure.
 */
enum pattern {
	PATTERN_ANY,	 /* no pattern */
	PATTERN_VERSION, /* ^\d+.\d+.\d+$ */
	PATTERN_BIRTH,	 /* ^((19|20)\d\d(-\d\d){0,2}){0,1}$ */
	PATTERN_MRZ,	 /* ^[A-Z<]*$ */
	PATTERN_COUNTRY, /* [A-Z]{1,10} */
	PATTERN_COUNT
};

bool pattern_matches(enum pattern pattern, struct span text);
/* Is TEXT longer than MAX code points? */
bool pattern_longer(struct span text, size_t max);

#endif /* SG_PATTERN_H */
