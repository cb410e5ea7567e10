/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "caller.h"
#include "issue_state.h"
#include "policy/client_signature.h"

/* A request that is being judged. */
struct request {
	struct front_link *front;
	uint64_t id;
	const struct wire_issue *m;
	const struct client *client;
	uint64_t now_us;    /* CLOCK_MONOTONIC */
	int64_t now;	    /* seconds since 1970 */
	int64_t signed_at;  /* by its client, likewise; INT64_MAX: it is not */
	const char *detail; /* of an error; safe for the client */
	struct asked asked; /* the same, for the log */
};

/* --- judgement ---------------------------------------------------------- */

static enum client_operation operation_of(const struct request *r)
{
	if (r->m->renew)
		return CLIENT_RENEW;
	return r->m->dry_run ? CLIENT_VALIDATE : CLIENT_ISSUE;
}

/* May its client ask what R asks? */
static enum sg_err may_ask(struct request *r)
{
	static const char *const name[] = {[CLIENT_ISSUE] = "issue",
					   [CLIENT_VALIDATE] = "validate",
					   [CLIENT_RENEW] = "renew"};
	const enum client_operation operation = operation_of(r);

	if (client_may(r->client, operation))
		return SG_OK;
	r->detail = caller_may_not(operation, r->m->language);
	caller_log_forbidden(r->client, name[operation], r->m->name);
	return SG_FORBIDDEN;
}

/* Judge R into s->decision.
 * Errors: SG_FORBIDDEN; SG_BAD_SIGNATURE, and the verdict says why the request
 * is not the client's, and nothing of what it asks; SG_MALFORMED,
 * SG_DUPLICATE_KEY, SG_TOO_BIG; SG_NO_MEMORY, SG_INTERNAL: ours. */
static enum sg_err judge(struct issuer *s, struct request *r)
{
	struct policy_bounds bounds[DCC_KINDS];
	const struct policy_question q = {.client = r->client,
					  .operation = operation_of(r),
					  .request = r->m->request,
					  .signature = r->m->signature,
					  .audience = s->part.audience,
					  .now = r->now,
					  .bounds = bounds};
	enum sg_err err = may_ask(r);

	if (err != SG_OK)
		return err;
	verdict_init(&s->decision.verdict);
	err = client_signature_judge(&q, &s->decision.verdict, &r->signed_at);
	if (err != SG_OK)
		return err;
	if (s->decision.verdict.errors > 0)
		return SG_BAD_SIGNATURE;
	for (unsigned kind = 0; kind < DCC_KINDS; kind++)
		keyring_bounds(s->part.keys, (enum dcc_kind)kind, r->now,
			       &bounds[kind]);
	err = policy_decide(s->policy, &q, &s->decision);
	/* A front writes deterministic CBOR.  What is not is its fault, but
	 * not a reason to cut off the clients behind it.  More items than are
	 * judged are the client's: a front does not count them. */
	if (err == SG_MALFORMED || err == SG_DUPLICATE_KEY)
		metric_add(METRIC_BAD_MESSAGES, 1);
	return err;
}

/* --- answers ------------------------------------------------------------ */

/* What s->decision has become, with its violations. */
static void answer_verdict(struct issuer *s, const struct request *r,
			   enum sg_err refusal, struct span violations)
{
	const struct wire_issued verdict = {.dry_run = true,
					    .iat = s->decision.iat,
					    .exp = s->decision.exp,
					    .ledger_index =
						    WIRE_NO_LEDGER_INDEX,
					    .violations = violations};

	if (s->decision.verdict.errors == 0) {
		front_link_issued(r->front, r->id, &verdict);
		asked_done(&r->asked, "accepted", WIRE_NO_LEDGER_INDEX);
		return;
	}
	if (!r->m->dry_run) {
		metric_add(METRIC_REFUSED, 1);
		diary_refused(s->part.diary, client_name(r->client),
			      &s->decision.verdict);
	}
	front_link_problem(r->front, r->id, refusal, span_of(NULL, 0),
			   violations);
	asked_refused(&r->asked, refusal, &s->decision.verdict);
}

/* R has its certificate already, whatever the policy says today. */
static void answer_same(struct issuer *s, const struct request *r,
			struct known *known, struct span violations)
{
	struct wire_issued *m = &known->issued;

