/* SPDX-License-Identifier: Apache-2.0 */
#include "asker.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	CONNECT_WITHIN_MS = 5000,
	TYPE_MAX = 128, /* bytes of a media type */
	US_PER_MS = 1000
};

static const char PLACE[] = "/add-checkpoint";

/* One witness, and what it is being asked. */
struct post {
	CURL *easy;
	bool busy;
	uint64_t id;
	size_t n; /* of the answer's body */
	uint8_t body[ASKER_ANSWER_MAX];
	char error[CURL_ERROR_SIZE];
};

struct asker {
	uv_loop_t *loop;
	const struct witness_settings *settings;
	asker_done done;
	void *ctx;
	CURLM *multi;
	struct curl_slist *headers;
	uv_timer_t *timer; /* handles outlive us by a turn of the loop */
	size_t n;
	struct post post[WITNESS_MAX];
};

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

/* --- answers -------------------------------------------------------------- */

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct post *post = ctx;

	n *= size;
	if (n > sizeof(post->body) - post->n)
		return 0; /* libcurl gives up */
	memcpy(post->body + post->n, p, n);
	post->n += n;
	return n;
}

/* TYPE without its parameters, in small letters. */
static struct span media_type(const char *type, char out[TYPE_MAX])
{
	size_t n = 0;

	if (type == NULL)
		return span_of(NULL, 0);
	while (n < TYPE_MAX && type[n] != '\0' &&
	       strchr("; \t", type[n]) == NULL) {
		out[n] = type[n];
		if (out[n] >= 'A' && out[n] <= 'Z')
			out[n] = (char)(out[n] | ' ');
		n++;
	}
	return span_of(out, n);
}

static void finish(struct asker *a, struct post *post, CURLcode result)
{
	struct wire_cosigned m = {.status = 0};
	char type[TYPE_MAX];
	const char *said = NULL;
	long status = 0;

	(void)curl_multi_remove_handle(a->multi, post->easy);
	post->busy = false;
	if (result == CURLE_OK) {
		curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(post->easy, CURLINFO_CONTENT_TYPE, &said);
		m.status = (uint16_t)status;
		m.type = media_type(said, type);
		m.body = span_of(post->body, post->n);
	} else if (result == CURLE_WRITE_ERROR) {
		m.reason = SPAN_LIT("the answer is too long");
	} else {
		m.reason = span_str(post->error[0] != '\0'
					    ? post->error
					    : curl_easy_strerror(result));
	}
	a->done(a->ctx, post->id, &m);
}

static void collect(struct asker *a)
{
	const CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(a->multi, &left)) != NULL) {
		const CURLcode result = msg->data.result;
		CURL *easy = msg->easy_handle;

		for (size_t i = 0; i < a->n; i++)
			if (msg->msg == CURLMSG_DONE && a->post[i].busy &&
			    a->post[i].easy == easy) {
				finish(a, &a->post[i], result);
				break;
			}
	}
}

/* --- libcurl on the loop -------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct asker *a = poll->data;
	curl_socket_t fd = CURL_SOCKET_BAD;
	int flags = 0;
	int running;

	(void)uv_fileno((uv_handle_t *)poll, &fd);
	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if ((events & UV_READABLE) != 0)
		flags |= CURL_CSELECT_IN;
	if ((events & UV_WRITABLE) != 0)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(a->multi, fd, flags, &running);
	collect(a);
}

static uv_poll_t *watch(struct asker *a, curl_socket_t fd)
{
	uv_poll_t *poll = malloc(sizeof(*poll));

	if (poll == NULL || uv_poll_init_socket(a->loop, poll, fd) != 0) {
		free(poll);
		return NULL;
	}
	poll->data = a;
	(void)curl_multi_assign(a->multi, fd, poll);
	return poll;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx,
		     void *of_fd)
{
	struct asker *a = ctx;
	uv_poll_t *poll = of_fd;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (poll != NULL) {
			(void)curl_multi_assign(a->multi, fd, NULL);
			uv_close((uv_handle_t *)poll, free_handle);
		}
		return 0;
	}
	if (poll == NULL)
		poll = watch(a, fd);
	if (poll == NULL)
		return -1;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	return uv_poll_start(poll, events, on_ready) == 0 ? 0 : -1;
}

static void on_timeout(uv_timer_t *timer)
{
	struct asker *a = timer->data;
	int running;

	(void)curl_multi_socket_action(a->multi, CURL_SOCKET_TIMEOUT, 0,
				       &running);
	collect(a);
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
	struct asker *a = ctx;

	(void)multi;
	if (ms < 0)
		(void)uv_timer_stop(a->timer);
	else
		(void)uv_timer_start(a->timer, on_timeout, (uint64_t)ms, 0);
	return 0;
}

/* --- asking --------------------------------------------------------------- */

