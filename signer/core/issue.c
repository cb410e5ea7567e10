/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include <assert.h>
#include <stdlib.h>

#include "assembly.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "caller.h"
#include "deadlines.h"
#include "violations.h"

struct issue {
	struct op op;
	struct release_item item;
	struct deadline deadline;
	LIST_ENTRY(issue) entry; /* of its front; or the free list */
	struct issuer *issuer;
	struct front_link *front; /* NULL: it went away */
	uint64_t id;		  /* the front's */
	struct policy *policy;	  /* that judged it: a reference */
	const struct client *client;
	const struct key *key;
	enum dcc_kind kind;
	int64_t iat, exp;
	uint8_t signature[COSE_SIG_MAX];
	struct assembly text;
};

LIST_HEAD(issue_list, issue);

struct issuer {
	struct issuer_parts part;
	struct policy *policy;
	struct deadlines *deadlines;
	struct issue_list kept; /* free slots, for the next requests */
	size_t in_flight;
	bool closed;
	bool clock_behind; /* so that it is logged once */
	/* Of the request at hand: too large for the stack. */
	struct decision decision;
	uint8_t violations[VIOLATIONS_BYTES_MAX];
	uint8_t scratch[ASSEMBLY_SCRATCH];
};

/* A request that is being judged. */
struct request {
	struct front_link *front;
	uint64_t id;
	const struct wire_issue *m;
	const struct client *client;
	uint64_t now_us;    /* CLOCK_MONOTONIC */
	int64_t now;	    /* seconds since 1970 */
	const char *detail; /* of an error; safe for the client */
};

/* The keys that would sign each kind now. */
struct choice {
	enum sg_err err[DCC_KINDS];
	size_t key[DCC_KINDS];
	struct policy_bounds bounds[DCC_KINDS];
};

/* --- slots -------------------------------------------------------------- */

static struct issue *issue_get(struct issuer *s)
{
	struct issue *i = LIST_FIRST(&s->kept);

	if (i != NULL) {
		LIST_REMOVE(i, entry);
	} else {
		i = calloc(1, sizeof(*i));
		if (i == NULL)
			return NULL;
		i->issuer = s;
	}
	s->in_flight++;
	metric_set(METRIC_IN_FLIGHT, s->in_flight);
	return i;
}

/* Nobody at F waits for I any more. */
static void issue_leave_front(struct issue *i, struct front_link *f)
{
	assert(i->front == f);
	LIST_REMOVE(i, entry);
	f->outstanding--;
	i->front = NULL;
}

/* Let go of I, which is nowhere in flight. */
static void issue_put(struct issue *i)
{
	struct issuer *s = i->issuer;

	assert(i->op.place == OP_OUT);
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

/* --- answers ------------------------------------------------------------ */

static void answer_error(struct front_link *f, uint64_t id, enum sg_err err,
			 const char *detail)
{
	if (err_http(err) >= 500)
		metric_add(METRIC_FAILED, 1);
	front_link_problem(f, id, err, span_str(detail), span_of(NULL, 0));
}

static void issue_fail(struct issue *i, enum sg_err err)
{
	if (i->front != NULL)
		answer_error(i->front, i->id, err, "");
	issue_put(i);
}

/* Last step: the certificate may go out. */
static void on_released(struct release_item *item, enum sg_err err,
			int64_t ledger_index)
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

	if (err == SG_OK)
		err = assembly_sign1(&i->text, item->facts.signature,
				     s->scratch, &m.cose);
	if (err != SG_OK) {
		issue_fail(i, err);
		return;
	}
	metric_add(METRIC_ISSUED, 1);
	if (i->front != NULL) {
		memcpy(m.kid, i->text.kid, sizeof(m.kid));
		front_link_issued(i->front, i->id, &m);
	}
	issue_put(i);
}