	/* Errors are no warnings, and refuse nothing here. */
	if (s->decision.verdict.errors == 0)
		m->violations = violations;
	if (r->m->dry_run) {
		*m = (struct wire_issued){.dry_run = true,
					  .iat = m->iat,
					  .exp = m->exp,
					  .ledger_index = WIRE_NO_LEDGER_INDEX,
					  .violations = m->violations};
	} else {
		metric_add(METRIC_REPLAYED, 1);
	}
	front_link_issued(r->front, r->id, m);
	asked_done(&r->asked, r->m->dry_run ? "accepted" : "replayed",
		   m->ledger_index);
}

/* --- requests ----------------------------------------------------------- */

/* Give I what the accepted request R in s->decision is, to be signed with KEY.
 */
static enum sg_err issue_fill(struct issue *i, const struct request *r,
			      const struct known *known, const struct key *key,
			      struct span warnings)
{
	struct issuer *s = i->issuer;
	const struct decision *d = &s->decision;
	const uint64_t latest_us = r->now_us + ISSUE_DEADLINE_MAX_US;
	const struct assembly_parts parts = {
		.country = span_str(key->country),
		.prot = span_of(key->prot, key->prot_n),
		.kid = key->dsc.kid,
		.iat = d->iat,
		.exp = d->exp,
		.dcc = d->document.dcc,
		.uvci = d->document.text[DOC_CI],
		.warnings = warnings};
	enum sg_err err;

	memcpy(i->uci, known->uci, sizeof(i->uci));
	memcpy(i->payload, known->payload, sizeof(i->payload));
	err = digest_sum(s->digest, parts.country, parts.uvci, i->country_uci);
	if (err == SG_OK)
		err = renewal_attestation(i, r->m->renew, known);
	if (err == SG_OK)
		err = assembly_make(&i->text, &parts, s->scratch);
	if (err != SG_OK)
		return err;
	i->policy = policy_ref(s->policy);
	i->client = r->client;
	i->key = key;
	i->kind = d->document.kind;
	i->renewal = r->m->renew;
	i->iat = d->iat;
	i->exp = d->exp;
	i->id = r->id;
	i->language = r->m->language;
	i->began_us = r->now_us;
	i->op.name = r->m->name;
	i->op.line = r->m->line;
	i->op.key = (size_t)(key - s->part.keys->key);
	i->op.bulk = r->m->bulk;
	i->op.kinds = DCC_KIND_BIT(i->kind);
	i->op.queue_us = i->op.sign_us = 0; /* those of who had the slot */
	i->moves = 0;
	i->op.message = i->text.sig_structure;
	i->op.deadline_us =
		r->m->deadline_us < latest_us ? r->m->deadline_us : latest_us;
	return SG_OK;
}

/* Have it signed, or wait for the one that has its UVCI. */
static enum sg_err issue_start(struct issuer *s, const struct request *r,
			       const struct known *known, size_t key,
			       struct span warnings)
{
	struct issue *i = issue_get(s);
	enum sg_err err;

	if (i == NULL)
		return SG_NO_MEMORY;
	err = issue_fill(i, r, known, &s->part.keys->key[key], warnings);
	if (err == SG_OK)
		err = issue_submit(i, known->ahead);
	if (err != SG_OK) {
		issue_put(i);
		return err;
	}
	i->front = r->front;
	LIST_INSERT_HEAD(&r->front->issues, i, entry);
	r->front->outstanding++;
	deadlines_add(s->deadlines, &i->deadline, i->op.deadline_us);
	return SG_OK;
}

/* Is the accepted request R in s->decision within its client's limits?  If
 * not, it has been answered.  What waits for its own twin is free. */
static enum sg_err request_admit(struct issuer *s, const struct request *r,
				 const struct known *known, bool *admitted)
{
	const struct limited limited = {
		.front = r->front,
		.id = r->id,
		.m = r->m,
		.client = r->client,
		.asked = &r->asked,
		.now = {.wall_s = r->now, .mono_us = r->now_us}};

	*admitted = true;
	if (known->word == KNOWN_TWIN)
		return SG_OK;
	return limits_admit(s, &limited, admitted);
}

