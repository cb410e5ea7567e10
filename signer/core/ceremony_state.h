/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CEREMONY_STATE_H
#define SG_CEREMONY_STATE_H

#include "ceremony.h"
#include "ceremony/approval.h"
#include "ceremony_store.h"
#include "key_usage.h"
#include "smith_link.h"

/*
 * ceremony_state: the inside of the ceremony, for its files alone: ceremony.c
 * (operations come), ceremony_settle.c (they are kept and answered),
 * ceremony_stops.c (stops that cannot be kept), ceremony_check.c and
 * ceremony_import.c (which may be), ceremony_apply.c (what follows),
 * ceremony_project.c (for the keyring), ceremony_replay.c (the start),
 * ceremony_hold.c (what the ledger knows), ceremony_watch.c (what runs out),
 * ceremony_document.c (what officers are shown).
 */
enum {
	CEREMONY_WAITERS_MAX = 32,
	CEREMONY_STOPS_MAX = 2 * LIFE_KEYS_MAX,
	CEREMONY_EVENTS_MAX = 2 * LIFE_KEYS_MAX, /* on their way to the disk */
	CEREMONY_WHY_MAX = 256,
	CEREMONY_WARNINGS_MAX = 5
};

/* An operation at hand: its spans lie in BYTES. */
struct ceremony_job {
	struct approved approved;
	struct operation op;
	uint8_t hash[OPERATION_HASH_BYTES]; /* of the operation's bytes */
	struct ceremony_caller who;	    /* link NULL: nobody waits */
	size_t n;
	uint8_t bytes[]; /* the COSE_Sign */
};

/* Why one is refused. */
struct ceremony_refusal {
	enum sg_err err;
	char why[CEREMONY_WHY_MAX]; /* ASCII, for officers */
};

/* Somebody who waits until NUMBER is on record. */
struct ceremony_waiter {
	unsigned number; /* 0: nobody */
	uint64_t since_us;
	struct ceremony_caller who;
	char label[LIFE_LABEL_MAX]; /* of its key; empty: none */
	bool ends;		    /* what may leave kinds to nobody */
	uint8_t hash[OPERATION_HASH_BYTES];
};

/* So many at once, and one more each EVERY_US. */
struct ceremony_bucket {
	unsigned most, left;
	uint64_t every_us, filled_us;
};

struct ceremony {
	struct ceremony_parts part; /* settings and policy: NULL */
	size_t nhsms;
	struct core_hsm_settings hsm[CORE_HSMS_MAX];
	char origin[CORE_ORIGIN_MAX], state_dir[CORE_PATH_MAX],
		csca[CORE_PATH_MAX];
	struct ceremony_store *store;
	struct lifecycle life;
	unsigned folded; /* operations that LIFE follows from */
	bool held;	 /* against the ledger */
	struct key_usage *usage;
	struct smiths *smiths;
	struct ceremony_job *job; /* that a smith has; NULL: none */
	/* Stops and compromises that could not be kept, the oldest first, of a
	 * key one of each. */
	size_t nstops;
	struct ceremony_job *stop[CEREMONY_STOPS_MAX];
	uint64_t stops_us; /* when that was tried last */
	size_t nnonces, nonces_room;
	uint8_t (*nonce)[OPERATION_NONCE_BYTES]; /* of all accepted */
	struct ceremony_waiter waiter[CEREMONY_WAITERS_MAX];
	struct {
		bool used;
		struct store_event event;
	} event[CEREMONY_EVENTS_MAX];
	unsigned log_key; /* the operation that changed the ledger's key last;
			     0: none */
	/* Refusals that may yet go on record: what no officer of ours has
	 * signed, and the others. */
	struct ceremony_bucket strangers, known;
	int64_t longest_s;  /* the longest validity that the policy grants */
	uint64_t held_us;   /* when the log last told of a key that waits */
	uint64_t kept_us;   /* and of one that goes on past its time */
	int64_t warned_day; /* when the log last told what runs out */
	bool lawful;	    /* a policy is in force that may be, POLICY */
	uint8_t policy[OPERATION_HASH_BYTES];
	/* Approved before the one that is, the newest first. */
	size_t nformer_policies;
	uint8_t former_policy[CEREMONY_POLICIES_MAX - 1][OPERATION_HASH_BYTES];
};

/* --- ceremony_check.c ----------------------------------------------------- */

