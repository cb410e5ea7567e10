/* SPDX-License-Identifier: Apache-2.0 */
/* Which operations may be done. */
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ceremony_state.h"

enum {
	DAY_S = 86400,
	LIFETIME_MAX_S = 7 * 86400, /* from `created` to `expires` */
	SKEW_S = 60		    /* between an officer's clock and ours */
};

bool ceremony_refuse(struct ceremony_refusal *r, enum sg_err err,
		     const char *fmt, ...)
{
	va_list ap;

	r->err = err;
	va_start(ap, fmt);
	(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	/* An HSM's own words may be among them, and go on record. */
	for (char *p = r->why; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return false;
}

enum sg_err ceremony_job_make(struct span approved,
			      const struct ceremony_caller *who,
			      struct ceremony_job **out,
			      struct ceremony_refusal *r)
{
	struct ceremony_job *j = calloc(1, sizeof(*j) + approved.n);
	const char *why = NULL;
	enum sg_err err;

	*out = NULL;
	if (j == NULL) {
		(void)ceremony_refuse(r, SG_NO_MEMORY, "out of memory");
		return SG_NO_MEMORY;
	}
	if (approved.n > 0)
		memcpy(j->bytes, approved.p, approved.n);
	j->n = approved.n;
	if (who != NULL)
		j->who = *who;
	err = approved_decode(span_of(j->bytes, j->n), &j->approved);
	if (err != SG_OK)
		why = "it is no operation with officers' signatures";
	else
		err = operation_decode(j->approved.operation, &j->op, &why);
	if (err == SG_OK &&
	    EVP_Digest(j->approved.operation.p, j->approved.operation.n,
		       j->hash, NULL, EVP_sha256(), NULL) != 1)
		err = SG_INTERNAL;
	if (err == SG_OK) {
		*out = j;
		return SG_OK;
	}
	free(j);
	if (err != SG_NO_MEMORY && err != SG_INTERNAL)
		err = SG_MALFORMED;
	(void)ceremony_refuse(r, err, "%s", why != NULL ? why : err_text(err));
	return err;
}

/* --- who ------------------------------------------------------------------ */

bool ceremony_check_approvals(const struct ceremony *c,
			      const struct ceremony_job *j, bool *known,
			      struct ceremony_refusal *r)
{
	const enum operation_kind kind = j->op.kind;
	const struct roll *roll =
		kind == OPERATION_GENESIS ? &j->op.roll : &c->life.roll;
	struct approval_count count;
	enum sg_err err;

	*known = false;
	if (roll->n == 0)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "there are no officers yet: a genesis "
				       "comes first");
	err = approval_judge(roll, &j->approved, &j->op, &count);
	if (err != SG_OK)
		return ceremony_refuse(r, err, "%s", err_text(err));
	/* Whoever names himself in a genesis is not known for that. */
	*known = count.signed_by_any && kind != OPERATION_GENESIS;
	if (count.fault != NULL)
		return ceremony_refuse(r, SG_FORBIDDEN, "%s", count.fault);
	if (count.officers < approval_needed(roll, kind))
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "it has %u of the %u approvals that it "
				       "needs",
				       count.officers,
				       approval_needed(roll, kind));
	return true;
}

/* --- when ----------------------------------------------------------------- */

bool ceremony_is_repeated(const struct ceremony *c, const uint8_t *nonce)
{
	for (size_t i = 0; i < c->nnonces; i++) {
		if (memcmp(c->nonce[i], nonce, OPERATION_NONCE_BYTES) == 0)
			return true;
	}
	return false;
}

static bool check_times(const struct ceremony *c, const struct operation *o,
			int64_t now, struct ceremony_refusal *r)
{
	const uint32_t stale = o->kind == OPERATION_GENESIS
				       ? o->roll.stale_s
				       : c->life.roll.stale_s;

	if (now > o->expires)
		return ceremony_refuse(r, SG_FORBIDDEN, "it has expired");
	if (o->expires - o->created > LIFETIME_MAX_S)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "it expires more than 7 days after it "
				       "was made");
	if (o->created > now + SKEW_S)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "it was made in the future: look at the "
				       "clocks");
	if (now - o->created > (int64_t)stale)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "its checkpoint is stale: it was made "
				       "more than %u seconds ago",
				       stale);
	return true;
}

int64_t ceremony_done_at(const struct ceremony_job *j)
{
	const int64_t now = clock_wall_s();

	if (now > j->op.expires)
		return j->op.expires;
	return now < j->op.created ? j->op.created : now;
}

