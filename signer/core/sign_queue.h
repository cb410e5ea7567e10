/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SIGN_QUEUE_H
#define SG_SIGN_QUEUE_H

#include "core.h"
#include "op.h"

/*
 * sign_queue: operations that wait for an hsm, a queue per key, so that a slow
 * HSM's key holds up no other.  In the order of arrival; what comes back from
 * a lost hsm goes first.  Loop thread only.
 */
struct sign_queue {
	size_t n;	  /* in all queues */
	uint64_t waiting; /* bit k: queue[k] is not empty */
	struct {
		struct op_list ops;
		size_t n;
	} key[CORE_KEYS_MAX];
};

void sign_queue_init(struct sign_queue *q);
void sign_queue_append(struct sign_queue *q, struct op *op);
void sign_queue_prepend(struct sign_queue *q, struct op *op);
void sign_queue_remove(struct sign_queue *q, struct op *op);
/*
 * The operation that has waited longest (by its place in its key's queue)
 * among KEYS (a bit mask), taken out; NULL: none.  One that avoids SLOT is
 * passed over where ELSEWHERE has its key: keys that another hsm can use.
 */
struct op *sign_queue_take(struct sign_queue *q, uint64_t keys, int slot,
			   uint64_t elsewhere);

#endif /* SG_SIGN_QUEUE_H */
