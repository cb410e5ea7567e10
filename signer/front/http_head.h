/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HTTP_HEAD_H
#define SG_HTTP_HEAD_H

#include "front/bytes.h"

/* exchange.h; not included, for llhttp.h has names of its own like those. */
struct http_request;

/*
 * http_head: the head of one request as it is collected, the same for both
 * versions of HTTP.  Keeps the fields that somebody here reads and no others.
 * Pure.  Zeroed: empty.
 */
enum head_field {
	HEAD_METHOD,
	HEAD_TARGET, /* request target, :path */
	HEAD_HOST,   /* :authority, too */
	HEAD_CONTENT_TYPE,
	HEAD_CONTENT_ENCODING,
	HEAD_CONTENT_LENGTH,
	HEAD_TRANSFER_ENCODING,
	HEAD_EXPECT,
	HEAD_ACCEPT,
	HEAD_ACCEPT_LANGUAGE,
	HEAD_FIELDS,
	HEAD_IGNORED = HEAD_FIELDS
};

struct http_head {
	struct bytes text;
	struct {
		bool present;
		size_t off, len;
	} field[HEAD_FIELDS];
};

/* Which field is NAME?  Letter case does not matter. */
enum head_field head_field_of(struct span name);

/*
 * Keep VALUE (outer blanks are dropped) as field F.  A list that comes in
 * several fields is joined; a field that stands only once (RFC 9110, section
 * 5.3) is not taken twice.
 * Errors: SG_MALFORMED, SG_TOO_BIG, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err head_put(struct http_head *h, enum head_field f,
				 struct span value);
bool head_has(const struct http_head *h, enum head_field f);
/* Empty when absent.  Valid until the next head_put(). */
struct span head_get(const struct http_head *h, enum head_field f);

/*
 * Fill OUT; its spans lie in H.  The target is in origin form, or in absolute
 * form for http and https (RFC 9112, section 3.2), or "*".
 * Errors: SG_MALFORMED.
 */
SG_MUST_USE enum sg_err head_request(const struct http_head *h,
				     struct http_request *out);
void head_clear(struct http_head *h);

#endif /* SG_HTTP_HEAD_H */
