/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ceremony_state.h"
#include "hcert/cbor.h"

enum {
	STRANGERS_MAX = 10, /* refusals of nobody we know that go on record */
	STRANGERS_US = 60 * 1000 * 1000, /* one more in that time */
	KNOWN_MAX = 100, /* likewise of what an officer has signed */
	KNOWN_US = 10 * 1000 * 1000
};

/* --- refusals ------------------------------------------------------------- */

/* Take one out of B, if there is one. */
static bool take(struct ceremony_bucket *b)
{
	const uint64_t now = clock_mono_us();
	const uint64_t more = (now - b->filled_us) / b->every_us;

	b->filled_us += more * b->every_us;
	b->left = more < b->most - b->left ? b->left + (unsigned)more : b->most;
	if (b->left == 0)
		return false;
	b->left--;
	return true;
}

static void fill(struct ceremony_bucket *b, unsigned most, uint64_t every_us)
{
	*b = (struct ceremony_bucket){.most = most,
				      .left = most,
				      .every_us = every_us,
				      .filled_us = clock_mono_us()};
}

/* J is refused for R; KNOWN: one of the officers has signed it. */
static void refuse(struct ceremony *c, const struct ceremony_job *j, bool known,
		   const struct ceremony_refusal *r)
{
	ceremony_log_refusal(&j->op, r);
	if (take(known ? &c->known : &c->strangers))
		ceremony_record_refusal(c, span_of(j->bytes, j->n), r);
	ceremony_tell(&j->who, r->err, span_str(r->why));
}

/* --- an operation --------------------------------------------------------- */

/* Whose smith is to do J, and what? */
static size_t make_task(struct ceremony *c, const struct ceremony_job *j,
			struct wire_forge *m)
{
	const struct operation *o = &j->op;
	char hsm[LIFE_LABEL_MAX] = "";
	const struct life *l;

	*m = (struct wire_forge){.label = o->key};
	if (o->kind == OPERATION_GENERATE) {
		m->task = WIRE_TASK_GENERATE;
		m->alg = (int32_t)o->alg;
		m->bits = o->bits;
		m->kinds = (uint8_t)o->kinds;
		memcpy(hsm, o->hsm.p, o->hsm.n);
		return ceremony_hsm(c, hsm);
	}
	l = lifecycle_find(&c->life, o->key);
	m->task = o->kind == OPERATION_REQUEST ? WIRE_TASK_CSR
					       : WIRE_TASK_DESTROY;
	m->alg = (int32_t)l->alg;
	m->bits = l->bits;
	m->kinds = (uint8_t)l->kinds;
	m->spki = span_of(l->spki, l->spki_n);
	m->subject = o->subject;
	return ceremony_hsm(c, l->hsm);
}

static bool needs_smith(enum operation_kind kind)
{
	return kind == OPERATION_GENERATE || kind == OPERATION_REQUEST ||
	       kind == OPERATION_DESTROY;
}

/* Does what the smith says fit J?  OUT gets it.  ORPHAN: a key may have been
 * made all the same. */
static bool check_forged(struct ceremony *c, const struct ceremony_job *j,
			 const struct wire_forged *done, bool orphan,
			 struct outcome *out, struct ceremony_refusal *r)
{
	struct cose_key *key = NULL;
	const char *why = NULL;
	bool fits = true;

	if (!done->ok)
		return ceremony_refuse(
			r, SG_TOKEN_DOWN, "the HSM could not do it: %.*s%s",
			(int)done->reason.n, (const char *)done->reason.p,
			orphan ? "; the key may be on the token: look there "
				 "before choosing another label"
			       : "");
	/* What is destroyed is destroyed, whatever was decided meanwhile. */
	if (j->op.kind == OPERATION_DESTROY)
		return true;
	why = lifecycle_refuses(&c->life, &j->op, out->time);
	if (why != NULL)
		return ceremony_refuse(r, SG_CONFLICT, "%s", why);
	if (j->op.kind == OPERATION_GENERATE) {
		fits = done->spki.n > 0 && done->spki.n <= LIFE_SPKI_MAX &&
		       cose_key_from_spki(done->spki, &key) == SG_OK &&
		       cose_key_alg(key) == j->op.alg;
		cose_key_free(key);
		out->spki = done->spki;
	} else {
		fits = done->csr.n > 0;
		out->csr = done->csr;
	}
	return fits || ceremony_refuse(r, SG_TOKEN_DOWN,
				       "the HSM has made something else");
}

