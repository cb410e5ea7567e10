/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_IDENTITY_H
#define SG_IDENTITY_H

#include "err.h"
#include "span.h"

/*
 * identity: what a client certificate proves about its holder, as a front
 * tells it to the core: the SHA-256 of the SubjectPublicKeyInfo, and the
 * subject alternative names of type URI and DNS.  Never a CN.
 * Encoded once per connection, sent with each request.  Pure.
 */
enum { IDENTITY_NAMES_MAX = 16, IDENTITY_BYTES_MAX = 2048 };

enum identity_name_type { IDENTITY_URI, IDENTITY_DNS, IDENTITY_TYPE_COUNT };

struct identity_name {
	enum identity_name_type type;
	struct span text; /* DNS names in lower case */
};

struct identity {
	uint8_t spki[32]; /* SHA-256 */
	size_t n;
	struct identity_name name[IDENTITY_NAMES_MAX];
};

/* Errors: SG_TOO_BIG when CAP or IDENTITY_BYTES_MAX is short. */
SG_MUST_USE enum sg_err identity_encode(const struct identity *id, uint8_t *out,
					size_t cap, size_t *len);
/* Spans of *OUT lie in IN.  Errors: SG_MALFORMED. */
SG_MUST_USE enum sg_err identity_decode(struct span in, struct identity *out);

#endif /* SG_IDENTITY_H */
