/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HSM_POOL_STATE_H
#define SG_HSM_POOL_STATE_H

#include "base/hush.h"
#include "hsm_link.h"
#include "hsm_pool.h"
#include "sigcheck.h"
#include "sign_queue.h"

/*
 * hsm_pool_state: the inside of the hsm_pool, for its six files alone:
 * hsm_pool.c (links, dispatch), hsm_choose.c (which key), hsm_answer.c (what
 * comes back), hsm_test.c (which hsm can be trusted with which key), hsm_find.c
 * (keys that come and go), hsm_anchor.c (the data object beside the ledger's
 * key).
 */
struct hsm_pool {
	uv_loop_t *loop;
	struct keyring *keys;
	const struct hsm_pool_events *events;
	void *ctx;
	struct slots *flight;
	struct sigcheck *check;
	uint64_t test_every_us;
	uint64_t stall_us; /* a job that is away for longer is lost */
	uint64_t round;	   /* of dispatch */
	size_t turn;	   /* of choose: where it begins to look */
	struct {
		size_t good;		/* links that can use it */
		size_t load;		/* operations queued and in flight */
		uint64_t down_since_us; /* while good == 0 */
		/* Of all that can use it; see hsm_choose.c. */
		uint64_t sessions, speed;      /* signatures a second */
		const struct hsm_breaker *hsm; /* the last that offered it */
		uint64_t verify_until_us;      /* all that it signs */
	} key[CORE_KEYS_MAX];
	uint64_t measured_us; /* when the speeds were */
	size_t nhsms;
	struct hsm_breaker hsm[CORE_HSMS_MAX]; /* by name, of those seen */
	struct sign_queue queue;
	struct {
		struct hsm_link *at; /* who was asked; NULL: nobody */
		uint64_t id;	     /* of the last one */
		size_t key;
		uint64_t deadline_us;
		hsm_pool_anchored done;
		void *ctx;
	} anchor;
	uint64_t errors[HSM_POOL_LINKS_MAX]; /* by slot */
	/* By slot, too, since one hsm after the other may die there. */
	struct hush hush[HSM_POOL_LINKS_MAX];
	size_t nlinks; /* slots in use: up to the highest */
	struct hsm_link *link[HSM_POOL_LINKS_MAX];
};

/* --- hsm_pool.c --------------------------------------------------------- */

/* Take everything back from L, to be signed first of all, rather not in the
 * slot AVOID (-1: anywhere).  A test of it counts as failed. */
void hsm_pool_take_back(struct hsm_pool *p, struct hsm_link *l, int avoid);

/* Something went wrong at L, whose keys are looked at closely for a while.  Not
 * those of other HSMs: one that stays down must not cost them their speed. */
void hsm_pool_alarm(struct hsm_pool *p, const struct hsm_link *l,
		    uint64_t now_us);

/* --- hsm_choose.c ------------------------------------------------------- */

/* Measure how quick each key is, if that is some time ago at NOW_US. */
void hsm_choose_measure(struct hsm_pool *p, uint64_t now_us);
/* Has another HSM a key that could sign OP now? */
bool hsm_choose_elsewhere(const struct hsm_pool *p, const struct op *op);
/* Has another HSM a key that can sign now what K signs? */
bool hsm_choose_covered(const struct hsm_pool *p, size_t k);
/* Give back what waits for a key that nobody has now, or whose hsms stand
 * still, and another key could sign. */
void hsm_choose_strays(struct hsm_pool *p);

/* --- hsm_answer.c ------------------------------------------------------- */

/* Fill the pool's part of OP.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err hsm_op_prepare(struct hsm_pool *p, struct op *op,
				       uint64_t now_us);
/* Put OP in flight at L.  Errors: SG_BUSY. */
SG_MUST_USE enum sg_err hsm_op_send(struct hsm_pool *p, struct hsm_link *l,
				    struct op *op, uint64_t now_us);
/* Take OP back from the hsm it is at. */
void hsm_op_recall(struct hsm_pool *p, struct op *op);
/* OP is over and out of queue and flight: tell its owner. */
void hsm_op_finish(struct hsm_pool *p, struct op *op, enum sg_err err,
		   struct span signature);
/* Sign OP again, first of all, rather not in the slot AVOID (-1: anywhere),
 * unless it has been tried often enough, or another HSM could sign it. */
void hsm_op_again(struct hsm_pool *p, struct op *op, int avoid);
/* WIRE_SIGNED and WIRE_SIGN_FAILED: see struct hsm_link_events. */
bool hsm_answer_signed(void *ctx, struct hsm_link *l, op_id id,
		       const struct wire_signed *m);
bool hsm_answer_failed(void *ctx, struct hsm_link *l, op_id id,
		       const struct wire_sign_failed *m);

/* --- hsm_test.c --------------------------------------------------------- */

/* Key K at L can be used, or not. */
void hsm_test_set(struct hsm_pool *p, struct hsm_link *l, size_t k, bool good);
/* A test signature with key K at L came out GOOD or not. */
void hsm_test_result(struct hsm_pool *p, struct hsm_link *l, size_t k,
		     bool good);
/* A test signature with key K at L could not be made or verified for want of
 * memory: that says nothing of the HSM.  The key stays as it is, and is tested
 * again soon. */
void hsm_test_untold(struct hsm_pool *p, struct hsm_link *l, size_t k);
/* Key K at L has become doubtful: out with it at the whole HSM, until it has
 * proved itself there. */
void hsm_test_doubt(struct hsm_pool *p, struct hsm_link *l, size_t k);
/* Test what is due at L. */
void hsm_test_due(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us);
/* Take all work back from an L that keeps a job for too long.  True: it did
 * not answer even after as long again, and has to be replaced. */
bool hsm_test_stuck(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us);

/* --- hsm_find.c --------------------------------------------------------- */

/* Ask L for the keys of its HSM that it has not offered, where that is due. */
void hsm_find_due(struct hsm_pool *p, struct hsm_link *l, uint64_t now_us);
/* WIRE_FOUND_KEY: see struct hsm_link_events. */
bool hsm_find_answer(void *ctx, struct hsm_link *l, uint64_t id,
		     const struct wire_found_key *m);

/* --- hsm_anchor.c ------------------------------------------------------- */

/* WIRE_ANCHORED: see struct hsm_link_events. */
bool hsm_anchor_answer(void *ctx, struct hsm_link *l, uint64_t id,
		       const struct wire_anchored *m);
/* L is gone: what it was asked for fails. */
void hsm_anchor_lost(struct hsm_pool *p, const struct hsm_link *l);
/* Fail what has been waited for long enough at NOW_US. */
void hsm_anchor_expire(struct hsm_pool *p, uint64_t now_us);

#endif /* SG_HSM_POOL_STATE_H */
