/* SPDX-License-Identifier: Apache-2.0 */
#include <nghttp2/nghttp2.h>

#include <stdlib.h>

#include "conn.h"

enum {
	/* Never wait for the server's answers: windows far above what is in
	 * flight. */
	STREAM_WINDOW = 1 << 20,
	CONNECTION_WINDOW = 1 << 24
};

struct session {
	nghttp2_session *h2;
	/* A frame that did not fit into the connection's buffer. */
	const uint8_t *rest;
	size_t rest_n;
	bool closing; /* the server takes no more requests */
};

/* nghttp2 says what its callbacks take. */
static int on_header(/* NOLINT(readability-function-size) */
		     nghttp2_session *h2, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_n, const uint8_t *value,
		     size_t value_n, uint8_t flags, void *ctx)
{
	struct flow *f;

	(void)flags;
	(void)ctx;
	if (name_n != 7 || memcmp(name, ":status", 7) != 0 || value_n != 3)
		return 0;
	f = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
	if (f != NULL)
		f->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 +
			    (value[2] - '0');
	return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream,
		   const uint8_t *data, size_t n, void *ctx)
{
	struct flow *f = nghttp2_session_get_stream_user_data(h2, stream);

	(void)flags;
	(void)ctx;
	if (f != NULL)
		flow_data(f, span_of(data, n));
	return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *ctx)
{
	const struct conn *c = ctx;
	struct session *s = c->session;

	(void)h2;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		s->closing = true;
	return 0;
}

static int on_close(nghttp2_session *h2, int32_t stream, uint32_t error,
		    void *ctx)
{
	struct flow *f = nghttp2_session_get_stream_user_data(h2, stream);

	(void)ctx;
	if (f == NULL)
		return 0;
	/* Reset before the whole answer: no answer. */
	if (error != NGHTTP2_NO_ERROR)
		f->status = 0;
	flow_done(f);
	return 0;
}

static ssize_t read_body(/* NOLINT(readability-function-size): as above */
			 nghttp2_session *h2, int32_t stream, uint8_t *to,
			 size_t cap, uint32_t *flags,
			 nghttp2_data_source *source, void *ctx)
{
	struct flow *f = source->ptr;
	const size_t left = f->record->n - f->sent;
	const size_t n = left < cap ? left : cap;

	(void)h2;
	(void)stream;
	(void)ctx;
	memcpy(to, f->body + f->sent, n);
	f->sent += n;
	if (f->sent == f->record->n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static enum sg_err make_session(struct session *s, struct conn *c)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
	};
	nghttp2_session_callbacks *callbacks;
	int code;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return SG_NO_MEMORY;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
								  on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
							       on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
							     on_frame);
	code = nghttp2_session_client_new(&s->h2, callbacks, c);
	nghttp2_session_callbacks_del(callbacks);
	if (code != 0)
		return SG_NO_MEMORY;
	if (nghttp2_submit_settings(s->h2, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0])) !=
		    0 ||
	    nghttp2_session_set_local_window_size(s->h2, NGHTTP2_FLAG_NONE, 0,
						  CONNECTION_WINDOW) != 0) {
		nghttp2_session_del(s->h2);
		return SG_NO_MEMORY;
	}
	return SG_OK;
}

static enum sg_err h2_open(struct conn *c)
{
	struct session *s;
	const uint8_t *alpn;
	unsigned alpn_n;
	enum sg_err err;

	SSL_get0_alpn_selected(c->link.ssl, &alpn, &alpn_n);
	if (!span_is(span_of(alpn, alpn_n), "h2"))
		return SG_BAD_MEDIA_TYPE;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return SG_NO_MEMORY;
	err = make_session(s, c);
	if (err != SG_OK) {
		free(s);
		return err;
	}
	c->session = s;
	return SG_OK;
}

static void h2_close(struct conn *c)
{
	struct session *s = c->session;

	if (s == NULL)
		return;
	nghttp2_session_del(s->h2);
	free(s);
	c->session = NULL;
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

static enum sg_err h2_submit(struct conn *c, struct flow *f)
{
	struct session *s = c->session;
	const nghttp2_nv headers[] = {
		header(":method", "POST"),
		header(":scheme", "https"),
		header(":authority", c->settings->target->authority),
		header(":path", "/v1/certificates"),
		header("content-type", "application/json"),
		header("accept", c->settings->accept),
		header("content-length", f->record->length),
	};
	const nghttp2_data_provider body = {.source = {.ptr = f},
					    .read_callback = read_body};
	int32_t stream;

	if (s->closing)
		return SG_CLOSED;
	stream = nghttp2_submit_request(s->h2, NULL, headers,
					sizeof(headers) / sizeof(headers[0]),
					&body, f);

	return stream < 0 ? SG_IO : SG_OK;
}

static enum sg_err h2_input(struct conn *c, struct span plain)
{
	struct session *s = c->session;
	const ssize_t n = nghttp2_session_mem_recv(s->h2, plain.p, plain.n);

	return n == (ssize_t)plain.n ? SG_OK : SG_IO;
}

static enum sg_err h2_output(struct conn *c)
{
	struct session *s = c->session;

	for (;;) {
		const size_t room = LINK_OUT_MAX - c->link.out_n;
		size_t n;

		if (s->rest_n == 0) {
			const ssize_t got =
				nghttp2_session_mem_send(s->h2, &s->rest);

			if (got < 0 || (got == 0 && c->link.out_n == 0 &&
					!nghttp2_session_want_read(s->h2)))
				return SG_IO;
			if (got == 0)
				return SG_OK;
			s->rest_n = (size_t)got;
		}
		n = s->rest_n < room ? s->rest_n : room;
		memcpy(c->link.out + c->link.out_n, s->rest, n);
		c->link.out_n += n;
		s->rest += n;
		s->rest_n -= n;
		if (s->rest_n > 0)
			return SG_OK; /* full */
	}
}

const struct protocol H2_PROTOCOL = {
	.open = h2_open,
	.close = h2_close,
	.submit = h2_submit,
	.input = h2_input,
	.output = h2_output,
};
