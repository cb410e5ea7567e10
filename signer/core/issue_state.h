/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ISSUE_STATE_H
#define SG_ISSUE_STATE_H

#include "asked.h"
#include "assembly.h"
#include "base/digest.h"
#include "claims.h"
#include "deadlines.h"
#include "issue.h"
#include "replay.h"
#include "toll.h"
#include "violations.h"

/*
 * issue_state: the common inside of issue.c (a request until it is in flight),
 * issue_known.c (what is known about its UVCI already), issue_renew.c (the same
 * of a renewal), issue_again.c (how it moves to another key) and issue_end.c
 * (how it ends).
 */

TAILQ_HEAD(issue_queue, issue);

/* One request in flight.  It is in the pool, or with release, or it waits for
 * another one that has its UVCI. */
struct issue {
	struct op op;
	struct release_item item;
	struct deadline deadline;
	LIST_ENTRY(issue) entry; /* of its front; or the free list */
	struct issuer *issuer;
	struct front_link *front; /* NULL: it went away */
	uint64_t id;		  /* the front's */
	uint8_t language;	  /* enum wire_language */
	uint64_t began_us;	  /* CLOCK_MONOTONIC: when it was taken */
	struct policy *policy;	  /* that judged it: a reference */
	const struct client *client;
	const struct key *key;
	enum dcc_kind kind;
	int64_t iat, exp;
	struct quota_account *reserved; /* that one is reserved of; or NULL */
	struct quota_account *recorded; /* that it is on record of; or NULL */
	struct issue *ahead;		/* that it waits for; or NULL */
	struct issue_queue behind; /* those that wait for it, oldest first */
	TAILQ_ENTRY(issue) turn;   /* in the `behind` of `ahead` */
	uint8_t uci[DIGEST_BYTES]; /* SHA-256(UVCI) */
	uint8_t country_uci[DIGEST_BYTES]; /* SHA-256(country || UVCI) */
	uint8_t payload[DIGEST_BYTES];	   /* SHA-256(DCC) */
	bool renewal;			   /* of what is on record */
	bool claimed;			   /* it has the claim on its UVCI */
	unsigned moves;			   /* to another key: issue_again.c */
	bool attested;			   /* with an attestation */
	uint8_t attestation[DIGEST_BYTES]; /* its SHA-256 */
	uint8_t signature[COSE_SIG_MAX];
	struct assembly text;
};

LIST_HEAD(issue_list, issue);

struct issuer {
	struct issuer_parts part;
	struct policy *policy;
	struct deadlines *deadlines;
	struct digest *digest;
	struct replay *replay;	/* NULL: without a ledger */
	struct issue_list kept; /* free slots, for the next requests */
	size_t in_flight;
	bool closed;
	bool clock_behind; /* so that it is logged once */
	bool promoted;	   /* something was submitted outside of a batch */
	struct toll look_up, put_down; /* what the ledger costs */
	/* Of the request at hand: too large for the stack. */
	struct decision decision;
	uint8_t violations[VIOLATIONS_BYTES_MAX];
	uint8_t scratch[ASSEMBLY_SCRATCH];
};

/* --- known: before it is in flight --------------------------------------- */

/* What is known about a request's UVCI. */
enum known_word {
	KNOWN_NEW,	/* nobody has it: judge, and sign */
	KNOWN_SAME,	/* on record for the same request: `issued` */
	KNOWN_EXPIRED,	/* likewise, and run out */
	KNOWN_TWIN,	/* in flight (`ahead`) for the same request */
	KNOWN_RIVAL,	/* in flight (`ahead`) for another one */
	KNOWN_CONFLICT, /* on record for another one */
	KNOWN_REVOKED,	/* on record for the same request, and revoked, or what
			   it presents is; or the UVCI is, on record or not */
	/* Of a renewal, why there is none: */
	KNOWN_UNRECORDED, /* on no record, or on another client's */
	KNOWN_CHANGED,	  /* on this client's, of another payload */
	KNOWN_EARLY,	  /* not due yet */
	KNOWN_HAD	  /* the wish that was signed had its renewal */
};

struct known {
	enum known_word word;
	struct issue *ahead;
	struct wire_issued issued; /* its COSE_Sign1 lies in s->scratch */
	uint8_t uci[DIGEST_BYTES];
	uint8_t payload[DIGEST_BYTES];
	bool attested; /* of a renewal that is due: what is on record was, */
	uint8_t attestation[DIGEST_BYTES]; /* with this SHA-256 */
};

/* Look for the UVCI of s->decision, a request of CLIENT at NOW (seconds since
 * 1970).  Errors: those of replay_find(); SG_LEDGER_DOWN. */
SG_MUST_USE enum sg_err known_find(struct issuer *s,
				   const struct client *client, int64_t now,
				   struct known *out);
