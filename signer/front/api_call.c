/* SPDX-License-Identifier: Apache-2.0 */
#include "api.h"

#include <stdio.h>
#include <string.h>

#include "peer.h"

enum {
	RETRY_AFTER_S = 1, /* where the core names no time */
	HTTP_OK = 200,
	NUMBER_BYTES = 24,
	FORMS_TEXT = 512 /* all of MEDIA_MAP's would fit */
};

enum wire_language api_language(const struct api_call *c)
{
	return media_prefers_vietnamese(c->x->request.accept_language)
		       ? WIRE_VIETNAMESE
		       : WIRE_ENGLISH;
}

/* What could be made instead. */
static void fail_form(struct api_call *c, const enum media *offers, size_t n)
{
	char text[FORMS_TEXT] = "none of the accepted media types can be made "
				"here, but";
	size_t len = strlen(text);

	for (size_t i = 0; i < n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s",
					i > 0 ? "," : "",
					media_text(offers[i]));
	api_fail(c, SG_NOT_ACCEPTABLE, text);
}

bool api_choose_form(struct api_call *c, const enum media *offers, size_t n)
{
	const int i = media_negotiate(c->x->request.accept, offers, n);

	if (i < 0) {
		fail_form(c, offers, n);
		return false;
	}
	c->form = offers[i];
	return true;
}

struct doc api_begin_doc(struct api_call *c)
{
	const bool cbor = c->form == MEDIA_CBOR || c->form == MEDIA_CBOR_SEQ;

	return doc_begin(cbor ? DOC_CBOR : DOC_JSON, c->api->answer,
			 sizeof(c->api->answer));
}

struct span api_ledger_origin(const struct api_call *c)
{
	const struct wire_status *status = core_link_status(c->x->front->link);

	return status != NULL ? status->ledger_origin : SPAN_LIT("");
}

/* --- answers ----------------------------------------------------------- */

void api_reply(struct api_call *c, enum media form, struct span body)
{
	const struct http_reply r = {
		.status = HTTP_OK,
		.content_type = media_text(form),
		.body = body,
	};

	exchange_reply(c->x, &r);
}

void api_reply_doc(struct api_call *c, const struct doc *d)
{
	struct span body;

	if (doc_done(d, &body) != SG_OK)
		api_fail(c, SG_INTERNAL, "the answer is too large");
	else
		api_reply(c, d->form == DOC_CBOR ? MEDIA_CBOR : MEDIA_JSON,
			  body);
}

/* --- problems ---------------------------------------------------------- */

/* CBOR for who prefers it, or speaks it and has no preference. */
static enum doc_form problem_form(const struct exchange *x)
{
	static const enum media json_first[] = {MEDIA_PROBLEM, MEDIA_JSON,
						MEDIA_CBOR};
	static const enum media cbor_first[] = {MEDIA_CBOR, MEDIA_PROBLEM,
						MEDIA_JSON};
	const bool cbor = media_of(x->request.content_type) == MEDIA_CBOR;
	const enum media *offers = cbor ? cbor_first : json_first;
	const int i = media_negotiate(x->request.accept, offers, 3);

	return offers[i < 0 ? 0 : i] == MEDIA_CBOR ? DOC_CBOR : DOC_JSON;
}

static void reply_problem(struct api_call *c, const struct problem *p,
			  struct http_reply *r)
{
	struct doc d = doc_begin(problem_form(c->x), c->api->answer,
				 sizeof(c->api->answer));
	const struct problem bare = {.err = p->err, .language = p->language};

	problem_write(&d, p);
	if (doc_done(&d, &r->body) != SG_OK) {
		/* More text than an answer has room for: the bare fact. */
		d = doc_begin(d.form, c->api->answer, sizeof(c->api->answer));
		problem_write(&d, &bare);
		if (doc_done(&d, &r->body) != SG_OK)
			r->body = SPAN_LIT("");
	}
	r->status = err_http(p->err);
	r->content_type =
		media_text(d.form == DOC_CBOR ? MEDIA_CBOR : MEDIA_PROBLEM);
	exchange_reply(c->x, r);
}

