/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_OP_H
#define SG_OP_H

#include <sys/queue.h>

#include "base/slots.h"
#include "ipc/wire.h"

/*
 * op: one message to be signed by one key: a certificate's Sig_structure, or
 * a test message.  Embedded in what wants the signature, which owns it and
 * must cancel it (hsm_pool_cancel) before it goes away.
 */
struct hsm_link;

/*
 * OP is over, and the pool has let go of it.  ERR is SG_OK, and SIGNATURE (in
 * COSE form, of the right length, verified at the configured rate) lives for
 * the call; or SG_TOKEN_DOWN, SG_TIMED_OUT, SG_BAD_SIGNATURE.  Never called
 * from inside hsm_pool_submit() or hsm_pool_cancel().
 */
struct op;
typedef void (*op_done)(struct op *op, enum sg_err err, struct span signature);

enum op_place {
	OP_OUT,	   /* not in the pool */
	OP_QUEUED, /* in its key's queue, not signed by anybody */
	OP_AT_HSM  /* sent, under `id` */
};

struct op {
	/* The owner's, set before hsm_pool_submit(). */
	size_t key;	/* index in the keyring */
	bool bulk;	/* single requests go first */
	bool handshake; /* of TLS: strangers bring it about */
	/* DCC_KIND_BIT() of what it signs: where another HSM has a key for it,
	 * the owner makes it anew for that one, and the pool gives it back at
	 * once when this HSM fails.  0: nobody else can. */
	unsigned kinds;
	struct span message;  /* stays in place until `done` or cancel */
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	uint64_t name;	      /* of the request, as in WIRE_ISSUE; or 0 */
	uint32_t line;
	op_done done;

	/* The pool's. */
	enum op_place place;
	TAILQ_ENTRY(op) entry; /* in the queue, or in the link's flight */
	struct hsm_link *at;   /* OP_AT_HSM: where */
	op_id id;
	bool test;	/* for one link alone: neither queued nor sent again */
	unsigned sends; /* how often it went to an hsm */
	int avoid;	/* slot where it failed: elsewhere if possible; or -1 */
	uint64_t submitted_us, sent_us;
	uint32_t queue_us, sign_us; /* of the signature, when it is done */
	struct span tbs; /* what the hsm gets: the digest, or the message */
	uint8_t digest[32];
};

TAILQ_HEAD(op_list, op);

#endif /* SG_OP_H */
