/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_HTTP2_WORLD_H
#define SG_TEST_HTTP2_WORLD_H

/* One HTTP/2 connection over the API of fake_api.h, and its client. */
#include <nghttp2/nghttp2.h>

#include "fake_api.h"

enum { STREAMS = 4096 };

/* The client's side: a session of the same library, and what came of it. */
static struct http *h2;
static nghttp2_session *client;
static struct {
	int status;
	uint32_t closed_by; /* error code + 1 */
	struct bytes body;
	struct bytes upload;
	size_t upload_step;
} streams[STREAMS];
static bool client_broken;
static uint32_t goaway; /* error code + 1 */
static int32_t goaway_last;

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static inline int on_header(nghttp2_session *s, const nghttp2_frame *frame,
			    const uint8_t *name, size_t name_len,
			    const uint8_t *value, size_t value_len,
			    uint8_t flags, void *ctx)
{
	(void)s;
	(void)flags;
	(void)ctx;
	(void)value_len;
	if (span_is(span_of(name, name_len), ":status"))
		streams[frame->hd.stream_id].status =
			(int)strtol((const char *)value, NULL, 10);
	return 0;
}

static inline int on_data(nghttp2_session *s, uint8_t flags, int32_t id,
			  const uint8_t *data, size_t n, void *ctx)
{
	(void)s;
	(void)flags;
	(void)ctx;
	return bytes_add(&streams[id].body, span_of(data, n)) == SG_OK ? 0 : -1;
}

static inline int on_close(nghttp2_session *s, int32_t id, uint32_t code,
			   void *ctx)
{
	(void)s;
	(void)ctx;
	streams[id].closed_by = code + 1;
	return 0;
}

static inline int on_frame(nghttp2_session *s, const nghttp2_frame *frame,
			   void *ctx)
{
	(void)s;
	(void)ctx;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		goaway = frame->goaway.error_code + 1;
		goaway_last = frame->goaway.last_stream_id;
	}
	return 0;
}

static inline int client_create(void)
{
	nghttp2_session_callbacks *cb;
	int rv;

	if (nghttp2_session_callbacks_new(&cb) != 0)
		return -1;
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	rv = nghttp2_session_client_new(&client, cb, NULL);
	nghttp2_session_callbacks_del(cb);
	return rv;
}

static inline int setup(void **state)
{
	(void)state;
	fake_now_ms = 0;
	fake_setup();
	memset(streams, 0, sizeof(streams));
	goaway = 0;
	client_broken = false;
	if (client_create() != 0 ||
	    nghttp2_submit_settings(client, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		return -1;
	return http2_create(&fake_host, &h2) == SG_OK ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	if (h2 != NULL)
		h2->ops->free(h2);
	h2 = NULL;
	nghttp2_session_del(client);
	for (size_t i = 0; i < STREAMS; i++) {
		bytes_free(&streams[i].body);
		bytes_free(&streams[i].upload);
	}
	fake_teardown();
	return fake.opened == fake.gone ? 0 : -1;
}

/* What the server has to say, to the client; returns its bytes. */
static inline size_t to_client(void)
{
	static uint8_t buf[65536];
	size_t all = 0;
	size_t n;

	while ((n = h2->ops->pull(h2, buf, sizeof(buf))) > 0) {
		all += n;
		if (!client_broken &&
		    nghttp2_session_mem_recv(client, buf, n) < 0)
			client_broken = true;
	}
	return all;
}

static inline size_t to_server(size_t step)
{
	const uint8_t *p;
	ssize_t n = nghttp2_session_mem_send(client, &p);

	for (size_t at = 0; n > 0 && at < (size_t)n;) {
		const size_t left = (size_t)n - at;
		const size_t run = left < step ? left : step;

		assert_int_equal(h2->ops->feed(h2, span_of(p + at, run)), run);
		at += run;
	}
	return n > 0 ? (size_t)n : 0;
}

/* Until neither side has anything to say. */
static inline void talk(size_t step)
{
	while (to_server(step) + to_client() > 0) {
	}
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static inline ssize_t on_upload(nghttp2_session *s, int32_t id, uint8_t *buf,
				size_t cap, uint32_t *flags,
				nghttp2_data_source *source, void *ctx)
{
	size_t n = cap;

	(void)s;
	(void)source;
	(void)ctx;
	if (streams[id].upload_step > 0 && n > streams[id].upload_step)
		n = streams[id].upload_step;
	n = bytes_take(&streams[id].upload, buf, n);
	if (streams[id].upload.len == 0)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* The last byte of an upload never comes. */
/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static inline ssize_t on_stuck(nghttp2_session *s, int32_t id, uint8_t *buf,
			       size_t cap, uint32_t *flags,
			       nghttp2_data_source *source, void *ctx)
{
	const ssize_t n = on_upload(s, id, buf, cap, flags, source, ctx);

	*flags &= ~(uint32_t)NGHTTP2_DATA_FLAG_EOF;
	return n > 0 ? n : NGHTTP2_ERR_DEFERRED;
}

static inline nghttp2_nv nv(const char *name, const char *value)
{
	/* The library's type has no const.
	 * NOLINTBEGIN(performance-no-int-to-ptr) */
	return (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name,
		.namelen = strlen(name),
		.value = (uint8_t *)(uintptr_t)value,
		.valuelen = strlen(value),
	};
	/* NOLINTEND(performance-no-int-to-ptr) */
}

static inline int32_t request(const char *method, const char *path,
			      struct span body, bool stuck)
{
	const nghttp2_nv fields[] = {
		nv(":method", method),	     nv(":scheme", "https"),
		nv(":authority", "x"),	     nv(":path", path),
		nv("content-type", "a/b"),   nv("accept", "c/d"),
		nv("accept-language", "vi"),
	};
	const nghttp2_data_provider data = {.read_callback = stuck ? on_stuck
								   : on_upload};
	const int32_t id = nghttp2_submit_request(
		client, NULL, fields, sizeof(fields) / sizeof(fields[0]),
		body.n > 0 || stuck ? &data : NULL, NULL);

	assert_true(id > 0 && id < STREAMS);
	assert_int_equal(bytes_add(&streams[id].upload, body), SG_OK);
	return id;
}

static inline bool body_is(int32_t id, const char *text)
{
	return span_is(bytes_view(&streams[id].body), text);
}

#endif /* SG_TEST_HTTP2_WORLD_H */
