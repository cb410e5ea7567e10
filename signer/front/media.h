/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_MEDIA_H
#define SG_MEDIA_H

#include "base/span.h"

/*
 * media: the media types that the API takes and makes.
 *	X(id, text)
 */
#define MEDIA_MAP(X)                                                           \
	X(JSON, "application/json")                                            \
	X(CBOR, "application/cbor")                                            \
	X(NDJSON, "application/x-ndjson")                                      \
	X(CBOR_SEQ, "application/cbor-seq")                                    \
	X(COSE, "application/cose")                                            \
	X(TEXT, "text/plain")                                                  \
	X(SVG, "image/svg+xml")                                                \
	X(PNG, "image/png")                                                    \
	X(PEM, "application/pem-certificate-chain")                            \
	X(COSE_KEY_SET, "application/cose-key-set")                            \
	X(JWK_SET, "application/jwk-set+json")                                 \
	X(OCTETS, "application/octet-stream")                                  \
	X(PROBLEM, "application/problem+json")

enum media {
#define X(id, text) MEDIA_##id,
	MEDIA_MAP(X)
#undef X
		MEDIA_NONE /* keep last: no type, or none of these */
};

/* "application/json"; static.  Empty for MEDIA_NONE. */
const char *media_text(enum media m);

/* The type that a Content-Type field names (RFC 9110 s. 8.3), MEDIA_NONE for
 * an absent, malformed or foreign one, and for JSON in a charset that is not
 * UTF-8 (RFC 8259 s. 8.1). */
enum media media_of(struct span content_type);

/*
 * The offer that Accept FIELD (RFC 9110 s. 12.5.1) likes best, -1 for none.
 * OFFERS stand in the server's order of preference, which decides among
 * equals; an absent (empty) field likes all.  A range counts with all its
 * parameters but q passed over, except for cose-type, which must be
 * "cose-sign1".  What cannot be read of the field is passed over.
 */
int media_negotiate(struct span field, const enum media *offers, size_t n);

/* Does Accept-Language FIELD (RFC 9110 s. 12.5.4) like Vietnamese better than
 * English?  Of two equals the one that stands first is liked better. */
bool media_prefers_vietnamese(struct span field);

#endif /* SG_MEDIA_H */