void ceremony_tell_orphan(struct ceremony *c, const struct operation *o,
			  bool sure)
{
	if (lifecycle_find(&c->life, o->key) == NULL)
		log_event(LOG_ERROR, "key-orphaned",
			  "key=\"%.*s\" hsm=\"%.*s\" text=\"it %s in the HSM, "
			  "and is on no record: it signs nothing; %s it with "
			  "the HSM's own tools\"",
			  (int)o->key.n, (const char *)o->key.p, (int)o->hsm.n,
			  (const char *)o->hsm.p, sure ? "is" : "may be",
			  sure ? "destroy" : "look for it, and destroy");
}

static bool check_checkpoint(const struct ceremony *c,
			     const struct operation *o,
			     struct ceremony_refusal *r)
{
	const enum sg_err err =
		proofs_prefix(c->part.proofs, o->size, &o->root);

	if (err == SG_OK)
		return true;
	if (err == SG_NOT_FOUND)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "its checkpoint is not of this ledger");
	return ceremony_refuse(r, err, "the ledger cannot be read");
}

/* --- what ----------------------------------------------------------------- */

size_t ceremony_hsm(const struct ceremony *c, const char *name)
{
	size_t i = 0;

	while (i < c->nhsms && strcmp(c->hsm[i].name, name) != 0)
		i++;
	return i;
}

static bool check_smith(const struct ceremony *c, const char *hsm,
			struct ceremony_refusal *r)
{
	const size_t i = ceremony_hsm(c, hsm);

	if (i == c->nhsms)
		return ceremony_refuse(r, SG_CONFLICT,
				       "there is no HSM of that name");
	if (!c->hsm[i].makes_keys)
		return ceremony_refuse(r, SG_CONFLICT,
				       "no token for new keys is configured "
				       "for that HSM");
	return true;
}

/* Nobody who may write beside the ledger's key may sign certificates. */
static bool check_purpose(const struct ceremony *c, const struct operation *o,
			  const char *hsm, struct ceremony_refusal *r)
{
	const bool ledger = c->hsm[ceremony_hsm(c, hsm)].makes_ledger_keys;

	if (ledger == (o->kinds == 0))
		return true;
	return ceremony_refuse(r, SG_CONFLICT,
			       ledger ? "new keys of that HSM are for the "
					"ledger alone (without kinds)"
				      : "a key for the ledger is made beside "
					"the one that it has: in that one's "
					"HSM, which must have its token for "
					"new keys");
}

/* Is there room in the keyring for one more?  It has the keys of signerd.yaml
 * that officers have not approved, too, and none that have ended without a
 * certificate. */
static bool check_room(const struct ceremony *c, struct ceremony_refusal *r)
{
	/* Beyond that it takes the place of another one. */
	size_t wanted = c->life.n < LIFE_KEYS_MAX ? c->life.n + 1 : c->life.n;

	for (size_t k = 0; k < c->part.keys->n; k++) {
		const struct key *key = &c->part.keys->key[k];

		wanted += !keyring_is_free(key) &&
			  life_find(&c->life, span_str(key->label)) == NULL;
	}
	return wanted <= CORE_KEYS_MAX ||
	       ceremony_refuse(
		       r, SG_CONFLICT,
		       "there are as many keys as fit, for signerd.yaml "
		       "has keys that the officers have not approved: "
		       "take them out there");
}

static bool check_generate(const struct ceremony *c, const struct operation *o,
			   struct ceremony_refusal *r)
{
	char name[LIFE_LABEL_MAX];
	size_t k;

	if (keyring_find(c->part.keys, o->key, &k))
		return ceremony_refuse(r, SG_CONFLICT,
				       "signerd.yaml has a key of that label");
	if (!check_room(c, r))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)o->hsm.n,
		       (const char *)o->hsm.p);
	return check_smith(c, name, r) && check_purpose(c, o, name, r);
}

/* Is key L at an hsm that has lately proved that it can sign with it? */
static bool check_good(const struct ceremony *c, const struct life *l,
		       struct ceremony_refusal *r)
{
	size_t k;

	if (ceremony_find_key(c, l, &k) && hsm_pool_good(c->part.pool, k) > 0)
		return true;
	return ceremony_refuse(r, SG_TOKEN_DOWN,
			       "no HSM has proved yet that it can sign with "
			       "the key: try again in some seconds");
}

static bool check_activate(const struct ceremony *c, const struct operation *o,
			   const struct life *l, int64_t now,
			   struct ceremony_refusal *r)
{
	const int64_t at = o->activate != 0 ? o->activate : now;
	size_t k;

