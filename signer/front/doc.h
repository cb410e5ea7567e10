/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DOC_H
#define SG_DOC_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cbor.h"

/*
 * doc: writes one document as JSON (RFC 8259) or as CBOR (RFC 8949), so that
 * each answer is put together in one place.  Measure-or-write, no allocation.
 * The caller keeps the counts of maps and arrays.
 */
enum doc_form { DOC_JSON, DOC_CBOR };

struct doc {
	enum doc_form form;
	bool comma;	      /* JSON: a value stands before the next one */
	bool hex;	      /* see doc_item_hex() */
	struct cbor_writer w; /* of JSON text, too: only its buffer is used */
};

static inline struct doc doc_begin(enum doc_form form, void *p, size_t cap)
{
	return (struct doc){.form = form, .w = cbor_write(p, cap)};
}

void doc_map(struct doc *d, uint64_t pairs);
void doc_map_end(struct doc *d);
void doc_array(struct doc *d, uint64_t items);
void doc_array_end(struct doc *d);
/* KEY is a literal of characters that need no escape. */
void doc_key(struct doc *d, const char *key);
/* UTF-8; what is not becomes U+FFFD, in JSON. */
void doc_text(struct doc *d, struct span text);
void doc_str(struct doc *d, const char *text);
void doc_int(struct doc *d, int64_t v);
void doc_bool(struct doc *d, bool v);
/* A byte string in CBOR, base64 text in JSON. */
void doc_bytes(struct doc *d, struct span bytes);
/* Text in base64url without padding (RFC 7515 s. 2); JSON only. */
void doc_base64url(struct doc *d, struct span bytes);

/* The same as text in hexadecimal, in JSON. */
void doc_hex(struct doc *d, struct span bytes);

/* One whole item of CBOR, which the core has made, with text keys.
 * Errors: SG_MALFORMED. */
SG_MUST_USE enum sg_err doc_item(struct doc *d, struct span cbor);
/* The same; byte strings of DOC_HEX_BYTES, which are hashes, in hexadecimal. */
enum { DOC_HEX_BYTES = 32 };
SG_MUST_USE enum sg_err doc_item_hex(struct doc *d, struct span cbor);

/* SG_OK if all fitted, else SG_TOO_BIG.  *OUT is the document. */
SG_MUST_USE enum sg_err doc_done(const struct doc *d, struct span *out);

#endif /* SG_DOC_H */
