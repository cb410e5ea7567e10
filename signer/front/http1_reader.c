/* SPDX-License-Identifier: Apache-2.0 */
#include "http1_reader.h"

#include <llhttp.h>
#include <stdlib.h>
#include <strings.h>

/*
 * Where the bytes of a head stand in its lines.  This goes over them before
 * the parser does, and finds what the parser is too kind to.
 */
enum scan {
	SCAN_START, /* before the request line: empty lines are skipped */
	SCAN_START_CR,
	SCAN_LINE,	/* within a line */
	SCAN_CR,	/* its CR was seen */
	SCAN_NEXT_LINE, /* at the first byte after a line */
	SCAN_LAST_CR,	/* the CR of the empty line */
	SCAN_DONE,
	SCAN_BAD
};

enum method_scan {
	METHOD_NAME, /* of which some has come */
	METHOD_WORD, /* it was one, and a space */
	METHOD_NONE
};

enum {
	FIELD_NAME_MAX = 32, /* longer than any that head_field_of() knows */
	/* Of a stream in chunks of a byte: head, CR and LF are five to one. */
	STREAM_FRAMING_FACTOR = 8
};

struct http1_reader {
	llhttp_t parser;
	const struct http1_events *events;
	void *ctx;
	enum scan scan;
	enum method_scan method;
	bool unknown_method; /* the parser gave up on it */
	enum sg_err err;     /* of an event or a callback */
	bool in_body;	     /* the head event has been given */
	bool ended;
	bool stream;
	size_t head_max, head_bytes;
	size_t framing_max, framing_bytes, payload_bytes;
	struct http_head head;
	size_t name_len;
	char name[FIELD_NAME_MAX];
	struct bytes value; /* of the line being read, or its target */
};

/* A blank here would fold the line before: RFC 9112, section 5.2. */
static enum scan scan_line_start(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' ? SCAN_BAD : SCAN_LINE;
}

static enum scan scan_byte(enum scan s, uint8_t c)
{
	switch (s) {
	case SCAN_START:
		if (c == '\r')
			return SCAN_START_CR;
		return c == '\n' ? SCAN_BAD : SCAN_LINE;
	case SCAN_START_CR: return c == '\n' ? SCAN_START : SCAN_BAD;
	case SCAN_LINE:
		if (c == '\r')
			return SCAN_CR;
		return c == '\n' || c == '\0' ? SCAN_BAD : SCAN_LINE;
	case SCAN_CR: return c == '\n' ? SCAN_NEXT_LINE : SCAN_BAD;
	case SCAN_NEXT_LINE:
		return c == '\r' ? SCAN_LAST_CR : scan_line_start(c);
	case SCAN_LAST_CR: return c == '\n' ? SCAN_DONE : SCAN_BAD;
	case SCAN_DONE:
	case SCAN_BAD: break;
	}
	return SCAN_BAD;
}

/* --- the parser's callbacks ----------------------------------------------- */

static struct http1_reader *reader_of(llhttp_t *p)
{
	return p->data;
}

static int keep(struct http1_reader *r, enum sg_err err)
{
	r->err = err;
	return err == SG_OK ? HPE_OK : HPE_USER;
}

/* Runs of the target and of field values come in any number of pieces. */
static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http1_reader *r = reader_of(p);

	if (r->in_body) /* trailers: nobody reads them */
		return HPE_OK;
	return keep(r, bytes_add(&r->value, span_of(at, n)));
}

static int end_value(struct http1_reader *r, enum head_field f)
{
	const enum sg_err err = head_put(&r->head, f, bytes_view(&r->value));

	bytes_free(&r->value);
	return keep(r, err);
}

static int on_target_end(llhttp_t *p)
{
	return end_value(reader_of(p), HEAD_TARGET);
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
	struct http1_reader *r = reader_of(p);

	if (r->in_body)
		return HPE_OK;
	for (size_t i = 0; i < n && r->name_len < FIELD_NAME_MAX; i++)
		r->name[r->name_len++] = at[i];
	return HPE_OK;
}

