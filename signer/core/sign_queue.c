/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_queue.h"

#include <assert.h>

/* Failed operations stand in front; looking past more of them than this is
 * not worth it. */
enum { LOOK_MAX = 32 };

void sign_queue_init(struct sign_queue *q)
{
	*q = (struct sign_queue){.n = 0};
	for (size_t k = 0; k < CORE_KEYS_MAX; k++) {
		for (int class = 0; class < SIGN_CLASSES; class ++)
			TAILQ_INIT(&q->key[k].ops[class]);
	}
}

static struct op_list *list_of(struct sign_queue *q, const struct op *op)
{
	enum sign_class class = op->bulk ? SIGN_BULK : SIGN_SINGLE;

	if (op->handshake)
		class = SIGN_HANDSHAKE;
	return &q->key[op->key].ops[class];
}

static void count_in(struct sign_queue *q, struct op *op)
{
	assert(op->place == OP_OUT);
	op->place = OP_QUEUED;
	q->n++;
	q->handshakes += op->handshake;
	if (op->handshake)
		q->handshake_key = UINT64_C(1) << op->key;
	q->key[op->key].n++;
	q->waiting |= UINT64_C(1) << op->key;
}

void sign_queue_append(struct sign_queue *q, struct op *op)
{
	count_in(q, op);
	TAILQ_INSERT_TAIL(list_of(q, op), op, entry);
}

void sign_queue_prepend(struct sign_queue *q, struct op *op)
{
	count_in(q, op);
	TAILQ_INSERT_HEAD(list_of(q, op), op, entry);
}

void sign_queue_remove(struct sign_queue *q, struct op *op)
{
	assert(op->place == OP_QUEUED);
	TAILQ_REMOVE(list_of(q, op), op, entry);
	op->place = OP_OUT;
	q->n--;
	q->handshakes -= op->handshake;
	if (--q->key[op->key].n == 0)
		q->waiting &= ~(UINT64_C(1) << op->key);
}

struct op *sign_queue_first(struct sign_queue *q, size_t key)
{
	struct op *op = NULL;

	for (int class = 0; op == NULL && class < SIGN_CLASSES; class ++)
		op = TAILQ_FIRST(&q->key[key].ops[class]);
	return op;
}

/* The first of OPS that may go to SLOT. */
static struct op *first_for(struct op_list *ops, int slot, bool elsewhere)
{
	struct op *op;
	unsigned looked = 0;

	TAILQ_FOREACH (op, ops, entry) {
		if (!elsewhere || op->avoid != slot)
			return op;
		if (++looked == LOOK_MAX)
			break;
	}
	return NULL;
}

/* The oldest of CLASS among KEYS that may go to SLOT; it stays. */
static struct op *oldest(struct sign_queue *q, enum sign_class class,
			 uint64_t keys, int slot, uint64_t elsewhere)
{
	struct op *best = NULL;

	for (uint64_t left = keys & q->waiting; left != 0; left &= left - 1) {
		const size_t k = (size_t)__builtin_ctzll(left);
		struct op *op = first_for(&q->key[k].ops[class], slot,
					  (elsewhere >> k & 1) != 0);

		if (op != NULL &&
		    (best == NULL || op->submitted_us < best->submitted_us))
			best = op;
	}
	return best;
}

/* The next of the requests, single or bulk; it stays. */
static struct op *next_request(struct sign_queue *q, uint64_t keys, int slot,
			       uint64_t elsewhere)
{
	struct op *single = oldest(q, SIGN_SINGLE, keys, slot, elsewhere);
	struct op *bulk = NULL;

	if (single == NULL || q->singles + 1 >= SIGN_QUEUE_TURNS)
		bulk = oldest(q, SIGN_BULK, keys, slot, elsewhere);
	return bulk != NULL ? bulk : single;
}

struct op *sign_queue_take(struct sign_queue *q, uint64_t keys, int slot,
			   uint64_t elsewhere)
{
	struct op *op = NULL;

	const bool any = q->handshakes > 0 && (keys & q->handshake_key) != 0;

	if (any && q->others + 1 >= SIGN_QUEUE_TURNS)
		op = oldest(q, SIGN_HANDSHAKE, keys, slot, elsewhere);
	if (op == NULL)
		op = next_request(q, keys, slot, elsewhere);
	if (op == NULL && any)
		op = oldest(q, SIGN_HANDSHAKE, keys, slot, elsewhere);
	if (op == NULL)
		return NULL;
	if (!op->handshake)
		q->singles = op->bulk ? 0 : q->singles + 1;
	if (op->handshake)
		q->others = 0;
	else if ((keys & q->handshake_key) != 0)
		q->others++;
	sign_queue_remove(q, op);
	return op;
}

void sign_queue_untake(struct sign_queue *q, const struct op *op)
{
	if (op->handshake)
		q->others = SIGN_QUEUE_TURNS - 1;
}
