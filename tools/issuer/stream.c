/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "lines.h"

enum {
	BODY_MAX = 4096, /* of an answer that is no stream */
	UPLOAD_BYTES = 256 << 10,
	DOWNLOAD_BYTES = 256 << 10,
	RETRY_AFTER_MAX = 86400
};

struct flying {
	uint64_t seq;
	size_t n;
};

struct stream {
	CURL *curl;
	struct curl_slist *headers;
	char url[HTTPS_URL_MAX];
	char error[CURL_ERROR_SIZE];
	struct stream_hooks hooks;
	struct flying *ring;
	size_t cap, first, n; /* of the ring */
	size_t bytes;	      /* of the records in it */
	/* The rest of a record that did not fit into libcurl's buffer. */
	uint8_t *rest;
	size_t rest_at, rest_n, rest_cap;
	/* The beginning of a line whose end has not come. */
	uint8_t *line;
	size_t line_n, line_cap;
	uint8_t body[BODY_MAX];
	size_t body_n;
	char request[HTTPS_TEXT_MAX]; /* the server's name for it, or empty */
	long status;		      /* 0: not known yet */
	uint64_t answers, now_us, heard_us;
	bool active, paused;
	bool ending;	/* the request ends here */
	bool dismissed; /* the server has said that it ends the stream */
	enum sg_err err;
};

static bool make_room(uint8_t **p, size_t *cap, size_t n)
{
	uint8_t *bigger;
	size_t to = *cap > 0 ? *cap : 4096;

	if (n <= *cap)
		return true;
	while (to < n)
		to *= 2;
	bigger = realloc(*p, to);
	if (bigger == NULL)
		return false;
	*p = bigger;
	*cap = to;
	return true;
}

/* One more record on its way: as much as fits to TO, the rest behind. */
static size_t pull(struct stream *s, char *to, size_t room)
{
	struct span text;
	uint64_t seq;
	size_t n;

	if (s->dismissed || s->n == s->cap || s->bytes >= STREAM_BYTES_MAX ||
	    !s->hooks.next(s->hooks.ctx, &seq, &text))
		return 0;
	if (s->n == 0)
		s->heard_us = s->now_us; /* silence counts from here */
	s->ring[(s->first + s->n++) % s->cap] = (struct flying){seq, text.n};
	s->bytes += text.n;
	n = text.n < room ? text.n : room;
	memcpy(to, text.p, n);
	s->rest_at = 0;
	s->rest_n = text.n - n;
	if (!make_room(&s->rest, &s->rest_cap, s->rest_n)) {
		s->err = SG_NO_MEMORY;
		return 0;
	}
	if (s->rest_n > 0)
		memcpy(s->rest, text.p + n, s->rest_n);
	return n;
}

static size_t pull_rest(struct stream *s, char *to, size_t room)
{
	const size_t left = s->rest_n - s->rest_at;
	const size_t n = left < room ? left : room;

	if (n > 0)
		memcpy(to, s->rest + s->rest_at, n);
	s->rest_at += n;
	return n;
}

static size_t on_read(char *to, size_t size, size_t count, void *ctx)
{
	struct stream *s = ctx;
	const size_t cap = size * count;
	size_t n = pull_rest(s, to, cap);
	size_t got;

	while (n < cap && !s->ending && (got = pull(s, to + n, cap - n)) > 0)
		n += got;
	if (s->err != SG_OK)
		return CURL_READFUNC_ABORT;
	if (n > 0)
		return n;
	if (s->ending || s->dismissed ||
	    (s->n < s->cap && s->bytes < STREAM_BYTES_MAX &&
	     !s->hooks.more(s->hooks.ctx))) {
		s->ending = true;
		return 0;
	}
	s->paused = true;
	return CURL_READFUNC_PAUSE;
}

/* A line with no record under way: the server says why it ends the stream.
 * Anything but a problem would be the answer to nothing. */
static enum sg_err take_farewell(struct stream *s, struct span line)
{
	struct answer a;