static int on_value_end(llhttp_t *p)
{
	struct http1_reader *r = reader_of(p);
	const struct span name = span_of(r->name, r->name_len);

	if (r->in_body)
		return HPE_OK;
	if (name.n == 0) /* which the parser takes */
		return keep(r, SG_MALFORMED);
	r->name_len = 0;
	return end_value(r, head_field_of(name));
}

static bool is_word(struct span s, const char *word)
{
	return s.n == strlen(word) &&
	       strncasecmp((const char *)s.p, word, s.n) == 0;
}

/* What the parser leaves to its caller. */
static bool head_is_sound(const struct http1_reader *r)
{
	const llhttp_t *p = &r->parser;
	const struct http_head *h = &r->head;

	if (p->http_major != 1 || p->http_minor > 1)
		return false;
	if (p->method == HTTP_CONNECT || p->method == HTTP_PRI)
		return false;
	/* RFC 9112, section 3.2: a server answers 400. */
	if (p->http_minor == 1 && !head_has(h, HEAD_HOST))
		return false;
	if (!head_has(h, HEAD_TRANSFER_ENCODING))
		return true;
	return p->http_minor == 1 && !head_has(h, HEAD_CONTENT_LENGTH) &&
	       is_word(head_get(h, HEAD_TRANSFER_ENCODING), "chunked");
}

static int on_head_end(llhttp_t *p)
{
	struct http1_reader *r = reader_of(p);
	struct http1_head head = {
		.fields = &r->head,
		.minor0 = p->http_minor == 0,
		.keep_alive = llhttp_should_keep_alive(p),
		.has_length = (p->flags & F_CONTENT_LENGTH) != 0,
		.length = p->content_length,
		.has_body =
			(p->flags & F_CHUNKED) != 0 || p->content_length > 0,
	};
	const char *method = llhttp_method_name((llhttp_method_t)p->method);

	const enum sg_err err =
		head_put(&r->head, HEAD_METHOD, span_str(method));

	if (err != SG_OK)
		return keep(r, err);
	if (!head_is_sound(r))
		return keep(r, SG_MALFORMED);
	head.expect = !head.minor0 &&
		      is_word(head_get(&r->head, HEAD_EXPECT), "100-continue");
	r->in_body = true;
	p->upgrade = 0; /* no other protocol is offered: read on as HTTP/1.1 */
	return keep(r, r->events->head(r->ctx, &head));
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http1_reader *r = reader_of(p);

	r->payload_bytes += n;
	return keep(r, r->events->body(r->ctx, span_of(at, n)));
}

static int on_end(llhttp_t *p)
{
	reader_of(p)->ended = true;
	return HPE_PAUSED; /* the next request waits for this one's answer */
}

static const llhttp_settings_t SETTINGS = {
	.on_url = on_value,
	.on_url_complete = on_target_end,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_end,
	.on_headers_complete = on_head_end,
	.on_body = on_body,
	.on_message_complete = on_end,
};

/* -------------------------------------------------------------------------- */

enum sg_err http1_reader_create(const struct http1_events *events, void *ctx,
				struct http1_reader **out)
{
	struct http1_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return SG_NO_MEMORY;
	llhttp_init(&r->parser, HTTP_REQUEST, &SETTINGS);
	r->parser.data = r;
	r->events = events;
	r->ctx = ctx;
	*out = r;
	return SG_OK;
}

void http1_reader_next(struct http1_reader *r, size_t head_max,
		       size_t framing_max)
{
	llhttp_reset(&r->parser);
	head_clear(&r->head);
	bytes_free(&r->value);
	r->scan = SCAN_START;
	r->method = METHOD_NAME;
	r->unknown_method = false;
	r->err = SG_OK;
	r->in_body = false;
	r->ended = false;
	r->stream = false;
	r->head_max = head_max;
	r->head_bytes = 0;
	r->framing_max = framing_max;
	r->framing_bytes = 0;
	r->payload_bytes = 0;
	r->name_len = 0;
}

