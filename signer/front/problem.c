/* SPDX-License-Identifier: Apache-2.0 */
#include "problem.h"

#include <stdio.h>

enum { TYPE_MAX = 64 };

/* The title stays the same for all problems of a type, but for its language
 * (RFC 9457 s. 3.1.3). */
static const struct {
	const char *name, *title[WIRE_LANGUAGE_COUNT];
} TITLES[] = {
	{"malformed", {"Malformed request", "Yêu cầu sai cú pháp"}},
	{"unauthenticated",
	 {"Client not authenticated", "Đơn vị chưa được xác thực"}},
	{"forbidden", {"Not allowed", "Không được phép"}},
	{"not-found", {"Not found", "Không tìm thấy"}},
	{"method-not-allowed",
	 {"Method not allowed", "Phương thức không được phép"}},
	{"not-acceptable",
	 {"No acceptable media type", "Không có định dạng nào phù hợp"}},
	{"timeout", {"Request too slow", "Yêu cầu đến quá chậm"}},
	{"conflict",
	 {"Conflict with what is there", "Xung đột với dữ liệu đã có"}},
	{"too-large", {"Request too large", "Yêu cầu quá lớn"}},
	{"unsupported-media-type",
	 {"Media type not supported", "Định dạng không được hỗ trợ"}},
	{"policy", {"Refused by policy", "Bị từ chối theo chính sách"}},
	{"rate", {"Too many requests", "Quá nhiều yêu cầu"}},
	{"internal", {"Internal error", "Lỗi nội bộ"}},
	{"unavailable",
	 {"Temporarily unavailable", "Tạm thời không phục vụ được"}},
	{"deadline", {"Deadline passed", "Quá thời hạn xử lý"}},
};

/* What err_text() says.  What is missing is not for clients, or should not
 * come to pass, and is told in English. */
static const char *const VIETNAMESE[SG_ERR_COUNT] = {
	[SG_MALFORMED] = "yêu cầu không đúng cú pháp",
	[SG_DUPLICATE_KEY] = "một đối tượng có cùng một khóa hai lần",
	[SG_UNAUTHENTICATED] = "chứng thư của đơn vị không được chấp nhận",
	[SG_FORBIDDEN] = "chính sách không cho phép việc này",
	[SG_NOT_FOUND] = "không có gì ở đường dẫn này",
	[SG_BAD_METHOD] = "đường dẫn này không nhận phương thức này",
	[SG_NOT_ACCEPTABLE] =
		"không tạo được định dạng nào trong số được chấp nhận",
	[SG_SLOW_CLIENT] = "yêu cầu đến quá chậm",
	[SG_CONFLICT] = "UVCI này đã được dùng",
	[SG_TOO_BIG] = "yêu cầu vượt quá giới hạn",
	[SG_BAD_MEDIA_TYPE] = "định dạng này không được nhận ở đây",
	[SG_REFUSED] = "bị từ chối theo chính sách cấp chứng nhận",
	[SG_RATE] = "nhiều yêu cầu hơn mức chính sách cho phép",
	[SG_INTERNAL] = "lỗi nội bộ",
	[SG_BUSY] = "máy chủ đang xử lý hết khả năng",
	[SG_CLOSED] = "máy chủ đang dừng",
	[SG_NO_MEMORY] = "hết bộ nhớ",
	[SG_CORE_DOWN] = "tiến trình lõi đang khởi động lại",
	[SG_TOKEN_DOWN] = "thiết bị ký không sẵn sàng",
	[SG_PIN_REFUSED] = "thiết bị ký không sẵn sàng",
	[SG_NO_KEY] = "không có khóa ký cho loại chứng nhận này",
	[SG_CLOCK_BEHIND] = "đồng hồ máy chủ chậm hơn sổ ghi",
	[SG_LEDGER_DOWN] = "sổ cái hiện không ghi được chữ ký",
	[SG_NOT_YET] = "chưa có mốc kiểm nào bao gồm mục này",
	[SG_TIMED_OUT] = "quá thời hạn trước khi ký xong",
};

static const char *title_of(const struct problem *p)
{
	const char *name = err_problem(p->err);

	for (size_t i = 0; i < sizeof(TITLES) / sizeof(TITLES[0]); i++) {
		if (strcmp(TITLES[i].name, name) == 0)
			return TITLES[i].title[p->language];
	}
	return "Problem";
}

static const char *detail_of(const struct problem *p)
{
	if (p->language == WIRE_VIETNAMESE && VIETNAMESE[p->err] != NULL)
		return VIETNAMESE[p->err];
	return err_text(p->err);
}

static uint64_t count(struct span list)
{
	struct wire_violation v;
	uint64_t n = 0;

	while (wire_violation_next(&list, &v) == SG_OK)
		n++;
	return n;
}

static void put_violation(struct doc *d, const struct wire_violation *v)
{
	doc_map(d, 4);
	doc_key(d, "pointer");
	doc_text(d, v->pointer);
	doc_key(d, "code");
	doc_text(d, v->code);
	doc_key(d, "level");
	doc_str(d, v->warning ? "warning" : "error");
	doc_key(d, "detail");
	doc_text(d, v->detail);
	doc_map_end(d);
}

void problem_violations(struct doc *d, const char *key, struct span list)
{
	struct wire_violation v;

	doc_key(d, key);
	doc_array(d, count(list));
	while (wire_violation_next(&list, &v) == SG_OK)
		put_violation(d, &v);
	doc_array_end(d);
}

static void put_duplicate_key(struct doc *d, const struct problem *p)
{
	const struct wire_violation v = {
		.code = SPAN_LIT("duplicate-key"),
		.detail = span_str(detail_of(p)),
	};

	doc_key(d, "violations");
	doc_array(d, 1);
	put_violation(d, &v);
	doc_array_end(d);
}

void problem_write(struct doc *d, const struct problem *p)
{
	const char *name = err_problem(p->err);
	const bool listed = p->violations.n > 0;
	const bool duplicate = !listed && p->err == SG_DUPLICATE_KEY;
	char type[TYPE_MAX];

	(void)snprintf(type, sizeof(type), "/problems/%s", name);
	doc_map(d, 4U + (p->id.n > 0) + (listed || duplicate));
	doc_key(d, "type");
	doc_str(d, type);
	doc_key(d, "title");
	doc_str(d, title_of(p));
	doc_key(d, "status");
	doc_int(d, err_http(p->err));
	doc_key(d, "detail");
	doc_text(d, p->detail.n > 0 ? p->detail : span_str(detail_of(p)));
	if (p->id.n > 0) {
		doc_key(d, "id");
		doc_text(d, p->id);
	}
	if (listed)
		problem_violations(d, "violations", p->violations);
	else if (duplicate)
		put_duplicate_key(d, p);
	doc_map_end(d);
}