/* May the accepted request R in s->decision be signed now?  Then do. */
static enum sg_err request_sign(struct issuer *s, const struct request *r,
				const struct known *known, struct span warnings)
{
	const struct hsm_span_of_time time = {
		.now = r->now, .iat = s->decision.iat, .exp = s->decision.exp};
	bool admitted = false;
	size_t key = 0;
	enum sg_err err;

	assert(s->decision.document.has_kind &&
	       s->decision.document.present[DOC_CI]);
	if (!limits_clock_sane(s, r->now))
		return SG_CLOCK_BEHIND;
	if (!release_open(s->part.release))
		return SG_LEDGER_DOWN;
	err = hsm_pool_choose(s->part.pool, s->decision.document.kind, &time,
			      &key);
	if (err == SG_OK)
		err = request_admit(s, r, known, &admitted);
	if (err != SG_OK || !admitted)
		return err;
	return issue_start(s, r, known, key, warnings);
}

/* Add to the verdict what is known about the UVCI of R, and return with what a
 * refusal is answered.  One that has run out is told so alone: the policy is
 * not asked about what is there already. */
static enum sg_err add_known(struct issuer *s, const struct request *r,
			     const struct known *known)
{
	struct verdict *v = &s->decision.verdict;
	const enum dcc_kind kind = s->decision.document.kind;
	const enum sg_err refusal = v->errors > 0 ? SG_REFUSED : SG_CONFLICT;

	if (r->m->renew && renewal_unattested(s, r->client, known))
		verdict_add(v, VIOLATION_ATTESTATION_MISSING, false,
			    SPAN_LIT("/attestation"));
	switch (known->word) {
	case KNOWN_EXPIRED:
		verdict_init(v);
		known_report(v, VIOLATION_EXPIRED, NULL, kind);
		return SG_CONFLICT;
	case KNOWN_RIVAL:
		if (!r->m->dry_run && v->errors == 0)
			return SG_REFUSED; /* the other one may yet fail */
		break;
	case KNOWN_CONFLICT: break;
	case KNOWN_REVOKED:
		if (!known_is_foreign(v))
			known_report(v, VIOLATION_REVOKED, NULL, kind);
		return SG_REFUSED;
	case KNOWN_UNRECORDED:
	case KNOWN_CHANGED:
	case KNOWN_EARLY:
	case KNOWN_HAD:
		if (!known_is_foreign(v))
			known_report(v, VIOLATION_NOT_RENEWABLE,
				     renewal_cause(known->word), kind);
		return SG_REFUSED;
	default: return SG_REFUSED;
	}
	if (!known_is_foreign(v))
		known_report(v, VIOLATION_UVCI_CONFLICT, NULL, kind);
	return refusal;
}

/* What is known about the UVCI of R, judged as s->decision? */
static enum sg_err find_known(struct issuer *s, const struct request *r,
			      struct known *out)
{
	const struct renewal_ask renewal = {.client = r->client,
					    .presented = r->m->presented,
					    .now = r->now,
					    .signed_at = r->signed_at};

	return r->m->renew ? known_find_renewal(s, &renewal, out)
			   : known_find(s, r->client, r->now, out);
}

/* Judge, then answer or start.  An error is the caller's to answer, with
 * r->detail. */
static enum sg_err request_take(struct issuer *s, struct request *r)
{
	struct known known;
	struct span violations;
	enum sg_err refusal;
	enum sg_err err;

	err = judge(s, r);
	metric_time(HISTOGRAM_DECIDE_TIME, clock_mono_us() - r->now_us);
	if (err == SG_BAD_SIGNATURE) {
		metric_add(METRIC_UNSIGNED, 1);
		violations =
			violations_encode(&s->decision.verdict, r->m->language,
					  s->violations, sizeof(s->violations));
		answer_verdict(s, r, SG_REFUSED, violations);
		return SG_OK;
	}
	if (err != SG_OK)
		return err;
	toll_begin(&s->look_up);
	err = find_known(s, r, &known);
	toll_end(&s->look_up);
	if (err != SG_OK)
		return err;
	refusal = add_known(s, r, &known);
	violations = violations_encode(&s->decision.verdict, r->m->language,
				       s->violations, sizeof(s->violations));
	if (known.word == KNOWN_SAME)
		answer_same(s, r, &known, violations);
	else if (s->decision.verdict.errors > 0 || r->m->dry_run)
		answer_verdict(s, r, refusal, violations);
	else
		err = request_sign(s, r, &known, violations);
	return err;
}