/* Sets R.  Returns false, so that a check can end with it. */
bool ceremony_refuse(struct ceremony_refusal *r, enum sg_err err,
		     const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Take apart APPROVED, of WHO (may be NULL).
 * Owns: *OUT is the caller's; free().  Errors: SG_NO_MEMORY, or what R says. */
SG_MUST_USE enum sg_err ceremony_job_make(struct span approved,
					  const struct ceremony_caller *who,
					  struct ceremony_job **out,
					  struct ceremony_refusal *r);
/* Have enough of the officers in force signed J?  *KNOWN: one of them has. */
bool ceremony_check_approvals(const struct ceremony *c,
			      const struct ceremony_job *j, bool *known,
			      struct ceremony_refusal *r);
/* May J, which is approved, be done at NOW?  It must be kept with the same NOW,
 * or a start would not believe that it was accepted in its time. */
bool ceremony_check(struct ceremony *c, const struct ceremony_job *j,
		    int64_t now, struct ceremony_refusal *r);
/* When J is done, which a smith was given in time: now, within J's times,
 * however long the HSM took. */
int64_t ceremony_done_at(const struct ceremony_job *j);
/* The HSM has made the key of O, or (not SURE) may have: where that could not
 * be kept nobody here knows of it, so log it. */
void ceremony_tell_orphan(struct ceremony *c, const struct operation *o,
			  bool sure);
/* Has an operation with its nonce been accepted? */
bool ceremony_is_repeated(const struct ceremony *c, const uint8_t *nonce);
/* The number of the HSM called NAME; c->nhsms: there is none. */
size_t ceremony_hsm(const struct ceremony *c, const char *name);

/* --- ceremony_import.c ---------------------------------------------------- */

/* Is J's certificate one that L can have at NOW? */
bool ceremony_check_import(const struct ceremony *c,
			   const struct ceremony_job *j, const struct life *l,
			   int64_t now, struct ceremony_refusal *r);

/* --- ceremony_document.c -------------------------------------------------- */

/* KINDS by their letters, as "vtr". */
enum { CEREMONY_KINDS_TEXT = DCC_KINDS + 1 };
const char *ceremony_kinds(unsigned kinds, char out[CEREMONY_KINDS_TEXT]);

/* L's place in the keyring.  False: it has none, or what stands there in its
 * name is not what officers know. */
bool ceremony_find_key(const struct ceremony *c, const struct life *l,
		       size_t *k);

/* --- ceremony_gap.c ------------------------------------------------------- */

/* May an operation of KIND leave kinds of certificates without a key? */
bool ceremony_ends(enum operation_kind kind);
/* The kinds of L, which has signed and does no more, that nothing signs now. */
unsigned ceremony_gap(const struct ceremony *c, const struct life *l);
/* O is done: log what nothing signs any more. */
void ceremony_log_gap(struct ceremony *c, const struct operation *o);
/* The same of L, which has ended by its time. */
void ceremony_log_gap_of(struct ceremony *c, const struct life *l);
/* Have keys go on whose time is over at NOW, where no other active key signs
 * their kinds: the activation of one for these is put off (HELD, by number, is
 * not 0), or officers have stopped the one that was to follow, and not said
 * that there need not be any.  Their times of retirement go to KEPT.  Logs it,
 * unless it is REPLAYED. */
void ceremony_keep_on(struct ceremony *c, int64_t now, bool replayed,
		      const int64_t *held, int64_t *kept);

/* --- ceremony_apply.c ----------------------------------------------------- */

/* Keep J with OUTCOME as the next operation, and do it.  *NUMBER gets its own.
 * Errors: SG_IO, SG_NO_MEMORY, SG_TOO_BIG: nothing has changed. */
SG_MUST_USE enum sg_err ceremony_accept(struct ceremony *c,
					const struct ceremony_job *j,
					const struct outcome *outcome,
					unsigned *number);
/* Fold J, which ITEM is, into the states; RECORDS: and put it, and the changes
 * of keys that it brings, on record as NUMBER.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err ceremony_fold(struct ceremony *c,
				      const struct ceremony_job *j,
				      const struct store_item *item,
				      unsigned number, bool records);
/* What is due at NOW, where the keys can do it; which no key can where this is
 * REPLAYED. */
void ceremony_due(struct ceremony *c, int64_t now, bool replayed);
/* Is the ledger's key that is leaving free to go? */
bool ceremony_handed_over(const struct ceremony *c);
/* Count and log the refusal R of O (NULL: of what is no operation), a few times
 * a second at most: whoever may connect can cause it. */
void ceremony_log_refusal(const struct operation *o,
			  const struct ceremony_refusal *r);
/* Record the refusal R of APPROVED. */
void ceremony_record_refusal(struct ceremony *c, struct span approved,
			     const struct ceremony_refusal *r);

/* --- ceremony_project.c --------------------------------------------------- */

/* Have keyring and hsm_pool be what the states say. */
void ceremony_project(struct ceremony *c);

/* --- ceremony_settle.c ---------------------------------------------------- */

void ceremony_tell(const struct ceremony_caller *who, enum sg_err err,
		   struct span text);
/* Do and keep J, and tell who brought it. */
void ceremony_settle(struct ceremony *c, const struct ceremony_job *j,
		     const struct outcome *outcome);
/* Count and log that J is accepted as NUMBER. */
void ceremony_log_accepted(struct ceremony *c, const struct ceremony_job *j,
			   unsigned number);
/* NUMBER is on record as LEAF. */
void ceremony_recorded(struct ceremony *c, unsigned number, uint64_t leaf);
/* Tell those who have waited for the record for too long. */
void ceremony_settle_tick(struct ceremony *c, uint64_t now_us);

/* --- ceremony_stops.c ----------------------------------------------------- */

/* J could not be kept.  If it is a stop, or says that a key is compromised, the
 * key is stopped from now on, until the process ends or J is kept, and who
 * brought it is told.  False: it does not hold. */
bool ceremony_stop_unkept(struct ceremony *c, const struct ceremony_job *j);
/* Keep those that could not be, now and then, or AT_ONCE. */
void ceremony_keep_stops(struct ceremony *c, bool at_once);
/* Is there one for L? */
bool ceremony_is_stopped(const struct ceremony *c, const struct life *l);
/* L's state as officers see it: its own, or STOPPED by one that could not be
 * kept. */
enum key_state ceremony_state(const struct ceremony *c, const struct life *l);
/* And as the keyring has it: COMPROMISED also by a declaration that could not
 * be kept, or what it has signed would be given out again until it is. */
enum key_state ceremony_keyring_state(const struct ceremony *c,
				      const struct life *l);

/* --- ceremony_watch.c ----------------------------------------------------- */

/* What officers should know of a key. */
struct ceremony_warnings {
	size_t n;
	bool soon; /* something ends within a week */
	char text[CEREMONY_WARNINGS_MAX][96];
};
void ceremony_warn(const struct ceremony *c, const struct life *l, int64_t now,
		   struct ceremony_warnings *out);
/* Signatures that L has made, as far as they have been counted. */
uint64_t ceremony_signed(const struct ceremony *c, const struct life *l);
/* When the last certificate that L has signed runs out, or may; 0: it signed
 * none. */
int64_t ceremony_last_expiry(struct ceremony *c, const struct life *l);
/* Has L made all the signatures that it may, as far as they were counted? */
bool ceremony_used_up(const struct ceremony *c, const struct life *l);
/* End the keys that have. */
void ceremony_limit(struct ceremony *c, int64_t now);
/* Log what runs out, once a day each, and set the gauges. */
void ceremony_watch(struct ceremony *c, int64_t now);

/* --- ceremony_hold.c ------------------------------------------------------ */

/* ceremony_hold(), as far as the index has come; WHOLE: which is to the end. */
SG_MUST_USE enum sg_err ceremony_hold_against(struct ceremony *c, bool whole);
/* The policies that may be in force, the best first: the approved one, and as
 * long as none of those after it has ever been, those before it.  Returns how
 * many; they live as long as C does. */
size_t ceremony_policies(const struct ceremony *c,
			 const uint8_t *out[CEREMONY_POLICIES_MAX]);
/* Is the policy of HASH one of them? */
bool ceremony_has_policy(const struct ceremony *c, const uint8_t *hash);

/* --- ceremony_replay.c ---------------------------------------------------- */

/* Adopt the keys of signerd.yaml, and do what was accepted once more.
 * Errors: SG_IO (damage: logged), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err ceremony_replay(struct ceremony *c);
/* The configured keys for the outcome of a genesis, in ITEM; HASH has room for
 * LIFE_KEYS_MAX.  False: R. */
bool ceremony_adopted(const struct ceremony *c, struct store_item *item,
		      uint8_t (*hash)[STORE_HASH_BYTES],
		      struct ceremony_refusal *r);
/* L, a key of signerd.yaml, has the public key of KEY's certificate, if that is
 * known by now. */
void ceremony_take_spki(struct life *l, const struct key *key);
/* Bind the configured keys to those of ITEM, a genesis. */
void ceremony_pin(struct ceremony *c, const struct store_item *item);

#endif /* SG_CEREMONY_STATE_H */
