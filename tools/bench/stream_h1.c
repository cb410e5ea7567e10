/* SPDX-License-Identifier: Apache-2.0 */
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream.h"

/* A chunk with its head and end fills one TLS record.  RFC 9112 s. 7.1 allows
 * leading zeros in its size. */
enum { CHUNK_HEAD = 6, CHUNK_END = 2, CHUNK_MAX = 16384 };

struct session {
	llhttp_t parser;
	llhttp_settings_t callbacks;
	bool end_sent;
};

static struct stream *stream_of(const llhttp_t *parser)
{
	return parser->data;
}

static int on_head(llhttp_t *parser)
{
	const int status = llhttp_get_status_code(parser);

	/* 100 Continue and its like are no answer. */
	if (status >= 200)
		stream_of(parser)->status = status;
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
	return stream_data(stream_of(parser), span_of(at, n)) == SG_OK ? 0 : -1;
}

static int on_end(llhttp_t *parser)
{
	if (llhttp_get_status_code(parser) >= 200)
		stream_done(stream_of(parser), true);
	return 0;
}

static enum sg_err h1_open(struct stream *s)
{
	struct session *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return SG_NO_MEMORY;
	llhttp_settings_init(&h->callbacks);
	h->callbacks.on_headers_complete = on_head;
	h->callbacks.on_body = on_body;
	h->callbacks.on_message_complete = on_end;
	llhttp_init(&h->parser, HTTP_RESPONSE, &h->callbacks);
	h->parser.data = s;
	s->session = h;
	return SG_OK;
}

static enum sg_err h1_begin(struct stream *s)
{
	char *head = (char *)s->link.out + s->link.out_n;
	const size_t room = LINK_OUT_MAX - s->link.out_n;
	const int n =
		snprintf(head, room,
			 "POST %s HTTP/1.1\r\nhost: %s\r\ncontent-type: %s\r\n"
			 "accept: %s\r\ntransfer-encoding: chunked\r\n\r\n",
			 stream_path(s), s->settings->target->authority,
			 stream_type(s), stream_type(s));

	if (n < 0 || (size_t)n >= room)
		return SG_TOO_BIG;
	s->link.out_n += (size_t)n;
	return SG_OK;
}

static void h1_close(struct stream *s)
{
	free(s->session);
	s->session = NULL;
}

static enum sg_err h1_input(struct stream *s, struct span plain)
{
	struct session *h = s->session;

	return llhttp_execute(&h->parser, (const char *)plain.p, plain.n) ==
			       HPE_OK
		       ? SG_OK
		       : SG_MALFORMED;
}

static void put_head(uint8_t *to, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = CHUNK_HEAD - 2; i > 0; i--) {
		to[i - 1] = (uint8_t)digits[n & 15];
		n >>= 4;
	}
	to[CHUNK_HEAD - 2] = '\r';
	to[CHUNK_HEAD - 1] = '\n';
}

static enum sg_err h1_output(struct stream *s)
{
	struct session *h = s->session;
	struct link *k = &s->link;
	static const char last[] = "0\r\n\r\n";

	while (LINK_OUT_MAX - k->out_n >= CHUNK_MAX) {
		uint8_t *to = k->out + k->out_n;
		const size_t n = stream_fill(
			s, to + CHUNK_HEAD, CHUNK_MAX - CHUNK_HEAD - CHUNK_END);

		if (n == 0)
			break;
		put_head(to, n);
		memcpy(to + CHUNK_HEAD + n, "\r\n", CHUNK_END);
		k->out_n += CHUNK_HEAD + n + CHUNK_END;
	}
	if (s->ended && !h->end_sent &&
	    LINK_OUT_MAX - k->out_n >= sizeof(last)) {
		memcpy(k->out + k->out_n, last, sizeof(last) - 1);
		k->out_n += sizeof(last) - 1;
		h->end_sent = true;
	}
	return SG_OK;
}

const struct stream_protocol STREAM_H1 = {
	.open = h1_open,
	.begin = h1_begin,
	.close = h1_close,
	.input = h1_input,
	.output = h1_output,
};
