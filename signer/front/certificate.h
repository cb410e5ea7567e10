/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTIFICATE_H
#define SG_CERTIFICATE_H

#include "doc.h"
#include "ipc/wire.h"

/*
 * certificate: the core's answer as a document, the same for a single request
 * and for a record of a stream.  Pure.
 */
enum { CERTIFICATE_ID_MAX = 128 * 4 /* bytes of 128 code points */ };

struct certificate_parts {
	struct span id;	    /* of the request, echoed; may be empty */
	struct span hc1;    /* JSON: the HC1 text */
	struct span origin; /* of the ledger */
};

/* {"id"?, "hcert" or (CBOR) "cose", "uvci", "kid", "alg", "iat", "exp",
 * "ledger"?, "replayed"?, "warnings"?} */
void certificate_write(struct doc *d, const struct wire_issued *m,
		       const struct certificate_parts *p);
/* {"id"?, "verdict": "accept", "warnings"?} */
void certificate_verdict(struct doc *d, const struct wire_issued *m,
			 struct span id);

/* The id of REQUEST (a result of dcc_*_read(), in which it lies), if it may be
 * echoed: text of at most 128 code points; else empty. */
struct span certificate_id(struct span request);

#endif /* SG_CERTIFICATE_H */