	answer_read(line, &a);
	if (a.kind != ANSWER_PROBLEM || s->dismissed)
		return SG_MALFORMED;
	s->dismissed = true;
	return SG_OK;
}

static enum sg_err take_line(struct stream *s, struct span line)
{
	struct flying f;
	enum sg_err err;

	if (s->n == 0)
		return take_farewell(s, line);
	f = s->ring[s->first];
	err = s->hooks.answer(s->hooks.ctx, f.seq, line, s);
	if (err != SG_OK)
		return err;
	s->first = (s->first + 1) % s->cap;
	s->n--;
	s->bytes -= f.n;
	s->answers++;
	return SG_OK;
}

static enum sg_err keep_line(struct stream *s, const uint8_t *p, size_t n)
{
	if (s->line_n + n > LINES_LINE_MAX)
		return SG_MALFORMED;
	if (!make_room(&s->line, &s->line_cap, s->line_n + n))
		return SG_NO_MEMORY;
	if (n > 0)
		memcpy(s->line + s->line_n, p, n);
	s->line_n += n;
	return SG_OK;
}

static enum sg_err take_lines(struct stream *s, const uint8_t *p, size_t n)
{
	enum sg_err err = SG_OK;

	while (err == SG_OK && n > 0) {
		const uint8_t *lf = memchr(p, '\n', n);
		const size_t len = lf != NULL ? (size_t)(lf - p) : n;

		if (lf == NULL)
			return keep_line(s, p, n);
		if (s->line_n == 0) {
			err = take_line(s, span_of(p, len));
		} else {
			err = keep_line(s, p, len);
			if (err == SG_OK)
				err = take_line(s, span_of(s->line, s->line_n));
			s->line_n = 0;
		}
		p += len + 1;
		n -= len + 1;
	}
	return err;
}

static size_t on_write(char *data, size_t size, size_t count, void *ctx)
{
	struct stream *s = ctx;
	const size_t n = size * count;
	size_t fits;

	s->heard_us = s->now_us;
	if (s->status == 0)
		curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &s->status);
	if (s->status == 200) {
		s->err = take_lines(s, (const uint8_t *)data, n);
		return s->err == SG_OK ? n : 0;
	}
	fits = sizeof(s->body) - s->body_n;
	fits = n < fits ? n : fits;
	memcpy(s->body + s->body_n, data, fits);
	s->body_n += fits;
	return n;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct stream *s = ctx;

	https_take_request(span_of(data, size * count), s->request);
	return size * count;
}

static bool set_headers(struct stream *s)
{
	/* The server answers a head that it refuses at once: no waiting for
	 * "100 Continue". */
	static const char *const lines[] = {
		"content-type: application/x-ndjson",
		"accept: application/x-ndjson", "expect:"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct curl_slist *more =
			curl_slist_append(s->headers, lines[i]);

		if (more == NULL)
			return false;
		s->headers = more;
	}
	return true;
}

static void set_options(struct stream *s)
{
	CURL *c = s->curl;

	curl_easy_setopt(c, CURLOPT_URL, s->url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->error);
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(c, CURLOPT_READDATA, s);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 0L); /* hours are good */
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BYTES);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)DOWNLOAD_BYTES);
}

enum sg_err stream_create(struct https *h, const char *path, size_t n,
			  const struct stream_hooks *hooks, struct stream **out)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return SG_NO_MEMORY;
	s->curl = https_handle(h);
	s->hooks = *hooks;
	s->cap = n;
	s->ring = calloc(n, sizeof(*s->ring));
	if (s->ring == NULL || !set_headers(s)) {
		stream_free(s);
		return SG_NO_MEMORY;
	}
	https_url(h, path, s->url);
	set_options(s);
	*out = s;
	return SG_OK;
}

void stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	assert(!s->active);
	curl_slist_free_all(s->headers);
	free(s->ring);
	free(s->rest);
	free(s->line);
	free(s);
}