static long time_left_ms(uint64_t deadline_us)
{
	const uint64_t now = clock_mono_us();
	uint64_t ms;

	if (deadline_us <= now)
		return 1;
	ms = (deadline_us - now) / US_PER_MS + 1;
	return ms < ASKER_WAIT_MAX_MS ? (long)ms : ASKER_WAIT_MAX_MS;
}

enum sg_err asker_post(struct asker *a, uint64_t id,
		       const struct wire_cosign *m)
{
	struct post *post;

	if (m->witness >= a->n)
		return SG_NOT_FOUND;
	post = &a->post[m->witness];
	if (post->busy)
		return SG_BUSY;
	if (m->body.n > ASKER_REQUEST_MAX)
		return SG_TOO_BIG;
	post->n = 0;
	post->error[0] = '\0';
	post->id = id;
	curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS,
			 time_left_ms(m->deadline_us));
	curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE, (long)m->body.n);
	if (curl_easy_setopt(post->easy, CURLOPT_COPYPOSTFIELDS,
			     (const char *)m->body.p) != CURLE_OK ||
	    curl_multi_add_handle(a->multi, post->easy) != CURLM_OK)
		return SG_NO_MEMORY;
	post->busy = true;
	return SG_OK;
}

void asker_abandon(struct asker *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->post[i].busy)
			(void)curl_multi_remove_handle(a->multi,
						       a->post[i].easy);
		a->post[i].busy = false;
	}
}

/* --- life ----------------------------------------------------------------- */

static void set_trust(CURL *easy, const char *url, const char *ca)
{
	/* The configuration lets http through for loopback alone. */
	const bool plain = strncmp(url, "http:", 5) == 0;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
			 (long)CURL_SSLVERSION_TLSv1_2);
	if (ca[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
		/* That CA alone: libcurl would add the system's directory. */
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
}

static enum sg_err prepare(struct asker *a, struct post *post, const char *url)
{
	char full[WITNESS_URL_MAX + sizeof(PLACE)];
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		return SG_NO_MEMORY;
	post->easy = easy;
	(void)snprintf(full, sizeof(full), "%s%s", url, PLACE);
	curl_easy_setopt(easy, CURLOPT_URL, full);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, a->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "signerd");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)CONNECT_WITHIN_MS);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
	set_trust(easy, url, a->settings->ca);
	return SG_OK;
}

static enum sg_err make_headers(struct asker *a)
{
	struct curl_slist *more;

	a->headers = curl_slist_append(NULL, "Content-Type: text/plain");
	/* Not to wait for a leave to send that many servers never give. */
	more = curl_slist_append(a->headers, "Expect:");
	return a->headers != NULL && more != NULL ? SG_OK : SG_NO_MEMORY;
}

static enum sg_err open_multi(struct asker *a)
{
	enum sg_err err;

	a->multi = curl_multi_init();
	a->timer = malloc(sizeof(*a->timer));
	if (a->multi == NULL || a->timer == NULL ||
	    uv_timer_init(a->loop, a->timer) != 0) {
		free(a->timer);
		a->timer = NULL;
		return SG_NO_MEMORY;
	}
	a->timer->data = a;
	curl_multi_setopt(a->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(a->multi, CURLMOPT_SOCKETDATA, a);
	curl_multi_setopt(a->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(a->multi, CURLMOPT_TIMERDATA, a);
	curl_multi_setopt(a->multi, CURLMOPT_MAXCONNECTS, (long)WITNESS_MAX);
	err = make_headers(a);
	for (; err == SG_OK && a->n < a->settings->n; a->n++)
		err = prepare(a, &a->post[a->n], a->settings->url[a->n]);
	return err;
}

enum sg_err asker_create(uv_loop_t *loop,
			 const struct witness_settings *settings,
			 asker_done done, void *ctx, struct asker **out)
{
	struct asker *a;
	enum sg_err err;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return SG_INTERNAL;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return SG_NO_MEMORY;
	a->loop = loop;
	a->settings = settings;
	a->done = done;
	a->ctx = ctx;
	err = open_multi(a);
	if (err != SG_OK) {
		asker_free(a);
		return err;
	}
	*out = a;
	return SG_OK;
}

void asker_free(struct asker *a)
{
	if (a == NULL)
		return;
	asker_abandon(a);
	for (size_t i = 0; i < WITNESS_MAX; i++)
		curl_easy_cleanup(a->post[i].easy);
	curl_multi_cleanup(a->multi);
	curl_slist_free_all(a->headers);
	if (a->timer != NULL)
		uv_close((uv_handle_t *)a->timer, free_handle);
	free(a);
}
