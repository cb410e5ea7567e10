/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/certificates, /v1/validations and /v1/renewals: one request, one
 * answer.  A stream of them is api_stream's. */
#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "base/base64.h"
#include "base/clock.h"
#include "certificate.h"
#include "dcc_cbor.h"
#include "dcc_json.h"
#include "hcert/cose.h"
#include "peer.h"
#include "render.h"

enum { US_PER_MS = 1000, NUMBER_BYTES = 24 };

/* Forms of a certificate.  The client's own language stands first, which is
 * what it gets without a preference. */
static const enum media FOR_JSON[] = {MEDIA_JSON, MEDIA_CBOR, MEDIA_COSE,
				      MEDIA_TEXT, MEDIA_SVG,  MEDIA_PNG};
static const enum media FOR_CBOR[] = {MEDIA_CBOR, MEDIA_JSON, MEDIA_COSE,
				      MEDIA_TEXT, MEDIA_SVG,  MEDIA_PNG};
enum {
	CERTIFICATE_FORMS = sizeof(FOR_JSON) / sizeof(FOR_JSON[0]),
	DOCUMENT_FORMS = 2 /* the first ones */
};

/* --- the request ------------------------------------------------------- */

static bool is_stream(const struct api_call *c)
{
	return c->body_type == MEDIA_NDJSON || c->body_type == MEDIA_CBOR_SEQ;
}

/* Can the body be read at all?  Answers when it cannot. */
static bool check_body(struct api_call *c)
{
	char text[EXCHANGE_DETAIL_MAX];
	const struct http_request *q = &c->x->request;
	const struct http_header types = {
		"accept-post",
		SPAN_LIT(
			"application/json, application/cbor, application/cose, "
			"application/x-ndjson, application/cbor-seq")};

	if (api_refuse_compressed(c))
		return false;
	c->body_type = media_of(q->content_type);
	if (is_stream(c))
		return true;
	if (c->body_type != MEDIA_JSON && c->body_type != MEDIA_CBOR &&
	    c->body_type != MEDIA_COSE) {
		api_fail_with(c, SG_BAD_MEDIA_TYPE,
			      "the body must be application/json, "
			      "application/cbor, application/cose, "
			      "application/x-ndjson or application/cbor-seq",
			      types);
		return false;
	}
	if (q->has_length && q->length > c->x->front->settings.body_bytes_max) {
		api_fail(c, SG_TOO_BIG, exchange_too_large(c->x, text));
		return false;
	}
	return true;
}

static void open_body(struct api_call *c, size_t forms)
{
	if (!check_body(c))
		return;
	if (!is_stream(c))
		(void)api_choose_form(
			c, c->body_type == MEDIA_JSON ? FOR_JSON : FOR_CBOR,
			forms);
	else if (api_choose_form(c, &c->body_type, 1))
		api_stream_open(c);
}

void api_certificates_open(struct api_call *c)
{
	open_body(c, CERTIFICATE_FORMS);
}

void api_validations_open(struct api_call *c)
{
	open_body(c, DOCUMENT_FORMS);
}

void api_renewals_open(struct api_call *c)
{
	open_body(c, CERTIFICATE_FORMS);
}

bool api_is_validation(const struct api_call *c)
{
	return c->route->open == api_validations_open;
}

bool api_is_renewal(const struct api_call *c)
{
	return c->route->open == api_renewals_open;
}

static void keep_id(struct api_call *c, struct span request)
{
	const struct span id = certificate_id(request);

	if (id.n > 0)
		memcpy(c->id, id.p, id.n);
	c->id_n = id.n;
}

static enum sg_err read_request(struct api_call *c, struct brought *b)
{
	struct api *a = c->api;
	const struct span body = span_of(c->body, c->body_n);
	enum sg_err err;

	if (c->body_type == MEDIA_COSE) {
		err = signed_body_read(&a->signed_body, &a->dcc, body,
				       &b->request, &b->signature);
	} else {
		err = c->body_type == MEDIA_CBOR
			      ? dcc_cbor_read(&a->dcc, body, &b->request)
			      : dcc_json_read(&a->dcc, body, &b->request);
		if (err == SG_OK)
			err = signed_body_open(&a->signed_body, &a->dcc,
					       &b->request, &b->signature);
	}
	free(c->body); /* while the core thinks, the request lives there */
	c->body = NULL;
	c->body_n = 0;
	c->body_cap = 0;
	return err;
}

static void on_answer(void *asker, const struct wire_msg *m, enum sg_err err);