/* The hsm_pool is done with it. */
static void on_signed(struct op *op, enum sg_err err, struct span signature)
{
	struct issue *i =
		(struct issue *)((char *)op - offsetof(struct issue, op));
	struct entry_certificate *facts = &i->item.facts;

	if (err != SG_OK) {
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
		.policy_hash = policy_hash(i->policy)};
	memcpy(facts->kid, i->text.kid, sizeof(facts->kid));
	i->item.released = on_released;
	release_submit(i->issuer->part.release, &i->item);
}

/* --- judgement ---------------------------------------------------------- */

static void choose_keys(struct issuer *s, int64_t now, struct choice *c)
{
	*c = (struct choice){.key = {0}};
	for (unsigned kind = 0; kind < DCC_KINDS; kind++) {
		c->err[kind] = hsm_pool_choose(
			s->part.pool, (enum dcc_kind)kind, now, &c->key[kind]);
		if (c->err[kind] == SG_OK)
			c->bounds[kind] =
				s->part.keys->key[c->key[kind]].bounds;
	}
}

/* Does the clock allow a signature at NOW?  Logged when that changes. */
static bool clock_sane(struct issuer *s, int64_t now)
{
	const bool behind = !release_clock_sane(s->part.release, now);

	if (behind != s->clock_behind)
		log_event(behind ? LOG_ERROR : LOG_INFO,
			  behind ? "clock-behind" : "clock-sane",
			  "now=%lld reason=\"the clock against the newest "
			  "certificate\"",
			  (long long)now);
	s->clock_behind = behind;
	return !behind;
}

/* Judge R into s->decision.
 * Errors: SG_FORBIDDEN; SG_MALFORMED, SG_DUPLICATE_KEY, SG_TOO_BIG. */
static enum sg_err judge(struct issuer *s, struct request *r,
			 const struct choice *choice)
{
	const enum client_operation operation =
		r->m->dry_run ? CLIENT_VALIDATE : CLIENT_ISSUE;
	enum sg_err err;

	if (!client_may(r->client, operation)) {
		r->detail = r->m->dry_run ? CALLER_MAY_NOT_VALIDATE
					  : CALLER_MAY_NOT_ISSUE;
		caller_log_forbidden(r->client,
				     r->m->dry_run ? "validate" : "issue");
		return SG_FORBIDDEN;
	}
	err = policy_decide(s->policy, r->client, r->m->request, r->now,
			    choice->bounds, &s->decision);
	/* A front writes deterministic CBOR.  What is not is its fault, but
	 * not a reason to cut off the clients behind it. */
	if (err != SG_OK)
		metric_add(METRIC_BAD_MESSAGES, 1);
	return err;
}

/* --- requests ----------------------------------------------------------- */

/* Have the accepted request in s->decision signed with key KEY. */
static enum sg_err issue_start(struct issuer *s, const struct request *r,
			       size_t key, struct span warnings)
{
	const struct decision *d = &s->decision;
	const uint64_t latest_us = r->now_us + ISSUE_DEADLINE_MAX_US;
	struct assembly_parts parts = {.key = &s->part.keys->key[key],
				       .iat = d->iat,
				       .exp = d->exp,
				       .dcc = d->document.dcc,
				       .uvci = d->document.text[DOC_CI],
				       .warnings = warnings};
	struct issue *i = issue_get(s);
	enum sg_err err;

	if (i == NULL)
		return SG_NO_MEMORY;
	err = assembly_make(&i->text, &parts, s->scratch);
	if (err != SG_OK)
		goto fail;
	i->policy = policy_ref(s->policy);
	i->client = r->client;
	i->key = parts.key;
	i->kind = d->document.kind;
	i->iat = d->iat;
	i->exp = d->exp;
	i->id = r->id;
	i->op.key = key;
	i->op.bulk = r->m->bulk;
	i->op.message = i->text.sig_structure;
	i->op.deadline_us =
		r->m->deadline_us < latest_us ? r->m->deadline_us : latest_us;
	i->op.done = on_signed;
	err = hsm_pool_submit(s->part.pool, &i->op);
	if (err != SG_OK)
		goto fail;
	i->front = r->front;
	LIST_INSERT_HEAD(&r->front->issues, i, entry);
	r->front->outstanding++;
	deadlines_add(s->deadlines, &i->deadline, i->op.deadline_us);
	return SG_OK;
fail:
	issue_put(i);
	return err;
}

