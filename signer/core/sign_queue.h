/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SIGN_QUEUE_H
#define SG_SIGN_QUEUE_H

#include "core.h"
#include "op.h"

/*
 * sign_queue: operations that wait for an hsm, a queue per key, so that a slow
 * HSM's key holds up no other.  Single requests go before those of a stream,
 * which has thousands waiting, but for one operation in SIGN_QUEUE_TURNS: so
 * neither starves the other.  TLS handshakes, of an HSM that has keys of
 * certificates as well, have one turn in so many while there is anything else:
 * strangers cannot crowd out clients, nor a job of millions who comes next.
 * Within a class in the order of arrival; what comes back from a lost hsm goes
 * first.  Loop thread only.
 */
enum { SIGN_QUEUE_TURNS = 8 };
enum sign_class { SIGN_SINGLE, SIGN_BULK, SIGN_HANDSHAKE, SIGN_CLASSES };

struct sign_queue {
	size_t n;	  /* in all queues */
	uint64_t waiting; /* bit k: key[k] has some */
	unsigned singles; /* taken in a row */
	/* Of those who could have had a handshake: taken since the last one. */
	unsigned others;
	size_t handshakes;	/* that wait, */
	uint64_t handshake_key; /* and the key of all: a bit mask */
	struct {
		struct op_list ops[SIGN_CLASSES];
		size_t n;
	} key[CORE_KEYS_MAX];
};

void sign_queue_init(struct sign_queue *q);
void sign_queue_append(struct sign_queue *q, struct op *op);
void sign_queue_prepend(struct sign_queue *q, struct op *op);
void sign_queue_remove(struct sign_queue *q, struct op *op);
/* One that waits for KEY, not taken out; NULL: none. */
struct op *sign_queue_first(struct sign_queue *q, size_t key);
/*
 * The operation whose turn it is among KEYS (a bit mask), taken out; NULL:
 * none.  Among those of a class it is the one that has waited longest (by its
 * place in its key's queue).  One that avoids SLOT is passed over where
 * ELSEWHERE has its key: keys that another hsm can use.
 */
struct op *sign_queue_take(struct sign_queue *q, uint64_t keys, int slot,
			   uint64_t elsewhere);
/* OP, which was taken last, was not sent: it has used up no turn. */
void sign_queue_untake(struct sign_queue *q, const struct op *op);

#endif /* SG_SIGN_QUEUE_H */
