/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/keys and /v1/policy: documents that the core makes. */
#include "api.h"
#include "keys.h"

/* --- keys -------------------------------------------------------------- */

static void on_keys(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct span document;
	size_t n;

	if (!api_take_document(c, m, err, &document))
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
		api_ask(c, WIRE_ASK_KEYS, 0, on_keys);
}

/* --- policy ------------------------------------------------------------ */

static void on_policy(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct doc d = doc_begin(c->form == MEDIA_CBOR ? DOC_CBOR : DOC_JSON,
				 c->api->answer, sizeof(c->api->answer));
	struct span document;

	if (!api_take_document(c, m, err, &document))
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
		api_ask(c, WIRE_ASK_POLICY, 0, on_policy);
}
