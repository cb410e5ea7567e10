/* SPDX-License-Identifier: Apache-2.0 */
#include "http_head.h"

#include <strings.h>

#include "exchange.h"

static const struct {
	const char *name;
	bool list; /* several fields are one list: RFC 9110, section 5.3 */
} FIELDS[HEAD_FIELDS] = {
	[HEAD_METHOD] = {":method", false},
	[HEAD_TARGET] = {":path", false},
	[HEAD_HOST] = {"host", false},
	[HEAD_CONTENT_TYPE] = {"content-type", false},
	[HEAD_CONTENT_ENCODING] = {"content-encoding", false},
	[HEAD_CONTENT_LENGTH] = {"content-length", false},
	[HEAD_TRANSFER_ENCODING] = {"transfer-encoding", false},
	[HEAD_EXPECT] = {"expect", false},
	[HEAD_ACCEPT] = {"accept", true},
	[HEAD_ACCEPT_LANGUAGE] = {"accept-language", true},
};

static bool is_name(struct span a, const char *name)
{
	return a.n == strlen(name) &&
	       strncasecmp((const char *)a.p, name, a.n) == 0;
}

enum head_field head_field_of(struct span name)
{
	for (int f = 0; f < HEAD_FIELDS; f++) {
		if (is_name(name, FIELDS[f].name))
			return (enum head_field)f;
	}
	return HEAD_IGNORED;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

enum { HEAD_TEXT_MAX = 1 << 17 };

/* The list so far goes behind itself, so that the new part can follow it. */
static enum sg_err reopen_list(struct http_head *h, enum head_field f)
{
	const size_t off = h->text.len;
	const size_t len = h->field[f].len;

	if (h->field[f].off + len == off)
		return bytes_add(&h->text, SPAN_LIT(", "));
	for (size_t i = 0; i < len; i++) {
		/* Byte by byte: the source moves when the buffer grows. */
		const uint8_t c = bytes_view(&h->text).p[h->field[f].off + i];

		if (bytes_add(&h->text, span_of(&c, 1)) != SG_OK)
			return SG_NO_MEMORY;
	}
	h->field[f].off = off;
	return bytes_add(&h->text, SPAN_LIT(", "));
}

enum sg_err head_put(struct http_head *h, enum head_field f, struct span value)
{
	if (f == HEAD_IGNORED)
		return SG_OK;
	value = trim(value);
	/* Lists that move again and again could otherwise grow by squares. */
	if (h->text.len + value.n > HEAD_TEXT_MAX)
		return SG_TOO_BIG;
	if (h->field[f].present && !FIELDS[f].list)
		return SG_MALFORMED;
	if (!h->field[f].present) {
		h->field[f].present = true;
		h->field[f].off = h->text.len;
	} else if (reopen_list(h, f) != SG_OK) {
		return SG_NO_MEMORY;
	}
	if (bytes_add(&h->text, value) != SG_OK)
		return SG_NO_MEMORY;
	h->field[f].len = h->text.len - h->field[f].off;
	return SG_OK;
}

bool head_has(const struct http_head *h, enum head_field f)
{
	return h->field[f].present;
}

struct span head_get(const struct http_head *h, enum head_field f)
{
	if (h->field[f].len == 0)
		return span_of(NULL, 0);
	return span_of(bytes_view(&h->text).p + h->field[f].off,
		       h->field[f].len);
}

static enum http_method method_of(struct span s)
{
	if (span_is(s, "GET"))
		return HTTP_GET;
	if (span_is(s, "HEAD"))
		return HTTP_HEAD;
	if (span_is(s, "POST"))
		return HTTP_POST;
	return HTTP_OTHER;
}

/* "https://host/path" to "/path". */
static struct span strip_authority(struct span s)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const size_t n = strlen(schemes[i]);

		if (s.n < n ||
		    strncasecmp((const char *)s.p, schemes[i], n) != 0)
			continue;
		s.p += n;
		s.n -= n;
		while (s.n > 0 && s.p[0] != '/' && s.p[0] != '?') {
			s.p++;
			s.n--;
		}
		/* An empty path is the root: RFC 9110, section 4.2.3. */
		return s.n > 0 && s.p[0] == '/' ? s : SPAN_LIT("/");
	}
	return s;
}

enum sg_err head_request(const struct http_head *h, struct http_request *out)
{
	struct span target = strip_authority(head_get(h, HEAD_TARGET));
	const uint8_t *mark;

	if (target.n == 0 || (target.p[0] != '/' && !span_is(target, "*")))
		return SG_MALFORMED;
	*out = (struct http_request){
		.method = method_of(head_get(h, HEAD_METHOD)),
		.path = target,
		.content_type = head_get(h, HEAD_CONTENT_TYPE),
		.accept = head_get(h, HEAD_ACCEPT),
		.accept_language = head_get(h, HEAD_ACCEPT_LANGUAGE),
		.content_encoding = head_get(h, HEAD_CONTENT_ENCODING),
	};
	mark = memchr(target.p, '?', target.n);
	if (mark != NULL) {
		out->path.n = (size_t)(mark - target.p);
		out->query = span_of(mark + 1, target.n - out->path.n - 1);
	}
	return SG_OK;
}

void head_clear(struct http_head *h)
{
	bytes_free(&h->text);
	*h = (struct http_head){0};
}