bool issuer_take(struct issuer *s, struct front_link *f, uint64_t id,
		 const struct wire_issue *m)
{
	struct request r = {.front = f,
			    .id = id,
			    .m = m,
			    .now_us = clock_mono_us(),
			    .now = clock_wall_s(),
			    .detail = ""};
	enum sg_err err = caller_find(s->policy, m->identity, &r.client);

	if (err == SG_MALFORMED)
		return false;
	r.asked = (struct asked){.name = m->name,
				 .line = m->line,
				 .operation = operation_of(&r),
				 .client = r.client,
				 .began_us = r.now_us};
	if (err != SG_OK) {
		r.detail = caller_unknown(m->language);
		caller_log_unknown(m->identity, m->name);
	} else if (s->closed) {
		err = SG_CLOSED;
	} else if (f->outstanding >= f->credit) {
		err = SG_BUSY;
	} else if (m->deadline_us <= r.now_us) {
		err = SG_TIMED_OUT;
	} else {
		err = request_take(s, &r);
	}
	if (err == SG_FORBIDDEN)
		metric_add(METRIC_FORBIDDEN, 1);
	if (err != SG_OK)
		issue_answer_error(f, id, &r.asked, err, r.detail);
	return true;
}

/* Send what took another one's place outside of a batch of messages. */
static void send_promoted(struct issuer *s)
{
	if (s->promoted)
		hsm_pool_dispatch(s->part.pool);
	s->promoted = false;
}

void issuer_forget(struct issuer *s, struct front_link *f)
{
	struct issue *next;
	struct issue *i;

	/* First those that wait, so that none of them takes a place. */
	for (i = LIST_FIRST(&f->issues); i != NULL; i = next) {
		next = LIST_NEXT(i, entry);
		if (i->ahead != NULL)
			issue_put(i);
	}
	while ((i = LIST_FIRST(&f->issues)) != NULL) {
		issue_leave_front(i, f);
		if (i->op.place != OP_OUT)
			issue_put(i); /* else signed: the release ends it */
	}
	send_promoted(s);
}

void issuer_tick(struct issuer *s, uint64_t now_us)
{
	struct deadline *d;

	while ((d = deadlines_expired(s->deadlines, now_us)) != NULL)
		issue_fail((struct issue *)((char *)d -
					    offsetof(struct issue, deadline)),
			   SG_TIMED_OUT);
	send_promoted(s);
}

enum sg_err issuer_create(const struct issuer_parts *parts,
			  struct policy *policy, struct issuer **out)
{
	struct issuer *s = calloc(1, sizeof(*s));
	enum sg_err err;

	*out = NULL;
	assert((parts->claims == NULL) == (parts->journal_dir == NULL));
	if (s == NULL)
		return SG_NO_MEMORY;
	LIST_INIT(&s->kept);
	s->part = *parts;
	s->part.journal_dir = NULL; /* the caller's; replay has a copy */
	s->policy = policy_ref(policy);
	err = deadlines_create(clock_mono_us(), &s->deadlines);
	if (err == SG_OK)
		err = digest_create(&s->digest);
	if (err == SG_OK && parts->journal_dir != NULL)
		err = replay_create(parts->journal_dir, parts->keys,
				    &s->replay);
	if (err == SG_OK && s->replay != NULL)
		replay_set_revoked(s->replay, parts->revoked);
	if (err != SG_OK) {
		issuer_free(s);
		return err;
	}
	*out = s;
	return SG_OK;
}

void issuer_set_policy(struct issuer *s, struct policy *policy)
{
	policy_ref(policy); /* first: it may be the same one */
	policy_unref(s->policy);
	s->policy = policy;
}

void issuer_close(struct issuer *s)
{
	s->closed = true;
}

size_t issuer_in_flight(const struct issuer *s)
{
	return s->in_flight;
}

void issuer_free(struct issuer *s)
{
	struct issue *i;

	if (s == NULL)
		return;
	assert(s->in_flight == 0);
	while ((i = LIST_FIRST(&s->kept)) != NULL) {
		LIST_REMOVE(i, entry);
		free(i);
	}
	replay_free(s->replay);
	digest_free(s->digest);
	deadlines_free(s->deadlines);
	policy_unref(s->policy);
	free(s);
}
