/* SPDX-License-Identifier: Apache-2.0 */
#include <nghttp2/nghttp2.h>

#include <stdlib.h>

#include "stream.h"

enum {
	/* What the server may send ahead of what we have read. */
	STREAM_WINDOW = 1 << 20,
	CONNECTION_WINDOW = 1 << 20
};

struct session {
	nghttp2_session *h2;
	int32_t id;
	bool asleep; /* had nothing to send when it was asked last */
	/* A frame that did not fit into the link's buffer. */
	const uint8_t *rest;
	size_t rest_n;
};

/* nghttp2 says what its callbacks take. */
static int on_header(/* NOLINT(readability-function-size) */
		     nghttp2_session *h2, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_n, const uint8_t *value,
		     size_t value_n, uint8_t flags, void *ctx)
{
	struct stream *s = ctx;
	int status;

	(void)h2;
	(void)flags;
	(void)frame;
	if (name_n != 7 || memcmp(name, ":status", 7) != 0 || value_n != 3)
		return 0;
	status = (value[0] - '0') * 100 + (value[1] - '0') * 10 +
		 (value[2] - '0');
	if (status >= 200)
		s->status = status;
	return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id,
		   const uint8_t *data, size_t n, void *ctx)
{
	(void)h2;
	(void)flags;
	(void)id;
	return stream_data(ctx, span_of(data, n)) == SG_OK
		       ? 0
		       : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error, void *ctx)
{
	const struct stream *s = ctx;

	(void)h2;
	(void)id;
	if (!s->done)
		stream_done(ctx, error == NGHTTP2_NO_ERROR);
	return 0;
}

/* The answer may end before the request: a refusal of it all. */
static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *ctx)
{
	const struct stream *s = ctx;
	const bool last = (frame->hd.type == NGHTTP2_DATA ||
			   frame->hd.type == NGHTTP2_HEADERS) &&
			  (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	(void)h2;
	if (last && !s->done)
		stream_done(ctx, true);
	return 0;
}

static ssize_t read_body(/* NOLINT(readability-function-size): as above */
			 nghttp2_session *h2, int32_t id, uint8_t *to,
			 size_t cap, uint32_t *flags,
			 nghttp2_data_source *source, void *ctx)
{
	struct stream *s = ctx;
	struct session *h = s->session;
	const size_t n = stream_fill(s, to, cap);

	(void)h2;
	(void)id;
	(void)source;
	if (s->ended)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (n == 0)
		h->asleep = true;
	return h->asleep ? NGHTTP2_ERR_DEFERRED : (ssize_t)n;
}

static enum sg_err make_session(struct session *h, struct stream *s)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
	};
	nghttp2_session_callbacks *c;
	int code;

	if (nghttp2_session_callbacks_new(&c) != 0)
		return SG_NO_MEMORY;
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	code = nghttp2_session_client_new(&h->h2, c, s);
	nghttp2_session_callbacks_del(c);
	if (code != 0)
		return SG_NO_MEMORY;
	if (nghttp2_submit_settings(h->h2, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0])) !=
		    0 ||
	    nghttp2_session_set_local_window_size(h->h2, NGHTTP2_FLAG_NONE, 0,
						  CONNECTION_WINDOW) != 0) {
		nghttp2_session_del(h->h2);
		return SG_NO_MEMORY;
	}
	return SG_OK;
}

/* nghttp2 takes what it only reads without const. */
static nghttp2_nv header(const char *name, const char *value)
{
	nghttp2_nv nv = {.namelen = strlen(name),
			 .valuelen = strlen(value),
			 .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME |
				  NGHTTP2_NV_FLAG_NO_COPY_VALUE};

	memcpy(&nv.name, &name, sizeof(name));
	memcpy(&nv.value, &value, sizeof(value));
	return nv;
}

static enum sg_err h2_open(struct stream *s)
{
	struct session *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return SG_NO_MEMORY;
	if (make_session(h, s) != SG_OK) {
		free(h);
		return SG_NO_MEMORY;
	}
	s->session = h;
	return SG_OK;
}

static enum sg_err h2_begin(struct stream *s)
{
	struct session *h = s->session;
	const nghttp2_nv headers[] = {
		header(":method", "POST"),
		header(":scheme", "https"),
		header(":authority", s->settings->target->authority),
		header(":path", stream_path(s)),
		header("content-type", stream_type(s)),
		header("accept", stream_type(s)),
	};
	const nghttp2_data_provider body = {.read_callback = read_body};

	h->id = nghttp2_submit_request(h->h2, NULL, headers,
				       sizeof(headers) / sizeof(headers[0]),
				       &body, NULL);
	return h->id < 0 ? SG_NO_MEMORY : SG_OK;
}

static void h2_close(struct stream *s)
{
	struct session *h = s->session;

	if (h == NULL)
		return;
	nghttp2_session_del(h->h2);
	free(h);
	s->session = NULL;
}

static enum sg_err h2_input(struct stream *s, struct span plain)
{
	struct session *h = s->session;
	const ssize_t n = nghttp2_session_mem_recv(h->h2, plain.p, plain.n);

	return n == (ssize_t)plain.n ? SG_OK : SG_MALFORMED;
}

/* Bytes of the next frame; 0: none. */
static enum sg_err next_frame(struct session *h)
{
	const ssize_t n = nghttp2_session_mem_send(h->h2, &h->rest);

	if (n < 0)
		return SG_IO;
	h->rest_n = (size_t)n;
	return SG_OK;
}

static enum sg_err h2_output(struct stream *s)
{
	struct session *h = s->session;
	struct link *k = &s->link;

	if (h->asleep && stream_wants(s) &&
	    nghttp2_session_resume_data(h->h2, h->id) == 0)
		h->asleep = false;
	for (;;) {
		const size_t room = LINK_OUT_MAX - k->out_n;
		size_t n;

		if (h->rest_n == 0 && next_frame(h) != SG_OK)
			return SG_IO;
		if (h->rest_n == 0)
			return SG_OK;
		n = h->rest_n < room ? h->rest_n : room;
		memcpy(k->out + k->out_n, h->rest, n);
		k->out_n += n;
		h->rest += n;
		h->rest_n -= n;
		if (h->rest_n > 0)
			return SG_OK; /* full */
	}
}

const struct stream_protocol STREAM_H2 = {
	.open = h2_open,
	.begin = h2_begin,
	.close = h2_close,
	.input = h2_input,
	.output = h2_output,
};