/* Add Retry-After where it belongs.  TEXT has NUMBER_BYTES, and must live as
 * long as R. */
static void add_retry_after(struct http_reply *r, enum sg_err err,
			    uint32_t seconds, char *text)
{
	const int status = err_http(err);

	if (status != 429 && status != 503)
		return;
	(void)snprintf(text, NUMBER_BYTES, "%u",
		       seconds > 0 ? seconds : RETRY_AFTER_S);
	r->header[r->nheaders++] =
		(struct http_header){"retry-after", span_str(text)};
}

static void fail(struct api_call *c, struct problem *p, uint32_t retry_after_s,
		 struct http_reply *r)
{
	char seconds[NUMBER_BYTES];

	p->id = span_of(c->id, c->id_n);
	p->language = api_language(c);
	add_retry_after(r, p->err, retry_after_s, seconds);
	reply_problem(c, p, r);
}

void api_fail(struct api_call *c, enum sg_err err, const char *detail)
{
	struct problem p = {
		.err = err,
		.detail = detail != NULL ? span_str(detail) : SPAN_LIT(""),
	};
	struct http_reply r = {0};

	fail(c, &p, 0, &r);
}

void api_fail_with(struct api_call *c, enum sg_err err, const char *detail,
		   struct http_header header)
{
	struct problem p = {
		.err = err,
		.detail = detail != NULL ? span_str(detail) : SPAN_LIT(""),
	};
	struct http_reply r = {.nheaders = 1, .header = {header}};

	fail(c, &p, 0, &r);
}

bool api_refuse_compressed(struct api_call *c)
{
	const struct span coding = c->x->request.content_encoding;

	if (coding.n == 0 || span_is(coding, "identity"))
		return false;
	api_fail_with(
		c, SG_BAD_MEDIA_TYPE, "the body must not be compressed",
		(struct http_header){"accept-encoding", SPAN_LIT("identity")});
	return true;
}

void api_fail_problem(struct api_call *c, struct problem *p)
{
	struct http_reply r = {0};

	fail(c, p, 0, &r);
}

struct problem api_core_problem(const struct wire_msg *m, enum sg_err err,
				uint32_t *retry_after_s)
{
	struct wire_problem from_core;

	*retry_after_s = 0;
	if (m == NULL)
		return (struct problem){.err = err};
	if (m->type != WIRE_PROBLEM || wire_get_problem(m, &from_core) != SG_OK)
		return (struct problem){.err = SG_INTERNAL};
	*retry_after_s = from_core.retry_after_s;
	return (struct problem){
		.err = (enum sg_err)from_core.err,
		.detail = from_core.detail,
		.violations = from_core.violations,
	};
}

void api_fail_by_core(struct api_call *c, const struct wire_msg *m,
		      enum sg_err err)
{
	struct http_reply r = {0};
	uint32_t retry_after_s;
	struct problem p = api_core_problem(m, err, &retry_after_s);

	fail(c, &p, retry_after_s, &r);
}

/* --- documents of the core ------------------------------------------------ */

void api_ask(struct api_call *c, enum wire_question question, uint64_t index,
	     core_answer answer)
{
	const struct exchange *x = c->x;
	const struct wire_ask m = {
		.question = (uint8_t)question,
		.index = index,
		.name = x->name,
		.identity = x->peer != NULL ? span_of(x->peer->identity,
						      x->peer->identity_n)
					    : span_of(NULL, 0),
	};
	const enum sg_err err =
		core_link_ask(x->front->link, &m, answer, c, &c->question);

	if (err != SG_OK)
		api_fail(c, err, NULL);
	else
		c->asked = true;
}

bool api_take_document(struct api_call *c, const struct wire_msg *m,
		       enum sg_err err, struct span *document)
{
	struct wire_answer a;

	c->asked = false;
	if (m == NULL || m->type != WIRE_ANSWER ||
	    wire_get_answer(m, &a) != SG_OK) {
		api_fail_by_core(c, m, err);
		return false;
	}
	*document = a.document;
	return true;
}
