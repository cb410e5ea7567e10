/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "base/throttle.h"
#include "caller.h"
#include "documents.h"

static void refuse(struct front_link *f, uint64_t id, enum sg_err err,
		   const char *detail)
{
	front_link_problem(f, id, err, span_str(detail), span_of(NULL, 0));
}

static void forbid(struct front_link *f, uint64_t id, const char *detail)
{
	metric_add(METRIC_FORBIDDEN, 1);
	refuse(f, id, SG_FORBIDDEN, detail);
}

static void refuse_unknown(struct front_link *f, uint64_t id,
			   const struct wire_ask *m)
{
	caller_log_unknown(m->identity, m->name);
	forbid(f, id, CALLER_UNKNOWN);
}

static bool give_proof(const struct answers *a, const struct policy *policy,
		       struct front_link *f, uint64_t id,
		       const struct wire_ask *m)
{
	const struct client *client;
	struct span text = {0};
	enum sg_err err = proofs_admit(policy, m->identity, &client);

	if (err == SG_MALFORMED)
		return false;
	if (err != SG_OK) {
		refuse_unknown(f, id, m);
		return true;
	}
	err = SG_NOT_FOUND;
	if (!front_link_bears(f))
		err = SG_BUSY;
	else if (a->proofs != NULL)
		err = proofs_answer(a->proofs, m->index, a->leaves(a->ctx),
				    client, &text);
	if (err == SG_OK)
		front_link_answer(f, id, text);
	else
		refuse(f, id, err,
		       err == SG_NOT_FOUND ? "the ledger has no such entry"
					   : "");
	return true;
}

static void give_document(const struct answers *a, const struct policy *policy,
			  const struct client *client, struct front_link *f,
			  uint64_t id, const struct wire_ask *m)
{
	struct policy_usage usage;
	struct documents_facts facts = {.keys = a->keys};
	uint8_t *document = NULL;
	size_t n = 0;
	enum sg_err err;

	if (a->quota != NULL &&
	    quota_usage(a->quota, client, clock_wall_s(), &usage))
		facts.usage = &usage;
	err = documents_answer(m->question, policy, client, &facts, &document,
			       &n);
	if (err == SG_OK) {
		front_link_answer(f, id, span_of(document, n));
	} else if (err == SG_FORBIDDEN) {
		caller_log_forbidden(client, "audit", m->name);
		forbid(f, id, CALLER_MAY_NOT_AUDIT);
	} else {
		refuse(f, id, err, "");
	}
	free(document);
}

/* --- for officers --------------------------------------------------------- */

static bool is_officer(const struct client *client, struct front_link *f,
		       uint64_t id, uint64_t name)
{
	if (client_may(client, CLIENT_OFFICER))
		return true;
	caller_log_forbidden(client, "officer", name);
	forbid(f, id, CALLER_NO_OFFICER);
	return false;
}

static void give_ceremony(const struct answers *a, const struct client *client,
			  struct front_link *f, uint64_t id, uint64_t name)
{
	uint8_t *document;
	size_t n = 0;
	enum sg_err err = SG_NOT_FOUND;

	if (!is_officer(client, f, id, name))
		return;
	document = malloc(CEREMONY_DOCUMENT_MAX);
	if (!front_link_bears(f))
		err = SG_BUSY;
	else if (document == NULL)
		err = SG_NO_MEMORY;
	else if (a->ceremony != NULL)
		err = ceremony_document(a->ceremony, document,
					CEREMONY_DOCUMENT_MAX, &n);
	if (err == SG_OK)
		front_link_answer(f, id, span_of(document, n));
	else
		refuse(f, id, err, "");
	free(document);
}

static void on_operated(void *link, uint64_t id, enum sg_err err,
			struct span text)
{
	if (err == SG_OK)
		front_link_answer(link, id, text);
	else
		front_link_problem(link, id, err, text, span_of(NULL, 0));
}

static void log_brought(const struct client *client,
			const struct wire_operate *m)
{
	static struct throttle throttle;
	char name[REQUEST_ID_TEXT];
	uint64_t dropped;

	if (throttle_allows(&throttle, clock_wall_s(), &dropped))
		log_event(LOG_INFO, "operation-brought",
			  "request=%s client=%s bytes=%zu unlogged=%llu",
			  request_id_text(m->name, 0, name),
			  client_name(client), m->operation.n,
			  (unsigned long long)dropped);
}

bool answers_operate(const struct answers *a, const struct policy *policy,
		     struct front_link *f, uint64_t id,
		     const struct wire_operate *m)
{
	const struct ceremony_caller who = {
		.link = f, .id = id, .answer = on_operated};
	const struct client *client = NULL;
	const enum sg_err err = caller_find(policy, m->identity, &client);

	if (err == SG_MALFORMED)
		return false;
	if (err != SG_OK) {
		caller_log_unknown(m->identity, m->name);
		forbid(f, id, CALLER_UNKNOWN);
	} else if (is_officer(client, f, id, m->name)) {
		if (a->ceremony == NULL) {
			refuse(f, id, SG_NOT_FOUND, "");
			return true;
		}
		if (!front_link_bears(f)) {
			refuse(f, id, SG_BUSY, "");
			return true;
		}
		log_brought(client, m);
		ceremony_operate(a->ceremony, m->operation, &who);
	}
	return true;
}

/* --- questions ------------------------------------------------------------ */

bool answers_give(const struct answers *a, const struct policy *policy,
		  struct front_link *f, uint64_t id, const struct wire_ask *m)
{
	const struct client *client = NULL;
	enum sg_err err;

	if (m->question == WIRE_ASK_PROOF)
		return give_proof(a, policy, f, id, m);
	err = caller_find(policy, m->identity, &client);
	if (err == SG_MALFORMED)
		return false;
	if (err == SG_OK && m->question == WIRE_ASK_CEREMONY)
		give_ceremony(a, client, f, id, m->name);
	else if (err == SG_OK)
		give_document(a, policy, client, f, id, m);
	else
		refuse_unknown(f, id, m);
	return true;
}