/* Who asks for a renewal, and when, in seconds since 1970. */
struct renewal_ask {
	const struct client *client;
	struct span presented; /* a certificate's signature, or none */
	int64_t now;
	int64_t signed_at; /* by the client; INT64_MAX: it has not signed it */
};

/* The same where a renewal is asked for: KNOWN_NEW, it is due; KNOWN_SAME, it
 * has been renewed; KNOWN_TWIN, that is in flight; why there is none. */
SG_MUST_USE enum sg_err known_find_renewal(struct issuer *s,
					   const struct renewal_ask *ask,
					   struct known *out);
/* The words for a WORD that says why there is none, of the code not-renewable.
 * Static. */
const struct violation_text *renewal_cause(enum known_word word);
/* Does what is due as KNOWN says, for CLIENT, lack an attestation: was issued
 * before the client had to have each attested, and comes with none? */
bool renewal_unattested(const struct issuer *s, const struct client *client,
			const struct known *known);
/* With which attestation I goes on record: the one that came along, or, of a
 * RENEWAL without one, that of what it renews.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err renewal_attestation(struct issue *i, bool renewal,
					    const struct known *known);
/* Hold Q, whose client, offset, time and terms of renewal are set, against the
 * record there. */
SG_MUST_USE enum sg_err known_hold_against(struct issuer *s,
					   struct replay_request *q,
					   struct known *out,
					   enum replay_word *word);
/* Is I the same request: of the same CLIENT, whatever policy judged it, and
 * with the same payload (its SHA-256)? */
bool known_is_twin(const struct issue *i, const struct client *client,
		   const uint8_t payload[DIGEST_BYTES]);
/* Is the UVCI one that the client may not issue?  Then it is not told whether
 * another one has. */
bool known_is_foreign(const struct verdict *v);
/* Add CODE to V, at the UVCI of a certificate of KIND, in the words of CAUSE
 * (as verdict_add_cause()). */
void known_report(struct verdict *v, enum violation_code code,
		  const struct violation_text *cause, enum dcc_kind kind);

/* --- limits: issue_limits.c ----------------------------------------------- */

/* Whom a request, accepted in s->decision, would be signed for. */
struct limited {
	struct front_link *front;
	uint64_t id;
	const struct wire_issue *m;
	const struct client *client;
	const struct asked *asked;
	struct quota_time now;
};

/* Does the clock allow a signature at NOW (seconds since 1970)?  Logged when
 * that changes. */
bool limits_clock_sane(struct issuer *s, int64_t now);
/* May one more be signed for R's client?  Otherwise it has been answered.
 * Errors: those of quota_ask(); then it has not. */
SG_MUST_USE enum sg_err limits_admit(struct issuer *s, const struct limited *r,
				     bool *admitted);
/* Reserve I's.  Errors: those of quota_reserve(). */
SG_MUST_USE enum sg_err limits_reserve(struct issue *i);
/* I comes to nothing. */
void limits_give_back(struct issue *i);
/* I goes on record, as of now. */
void limits_record(struct issue *i);
/* I is on no record: the ledger has lost it. */
void limits_lost(struct issue *i);
/* End I, which has waited and may not be signed: its quota is used up. */
void limits_fail(struct issue *i);

/* --- again: issue_again.c ------------------------------------------------- */

/* Have I signed: by its key, or where nobody has that, by another one.
 * Errors: those of hsm_pool_submit(). */
SG_MUST_USE enum sg_err again_submit(struct issue *i);
/* I came back from the pool with ERR: is it on its way once more?  Made anew
 * under a key of another HSM where there is one. */
bool again_try(struct issue *i, enum sg_err err);

/* --- in flight, and its end ---------------------------------------------- */

/* A slot that counts as in flight; NULL: no memory. */
struct issue *issue_get(struct issuer *s);
/* Have I, assembled and with its hashes set, signed: now, or where AHEAD (may
 * be NULL) has its UVCI, when that has ended without a certificate. */
SG_MUST_USE enum sg_err issue_submit(struct issue *i, struct issue *ahead);
/* Nobody at F waits for I any more. */
void issue_leave_front(struct issue *i, struct front_link *f);
/* Let go of I, which is not with release: out of the pool, out of the queue;
 * the one behind it takes its place. */
void issue_put(struct issue *i);
/* The same, after its front was told ERR. */
void issue_fail(struct issue *i, enum sg_err err);
/* Tell F that request ID, which is A, has failed, with DETAIL. */
void issue_answer_error(struct front_link *f, uint64_t id,
			const struct asked *a, enum sg_err err,
			const char *detail);
/* I, for the log. */
struct asked issue_asked(const struct issue *i);

#endif /* SG_ISSUE_STATE_H */
