/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <stdlib.h>

enum {
	GET = 1 << HTTP_GET | 1 << HTTP_HEAD,
	POST = 1 << HTTP_POST,
	CLIENTS = 1 << DOOR_CLIENTS,
	OPS = 1 << DOOR_OPS,
	READERS = CLIENTS | 1 << DOOR_PUBLIC, /* of the ledger */
	FIRST_BODY_BYTES = 1024
};

/* Every path there is; the first that fits, by its method too if one does.  No
 * other place decides what is answered where. */
static const struct api_route ROUTES[] = {
	{"/v1/certificates", "POST", POST, CLIENTS, api_certificates_open,
	 api_body_data, api_certificates_end},
	{"/v1/validations", "POST", POST, CLIENTS, api_validations_open,
	 api_body_data, api_certificates_end},
	{"/v1/renewals", "POST", POST, CLIENTS, api_renewals_open,
	 api_body_data, api_certificates_end},
	{"/v1/keys", "GET, HEAD", GET, CLIENTS, api_keys_open, NULL, NULL},
	{"/v1/policy", "GET, HEAD", GET, CLIENTS, api_policy_open, NULL, NULL},
	{"/v1/operations", "GET, HEAD, POST", GET, CLIENTS, api_ceremony_open,
	 NULL, NULL},
	{"/v1/operations", "GET, HEAD, POST", POST, CLIENTS, api_operate_open,
	 api_operate_data, api_operate_end},
	{"/v1/ledger/checkpoint", "GET, HEAD", GET, READERS,
	 api_checkpoint_open, NULL, NULL},
	{"/v1/ledger/checkpoint.cosigned", "GET, HEAD", GET, READERS,
	 api_cosigned_open, NULL, NULL},
	{"/v1/ledger/vkey", "GET, HEAD", GET, READERS, api_vkey_open, NULL,
	 NULL},
	{"/v1/ledger/tile/entries/", "GET, HEAD", GET, CLIENTS,
	 api_entries_open, NULL, NULL},
	{API_TILES, "GET, HEAD", GET, READERS, api_tile_open, NULL, NULL},
	{"/v1/ledger/proof", "GET, HEAD", GET, READERS, api_proof_open, NULL,
	 NULL},
	{"/livez", "GET, HEAD", GET, OPS, api_livez_open, NULL, NULL},
	{"/readyz", "GET, HEAD", GET, OPS, api_readyz_open, NULL, NULL},
	{"/metrics", "GET, HEAD", GET, OPS, api_metrics_open, NULL, NULL},
};

static bool is_at(const struct api_route *r, struct span path)
{
	const size_t n = strlen(r->path);

	if (r->path[n - 1] == '/' && path.n > n)
		path.n = n;
	return span_is(path, r->path);
}

static const struct api_route *find_route(const struct exchange *x)
{
	const struct api_route *other = NULL; /* for another method */

	for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++) {
		const struct api_route *r = &ROUTES[i];

		if ((r->doors & 1U << x->door) == 0 ||
		    !is_at(r, x->request.path))
			continue;
		if ((r->methods & 1U << x->request.method) != 0)
			return r;
		if (other == NULL)
			other = r;
	}
	return other;
}

size_t api_problem_body(enum sg_err e, const char *detail, char *out,
			size_t cap)
{
	const struct problem p = {
		.err = e,
		.detail = detail != NULL ? span_str(detail) : SPAN_LIT(""),
	};
	struct doc d = doc_begin(DOC_JSON, out, cap);
	struct span body;

	problem_write(&d, &p);
	return doc_done(&d, &body) == SG_OK ? body.n : 0;
}

/* The answer where there is no memory even for a call. */
static void reply_no_memory(struct exchange *x)
{
	char body[512];
	const struct http_reply r = {
		.status = err_http(SG_NO_MEMORY),
		.content_type = media_text(MEDIA_PROBLEM),
		.nheaders = 1,
		.header = {{"retry-after", SPAN_LIT("1")}},
		.body = span_of(body, api_problem_body(SG_NO_MEMORY, NULL, body,
						       sizeof(body))),
	};

	exchange_reply(x, &r);
}

void api_open(struct exchange *x)
{
	struct api_call *c = calloc(1, sizeof(*c));
	const struct http_request *q = &x->request;
	struct http_header allow = {.name = "allow"};

	x->api = c;
	if (c == NULL) {
		reply_no_memory(x);
		return;
	}
	c->x = x;
	c->api = x->front->api;
	c->body_type = MEDIA_NONE;
	c->route = find_route(x);
	x->route = c->route != NULL ? c->route->path : NULL;
	if (c->route == NULL) {
		api_fail(c, SG_NOT_FOUND, NULL);
		return;
	}
	if ((c->route->methods & 1U << q->method) == 0) {
		allow.value = span_str(c->route->allow);
		api_fail_with(c, SG_BAD_METHOD, NULL, allow);
		return;
	}
	c->route->open(c);
}

void api_data(struct exchange *x, struct span data)
{
	struct api_call *c = (struct api_call *)x->api;

	if (c->stream != NULL)
		api_stream_data(c->stream, data);
	else if (c->route->data != NULL)
		c->route->data(c, data);
}

void api_end(struct exchange *x)
{
	struct api_call *c = (struct api_call *)x->api;

	if (c->stream != NULL)
		api_stream_end(c->stream);
	else if (c->route->end != NULL)
		c->route->end(c);
}

void api_room(struct exchange *x)
{
	api_stream_room(((struct api_call *)x->api)->stream);
}

void api_cut(struct exchange *x, enum sg_err e, const char *detail)
{
	api_stream_cut(((struct api_call *)x->api)->stream, e, detail);
}

void api_gone(struct exchange *x)
{
	struct api_call *c = (struct api_call *)x->api;

	x->api = NULL;
	if (c == NULL)
		return;
	if (c->asked)
		core_link_forget(x->front->link, c->question);
	api_stream_free(c->stream);
	api_ledger_gone(c);
	free(c->body);
	free(c);
}

/* Room for N more bytes of the body, which may become MAX. */
static enum sg_err reserve(struct api_call *c, size_t n, size_t max)
{
	size_t cap = c->body_cap > 0 ? c->body_cap : FIRST_BODY_BYTES;
	uint8_t *p;

	if (c->body_n > max || n > max - c->body_n)
		return SG_TOO_BIG;
	/* A length that is told is believed up to the limit. */
	if (c->body_cap == 0 && c->x->request.has_length &&
	    c->x->request.length <= max && c->x->request.length > 0)
		cap = (size_t)c->x->request.length;
	while (cap - c->body_n < n)
		cap *= 2;
	if (cap == c->body_cap)
		return SG_OK;
	p = realloc(c->body, cap);
	if (p == NULL)
		return SG_NO_MEMORY;
	c->body = p;
	c->body_cap = cap;
	return SG_OK;
}

enum sg_err api_body_keep(struct api_call *c, struct span run, size_t max)
{
	const enum sg_err err = reserve(c, run.n, max);

	if (err == SG_OK && run.n > 0)
		memcpy(c->body + c->body_n, run.p, run.n);
	if (err == SG_OK)
		c->body_n += run.n;
	return err;
}

void api_body_data(struct api_call *c, struct span run)
{
	const enum sg_err err =
		api_body_keep(c, run, c->x->front->settings.body_bytes_max);
	char text[EXCHANGE_DETAIL_MAX];

	if (err != SG_OK)
		api_fail(c, err,
			 err == SG_TOO_BIG ? exchange_too_large(c->x, text)
					   : NULL);
}
