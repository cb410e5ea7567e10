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
#define VERDICT_MAP(X)                                                                                   \
	X(MISSING_FIELD, "missing-field", "a required field is missing",                                 \
	  "thiếu trường bắt buộc")                                                                       \
	X(UNKNOWN_FIELD, "unknown-field", "this field is not known here",                                \
	  "trường này không được biết đến")                                                              \
	X(WRONG_TYPE, "wrong-type", "the value has the wrong type",                                      \
	  "giá trị sai kiểu dữ liệu")                                                                    \
	X(BAD_FORMAT, "bad-format", "the value does not have the right form",                            \
	  "giá trị không đúng định dạng")                                                                \
	X(CONTROL_CHARACTER, "control-character",                                                        \
	  "the text has control characters, which nobody sees",                                          \
	  "văn bản có ký tự điều khiển không nhìn thấy được")                                            \
	X(TOO_LONG, "too-long", "the text is too long", "văn bản quá dài")                               \
	X(OUT_OF_RANGE, "out-of-range", "the number is out of range",                                    \
	  "số nằm ngoài khoảng cho phép")                                                                \
	X(ENTRY_COUNT, "entry-count",                                                                    \
	  "exactly one of v, t and r, with exactly one entry, is required",                              \
	  "phải có đúng một trong v, t, r, với đúng một mục")                                            \
	X(NAME_MISSING, "name-missing",                                                                  \
	  "a surname or a given name in standard form is required",                                      \
	  "phải có họ hoặc tên ở dạng chuẩn")                                                            \
	X(UNTRIMMED, "untrimmed", "the text begins or ends with white space",                            \
	  "văn bản có khoảng trắng ở đầu hoặc cuối")                                                     \
	X(EMPTY_FIELD, "empty-field", "the text is empty", "văn bản để trống")                           \
	X(NOT_IN_VALUE_SET, "not-in-value-set",                                                          \
	  "the code is not in its value set",                                                            \
	  "mã không có trong bộ giá trị quy định")                                                       \
	X(INCONSISTENT_VACCINE, "inconsistent-vaccine",                                                  \
	  "mp, ma and vp do not belong together",                                                        \
	  "mp, ma và vp không khớp với nhau")                                                            \
	X(NAME_TRANSLITERATION, "name-transliteration",                                                  \
	  "the standard form is not the transliteration of the name",                                    \
	  "dạng chuẩn không phải là phiên tự của họ tên")                                                \
	X(DATE_IMPOSSIBLE, "date-impossible", "there is no such date or time",                           \
	  "ngày hoặc giờ này không tồn tại")                                                             \
	X(DATE_IN_FUTURE, "date-in-future", "the date is in the future",                                 \
	  "ngày nằm trong tương lai")                                                                    \
	X(DATE_TOO_EARLY, "date-too-early",                                                              \
	  "the date is before such certificates can have been earned",                                   \
	  "ngày quá sớm, trước khi có thể có sự kiện này")                                               \
	X(DATE_ORDER, "date-order",                                                                      \
	  "the end of the period is not after its beginning",                                            \
	  "ngày kết thúc không sau ngày bắt đầu")                                                        \
	X(BIRTH_AFTER_EVENT, "birth-after-event",                                                        \
	  "the date of birth is not before the event",                                                   \
	  "ngày sinh không trước ngày diễn ra sự kiện")                                                  \
	X(DOSE_EXCEEDS_SERIES, "dose-exceeds-series",                                                    \
	  "the dose number is beyond the series",                                                        \
	  "số mũi tiêm vượt quá tổng số mũi của liệu trình")                                             \
	X(UVCI_FORMAT, "uvci-format",                                                                    \
	  "the UVCI does not have the form URN:UVCI:01:CC:...",                                          \
	  "UVCI không có dạng URN:UVCI:01:CC:...")                                                       \
	X(UVCI_COUNTRY, "uvci-country",                                                                  \
	  "the UVCI names another country than the certificate",                                         \
	  "quốc gia trong UVCI khác với quốc gia cấp chứng nhận")                                        \
	X(UVCI_CHECKSUM, "uvci-checksum", "the UVCI's checksum is wrong",                                \
	  "ký tự kiểm tra của UVCI sai")                                                                 \
	X(UVCI_NOT_ALLOWED, "uvci-not-allowed",                                                          \
	  "this client may not issue UVCIs with this prefix",                                            \
	  "đơn vị này không được cấp UVCI với tiền tố này")                                              \
	X(KIND_NOT_ALLOWED, "kind-not-allowed",                                                          \
	  "this client may not issue this kind of certificate",                                          \
	  "đơn vị này không được cấp loại chứng nhận này")                                               \
	X(COUNTRY_NOT_ALLOWED, "country-not-allowed",                                                    \
	  "this client may not issue for this country",                                                  \
	  "đơn vị này không được cấp cho quốc gia này")                                                  \
	X(ISSUER_NOT_ALLOWED, "issuer-not-allowed",                                                      \
	  "this client may not issue in this issuer's name",                                             \
	  "đơn vị này không được cấp dưới tên cơ quan này")                                              \
	X(VALIDITY_TOO_LONG, "validity-too-long",                                                        \
	  "the validity is longer than the policy allows",                                               \
	  "thời hạn dài hơn chính sách cho phép")                                                        \
	X(VALIDITY_IN_PAST, "validity-in-past",                                                          \
	  "the certificate would have run out already",                                                  \
	  "chứng nhận đã hết hạn ngay khi cấp")                                                          \
	X(BEYOND_SIGNER_CERTIFICATE, "beyond-signer-certificate",                                        \
	  "the certificate would outlive its signer's certificate",                                      \
	  "chứng nhận có hạn dài hơn chứng thư của người ký")                                            \
	X(UVCI_CONFLICT, "uvci-conflict",                                                                \
	  "another certificate, or another client, has this UVCI",                                       \
	  "UVCI này đã thuộc về chứng nhận khác hoặc đơn vị khác")                                       \
	X(EXPIRED, "expired", "it was issued, and has run out: renew it",                                \
	  "chứng nhận này đã được cấp và đã hết hạn: hãy gia hạn")                                       \
	X(NOT_RENEWABLE, "not-renewable",                                                                \
	  "it is on no record, not as it is here, or not due for renewal",                               \
	  "không có trong sổ, khác với bản đã cấp, hoặc chưa đến hạn gia hạn")                           \
	X(REVOKED, "revoked", "the certificate has been revoked",                                        \
	  "chứng nhận đã bị thu hồi")                                                                    \
	X(ATTESTATION_MISSING, "attestation-missing",                                                    \
	  "this client must send an identity attestation",                                               \
	  "đơn vị này phải gửi kèm xác nhận danh tính")                                                  \
	X(ATTESTATION_INVALID, "attestation-invalid",                                                    \
	  "the attestation is not one by a gateway that the policy knows",                               \
	  "xác nhận danh tính không do cổng được công nhận ký")                                          \
	X(ATTESTATION_STALE, "attestation-stale",                                                        \
	  "the attestation is too old, or from the future",                                              \
	  "xác nhận danh tính đã quá hạn, hoặc ở tương lai")                                             \
	X(ATTESTATION_MISMATCH, "attestation-mismatch",                                                  \
	  "the attestation is for another person, or says no",                                           \
	  "xác nhận danh tính của người khác, hoặc không khớp")                                          \
	X(ATTESTATION_REPLAYED, "attestation-replayed",                                                  \
	  "the attestation was given for another UVCI",                                                  \
	  "xác nhận danh tính được cấp cho UVCI khác")                                                   \
	X(SIGNATURE_MISSING, "signature-missing",                                                        \
	  "this client must sign its requests",                                                          \
	  "đơn vị này phải ký vào yêu cầu của mình")                                                     \
	X(SIGNATURE_INVALID, "signature-invalid",                                                        \
	  "it is not signed by a key of this client, or for something else",                             \
	  "yêu cầu không do khóa của đơn vị này ký, hoặc ký cho việc khác")                              \
	X(SIGNATURE_STALE, "signature-stale",                                                            \
	  "it was signed too long ago, or in the future",                                                \
	  "chữ ký của yêu cầu đã quá cũ, hoặc ở tương lai")                                              \
	X(QUOTA_EXCEEDED, "quota-exceeded",                                                              \
	  "the client's quota of the day is used up",                                                    \
	  "đơn vị đã dùng hết hạn mức trong ngày")                                                       \
	X(CLIENT_STOPPED, "client-stopped",                                                              \
	  "the client signed far more than it usually does, and was stopped: "                           \
	  "ask an officer",                                                                              \
	  "đơn vị đã bị dừng vì ký nhiều bất thường: hãy liên hệ người phụ " \
	  "trách")                                                                                       \
	X(RATE_EXCEEDED, "rate-exceeded",                                                                \
	  "the client sends more than its rate allows",                                                  \
	  "đơn vị gửi nhanh hơn mức cho phép")                                                           \
	X(RULE, "rule", "a rule of the policy is not kept",                                              \
	  "không đáp ứng một quy tắc của chính sách")

