/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HSM_POOL_H
#define SG_HSM_POOL_H

#include <uv.h>

#include "keyring.h"
#include "op.h"

/*
 * hsm_pool: gives operations to the hsm processes and gets signatures back.
 * An operation goes to the least loaded hsm that has proved its key by a test
 * signature; it comes back when that hsm fails or dies, and goes elsewhere,
 * within its deadline.  The queue stays here: an hsm holds only what keeps
 * its sessions busy.  Loop thread only.
 */
enum {
	HSM_POOL_LINKS_MAX = 256, /* hsm processes */
	/* Without any hsm for its key for this long, a request is refused at
	 * once; before, it waits for the replacement. */
	HSM_POOL_GRACE_US = 1000 * 1000,
	HSM_POOL_SENDS_MAX = 4, /* of an operation: one try and three more */
	HSM_POOL_ANCHOR_US = 10 * 1000 * 1000
};

struct hsm_pool; /* opaque */

struct hsm_pool_events {
	/* Some key can be used now, or no longer: see hsm_pool_good(). */
	void (*changed)(void *ctx);
	/* The hsm in SLOT sent nonsense; its link is closed. */
	void (*bad)(void *ctx, uint16_t slot);
};

/*
 * KEYS must outlive the pool.
 * Owns: *OUT is the caller's; hsm_pool_free().
 * Errors: SG_NO_MEMORY, SG_INTERNAL.
 */
SG_MUST_USE enum sg_err hsm_pool_create(uv_loop_t *loop, struct keyring *keys,
					const struct core_settings *settings,
					const struct hsm_pool_events *events,
					void *ctx, struct hsm_pool **out);
/* Use verify_* and test_sign_ms of SETTINGS from now on. */
void hsm_pool_rates(struct hsm_pool *p, const struct core_settings *settings);

/* Take over FD, the channel to the hsm in SLOT; an older one is closed, and
 * what was in flight there is signed elsewhere.
 * Owns: FD, always.  Errors: SG_NO_MEMORY, SG_IO, SG_NOT_FOUND (SLOT). */
SG_MUST_USE enum sg_err hsm_pool_link(struct hsm_pool *p, uint16_t slot,
				      int fd);

/* When a certificate is to be valid; seconds since 1970. */
struct hsm_span_of_time {
	int64_t now, iat, exp;
};
/*
 * The key to sign a certificate of KIND with, for the time T: one whose DSC's
 * bounds that fits, where there is one; that an hsm can use; and of these the
 * one that will have signed first, by what waits for it and how quick its HSM
 * is.  Sets *KEY.
 * Errors: SG_NO_KEY (none is configured, or none has a valid DSC),
 * SG_TOKEN_DOWN (it is not known yet: no hsm has offered it).
 */
SG_MUST_USE enum sg_err hsm_pool_choose(struct hsm_pool *p, enum dcc_kind kind,
					const struct hsm_span_of_time *t,
					size_t *key);

/*
 * Another key THAN that one, whose HSM has failed, to sign a certificate of
 * KIND for the time T: one that an hsm can use now, of another HSM where there
 * is one, and whose DSC's bounds T fits as it fits THAN's.  Sets *KEY.
 * Errors: SG_NO_KEY.
 */
SG_MUST_USE enum sg_err hsm_pool_choose_other(struct hsm_pool *p, size_t than,
					      enum dcc_kind kind,
					      const struct hsm_span_of_time *t,
					      size_t *key);

/* Sign: `done` will be called once, unless OP is cancelled before.  Several
 * may be submitted, then hsm_pool_dispatch() sends them.
 * Errors: SG_TOKEN_DOWN (no hsm has the key, and none came back in time, or it
 * was stopped),
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err hsm_pool_submit(struct hsm_pool *p, struct op *op);
/* Let go of OP, wherever it is; what an hsm still answers is dropped. */
void hsm_pool_cancel(struct hsm_pool *p, struct op *op);
/* Send what the hsms have room for. */
void hsm_pool_dispatch(struct hsm_pool *p);
/* To be called a few times a second: test signatures, and grace periods that
 * are over. */
void hsm_pool_tick(struct hsm_pool *p);

/*
 * Replace the data object beside key KEY, the ledger's, by VALUE (at most
 * WIRE_ANCHOR_MAX bytes), or read it if VALUE is empty.  DONE will be called
 * once, never from inside of this call, unless it is cancelled before: SG_OK
 * and what the object holds now, empty: there is none; SG_TOKEN_DOWN (the hsm
 * is gone), SG_TIMED_OUT (no answer in HSM_POOL_ANCHOR_US), SG_INTERNAL (it
 * could not be done: logged).  After an error the object may hold the old value
 * or VALUE, or get it yet.  One at a time. Errors: SG_BUSY (there is one),
 * SG_TOKEN_DOWN (no hsm has the key now), SG_TOO_BIG.
 */
typedef void (*hsm_pool_anchored)(void *ctx, enum sg_err err,
				  struct span value);
SG_MUST_USE enum sg_err hsm_pool_anchor(struct hsm_pool *p, size_t key,
					struct span value,
					hsm_pool_anchored done, void *ctx);
/* Nobody waits for it any more; none is allowed. */
void hsm_pool_anchor_cancel(struct hsm_pool *p);

/* Operations for KEY, queued and at the hsms: whose `done` is still to come. */
size_t hsm_pool_load(const struct hsm_pool *p, size_t key);
/* Hsms that can sign with key KEY now: their last test signature was good. */
size_t hsm_pool_good(const struct hsm_pool *p, size_t key);

/* --- keys that come and go: hsm_find.c ----------------------------------- */

/* KEY, which is destroyed, is about to leave the keyring, and another one may
 * come to its place: nothing of it stays, and what is yet to be signed with it
 * fails with SG_TOKEN_DOWN. */
void hsm_pool_forget(struct hsm_pool *p, size_t key);
/* A key has come to the keyring, or is used again: have hsms look for it. */
void hsm_pool_find(struct hsm_pool *p);
/* Key KEY must not sign any more, at once: what waits for it, and what hsms are
 * signing with it, fails with SG_TOKEN_DOWN. */
void hsm_pool_stop(struct hsm_pool *p, size_t key);

/* The hsms in the N slots from FIRST on. */
struct hsm_pool_view {
	size_t up;	  /* that are linked, and have said what they have */
	size_t good;	  /* of them, that can sign with some key */
	size_t sessions;  /* of all of them */
	uint32_t sign_us; /* of a signature, their mean; 0: not known */
	uint64_t errors;  /* signatures that failed or were wrong */
};
void hsm_pool_look(const struct hsm_pool *p, size_t first, size_t n,
		   struct hsm_pool_view *out);

/* Close all links; no `done` is called.  The owners have cancelled their
 * operations.  NULL is allowed. */
void hsm_pool_free(struct hsm_pool *p);

#endif /* SG_HSM_POOL_H */
