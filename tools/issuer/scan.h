/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SCAN_H
#define SG_TOOLS_SCAN_H

#include "base/span.h"

/*
 * scan: walks over the members of a JSON object without building anything, for
 * lines that come by the million.  It finds where values begin and end; it does
 * not judge what stands in them.  Pure.
 */
enum scan_got { SCAN_MEMBER, SCAN_END, SCAN_FAULT };

struct scan {
	const uint8_t *p, *end;
	bool first;
};

/* Begin at the object TEXT; white space may stand around it. */
struct scan scan_object(struct span text);
/* The next member: KEY without its quotes, VALUE as it stands.  SCAN_END also
 * means that nothing follows the object. */
enum scan_got scan_next(struct scan *s, struct span *key, struct span *value);
/* The value of member KEY of the object TEXT (the first of that name); false if
 * there is none, or if what stands before it is no JSON. */
bool scan_find(struct span text, const char *key, struct span *value);
/* The first element of the array TEXT. */
bool scan_first(struct span text, struct span *value);
/* What stands between the quotes, if VALUE is a string. */
bool scan_string(struct span value, struct span *text);
/* A decimal integer of at most 18 digits. */
bool scan_integer(struct span value, int64_t *out);
/* TEXT is one whole JSON object, as far as scan_next() looks. */
bool scan_is_object(struct span text);

#endif /* SG_TOOLS_SCAN_H */
