/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CORE_LINK_STATE_H
#define SG_CORE_LINK_STATE_H

#include "base/slots.h"
#include "core_link.h"
#include "ipc/channel.h"
#include "shares.h"

/*
 * core_link_state: the inside of the core_link, for its two files alone:
 * core_link.c (what is asked) and core_link_hear.c (what the core says).
 */
enum { STATUS_TEXT_MAX = 512 /* bytes kept of a reason or an origin */ };

enum kind { KIND_ISSUE, KIND_ASK, KIND_OPERATE, KIND_HANDSHAKE, KIND_COUNT };

/* A question until the core has answered, also when nobody waits for that any
 * more: it still takes up room in the core.  Those of a kind are given the same
 * time, so that each kind's list is in order of its deadlines. */
struct op {
	struct op *prev, *next;
	op_id id;
	enum kind kind;
	uint64_t give_up_us; /* CLOCK_MONOTONIC */
	core_answer answer;  /* NULL: nobody waits */
	void *asker;
	uint16_t client; /* index of the shares */
	bool abandoned;	 /* and counted there */
};

struct core_link {
	struct channel *channel; /* NULL: the core is down */
	uv_loop_t *loop;
	uv_timer_t timer;	       /* runs while a question is in flight */
	struct slots *slots;	       /* all that the core owes an answer */
	struct op *ops, *free_ops;     /* QUESTIONS_MAX; chained by next */
	struct op waiting[KIND_COUNT]; /* heads of the rings, oldest first */
	struct op unwanted; /* the same, of those that nobody waits for */
	size_t in_flight;   /* those that somebody waits for */
	uint32_t credit;
	struct shares shares; /* of the credit */
	bool has_status, has_hash;
	struct wire_status status;
	uint8_t text[3][STATUS_TEXT_MAX]; /* what the status points at, */
	uint8_t tls_key[WIRE_SPKI_MAX];	  /* and this */
	core_status on_status;
	void *status_ctx;
	void (*on_bad)(void *ctx);
	void *bad_ctx;
};

/* OP is answered: by M, or by ERR without one. */
void core_link_finish(struct core_link *l, struct op *op,
		      const struct wire_msg *m, enum sg_err err);

/* --- core_link_hear.c ---------------------------------------------------- */

/* As struct channel_events has it; CTX is the core_link. */
bool core_link_hear(void *ctx, const struct wire_msg *m, const int *fds,
		    size_t n);

#endif /* SG_CORE_LINK_STATE_H */
