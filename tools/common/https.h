/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_HTTPS_H
#define SG_TOOLS_HTTPS_H

#include "base/err.h"
#include "base/span.h"

/*
 * https: requests to a signing server over mutual TLS, by libcurl; HTTP/2
 * where the server offers it.  The connection is kept between requests.
 * Never follows a redirect.  One thread.
 */
struct https_settings {
	const char *server; /* "https://host:port" */
	const char *cert;   /* PEM file: the client's certificate and chain */
	const char *key;    /* PEM file */
	const char *ca; /* PEM file of the server's CA; NULL: the system's */
	/* Any file server: http:// too, a path in its URL, and no certificate
	 * is needed. */
	bool files;
};

enum { HTTPS_TEXT_MAX = 64, HTTPS_BODY_MAX = 17 << 20, HTTPS_URL_MAX = 768 };

struct https_reply {
	int status;
	char content_type[HTTPS_TEXT_MAX]; /* without parameters */
	char kid[HTTPS_TEXT_MAX];	   /* Signer-Kid, or empty */
	char index[HTTPS_TEXT_MAX];	   /* Signer-Ledger-Index */
	char expires[HTTPS_TEXT_MAX];	   /* Signer-Expires */
	char request[HTTPS_TEXT_MAX];	   /* Signer-Request */
	uint8_t *body;			   /* with a NUL beyond */
	size_t n;
};

struct https_request {
	const char *path;	  /* "/v1/keys" */
	const char *content_type; /* NULL: a GET */
	const char *accept;
	struct span body;
};

struct https; /* opaque */

/* Errors: SG_CONFIG (an incomplete or wrong setting), SG_NO_MEMORY; WHY (CAP
 * bytes) says what. */
SG_MUST_USE enum sg_err https_open(const struct https_settings *settings,
				   struct https **out, char *why, size_t cap);
void https_close(struct https *h);

/*
 * Ask and wait for the whole answer, whatever its status.
 * Owns: OUT->body is the caller's; free().
 * Errors: SG_IO (no connection, refused by TLS, broken off, timed out),
 * SG_TOO_BIG, SG_NO_MEMORY; WHY says what, and of which request if its answer
 * had begun.
 */
SG_MUST_USE enum sg_err https_ask(struct https *h,
				  const struct https_request *r,
				  struct https_reply *out, char *why,
				  size_t cap);

/*
 * For transfers that https_ask() cannot do: the libcurl handle (CURL *) of H,
 * with the client's certificate, the CA and the protocols set, and the URL of
 * PATH in OUT (HTTPS_URL_MAX bytes).  Valid until https_close().
 */
void *https_handle(struct https *h);
void https_url(const struct https *h, const char *path, char *out);

/*
 * Why a transfer failed into WHY of CAP bytes: what libcurl says (ERROR, or if
 * that is empty, of CODE, a CURLcode), with a hint where its words do not tell
 * what to do.  Returns whether there is one: something is to be mended, and to
 * try again is in vain.  Pure.
 */
bool https_say(int code, const char *error, char *why, size_t cap);

/*
 * If LINE, of an answer's head, is the header Signer-Request, its value into
 * OUT: what the server calls the request in its log.  What does not look like
 * that is not taken, for it goes to terminals and logs.  Pure.
 */
void https_take_request(struct span line, char out[HTTPS_TEXT_MAX]);
/* Add " (request REQUEST)" to WHY of CAP bytes, at the cost of its end where
 * there is no room; nothing if REQUEST is empty.  Pure. */
void https_add_request(const char *request, char *why, size_t cap);

/* Fetch the plain http or https URL by GET, for metrics.  As https_ask(). */
SG_MUST_USE enum sg_err https_fetch_plain(const char *url, uint8_t **body,
					  size_t *n, char *why, size_t cap);

#endif /* SG_TOOLS_HTTPS_H */
