/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "issue_state.h"

/* --- slots -------------------------------------------------------------- */

struct issue *issue_get(struct issuer *s)
{
	struct issue *i = LIST_FIRST(&s->kept);

	if (i != NULL) {
		LIST_REMOVE(i, entry);
	} else {
		i = calloc(1, sizeof(*i));
		if (i == NULL)
			return NULL;
		i->issuer = s;
		TAILQ_INIT(&i->behind);
	}
	s->in_flight++;
	metric_set(METRIC_IN_FLIGHT, s->in_flight);
	return i;
}

void issue_leave_front(struct issue *i, struct front_link *f)
{
	assert(i->front == f);
	LIST_REMOVE(i, entry);
	f->outstanding--;
	i->front = NULL;
}

/* I waits for AHEAD. */
static void enter_queue(struct issue *i, struct issue *ahead)
{
	i->ahead = ahead;
	TAILQ_INSERT_TAIL(&ahead->behind, i, turn);
}

/* I waits for nobody any more. */
static void leave_queue(struct issue *i)
{
	TAILQ_REMOVE(&i->ahead->behind, i, turn);
	i->ahead = NULL;
}

/* Give the slot of I back, of which nobody knows any more. */
static void recycle(struct issue *i)
{
	struct issuer *s = i->issuer;

	assert(i->op.place == OP_OUT && !i->claimed && i->ahead == NULL &&
	       i->reserved == NULL && TAILQ_EMPTY(&i->behind));
	i->recorded = NULL;
	deadlines_remove(&i->deadline);
	if (i->front != NULL)
		issue_leave_front(i, i->front);
	policy_unref(i->policy);
	i->policy = NULL;
	assembly_clear(&i->text);
	s->in_flight--;
	metric_set(METRIC_IN_FLIGHT, s->in_flight);
	LIST_INSERT_HEAD(&s->kept, i, entry);
}

/* --- the claim ---------------------------------------------------------- */

static void on_signed(struct op *op, enum sg_err err, struct span signature);

/* Have I signed, which takes the claim on its UVCI, and one of its client's
 * quota. */
static enum sg_err start(struct issue *i)
{
	struct issuer *s = i->issuer;
	enum sg_err err = limits_reserve(i);

	i->op.done = on_signed;
	if (err == SG_OK && s->part.claims != NULL)
		err = claims_take(s->part.claims, i->uci, i);
	if (err != SG_OK) {
		limits_give_back(i);
		return err;
	}
	i->claimed = s->part.claims != NULL;
	err = again_submit(i);
	if (err == SG_OK)
		return SG_OK;
	limits_give_back(i);
	if (i->claimed)
		claims_drop(s->part.claims, i->uci);
	i->claimed = false;
	return err;
}

/* All that is behind FROM is behind TO from now on. */
static void move_behind(struct issue *from, struct issue *to)
{
	struct issue *i;

	while ((i = TAILQ_FIRST(&from->behind)) != NULL) {
		leave_queue(i);
		enter_queue(i, to);
	}
}

/* I, which had the claim, ends without a certificate: the oldest of those
 * behind it takes its place, at the head of the others. */
static void pass_on(struct issue *i)
{
	struct issuer *s = i->issuer;
	struct issue *next;
	enum sg_err err = SG_NOT_FOUND;

	claims_drop(s->part.claims, i->uci);
	i->claimed = false;
	while (err != SG_OK && (next = TAILQ_FIRST(&i->behind)) != NULL) {
		leave_queue(next);
		err = start(next);
		if (err == SG_OK)
			move_behind(i, next);
		else if (err == SG_RATE)
			limits_fail(next);
		else
			issue_fail(next, err);
	}
	s->promoted |= err == SG_OK;
}

enum sg_err issue_submit(struct issue *i, struct issue *ahead)
{
	if (ahead == NULL)
		return start(i);
	enter_queue(i, ahead);
	return SG_OK;
}

void issue_put(struct issue *i)
{
	hsm_pool_cancel(i->issuer->part.pool, &i->op);
	limits_give_back(i); /* first: the one behind it may need it */
	if (i->ahead != NULL)
		leave_queue(i);
	if (i->claimed)
		pass_on(i);
	recycle(i);
}

/* --- answers ------------------------------------------------------------ */

struct asked issue_asked(const struct issue *i)
{
	return (struct asked){.name = i->op.name,
			      .line = i->op.line,
			      .operation =
				      i->renewal ? CLIENT_RENEW : CLIENT_ISSUE,
			      .client = i->client,
			      .began_us = i->began_us,
			      .queue_us = i->op.queue_us,
			      .sign_us = i->op.sign_us};
}

void issue_answer_error(struct front_link *f, uint64_t id,
			const struct asked *a, enum sg_err err,
			const char *detail)
{
	asked_refused(a, err, NULL);
	if (err_http(err) >= 500)
		metric_add(METRIC_FAILED, 1);
	front_link_problem(f, id, err, span_str(detail), span_of(NULL, 0));
}

void issue_fail(struct issue *i, enum sg_err err)
{
	const struct asked a = issue_asked(i);

	if (i->front != NULL)
		issue_answer_error(i->front, i->id, &a, err, "");
	issue_put(i);
}

/* I has its certificate, entry INDEX; OUTCOME says whose it was first. */
static void log_done(const struct issue *i, const char *outcome, int64_t index)
{
	const struct asked a = issue_asked(i);

	asked_done(&a, outcome, index);
}

/* Tell the front of I that its UVCI has just been signed for another request,
 * beside the warnings that it had. */
