/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SUBJECT_H
#define SG_TOOLS_SUBJECT_H

#include "base/err.h"
#include "base/span.h"

/*
 * subject: a distinguished name from text, "C=VN,O=Bộ Y tế,CN=DSC 2", in the
 * order of the text; a backslash takes a comma into a value.  Pure.
 */

/*
 * TEXT as an X.501 Name in DER.
 * Owns: OUT->p is the caller's; OPENSSL_free().
 * Errors, with WHY: SG_MALFORMED (no such text, a type that is not known, a
 * value that its type does not take), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err subject_parse(const char *text, struct span *out,
				      char *why, size_t cap);

#endif /* SG_TOOLS_SUBJECT_H */
