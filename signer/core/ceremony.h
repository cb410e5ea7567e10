/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CORE_CEREMONY_H
#define SG_CORE_CEREMONY_H

#include "ceremony/lifecycle.h"
#include "diary.h"
#include "hsm_pool.h"
#include "ipc/wire.h"
#include "proofs.h"

/*
 * ceremony: takes what officers have signed, refuses what may not be, has it
 * done, and keeps it: see README.md.  Loop thread only; reads and writes small
 * files, blocking.
 */
struct ceremony; /* opaque */

enum { CEREMONY_POLICIES_MAX = 8 };

struct ceremony_parts {
	uv_loop_t *loop;
	const struct core_settings *settings; /* for the call of create */
	struct keyring *keys;
	struct hsm_pool *pool;
	struct release *release;
	struct diary *diary;
	struct proofs *proofs;
	struct index *index; /* NULL: decisions are not held against it */
	const struct policy *policy; /* in force; for the call of create */
	/* Leaves that a checkpoint has which both of the ledger's keys have
	 * signed, on record beside both and published; 0: none, also where
	 * there is one key.  May be NULL: never any. */
	uint64_t (*handed_over)(void *ctx);
	/* Keys have come into other states. */
	void (*changed)(void *ctx);
	/* The smith in SLOT sent nonsense, or is stuck. */
	void (*smith_bad)(void *ctx, uint16_t slot);
	void *ctx;
};

/*
 * Read what was accepted so far, each with its signatures verified once more,
 * and bring KEYS into the states that follow from it.  All parts outlive it.
 * Owns: *OUT is the caller's; ceremony_free().
 * Errors: SG_IO (what was accepted is damaged, or cannot be read: logged),
 * SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err ceremony_create(const struct ceremony_parts *parts,
					struct ceremony **out);
/*
 * Hold what was accepted against the ledger, which has been read to its end;
 * until then no operation is taken, and nothing may be signed.
 * Errors: SG_MALFORMED (operations are missing, or others: logged, and only
 * they can help), SG_CONFLICT (changes by time were missing, and have been
 * taken from the ledger: a start does the rest), the rest: try again.
 */
SG_MUST_USE enum sg_err ceremony_hold(struct ceremony *c);
bool ceremony_is_held(const struct ceremony *c);
/* Take over FD, the channel to the smith in SLOT: smiths_link(). */
SG_MUST_USE enum sg_err ceremony_link(struct ceremony *c, uint16_t slot,
				      int fd);
/* POLICY is in force, certificates may have been renewed, and SETTINGS may name
 * another CSCA. */
void ceremony_reload(struct ceremony *c, const struct core_settings *settings,
		     const struct policy *policy);
/* May the policy of HASH come into force, or stay?  Not where the officers want
 * to approve policies, and have approved another one. */
bool ceremony_allows_policy(const struct ceremony *c, const uint8_t hash[32]);
/* Is a policy in force that may be?  Else nothing must be signed, and WANTED
 * gets the hashes of those that may be, the best first; *N: how many. */
bool ceremony_lawful(const struct ceremony *c,
		     uint8_t wanted[CEREMONY_POLICIES_MAX][32], size_t *n);
/* ITEM is on record as leaf INDEX. */
void ceremony_count(struct ceremony *c, const struct release_item *item,
		    uint64_t index);
/* To be called a few times a second: what is due by its time is done. */
void ceremony_tick(struct ceremony *c, uint64_t now_us);
/* Nobody waits any more for what is being done.  NULL is allowed. */
void ceremony_free(struct ceremony *c);

/* Who has sent an operation, and waits for what comes of it. */
struct ceremony_caller {
	void *link;
	uint64_t id;
	/* ERR is SG_OK: TEXT is a document in CBOR.  Else why not: safe, for
	 * officers.  Called once; from inside of ceremony_operate() too. */
	void (*answer)(void *link, uint64_t id, enum sg_err err,
		       struct span text);
};

/* Take APPROVED, a COSE_Sign (ceremony/approval.h) of at most
 * WIRE_OPERATION_MAX bytes.  Errors of the answer: SG_MALFORMED (it is none),
 * SG_FORBIDDEN (not enough approvals, or refused for another reason),
 * SG_CONFLICT (not the next step), SG_BUSY (another one is being done),
 * SG_TOKEN_DOWN (the HSM could not do it), SG_LEDGER_DOWN (it cannot be put on
 * record), SG_IO. */
void ceremony_operate(struct ceremony *c, struct span approved,
		      const struct ceremony_caller *who);
/* LINK is gone: nobody waits there any more; what is being done is done. */
void ceremony_forget(struct ceremony *c, const void *link);
/* Bytes of a document, with room for the message around it. */
enum { CEREMONY_DOCUMENT_MAX = WIRE_PACKET_MAX - 256 };
/* The document for officers (ceremony/README.md).  *LEN as cbor_done().
 * Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err ceremony_document(const struct ceremony *c,
					  uint8_t *out, size_t cap,
					  size_t *len);

#endif /* SG_CORE_CEREMONY_H */
