/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RENEWAL_H
#define SG_RENEWAL_H

#include "dcc_scratch.h"
#include "hcert/deflate.h"
#include "hcert/hc1.h"

/*
 * renewal: a request to renew a certificate may bring the certificate itself:
 * {"hcert": "HC1:..."}, or in CBOR also {"cose": bytes}.  Its payload takes
 * that member's place, in deterministic CBOR whoever wrote it, so that the
 * core sees {"dcc": ...} as in every request.  The signature is not verified:
 * the core believes the payload alone, but refuses where it is a revoked one.
 *
 *	X(id, code, English detail, Vietnamese detail)
 */
#define RENEWAL_FAULT_MAP(X)                                                   \
	X(BOTH, "unknown-field",                                               \
	  "the certificate and its payload are both there: send one of them",  \
	  "có cả chứng nhận lẫn nội dung của nó: chỉ gửi một trong hai")       \
	X(TYPE, "wrong-type", "the value has the wrong type",                  \
	  "giá trị sai kiểu dữ liệu")                                          \
	X(PREFIX, "bad-format", "the certificate does not begin with HC1:",    \
	  "chứng nhận không bắt đầu bằng HC1:")                                \
	X(TEXT, "bad-format", "what follows HC1: is not base45 of zlib data",  \
	  "phần sau HC1: không phải là dữ liệu zlib ở dạng base45")            \
	X(COSE, "bad-format",                                                  \
	  "there is no COSE_Sign1 with a health certificate inside",           \
	  "bên trong không có COSE_Sign1 với chứng nhận sức khỏe")             \
	X(SIZE, "too-long", "the certificate inside is too large",             \
	  "chứng nhận bên trong quá lớn")

enum renewal_fault_id {
#define X(id, code, en, vi) RENEWAL_##id,
	RENEWAL_FAULT_MAP(X)
#undef X
		RENEWAL_FAULT_COUNT
};

/* Working memory; one per front. */
struct renewal {
	uint8_t cose[HC1_COSE_MAX];
	uint8_t body[2 * WIRE_REQUEST_MAX];
	uint8_t presented[WIRE_PRESENTED_MAX];
};

/* What is wrong with a certificate: a violation. */
struct renewal_fault {
	const char *pointer, *code; /* static */
	const char *detail[WIRE_LANGUAGE_COUNT];
};

/*
 * Put the payload of the certificate in *REQUEST, the result of a dcc_*_read()
 * in S, in its place; without one *REQUEST stays as it is.  *PRESENTED is the
 * certificate's signature, in R; empty without one.
 * Errors: SG_REFUSED with *FAULT; SG_TOO_BIG.  *REQUEST is of no more use then.
 */
SG_MUST_USE enum sg_err renewal_read(struct renewal *r, struct deflate *d,
				     struct dcc_scratch *s,
				     struct span *request,
				     struct span *presented,
				     struct renewal_fault *fault);

#endif /* SG_RENEWAL_H */