void api_certificates_end(struct api_call *c)
{
	const struct exchange *x = c->x;
	struct wire_issue issue = {
		.dry_run = api_is_validation(c),
		.renew = api_is_renewal(c),
		.language = (uint8_t)api_language(c),
		.name = x->name,
		.identity = span_of(x->peer->identity, x->peer->identity_n),
	};
	struct brought b = {0};
	struct problem p;
	enum sg_err err = read_request(c, &b);

	if (err != SG_OK) {
		api_fail(c, err,
			 c->api->dcc.detail[0] != '\0' ? c->api->dcc.detail
						       : NULL);
		return;
	}
	keep_id(c, b.request);
	if (api_unwrap(c, &b, &p) != SG_OK) {
		api_fail_problem(c, &p);
		return;
	}
	issue.request = b.request;
	issue.presented = b.presented;
	issue.signature = b.signature;
	issue.deadline_us = clock_mono_us() +
			    (uint64_t)x->front->settings.request_ms * US_PER_MS;
	err = core_link_issue(x->front->link, &issue, on_answer, c,
			      &c->question);
	if (err != SG_OK)
		api_fail(c, err, NULL);
	else
		c->asked = true;
}

/* --- the answer as a document ------------------------------------------ */

static void reply_verdict(struct api_call *c, const struct wire_issued *m)
{
	struct doc d = api_begin_doc(c);

	certificate_verdict(&d, m, span_of(c->id, c->id_n));
	api_reply_doc(c, &d);
}

/* HC1 is empty when the form is CBOR. */
static void reply_document(struct api_call *c, const struct wire_issued *m,
			   struct span hc1)
{
	struct doc d = api_begin_doc(c);

	certificate_write(
		&d, m,
		&(struct certificate_parts){.id = span_of(c->id, c->id_n),
					    .hc1 = hc1,
					    .origin = api_ledger_origin(c)});
	api_reply_doc(c, &d);
}

/* --- the answer in the other forms ------------------------------------- */

/* BODY as it is; what else the document would tell goes into headers. */
static void reply_bare(struct api_call *c, const struct wire_issued *m,
		       struct span body)
{
	char kid[(COSE_KID_BYTES + 2) / 3 * 4]; /* base64 */
	char index[NUMBER_BYTES];
	char exp[NUMBER_BYTES];
	struct http_reply r = {
		.status = 200,
		.content_type = media_text(c->form),
		.nheaders = 2,
		.body = body,
	};
	const size_t n = base64_encode(span_of(m->kid, sizeof(m->kid)),
				       BASE64_STANDARD, kid);

	(void)snprintf(exp, sizeof(exp), "%lld", (long long)m->exp);
	r.header[0] = (struct http_header){"signer-kid", span_of(kid, n)};
	r.header[1] = (struct http_header){"signer-expires", span_str(exp)};
	if (m->ledger_index != WIRE_NO_LEDGER_INDEX) {
		(void)snprintf(index, sizeof(index), "%lld",
			       (long long)m->ledger_index);
		r.header[r.nheaders++] = (struct http_header){
			"signer-ledger-index", span_str(index)};
	}
	exchange_reply(c->x, &r);
}

static void reply_qr(struct api_call *c, const struct wire_issued *m,
		     struct span hc1)
{
	uint8_t *image = NULL;
	size_t n;
	enum sg_err err = render_qr(hc1, c->form, &image, &n);

	if (err == SG_OK)
		reply_bare(c, m, span_of(image, n));
	else
		api_fail(c, err,
			 err == SG_NOT_ACCEPTABLE
				 ? "the certificate is issued, but too long "
				   "for a QR code: ask for another form"
				 : NULL);
	free(image);
}

static void reply_certificate(struct api_call *c, const struct wire_issued *m)
{
	char *text = c->api->hc1;
	struct span hc1 = {0};
	size_t n;

	if (c->form == MEDIA_COSE) {
		reply_bare(c, m, m->cose);
		return;
	}
	if (c->form != MEDIA_CBOR) {
		if (hc1_encode(c->api->deflate, m->cose, text,
			       sizeof(c->api->hc1), &n) != SG_OK) {
			api_fail(c, SG_INTERNAL, NULL);
			return;
		}
		hc1 = span_of(text, n);
	}
	switch (c->form) {
	case MEDIA_TEXT: reply_bare(c, m, hc1); break;
	case MEDIA_SVG:
	case MEDIA_PNG: reply_qr(c, m, hc1); break;
	default: reply_document(c, m, hc1); break;
	}
}

static void on_answer(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct wire_issued issued;

	c->asked = false;
	if (m == NULL || m->type != WIRE_ISSUED) {
		api_fail_by_core(c, m, err);
		return;
	}
	if (wire_get_issued(m, &issued) != SG_OK ||
	    issued.dry_run != api_is_validation(c)) {
		api_fail(c, SG_INTERNAL, NULL);
		return;
	}
	if (issued.dry_run)
		reply_verdict(c, &issued);
	else
		reply_certificate(c, &issued);
}
