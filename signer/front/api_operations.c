/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /v1/operations: what officers see, and what they have signed. */
#include <stdlib.h>

#include "api.h"
#include "peer.h"

#define TOO_LARGE "an operation has at most 32768 bytes"

_Static_assert(WIRE_OPERATION_MAX == 32768, "the text says so");

static const enum media FORMS[] = {MEDIA_JSON, MEDIA_CBOR};
enum { FORMS_COUNT = sizeof(FORMS) / sizeof(FORMS[0]) };

static void on_document(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct doc d = api_begin_doc(c);
	struct span document;

	if (!api_take_document(c, m, err, &document))
		return;
	if (doc_item_hex(&d, document) != SG_OK)
		api_fail(c, SG_INTERNAL, NULL);
	else
		api_reply_doc(c, &d);
}

void api_ceremony_open(struct api_call *c)
{
	if (api_choose_form(c, FORMS, FORMS_COUNT))
		api_ask(c, WIRE_ASK_CEREMONY, 0, on_document);
}

/* --- an operation --------------------------------------------------------- */

void api_operate_open(struct api_call *c)
{
	const struct http_request *q = &c->x->request;

	if (api_refuse_compressed(c))
		return;
	c->body_type = media_of(q->content_type);
	if (c->body_type != MEDIA_COSE) {
		api_fail_with(
			c, SG_BAD_MEDIA_TYPE,
			"the body must be application/cose: an operation "
			"with its officers' signatures",
			(struct http_header){"accept-post",
					     SPAN_LIT("application/cose")});
		return;
	}
	if (q->has_length && q->length > WIRE_OPERATION_MAX)
		api_fail(c, SG_TOO_BIG, TOO_LARGE);
	else
		(void)api_choose_form(c, FORMS, FORMS_COUNT);
}

void api_operate_data(struct api_call *c, struct span run)
{
	const enum sg_err err = api_body_keep(c, run, WIRE_OPERATION_MAX);

	if (err != SG_OK)
		api_fail(c, err, err == SG_TOO_BIG ? TOO_LARGE : NULL);
}

void api_operate_end(struct api_call *c)
{
	const struct exchange *x = c->x;
	const struct wire_operate m = {
		.identity = span_of(x->peer->identity, x->peer->identity_n),
		.operation = span_of(c->body, c->body_n),
		.name = x->name};
	const enum sg_err err = core_link_operate(x->front->link, &m,
						  on_document, c, &c->question);

	free(c->body); /* the core has it */
	c->body = NULL;
	c->body_n = c->body_cap = 0;
	if (err != SG_OK)
		api_fail(c, err, NULL);
	else
		c->asked = true;
}