static void on_forged(void *ctx, const struct wire_forged *done, bool begun)
{
	struct ceremony *c = ctx;
	struct ceremony_job *j = c->job;
	const bool makes = j->op.kind == OPERATION_GENERATE;
	struct outcome outcome = {.time = ceremony_done_at(j)};
	struct ceremony_refusal r;

	ceremony_due(c, outcome.time, false); /* with the job at hand */
	c->job = NULL;
	if (!done->ok)
		log_event(LOG_ERROR, "forge-failed",
			  "op=%s key=\"%.*s\" ckr=0x%llx",
			  operation_kind_name(j->op.kind), (int)j->op.key.n,
			  (const char *)j->op.key.p,
			  (unsigned long long)done->ckr);
	if (check_forged(c, j, done, makes && begun, &outcome, &r))
		ceremony_settle(c, j, &outcome);
	else
		refuse(c, j, true, &r);
	if (makes && (done->ok || begun))
		ceremony_tell_orphan(c, &j->op, done->ok);
	free(j);
}

/* Have J, which may be done at NOW, done.  Takes J. */
static void carry_out(struct ceremony *c, struct ceremony_job *j, int64_t now)
{
	const struct outcome outcome = {.time = now};
	struct wire_forge task;
	size_t slot;

	if (!needs_smith(j->op.kind)) {
		ceremony_settle(c, j, &outcome);
		free(j);
		return;
	}
	slot = make_task(c, j, &task);
	c->job = j;
	if (smiths_forge(c->smiths, (uint16_t)slot, &task) == SG_OK)
		return;
	c->job = NULL;
	ceremony_tell(&j->who, SG_INTERNAL, span_of(NULL, 0));
	free(j);
}

/* While a smith works, only what is urgent is done. */
static bool is_busy(const struct ceremony *c, const struct operation *o)
{
	return c->job != NULL && o->kind != OPERATION_STOP &&
	       o->kind != OPERATION_COMPROMISE;
}

void ceremony_operate(struct ceremony *c, struct span approved,
		      const struct ceremony_caller *who)
{
	const int64_t now = clock_wall_s();
	struct store_item item;
	uint8_t hash[LIFE_KEYS_MAX][STORE_HASH_BYTES];
	struct ceremony_refusal r;
	struct ceremony_job *j;
	bool known = false;
	bool ok;

	if (ceremony_job_make(approved, who, &j, &r) != SG_OK) {
		ceremony_log_refusal(NULL, &r);
		ceremony_tell(who, r.err, span_str(r.why));
		return;
	}
	if (!c->held || is_busy(c, &j->op)) {
		ceremony_tell(
			who, SG_BUSY,
			span_str(c->held ? "another operation is being done: "
					   "try "
					   "again"
					 : "the ledger is being read, and "
					   "nothing "
					   "is signed meanwhile: try again"));
		free(j);
		return;
	}
	ceremony_keep_stops(c, true); /* before all that comes later */
	ceremony_due(c, now, false);  /* or another one would differ */
	ok = span_is(j->op.origin, c->origin) ||
	     ceremony_refuse(&r, SG_FORBIDDEN, "it is of another ledger");
	ok = ok && ceremony_check_approvals(c, j, &known, &r) &&
	     ceremony_check(c, j, now, &r) &&
	     (j->op.kind != OPERATION_GENESIS ||
	      ceremony_adopted(c, &item, hash, &r));
	if (ok) {
		carry_out(c, j, now);
		return;
	}
	refuse(c, j, known, &r);
	free(j);
}

void ceremony_forget(struct ceremony *c, const void *link)
{
	if (c == NULL)
		return;
	if (c->job != NULL && c->job->who.link == link)
		c->job->who.link = NULL;
	for (size_t i = 0; i < CEREMONY_WAITERS_MAX; i++) {
		if (c->waiter[i].who.link == link)
			c->waiter[i] = (struct ceremony_waiter){.number = 0};
	}
}

/* --- life ----------------------------------------------------------------- */

void ceremony_tick(struct ceremony *c, uint64_t now_us)
{
	const int64_t now = clock_wall_s();

	smiths_tick(c->smiths, now_us);
	key_usage_tick(c->usage, now_us);
	ceremony_keep_stops(c, false);
	ceremony_limit(c, now);
	ceremony_due(c, now, false);
	ceremony_watch(c, now);
	ceremony_settle_tick(c, now_us);
}

void ceremony_count(struct ceremony *c, const struct release_item *item,
		    uint64_t index)
{
	key_usage_count(c->usage, item->facts.kid, item->facts.exp, index);
}