enum sg_err stream_start(struct stream *s, CURLM *multi, uint64_t now_us)
{
	assert(!s->active && s->n == 0);
	s->first = s->bytes = 0;
	s->rest_at = s->rest_n = s->line_n = s->body_n = 0;
	s->status = 0;
	s->answers = 0;
	s->heard_us = s->now_us = now_us;
	s->paused = s->ending = s->dismissed = false;
	s->err = SG_OK;
	s->error[0] = s->request[0] = '\0';
	if (curl_multi_add_handle(multi, s->curl) != CURLM_OK)
		return SG_NO_MEMORY;
	s->active = true;
	return SG_OK;
}

bool stream_active(const struct stream *s)
{
	return s->active;
}

size_t stream_flying(const struct stream *s)
{
	return s->n;
}

bool stream_is_hungry(const struct stream *s)
{
	return s->active && s->paused && s->n < s->cap &&
	       s->bytes < STREAM_BYTES_MAX;
}

void stream_resume(struct stream *s)
{
	s->paused = false;
	(void)curl_easy_pause(s->curl, CURLPAUSE_CONT);
}

bool stream_is_dismissed(const struct stream *s)
{
	return s->dismissed;
}

void stream_name(const struct stream *s, char out[STREAM_NAME])
{
	out[0] = '\0';
	if (s->request[0] != '\0')
		(void)snprintf(out, STREAM_NAME, "%s:%" PRIu64, s->request,
			       s->answers + 1);
}

void stream_end_request(struct stream *s)
{
	if (!s->active || !s->paused || s->ending)
		return;
	s->ending = true;
	stream_resume(s);
}

uint64_t stream_heard_us(const struct stream *s)
{
	return s->heard_us;
}

void stream_tick(struct stream *s, uint64_t now_us)
{
	s->now_us = now_us;
}

/* Why the server wanted no stream, in its own words. */
static void say_refusal(const struct stream *s, char *out)
{
	json_t *j = json_loadb((const char *)s->body, s->body_n, JSON_ALLOW_NUL,
			       NULL);
	const char *detail = json_string_value(json_object_get(j, "detail"));

	if (detail == NULL)
		detail = json_string_value(json_object_get(j, "title"));
	(void)snprintf(out, WHY_MAX, "the server refuses the stream (%ld)%s%s",
		       s->status, detail != NULL ? ": " : "",
		       detail != NULL ? detail : "");
	json_decref(j);
}

static void say_why(const struct stream *s, struct stream_end *end, char *out)
{
	if (s->err == SG_MALFORMED)
		(void)snprintf(out, WHY_MAX,
			       "what the server sends is no answer");
	else if (s->err != SG_OK)
		(void)snprintf(out, WHY_MAX, "%s", err_text(s->err));
	else if (end->code != CURLE_OK)
		end->hopeless =
			https_say((int)end->code, s->error, out, WHY_MAX);
	else if (end->status != 200)
		say_refusal(s, out);
	else
		(void)snprintf(out, WHY_MAX, "the server ended the stream");
	https_add_request(s->request, out, WHY_MAX);
}

void stream_finish(struct stream *s, CURLM *multi, CURLcode code,
		   struct stream_end *out)
{
	curl_off_t wait = 0;

	if (s->status == 0)
		curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &s->status);
	curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &wait);
	curl_multi_remove_handle(multi, s->curl);
	s->active = false;
	*out = (struct stream_end){.status = (int)s->status,
				   .code = code,
				   .whole = s->n == 0 && s->err == SG_OK,
				   .answers = s->answers};
	if (wait > 0)
		out->retry_after = wait < RETRY_AFTER_MAX
					   ? (uint32_t)wait
					   : (uint32_t)RETRY_AFTER_MAX;
	say_why(s, out, out->why);
	while (s->n > 0) {
		s->hooks.lost(s->hooks.ctx, s->ring[s->first].seq);
		s->first = (s->first + 1) % s->cap;
		s->n--;
	}
}
