/* SPDX-License-Identifier: Apache-2.0 */
#include "https.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum {
	CONNECT_TIMEOUT_MS = 10000,
	/* The server gives up what takes longest, a new key, after 90 s. */
	TIMEOUT_MS = 100000
};

struct https {
	CURL *curl;
	char server[512]; /* without a slash at its end */
	char error[CURL_ERROR_SIZE];
};

/* Where an answer goes while it comes in. */
struct sink {
	struct https_reply *reply;
	size_t cap;
	bool too_big;
};

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct sink *s = ctx;
	struct https_reply *r = s->reply;
	const size_t len = size * n;

	if (len > HTTPS_BODY_MAX - r->n) {
		s->too_big = true;
		return 0;
	}
	if (r->n + len + 1 > s->cap) {
		const size_t cap = (r->n + len + 1) * 2;
		uint8_t *body = realloc(r->body, cap);

		if (body == NULL)
			return 0;
		r->body = body;
		s->cap = cap;
	}
	memcpy(r->body + r->n, data, len);
	r->n += len;
	r->body[r->n] = '\0';
	return len;
}

/* The value of header NAME in LINE into OUT, up to END or the line's end. */
static void take_value(struct span line, const char *name, const char *end,
		       char out[HTTPS_TEXT_MAX])
{
	const char *p = (const char *)line.p;
	const size_t name_n = strlen(name);
	size_t n = 0;
	size_t at = name_n + 1;

	if (line.n <= name_n || p[name_n] != ':' ||
	    strncasecmp(p, name, name_n) != 0)
		return;
	while (at < line.n && p[at] == ' ')
		at++;
	while (at < line.n && strchr(end, p[at]) == NULL &&
	       n < HTTPS_TEXT_MAX - 1)
		out[n++] = p[at++];
	out[n] = '\0';
}

/* As base/request_id.h writes it, from whatever server. */
static bool is_request(const char *text)
{
	return text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz.:-")] ==
	       '\0';
}

void https_take_request(struct span line, char out[HTTPS_TEXT_MAX])
{
	char value[HTTPS_TEXT_MAX] = "";

	take_value(line, "signer-request", "\r\n", value);
	if (value[0] != '\0' && is_request(value))
		memcpy(out, value, HTTPS_TEXT_MAX);
}

void https_add_request(const char *request, char *why, size_t cap)
{
	char tail[2 * HTTPS_TEXT_MAX];
	size_t at = strlen(why);
	size_t n;

	if (request[0] == '\0')
		return;
	(void)snprintf(tail, sizeof(tail), " (request %s)", request);
	n = strlen(tail);
	if (n >= cap)
		return;
	if (at > cap - 1 - n)
		at = cap - 1 - n;
	memcpy(why + at, tail, n + 1);
}

static size_t take_header(char *data, size_t size, size_t n, void *ctx)
{
	struct sink *s = ctx;
	const struct span line = span_of(data, size * n);

	take_value(line, "content-type", "; \r\n", s->reply->content_type);
	take_value(line, "signer-kid", "\r\n", s->reply->kid);
	take_value(line, "signer-ledger-index", "\r\n", s->reply->index);
	take_value(line, "signer-expires", "\r\n", s->reply->expires);
	https_take_request(line, s->reply->request);
	return size * n;
}

static enum sg_err check_file(const char *path, const char *option, char *why,
			      size_t cap)
{
	if (path == NULL) {
		(void)snprintf(why, cap, "--%s is missing", option);
		return SG_CONFIG;
	}
	if (access(path, R_OK) != 0) {
		(void)snprintf(why, cap, "--%s: cannot read %s", option, path);
		return SG_CONFIG;
	}
	return SG_OK;
}

static enum sg_err check_settings(const struct https_settings *s, char *why,
				  size_t cap)
{
	if (s->server == NULL) {
		(void)snprintf(why, cap, "--server is missing");
		return SG_CONFIG;
	}
	if ((strncmp(s->server, "https://", 8) != 0 &&
	     (!s->files || strncmp(s->server, "http://", 7) != 0)) ||
	    strlen(s->server) >= sizeof(((struct https *)0)->server)) {
		(void)snprintf(why, cap, "%s: not an https:// URL",
			       s->files ? s->server : "--server");
		return SG_CONFIG;
	}
	if ((!s->files || s->cert != NULL || s->key != NULL) &&
	    (check_file(s->cert, "cert", why, cap) != SG_OK ||
	     check_file(s->key, "key", why, cap) != SG_OK))
		return SG_CONFIG;
	return s->ca == NULL ? SG_OK : check_file(s->ca, "ca", why, cap);
}

/* What every transfer has in common. */
static void set_basics(CURL *curl, const char *protocols, char *error)
{
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
}

enum sg_err https_open(const struct https_settings *settings,
		       struct https **out, char *why, size_t cap)
{
	enum sg_err err = check_settings(settings, why, cap);
	struct https *h;
	size_t n;