	if (!check_good(c, l, r))
		return false;
	(void)keyring_find(c->part.keys, span_str(l->label), &k);
	if (at < c->part.keys->key[k].dsc.not_before ||
	    at > c->part.keys->key[k].dsc.not_after)
		return ceremony_refuse(r, SG_CONFLICT,
				       "its certificate is not valid at that "
				       "time");
	return true;
}

/* Not before the last certificate that it has signed has run out. */
static bool check_destroy(struct ceremony *c, const struct life *l, int64_t now,
			  struct ceremony_refusal *r)
{
	const int64_t last = ceremony_last_expiry(c, l);

	if (!key_usage_complete(c->usage))
		return ceremony_refuse(r, SG_CONFLICT,
				       "what it has signed is still being "
				       "counted: try again later");
	if (last >= now && !life_is_compromised(l))
		return ceremony_refuse(
			r, SG_CONFLICT,
			"the last certificate that it has signed "
			"is valid for %lld more days",
			(long long)((last - now) / DAY_S) + 1);
	return check_smith(c, l->hsm, r);
}

/* A key that signs the ledger goes only when the other one has taken over. */
static bool check_leave(const struct ceremony *c, const struct operation *o,
			const struct life *l, struct ceremony_refusal *r)
{
	/* What the new one has signed and has on record, the old one has. */
	if (!life_signs_ledger(l) || l->retire == 0 || o->retire != 0 ||
	    ceremony_handed_over(c))
		return true;
	return ceremony_refuse(r, SG_CONFLICT,
			       "no checkpoint by both keys of the ledger has "
			       "been published yet: try again in some seconds");
}

/* Beyond the states. */
static bool check_kind(struct ceremony *c, const struct ceremony_job *j,
		       const struct life *l, int64_t now,
		       struct ceremony_refusal *r)
{
	if (j->op.kind == OPERATION_GENERATE)
		return check_generate(c, &j->op, r);
	if (l == NULL) /* it concerns no key */
		return true;
	switch (j->op.kind) {
	case OPERATION_REQUEST: return check_smith(c, l->hsm, r);
	case OPERATION_DESTROY: return check_destroy(c, l, now, r);
	case OPERATION_IMPORT: return ceremony_check_import(c, j, l, now, r);
	case OPERATION_PUBLISH: return check_good(c, l, r);
	case OPERATION_ACTIVATE: return check_activate(c, &j->op, l, now, r);
	case OPERATION_LOG_KEY: return check_good(c, l, r);
	case OPERATION_RETIRE:
	case OPERATION_COMPROMISE: return check_leave(c, &j->op, l, r);
	case OPERATION_START:
		return l->before != KEY_ACTIVE ||
		       check_activate(c, &j->op, l, now, r);
	default: return true;
	}
}

/* What is urgent is done although it cannot be recorded now. */
static bool is_urgent(enum operation_kind kind)
{
	return kind == OPERATION_STOP || kind == OPERATION_COMPROMISE;
}

bool ceremony_check(struct ceremony *c, const struct ceremony_job *j,
		    int64_t now, struct ceremony_refusal *r)
{
	const struct operation *o = &j->op;
	const struct life *l = NULL;
	const char *why;

	if (ceremony_is_repeated(c, o->nonce))
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "it was accepted before");
	/* Both would be kept, and no start would believe that. */
	if (c->job != NULL &&
	    memcmp(c->job->op.nonce, o->nonce, OPERATION_NONCE_BYTES) == 0)
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "its nonce is that of another one, "
				       "which is being done");
	if (!check_times(c, o, now, r) || !check_checkpoint(c, o, r))
		return false;
	why = lifecycle_refuses(&c->life, o, now);
	if (why != NULL)
		return ceremony_refuse(r, SG_CONFLICT, "%s", why);
	if ((operation_members(o->kind) & OP_KEY) != 0)
		l = lifecycle_find(&c->life, o->key);
	if (l == NULL && (operation_members(o->kind) & OP_KEY) != 0 &&
	    o->kind != OPERATION_GENERATE)
		return ceremony_refuse(r, SG_CONFLICT,
				       "there is no key of that label");
	if (!check_kind(c, j, l, now, r))
		return false;
	if (!is_urgent(o->kind) && !release_open(c->part.release))
		return ceremony_refuse(r, SG_LEDGER_DOWN, "%s",
				       err_text(SG_LEDGER_DOWN));
	return true;
}
