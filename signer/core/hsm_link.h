/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HSM_LINK_H
#define SG_HSM_LINK_H

#include "hsm_breaker.h"
#include "ipc/channel.h"
#include "keyring.h"
#include "op.h"

/*
 * hsm_link: the core's end of the channel to one hsm process, and what is
 * known of it: its sessions, the keys it can sign with, what is in flight.
 * It decodes and counts; what follows from a message is the hsm_pool's.
 * Loop thread only.
 */
enum {
	HSM_SESSIONS_MAX = 256, /* of one hsm process, as in pkcs11/worker.h */
	HSM_BATCH_MAX = 64	/* jobs in one packet */
};

/* One key of the keyring at this hsm. */
struct hsm_link_key {
	bool offered;
	bool good;	     /* the last test signature verified */
	uint16_t number;     /* what WIRE_SIGN calls it */
	unsigned failures;   /* in a row */
	unsigned bad_tests;  /* likewise, of its test signatures */
	uint64_t said_us;    /* when it was logged that it is out */
	bool said;	     /* and not yet that it is good again */
	uint32_t test_us;    /* of its last good test signature; 0: none, or it
				signs no certificates */
	uint64_t test_at_us; /* when the next test signature is due */
	struct op test;
	uint8_t test_message[KEYRING_TEST_MAX];
	bool finding;	     /* the hsm has been asked for it */
	bool void_find;	     /* for another key, whose place it has now */
	uint64_t find_at_us; /* when it is to be asked again */
};

struct hsm_link;

struct hsm_link_events {
	/* Each returns false when the message makes no sense. */
	bool (*ready)(void *ctx, struct hsm_link *l,
		      const struct wire_hsm_ready *m);
	bool (*signed_)(void *ctx, struct hsm_link *l, op_id id,
			const struct wire_signed *m);
	bool (*failed)(void *ctx, struct hsm_link *l, op_id id,
		       const struct wire_sign_failed *m);
	bool (*anchored)(void *ctx, struct hsm_link *l, uint64_t id,
			 const struct wire_anchored *m);
	bool (*found)(void *ctx, struct hsm_link *l, uint64_t id,
		      const struct wire_found_key *m);
	/* All messages of a packet have been given. */
	void (*batch)(void *ctx);
	/* The hsm is gone (BAD: sent nonsense).  Close L. */
	void (*end)(void *ctx, struct hsm_link *l, bool bad);
};

struct hsm_link {
	const struct hsm_link_events *events;
	void *ctx;
	struct channel *channel;
	uint16_t slot;
	char hsm[CORE_LABEL_MAX]; /* the name of its HSM, once it is ready */
	bool ready;		  /* WIRE_HSM_READY has come */
	uint32_t sessions;	  /* signing at a time */
	size_t in_flight; /* jobs sent and not answered, forgotten ones too */
	size_t anchoring; /* likewise of WIRE_ANCHOR */
	size_t packets;	  /* sent and not answered */
	bool answering;	  /* the packet that is read answers one of them */
	uint32_t sign_us; /* of one signature, a moving average; 0: unknown */
	bool timed;	  /* by one since the last good test */
	uint32_t test_us; /* of the last good test signature */
	struct hsm_breaker *breaker; /* its HSM's */
	struct hsm_breaker own;	     /* where the HSM has no name */
	uint64_t usable;	     /* bit k: key[k].good */
	uint64_t passed;       /* the dispatch round that had nothing for it */
	uint64_t logged_us;    /* when its last failure was logged */
	struct op_list flight; /* the oldest first */
	op_id stalled;	       /* a job that was away for too long; 0: none */
	uint64_t stalled_us;   /* when it was taken back */
	struct hsm_link_key key[CORE_KEYS_MAX]; /* by index in the keyring */
};

_Static_assert(CORE_KEYS_MAX <= 64, "the keys must fit a bit mask");

struct hsm_link_parts {
	uv_loop_t *loop;
	int fd;
	uint16_t slot; /* the hsm's */
	const struct hsm_link_events *events;
	void *ctx;
};

/* Take over parts->fd.
 * Owns: parts->fd, from success on; *OUT: hsm_link_close().
 * Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err hsm_link_open(const struct hsm_link_parts *parts,
				      struct hsm_link **out);

/* Jobs that may be sent in one packet now, if BACKLOG wait for SESSIONS: one,
 * unless signatures are so quick that the packet would cost as much. */
size_t hsm_link_batch(const struct hsm_link *l, size_t backlog,
		      size_t sessions);
/* Jobs that may be sent at all: two packets a session, so that none waits for
 * us, more where they are so small that it might; the rest stays in the core's
 * queue, in order, and safe from a crash. */
size_t hsm_link_room(const struct hsm_link *l);
/* Is L less loaded than M? */
bool hsm_link_lighter(const struct hsm_link *l, const struct hsm_link *m);

/* Send OP, put in flight under ID, in the packet that is being filled.
 * Errors: SG_BUSY (the hsm does not read). */
SG_MUST_USE enum sg_err hsm_link_send(struct hsm_link *l, struct op *op,
				      op_id id, uint64_t now_us);
/* Send a WIRE_ANCHOR for key K with VALUE, in a packet of its own.
 * Errors: SG_BUSY (the hsm does not read). */
SG_MUST_USE enum sg_err hsm_link_anchor(struct hsm_link *l, size_t k,
					uint64_t id, struct span value);
/* Ask for key K, LABEL, by a WIRE_FIND_KEY whose id is K, in a packet of its
 * own.  Errors: SG_BUSY (the hsm does not read). */
SG_MUST_USE enum sg_err hsm_link_find(struct hsm_link *l, size_t k,
				      const struct key *key);
/* End the packet that is being filled. */
void hsm_link_cut(struct hsm_link *l);
/* OP, in flight at L, has been answered, or nobody waits for it any more. */
void hsm_link_forget(struct hsm_link *l, struct op *op);
/* A signature has been made in SIGN_US. */
void hsm_link_timed(struct hsm_link *l, uint32_t sign_us);
/* A test signature by key K has been made in SIGN_US.  Where there was no other
 * since the last one, the average is of another time, perhaps of a bad one: an
 * hsm that counts as slow may not be asked again.  This one takes its place. */
void hsm_link_tested(struct hsm_link *l, size_t k, uint32_t sign_us);

void hsm_link_close(struct hsm_link *l); /* NULL is allowed */

#endif /* SG_HSM_LINK_H */
