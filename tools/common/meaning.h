/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_MEANING_H
#define SG_TOOLS_MEANING_H

/* What CODE (of a violation, or a problem's name) means, in a few words for
 * whoever cleans the data; NULL if it is not known here.  Pure. */
const char *meaning_of(const char *code);

#endif /* SG_TOOLS_MEANING_H */