	if (err != SG_OK)
		return err;
	h = calloc(1, sizeof(*h));
	if (h == NULL || (h->curl = curl_easy_init()) == NULL) {
		free(h);
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	n = strlen(settings->server);
	while (n > 0 && settings->server[n - 1] == '/')
		n--;
	memcpy(h->server, settings->server, n);
	set_basics(h->curl, settings->files ? "http,https" : "https", h->error);
	curl_easy_setopt(h->curl, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(h->curl, CURLOPT_SSLVERSION,
			 (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->cert != NULL) {
		curl_easy_setopt(h->curl, CURLOPT_SSLCERT, settings->cert);
		curl_easy_setopt(h->curl, CURLOPT_SSLKEY, settings->key);
	}
	if (settings->ca != NULL) {
		curl_easy_setopt(h->curl, CURLOPT_CAINFO, settings->ca);
		/* That CA alone: libcurl would add the system's directory. */
		curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL);
	}
	*out = h;
	return SG_OK;
}

void https_close(struct https *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

void *https_handle(struct https *h)
{
	return h->curl;
}

void https_url(const struct https *h, const char *path, char *out)
{
	(void)snprintf(out, HTTPS_URL_MAX, "%s%s", h->server, path);
}

/* What libcurl and OpenSSL say, and what that means here. */
static const struct {
	const char *words;
	const char *hint;
} HINTS[] = {
	{"unable to get local issuer certificate",
	 "give the CA of the server's certificate with --ca"},
	{"self-signed certificate",
	 "give the CA of the server's certificate with --ca"},
	{"unable to set private key file",
	 "is --key a PEM key, and that of --cert?"},
	{"key values mismatch", "is --key that of --cert?"},
	{"alert certificate revoked",
	 "the server says that the client's certificate (--cert) is revoked"},
	{"alert certificate expired",
	 "the server says that the client's certificate (--cert) has expired"},
	{"alert bad certificate",
	 "the server does not accept the client's certificate (--cert)"},
	{"alert certificate unknown",
	 "the server does not accept the client's certificate (--cert)"},
	{"alert unsupported certificate",
	 "the server does not accept the client's certificate (--cert)"},
	{"alert decrypt error",
	 "the server does not accept the client's certificate (--cert)"},
	{"alert unknown ca",
	 "the server does not trust the CA of the client's certificate "
	 "(--cert)"},
};

bool https_say(int code, const char *error, char *why, size_t cap)
{
	const char *text =
		error[0] != '\0' ? error : curl_easy_strerror((CURLcode)code);

	for (size_t i = 0; i < sizeof(HINTS) / sizeof(HINTS[0]); i++) {
		if (strstr(text, HINTS[i].words) == NULL)
			continue;
		(void)snprintf(why, cap, "%s (%s)", text, HINTS[i].hint);
		return true;
	}
	(void)snprintf(why, cap, "%s", text);
	return false;
}

/* Run the transfer that CURL is set up for. */
static enum sg_err perform(CURL *curl, struct https_reply *out,
			   const char *error, char *why, size_t cap)
{
	struct sink sink = {.reply = out};
	CURLcode code;
	long status = 0;

	*out = (struct https_reply){.body = calloc(1, 1)};
	if (out->body == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	sink.cap = 1;
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &sink);
	code = curl_easy_perform(curl);
	if (code == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		out->status = (int)status;
		return SG_OK;
	}
	if (sink.too_big)
		(void)snprintf(why, cap, "the answer is too long");
	else
		(void)https_say((int)code, error, why, cap);
	https_add_request(out->request, why, cap);
	free(out->body);
	out->body = NULL;
	return sink.too_big ? SG_TOO_BIG : SG_IO;
}

static bool add_header(struct curl_slist **list, const char *name,
		       const char *value)
{
	char line[160];
	struct curl_slist *longer;

	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	longer = curl_slist_append(*list, line);
	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

enum sg_err https_ask(struct https *h, const struct https_request *r,
		      struct https_reply *out, char *why, size_t cap)
{
	char url[HTTPS_URL_MAX];
	struct curl_slist *headers = NULL;
	enum sg_err err = SG_NO_MEMORY;

	if (!add_header(&headers, "accept", r->accept))
		goto done;
	if (r->content_type != NULL &&
	    (!add_header(&headers, "content-type", r->content_type) ||
	     /* No waiting for "100 Continue": bodies are small. */
	     !add_header(&headers, "expect", "")))
		goto done;
	https_url(h, r->path, url);
	h->error[0] = '\0';
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	if (r->content_type == NULL) {
		curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS,
				 (const char *)r->body.p);
		curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)r->body.n);
	}
	err = perform(h->curl, out, h->error, why, cap);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
done:
	if (err == SG_NO_MEMORY)
		(void)snprintf(why, cap, "%s", err_text(err));
	curl_slist_free_all(headers);
	return err;
}

enum sg_err https_fetch_plain(const char *url, uint8_t **body, size_t *n,
			      char *why, size_t cap)
{
	char error[CURL_ERROR_SIZE] = "";
	struct https_reply reply;
	CURL *curl = curl_easy_init();
	enum sg_err err;

	if (curl == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	set_basics(curl, "http,https", error);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	err = perform(curl, &reply, error, why, cap);
	curl_easy_cleanup(curl);
	if (err != SG_OK)
		return err;
	if (reply.status != 200) {
		(void)snprintf(why, cap, "%s: status %d", url, reply.status);
		free(reply.body);
		return SG_IO;
	}
	*body = reply.body;
	*n = reply.n;
	return SG_OK;
}