static void answer_conflict(struct issue *i)
{
	struct issuer *s = i->issuer;
	const struct asked a = issue_asked(i);
	struct verdict *v = &s->decision.verdict;
	size_t n = i->text.warnings.n;
	struct span more;

	metric_add(METRIC_REFUSED, 1);
	verdict_init(v);
	known_report(v, VIOLATION_UVCI_CONFLICT, NULL, i->kind);
	diary_refused(s->part.diary, client_name(i->client), v);
	asked_refused(&a, SG_CONFLICT, v);
	if (i->front == NULL)
		return;
	if (n > 0)
		memcpy(s->violations, i->text.warnings.p, n);
	more = violations_encode(v, i->language, s->violations + n,
				 sizeof(s->violations) - n);
	front_link_problem(i->front, i->id, SG_CONFLICT, span_of(NULL, 0),
			   span_of(s->violations, n + more.n));
}

/* M is the certificate of FIRST: what is behind it gets the same one, or a
 * conflict. */
static void answer_behind(struct issue *first, struct wire_issued *m)
{
	struct issue *i;

	m->replayed = true;
	while ((i = TAILQ_FIRST(&first->behind)) != NULL) {
		leave_queue(i);
		if (!known_is_twin(first, i->client, i->payload)) {
			answer_conflict(i);
		} else {
			metric_add(METRIC_REPLAYED, 1);
			m->violations = i->text.warnings;
			if (i->front != NULL)
				front_link_issued(i->front, i->id, m);
			log_done(i, "replayed", m->ledger_index);
		}
		recycle(i);
	}
}

static void fail_behind(struct issue *first, enum sg_err err)
{
	struct issue *i;

	while ((i = TAILQ_FIRST(&first->behind)) != NULL) {
		leave_queue(i);
		issue_fail(i, err);
	}
}

/* --- what comes back ---------------------------------------------------- */

/* Last step: the certificate may go out. */
static void on_released(struct release_item *item, enum sg_err err,
			int64_t ledger_index, uint64_t journal_offset)
{
	struct issue *i =
		(struct issue *)((char *)item - offsetof(struct issue, item));
	struct issuer *s = i->issuer;
	struct wire_issued m = {.alg = i->key->alg,
				.iat = i->iat,
				.exp = i->exp,
				.ledger_index = ledger_index,
				.uvci = i->text.uvci,
				.violations = i->text.warnings};

	if (err != SG_OK) {
		limits_lost(i);
		issue_fail(i, err);
		return;
	}
	/* Whatever comes now, there will be no second one. */
	if (i->claimed)
		claims_record(s->part.claims, i->uci, journal_offset);
	i->claimed = false;
	err = assembly_sign1(&i->text, item->facts.signature, s->scratch,
			     &m.cose);
	if (err != SG_OK) {
		fail_behind(i, err);
		issue_fail(i, err);
		return;
	}
	metric_add(METRIC_ISSUED, 1);
	if (i->renewal)
		metric_add(METRIC_RENEWED, 1);
	memcpy(m.kid, i->text.kid, sizeof(m.kid));
	if (i->front != NULL)
		front_link_issued(i->front, i->id, &m);
	log_done(i, i->renewal ? "renewed" : "issued", ledger_index);
	answer_behind(i, &m);
	recycle(i);
}

/* A policy that has come since may have let the client of I go, or officers may
 * have revoked its UVCI: then it is not released. */
static enum sg_err still_allowed(const struct issue *i)
{
	const enum client_operation operation =
		i->renewal ? CLIENT_RENEW : CLIENT_ISSUE;
	const struct issuer *s = i->issuer;
	const struct client *now = i->client;

	if (i->policy != s->policy)
		now = policy_client_named(s->policy,
					  span_str(client_name(i->client)));
	if (now == NULL || !client_may(now, operation))
		return SG_FORBIDDEN;
	if (revoked_count(s->part.revoked) > 0 &&
	    (revoked_has(s->part.revoked, i->uci) ||
	     revoked_has(s->part.revoked, i->country_uci)))
		return SG_REFUSED;
	return SG_OK;
}

/* The hsm_pool is done with it. */
static void on_signed(struct op *op, enum sg_err err, struct span signature)
{
	struct issue *i =
		(struct issue *)((char *)op - offsetof(struct issue, op));
	struct entry_certificate *facts = &i->item.facts;
	struct issuer *s = i->issuer;

	if (err == SG_OK)
		err = still_allowed(i);
	if (err != SG_OK) {
		if (!again_try(i, err))
			issue_fail(i, err);
		return;
	}
	/* From here on it will go out; how late is the front's business. */
	deadlines_remove(&i->deadline);
	assert(signature.n <= sizeof(i->signature));
	memcpy(i->signature, signature.p, signature.n);
	*facts = (struct entry_certificate){
		.client = span_str(client_name(i->client)),
		.alg = i->key->alg,
		.kind = i->kind,
		.signature = span_of(i->signature, signature.n),
		.uvci = i->text.uvci,
		.sig_structure = op->message,
		.iat = i->iat,
		.exp = i->exp,
		.policy_hash = policy_hash(i->policy),
		.attestation = i->attested ? i->attestation : NULL};
	memcpy(facts->kid, i->text.kid, sizeof(facts->kid));
	i->item.renewed = i->renewal;
	i->item.bulk = op->bulk;
	i->item.uci = i->uci;
	i->item.country_uci = i->country_uci;
	i->item.payload = i->payload;
	i->item.country = span_str(i->key->country);
	i->item.released = on_released;
	limits_record(i);
	toll_begin(&s->put_down);
	release_submit(s->part.release, &i->item,
		       hsm_pool_load(s->part.pool, op->key));
	toll_end(&s->put_down);
}