static void answer_verdict(struct issuer *s, const struct request *r,
			   struct span violations)
{
	const struct wire_issued verdict = {.dry_run = true,
					    .iat = s->decision.iat,
					    .exp = s->decision.exp,
					    .ledger_index =
						    WIRE_NO_LEDGER_INDEX,
					    .violations = violations};

	if (s->decision.verdict.errors == 0) {
		front_link_issued(r->front, r->id, &verdict);
		return;
	}
	if (!r->m->dry_run)
		metric_add(METRIC_REFUSED, 1);
	front_link_problem(r->front, r->id, SG_REFUSED, span_of(NULL, 0),
			   violations);
}

/* Judge, then answer or start.  An error is the caller's to answer, with
 * r->detail. */
static enum sg_err request_take(struct issuer *s, struct request *r)
{
	struct choice choice;
	struct span violations;
	unsigned kind;
	enum sg_err err;

	choose_keys(s, r->now, &choice);
	err = judge(s, r, &choice);
	metric_time(HISTOGRAM_DECIDE_TIME, clock_mono_us() - r->now_us);
	if (err != SG_OK)
		return err;
	violations = violations_encode(&s->decision.verdict, r->m->language,
				       s->violations, sizeof(s->violations));
	if (s->decision.verdict.errors > 0 || r->m->dry_run) {
		answer_verdict(s, r, violations);
		return SG_OK;
	}
	if (!clock_sane(s, r->now))
		return SG_CLOCK_BEHIND;
	assert(s->decision.document.has_kind);
	kind = s->decision.document.kind;
	if (choice.err[kind] != SG_OK)
		return choice.err[kind];
	return issue_start(s, r, choice.key[kind], violations);
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
	if (err != SG_OK) {
		r.detail = CALLER_UNKNOWN;
		caller_log_unknown(m->identity);
	} else if (s->closed) {
		err = SG_CLOSED;
	} else if (f->outstanding >= f->credit) {
		err = SG_BUSY;
	} else if (m->deadline_us <= r.now_us) {
		err = SG_TIMED_OUT;
	} else {
		err = request_take(s, &r);
	}
	if (err != SG_OK)
		answer_error(f, id, err, r.detail);
	return true;
}

void issuer_forget(struct issuer *s, struct front_link *f)
{
	struct issue *i;

	while ((i = LIST_FIRST(&f->issues)) != NULL) {
		issue_leave_front(i, f);
		if (i->op.place == OP_OUT)
			continue; /* signed: the release ends it */
		hsm_pool_cancel(s->part.pool, &i->op);
		issue_put(i);
	}
}

void issuer_tick(struct issuer *s, uint64_t now_us)
{
	struct deadline *d;

	while ((d = deadlines_expired(s->deadlines, now_us)) != NULL) {
		struct issue *i =
			(struct issue *)((char *)d -
					 offsetof(struct issue, deadline));

		hsm_pool_cancel(s->part.pool, &i->op);
		issue_fail(i, SG_TIMED_OUT);
	}
}

enum sg_err issuer_create(const struct issuer_parts *parts,
			  struct policy *policy, struct issuer **out)
{
	struct issuer *s = calloc(1, sizeof(*s));
	enum sg_err err;

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	err = deadlines_create(clock_mono_us(), &s->deadlines);
	if (err != SG_OK) {
		free(s);
		return err;
	}
	s->part = *parts;
	s->policy = policy_ref(policy);
	LIST_INIT(&s->kept);
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
	deadlines_free(s->deadlines);
	policy_unref(s->policy);
	free(s);
}
