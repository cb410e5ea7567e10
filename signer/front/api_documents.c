/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/keys and /v1/policy: documents that the core makes. */
#include "api.h"
#include "keys.h"
#include "peer.h"

static void ask(struct api_call *c, enum wire_question question,
		core_answer answer)
{
	const struct exchange *x = c->x;
	const struct wire_ask m = {
		.question = (uint8_t)question,
		.identity = span_of(x->peer->identity, x->peer->identity_n),
	};
	enum sg_err err =
		core_link_ask(x->front->link, &m, answer, c, &c->question);

	if (err != SG_OK)
		api_fail(c, err, NULL);
	else
		c->asked = true;
}

/* The document that M brings; false, and answered, when it is none. */
static bool take_document(struct api_call *c, const struct wire_msg *m,
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

/* --- keys -------------------------------------------------------------- */

static void on_keys(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct span document;
	size_t n;

	if (!take_document(c, m, err, &document))
		return;
	err = keys_write(c->form, document, c->api->answer,
			 sizeof(c->api->answer), &n);
	if (err != SG_OK)
		api_fail(c, SG_INTERNAL, NULL);
	else
		api_reply(c, c->form, span_of(c->api->answer, n));
}

void api_keys_open(struct api_call *c)
{
	static const enum media forms[] = {MEDIA_JSON, MEDIA_CBOR, MEDIA_PEM,
					   MEDIA_COSE_KEY_SET, MEDIA_JWK_SET};

	if (api_choose_form(c, forms, sizeof(forms) / sizeof(forms[0])))
		ask(c, WIRE_ASK_KEYS, on_keys);
}

/* --- policy ------------------------------------------------------------ */

static void on_policy(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct doc d = doc_begin(c->form == MEDIA_CBOR ? DOC_CBOR : DOC_JSON,
				 c->api->answer, sizeof(c->api->answer));
	struct span document;

	if (!take_document(c, m, err, &document))
		return;
	if (doc_item(&d, document) != SG_OK)
		api_fail(c, SG_INTERNAL, NULL);
	else
		api_reply_doc(c, &d);
}

void api_policy_open(struct api_call *c)
{
	static const enum media forms[] = {MEDIA_JSON, MEDIA_CBOR};

	if (api_choose_form(c, forms, sizeof(forms) / sizeof(forms[0])))
		ask(c, WIRE_ASK_POLICY, on_policy);
}