enum sg_err ceremony_link(struct ceremony *c, uint16_t slot, int fd)
{
	return smiths_link(c->smiths, slot, fd);
}

bool ceremony_allows_policy(const struct ceremony *c, const uint8_t hash[32])
{
	if (!c->life.roll.policy_approval || !c->life.has_policy ||
	    memcmp(hash, c->life.policy, sizeof(c->life.policy)) == 0)
		return true;
	/* What is in force may stay until the new one comes; and where that
	 * cannot be had at a start, one before it goes on. */
	return c->lawful ? memcmp(hash, c->policy, sizeof(c->policy)) == 0
			 : ceremony_has_policy(c, hash);
}

bool ceremony_lawful(const struct ceremony *c,
		     uint8_t wanted[CEREMONY_POLICIES_MAX][32], size_t *n)
{
	const uint8_t *policy[CEREMONY_POLICIES_MAX];

	*n = 0;
	if (c->lawful)
		return true;
	*n = ceremony_policies(c, policy);
	for (size_t i = 0; i < *n; i++)
		memcpy(wanted[i], policy[i], sizeof(wanted[i]));
	return false;
}

void ceremony_reload(struct ceremony *c, const struct core_settings *settings,
		     const struct policy *policy)
{
	memcpy(c->csca, settings->csca, sizeof(c->csca));
	c->longest_s = policy_longest_validity(policy);
	c->lawful = true;
	memcpy(c->policy, policy_hash(policy), sizeof(c->policy));
	ceremony_project(c);
}

static void on_smith_bad(void *ctx, uint16_t slot)
{
	struct ceremony *c = ctx;

	c->part.smith_bad(c->part.ctx, slot);
}

enum sg_err ceremony_create(const struct ceremony_parts *parts,
			    struct ceremony **out)
{
	static const struct smiths_events events = {.forged = on_forged,
						    .bad = on_smith_bad};
	const struct core_settings *s = parts->settings;
	struct ceremony *c = calloc(1, sizeof(*c));
	char journal_dir[CORE_PATH_MAX + 16];
	enum sg_err err;

	*out = NULL;
	if (c == NULL)
		return SG_NO_MEMORY;
	c->part = *parts;
	c->part.settings = NULL; /* not kept */
	c->part.policy = NULL;
	c->nhsms = s->nhsms;
	memcpy(c->hsm, s->hsm, sizeof(c->hsm));
	memcpy(c->origin, s->ledger.origin, sizeof(c->origin));
	memcpy(c->state_dir, s->state, sizeof(c->state_dir));
	memcpy(c->csca, s->csca, sizeof(c->csca));
	fill(&c->strangers, STRANGERS_MAX, STRANGERS_US);
	fill(&c->known, KNOWN_MAX, KNOWN_US);
	c->longest_s = policy_longest_validity(parts->policy);
	err = smiths_create(parts->loop, &events, c, &c->smiths);
	(void)snprintf(journal_dir, sizeof(journal_dir), "%s/journal",
		       c->state_dir);
	if (err == SG_OK)
		err = key_usage_create(c->state_dir, journal_dir,
				       release_journal(parts->release),
				       &c->usage);
	if (err == SG_OK)
		err = ceremony_store_open(c->state_dir, &c->store);
	c->held = parts->index == NULL;
	/* Most is seen here, before anything follows from it. */
	if (err == SG_OK)
		err = ceremony_hold_against(c, false);
	if (err == SG_OK || err == SG_CONFLICT)
		err = ceremony_replay(c);
	if (err != SG_OK && err != SG_NO_MEMORY)
		err = SG_IO;
	if (err != SG_OK) {
		ceremony_free(c);
		return err;
	}
	/* At a start only the approved one will do, if it can be had. */
	c->lawful = !c->life.roll.policy_approval || !c->life.has_policy ||
		    memcmp(policy_hash(parts->policy), c->life.policy,
			   sizeof(c->life.policy)) == 0;
	memcpy(c->policy, policy_hash(parts->policy), sizeof(c->policy));
	*out = c;
	return SG_OK;
}

void ceremony_free(struct ceremony *c)
{
	if (c == NULL)
		return;
	smiths_free(c->smiths);
	key_usage_free(c->usage);
	ceremony_store_close(c->store);
	lifecycle_free(&c->life);
	for (size_t i = 0; i < c->nstops; i++)
		free(c->stop[i]);
	free(c->job);
	free(c->nonce);
	free(c);
}