void http1_reader_stream(struct http1_reader *r)
{
	r->stream = true;
}

/* The request line's first word, byte by byte; all registered methods are of
 * capitals and hyphens (RFC 9110 s. 16.1). */
static enum method_scan scan_method(enum method_scan m, uint8_t byte,
				    bool first)
{
	if (m != METHOD_NAME || (byte >= 'A' && byte <= 'Z') || byte == '-')
		return m;
	return byte == ' ' && !first ? METHOD_WORD : METHOD_NONE;
}

/* Give the parser N bytes; *USED of them were its request's. */
static enum sg_err parse(struct http1_reader *r, struct span in, size_t *used)
{
	const llhttp_errno_t e =
		llhttp_execute(&r->parser, (const char *)in.p, in.n);

	*used = in.n;
	if (e == HPE_OK)
		return SG_OK;
	if (e == HPE_INVALID_METHOD) {
		r->unknown_method = true; /* or none: seen when it has ended */
		return SG_OK;
	}
	if (e != HPE_PAUSED)
		return r->err != SG_OK ? r->err : SG_MALFORMED;
	*used = (size_t)((const uint8_t *)llhttp_get_error_pos(&r->parser) -
			 in.p);
	return SG_OK;
}

/* A request that is sound but for its method is told so, when all of its head
 * has come. */
static enum sg_err refuse_method(const struct http1_reader *r)
{
	if (r->method == METHOD_NONE)
		return SG_MALFORMED;
	return r->scan == SCAN_DONE ? SG_BAD_METHOD : SG_OK;
}

static enum sg_err feed_head(struct http1_reader *r, struct span in,
			     size_t *used)
{
	size_t n = 0;
	enum sg_err err;

	while (n < in.n && r->scan != SCAN_DONE) {
		if (r->head_bytes == r->head_max)
			return SG_TOO_BIG;
		r->scan = scan_byte(r->scan, in.p[n]);
		r->method = scan_method(r->method, in.p[n], r->head_bytes == 0);
		if (r->scan == SCAN_BAD)
			return SG_MALFORMED;
		r->head_bytes++;
		n++;
	}
	*used = n;
	err = r->unknown_method ? SG_OK : parse(r, span_of(in.p, n), used);
	if (err == SG_OK && r->unknown_method)
		return refuse_method(r);
	if (err == SG_OK && r->in_body != (r->scan == SCAN_DONE))
		err = SG_MALFORMED; /* it sees another end than we do */
	return err;
}

static enum sg_err feed_body(struct http1_reader *r, struct span in,
			     size_t *used)
{
	const size_t before = r->payload_bytes;
	const enum sg_err err = parse(r, in, used);
	size_t max = r->framing_max;

	if (err != SG_OK)
		return err;
	r->framing_bytes += *used - (r->payload_bytes - before);
	if (r->stream)
		max += STREAM_FRAMING_FACTOR * r->payload_bytes;
	return r->framing_bytes > max ? SG_TOO_BIG : SG_OK;
}

enum sg_err http1_reader_feed(struct http1_reader *r, struct span in,
			      size_t *used, bool *ended)
{
	enum sg_err err = r->err;

	*used = 0;
	while (err == SG_OK && *used < in.n && !r->ended) {
		const struct span rest = span_of(in.p + *used, in.n - *used);
		size_t n;

		err = r->in_body ? feed_body(r, rest, &n)
				 : feed_head(r, rest, &n);
		if (err == SG_OK)
			*used += n;
	}
	r->err = err;
	*ended = r->ended;
	return err;
}

void http1_reader_free(struct http1_reader *r)
{
	if (r == NULL)
		return;
	head_clear(&r->head);
	bytes_free(&r->value);
	free(r);
}