enum violation_code {
#define X(id, code, en, vi) VIOLATION_##id,
	VERDICT_MAP(X)
#undef X
		VIOLATION_COUNT
};

enum verdict_language {
	VERDICT_ENGLISH,
	VERDICT_VIETNAMESE,
	VERDICT_LANGUAGES
};

enum {
	VERDICT_MAX = 64,	 /* violations kept; more are counted */
	VERDICT_POINTER_MAX = 64 /* bytes of a pointer, cut beyond: the names of
				    unknown fields are the client's */
};

/* What is said of a violation in place of the table's words, where its rule is
 * the policy file's own (CertLogic, the code is "rule:IDENTIFIER") or its code
 * has several causes: its code, and its detail by verdict_language. */
struct violation_text {
	struct span code;
	struct span detail[VERDICT_LANGUAGES];
};

struct violation {
	enum violation_code code;
	bool warning; /* the rule's level in the client's profile */
	uint16_t pointer_at, pointer_n; /* in the verdict's pool */
	/* NULL: the table's.  Of VIOLATION_RULE it lies in the policy, which
	 * whoever keeps a verdict keeps, too; else it is static. */
	const struct violation_text *text;
};

struct verdict {
	/* SG_OK, or why no judgement could be found: what is said here is not
	 * to be used then. */
	enum sg_err failed;
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
/* Add one of a rule of the policy's own, whose TEXT must outlive V. */
void verdict_add_rule(struct verdict *v, const struct violation_text *text,
		      bool warning, struct span pointer);
/* As verdict_add() at the place AT (NULL: the request itself), which is
 * escaped. */
void verdict_add_at(struct verdict *v, enum violation_code code, bool warning,
		    const struct pointer *at);
/* The same of an error whose cause CAUSE, which is static and has the code of
 * CODE, says more than the table; NULL: it does not. */
void verdict_add_cause(struct verdict *v, enum violation_code code,
		       const struct violation_text *cause,
		       const struct pointer *at);
/* Of violation I < N.  Lies in V. */
struct span verdict_pointer(const struct verdict *v, size_t i);
/* The code and the detail of violation I < N. */
struct span verdict_code(const struct verdict *v, size_t i);
struct span verdict_detail(const struct verdict *v, size_t i,
			   enum verdict_language language);
/* "missing-field"; static. */
const char *violation_code_text(enum violation_code code);
const char *violation_detail(enum violation_code code,
			     enum verdict_language language);

#endif /* SG_VERDICT_H */
