/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VERDICT_H
#define SG_VERDICT_H

#include "base/err.h"
#include "base/span.h"

/*
 * verdict: what is wrong with a request: every violation at once, each with a
 * JSON Pointer (RFC 6901) into the request and a code that never changes its
 * meaning.  No allocation; bounded.
 *
 *	X(id, code, English detail, Vietnamese detail)
 */
#define VERDICT_MAP(X)                                                         \
	X(MISSING_FIELD, "missing-field", "a required field is missing",       \
	  "thiếu trường bắt buộc")                                             \
	X(UNKNOWN_FIELD, "unknown-field", "this field is not known here",      \
	  "trường này không được biết đến")                                    \
	X(WRONG_TYPE, "wrong-type", "the value has the wrong type",            \
	  "giá trị sai kiểu dữ liệu")                                          \
	X(BAD_FORMAT, "bad-format", "the value does not have the right form",  \
	  "giá trị không đúng định dạng")                                      \
	X(CONTROL_CHARACTER, "control-character",                              \
	  "the text has control characters, which nobody sees",                \
	  "văn bản có ký tự điều khiển không nhìn thấy được")                  \
	X(TOO_LONG, "too-long", "the text is too long", "văn bản quá dài")     \
	X(OUT_OF_RANGE, "out-of-range", "the number is out of range",          \
	  "số nằm ngoài khoảng cho phép")                                      \
	X(ENTRY_COUNT, "entry-count",                                          \
	  "exactly one of v, t and r, with exactly one entry, is required",    \
	  "phải có đúng một trong v, t, r, với đúng một mục")                  \
	X(NAME_MISSING, "name-missing",                                        \
	  "a surname or a given name in standard form is required",            \
	  "phải có họ hoặc tên ở dạng chuẩn")                                  \
	X(UVCI_NOT_ALLOWED, "uvci-not-allowed",                                \
	  "this client may not issue UVCIs with this prefix",                  \
	  "đơn vị này không được cấp UVCI với tiền tố này")                    \
	X(KIND_NOT_ALLOWED, "kind-not-allowed",                                \
	  "this client may not issue this kind of certificate",                \
	  "đơn vị này không được cấp loại chứng nhận này")                     \
	X(COUNTRY_NOT_ALLOWED, "country-not-allowed",                          \
	  "this client may not issue for this country",                        \
	  "đơn vị này không được cấp cho quốc gia này")                        \
	X(ISSUER_NOT_ALLOWED, "issuer-not-allowed",                            \
	  "this client may not issue in this issuer's name",                   \
	  "đơn vị này không được cấp dưới tên cơ quan này")                    \
	X(VALIDITY_TOO_LONG, "validity-too-long",                              \
	  "the validity is longer than the policy allows",                     \
	  "thời hạn dài hơn chính sách cho phép")                              \
	X(VALIDITY_IN_PAST, "validity-in-past",                                \
	  "the certificate would have run out already",                        \
	  "chứng nhận đã hết hạn ngay khi cấp")                                \
	X(BEYOND_SIGNER_CERTIFICATE, "beyond-signer-certificate",              \
	  "the certificate would outlive its signer's certificate",            \
	  "chứng nhận có hạn dài hơn chứng thư của người ký")                  \
	X(UVCI_CONFLICT, "uvci-conflict",                                      \
	  "another certificate, or another client, has this UVCI",             \
	  "UVCI này đã thuộc về chứng nhận khác hoặc đơn vị khác")             \
	X(EXPIRED, "expired", "it was issued, and has run out: renew it",      \
	  "chứng nhận này đã được cấp và đã hết hạn: hãy gia hạn")

enum violation_code {
#define X(id, code, en, vi) VIOLATION_##id,
	VERDICT_MAP(X)
#undef X
		VIOLATION_COUNT
};

enum verdict_language { VERDICT_ENGLISH, VERDICT_VIETNAMESE };

enum {
	VERDICT_MAX = 64,	 /* violations kept; more are counted */
	VERDICT_POINTER_MAX = 64 /* bytes of a pointer, cut beyond: the names of
				    unknown fields are the client's */
};

struct violation {
	enum violation_code code;
	bool warning; /* the rule's level in the client's profile */
	uint16_t pointer_at, pointer_n; /* in the verdict's pool */
};

struct verdict {
	size_t n;	 /* violations kept */
	size_t warnings; /* of those, the ones of level warning */
	size_t errors;	 /* of level error, kept or not */
	size_t dropped;	 /* beyond VERDICT_MAX or the pool */
	struct violation violation[VERDICT_MAX];
	size_t pool_n;
	char pool[2048]; /* the pointers' text */
};

/* A step from a value to one of its members: the way to a place in the
 * request, from its end to its beginning.  Lives on the walker's stack. */
struct pointer {
	const struct pointer *up; /* NULL: the request itself is above */
	bool indexed;
	size_t index;	 /* of an array's item, when INDEXED */
	struct span key; /* else of a map's pair; UTF-8 */
};

void verdict_init(struct verdict *v);
/* Add one.  When there is no room left, warnings give way to an error, the last
 * one first; what has no room even then is counted only.  POINTER is UTF-8,
 * already escaped (RFC 6901 s. 3); what is beyond VERDICT_POINTER_MAX is cut,
 * never inside of a character or an escape. */
void verdict_add(struct verdict *v, enum violation_code code, bool warning,
		 struct span pointer);
/* The same at the place AT (NULL: the request itself), which is escaped. */
void verdict_add_at(struct verdict *v, enum violation_code code, bool warning,
		    const struct pointer *at);
/* Of violation I < N.  Lies in V. */
struct span verdict_pointer(const struct verdict *v, size_t i);
/* "missing-field"; static. */
const char *violation_code_text(enum violation_code code);
const char *violation_detail(enum violation_code code,
			     enum verdict_language language);

#endif /* SG_VERDICT_H */
