/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PKCS11_URI_H
#define SG_PKCS11_URI_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

/*
 * uri: RFC 7512 PKCS #11 URIs that name one private key on one token.
 */
struct uri; /* opaque */

/*
 * Parse TEXT, the URI of the key called LABEL, which is for the log and must
 * outlive *OUT.
 * Owns: *OUT is the caller's; uri_free().
 * Errors: SG_CONFIG (logged without the text, which might hold a PIN) when it
 * is not such a URI, has attributes that we do not know, a PIN, a type other
 * than private, or neither object nor id; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err uri_parse(const char *label, const char *text,
				  struct uri **out);
/*
 * The private key whose CKA_LABEL is OBJECT on the token that TEXT names;
 * without OBJECT any key there.  TEXT names a token and no object: as
 * uri_token_fault() has it.  LABEL, *OUT and errors as above.
 */
SG_MUST_USE enum sg_err uri_parse_token(const char *label, const char *text,
					struct span object, struct uri **out);
/* Why TEXT does not name one token, and nothing on it: static text that goes on
 * after its name.  NULL: it does. */
const char *uri_token_fault(const char *text);
/* NULL is allowed. */
void uri_free(struct uri *uri);
const char *uri_label(const struct uri *uri);

/* Does the token in slot ID fit every token and slot attribute? */
bool uri_fits_token(const struct uri *uri, CK_SLOT_ID id,
		    const CK_SLOT_INFO *slot, const CK_TOKEN_INFO *token);
/* Do the module's own attributes (library-...) fit? */
bool uri_fits_library(const struct uri *uri, const CK_INFO *info);
/*
 * The template that the private key must match: class, and label and id as
 * far as they are given.  ATTRS has room for URI_TEMPLATE_MAX; the values
 * stay URI's.  Returns how many were set.
 */
enum { URI_TEMPLATE_MAX = 3 };
CK_ULONG uri_template(const struct uri *uri,
		      CK_ATTRIBUTE attrs[URI_TEMPLATE_MAX]);

/*
 * The label of the token that TEXT, a URI, names (RFC 7512 s. 2.3), without
 * the blanks at its end, which no two labels differ by.  False: it names none,
 * or is no such URI.
 */
enum { URI_TOKEN_BYTES = 33 };
bool uri_token(const char *text, char out[URI_TOKEN_BYTES]);

#endif /* SG_PKCS11_URI_H */
