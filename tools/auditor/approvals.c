/* SPDX-License-Identifier: Apache-2.0 */
#include "approvals.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>

#include "ceremony/approval.h"
#include "ledger/note.h"

struct kept {
	uint64_t index;
	size_t n;
	uint8_t *p;
	uint8_t nonce[OPERATION_NONCE_BYTES]; /* while it is judged */
};

struct approvals {
	pthread_mutex_t lock; /* of the list */
	size_t n, room;
	size_t bytes;
	bool more; /* than are kept */
	struct kept *list;
	/* Of approvals_judge(): what it found good, */
	bool has_genesis, has_log_key;
	uint64_t genesis, log_key; /* their entries, the last log-key's */
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	/* and large. */
	struct roll roll; /* in force */
	void *nonces;	  /* tsearch(): of struct kept */
	struct approved approved;
	struct operation operation;
};

enum sg_err approvals_create(struct approvals **out)
{
	struct approvals *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return SG_NO_MEMORY;
	if (pthread_mutex_init(&a->lock, NULL) != 0) {
		free(a);
		return SG_NO_MEMORY;
	}
	*out = a;
	return SG_OK;
}

void approvals_free(struct approvals *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++)
		free(a->list[i].p);
	free(a->list);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

/* --- gathering ------------------------------------------------------------ */

static bool make_room(struct approvals *a)
{
	const size_t room = a->room == 0 ? 64 : 2 * a->room;
	struct kept *list;

	if (a->n < a->room)
		return true;
	list = realloc(a->list, room * sizeof(*list));
	if (list == NULL)
		return false;
	a->list = list;
	a->room = room;
	return true;
}

static enum sg_err keep(struct approvals *a, uint64_t index, struct span s)
{
	uint8_t *p;

	if (a->n == APPROVALS_KEPT_MAX ||
	    s.n > APPROVALS_BYTES_MAX - a->bytes) {
		a->more = true;
		return SG_OK;
	}
	if (!make_room(a))
		return SG_NO_MEMORY;
	p = malloc(s.n > 0 ? s.n : 1);
	if (p == NULL)
		return SG_NO_MEMORY;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	a->list[a->n++] = (struct kept){.index = index, .n = s.n, .p = p};
	a->bytes += s.n;
	return SG_OK;
}

enum sg_err approvals_add(struct approvals *a, uint64_t index,
			  struct span operation)
{
	enum sg_err err;

	(void)pthread_mutex_lock(&a->lock);
	err = keep(a, index, operation);
	(void)pthread_mutex_unlock(&a->lock);
	return err;
}

/* --- judging -------------------------------------------------------------- */

static int by_index(const void *left, const void *right)
{
	const struct kept *a = left;
	const struct kept *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

/* A note of officers who recovered the ledger, which decides nothing else.  If
 * operations were lost with it, those that build on them are found fault with:
 * the log does not have what would justify them. */
static bool is_recovery(struct span s)
{
	struct note n;

	return note_parse(s, &n) == SG_OK;
}

/* Did as many approve as had to?  NULL: yes; or why not. */
static const char *count_fault(const struct roll *r, const struct operation *o,
			       const struct approval_count *c)
{
	if (c->fault != NULL)
		return c->fault;
	if (o->kind == OPERATION_STOP)
		return c->signed_by_any ? NULL : "no officer has signed it";
	if (o->kind == OPERATION_GENESIS)
		return c->officers == r->n ? NULL
					   : "not all of its officers have "
					     "signed it";
	return c->officers >= r->threshold
		       ? NULL
		       : "fewer officers have approved it than the terms ask "
			 "for";
}

/* Is the operation in A->approved, A->operation approved?  *WHY as above. */
static enum sg_err judge_operation(struct approvals *a, struct span origin,
				   const char **why)
{
	const struct operation *o = &a->operation;
	const bool genesis = o->kind == OPERATION_GENESIS;
	const struct roll *r = genesis ? &o->roll : &a->roll;
	struct approval_count count;
	enum sg_err err;

	*why = NULL;
	if (!span_eq(o->origin, origin))
		*why = "it is for another ledger";
	else if (genesis && a->roll.n > 0)
		*why = "there were officers already";
	else if (!genesis && a->roll.n == 0)
		*why = "there were no officers yet";
	if (*why != NULL)
		return SG_OK;
	err = approval_judge(r, &a->approved, o, &count);
	if (err == SG_OK)
		*why = count_fault(r, o, &count);
	return err;
}

/* The operation at hand, of entry INDEX, is approved. */
static void take(struct approvals *a, uint64_t index)
{
	const struct operation *o = &a->operation;

	if (o->kind == OPERATION_GENESIS) {
		a->has_genesis = true;
		a->genesis = index;
	}
	if (o->kind == OPERATION_LOG_KEY) {
		a->has_log_key = true;
		a->log_key = index;
		memcpy(a->public_key, operation_ed25519(o),
		       sizeof(a->public_key));
	}
}

bool approvals_follow(const struct approvals *a, uint64_t trusted,
		      const struct note_key *to, uint64_t *entry,
		      const char **why)
{
	*why = NULL;
	if (!a->has_genesis || a->genesis >= trusted)
		*why = "the kept checkpoint is from before there were "
		       "officers, and nobody else can say whose its new key is";
	else if (!a->has_log_key)
		*why = "no officers have changed its key";
	else if (memcmp(a->public_key, to->public_key, sizeof(a->public_key)) !=
		 0)
		*why = "officers have changed its key for another one";
	*entry = a->log_key;
	return *why == NULL;
}

static int by_nonce(const void *left, const void *right)
{
	const struct kept *a = left;
	const struct kept *b = right;

	return memcmp(a->nonce, b->nonce, sizeof(a->nonce));
}

/* *FIRST: the first with the nonce of K, whose operation is decoded; K itself,
 * unless it was used before. */
static enum sg_err find_first(struct approvals *a, struct kept *k,
			      const struct kept **first)
{
	struct kept **found;

	memcpy(k->nonce, a->operation.nonce, sizeof(k->nonce));
	found = (struct kept **)tsearch(k, &a->nonces, by_nonce);
	if (found == NULL)
		return SG_NO_MEMORY;
	*first = *found;
	return SG_OK;
}

static void let_be(void *node)
{
	(void)node;
}

static enum sg_err judge_one(struct approvals *a, struct kept *k,
			     struct span origin, struct findings *f)
{
	const struct span bytes = span_of(k->p, k->n);
	const struct finding_place place = findings_entry(k->index);
	struct operation *o = &a->operation;
	const struct kept *first = NULL;
	const char *why;
	enum sg_err err;

	if (is_recovery(bytes))
		return SG_OK;
	if (approved_decode(bytes, &a->approved) != SG_OK ||
	    operation_decode(a->approved.operation, o, &why) != SG_OK) {
		findings_add(f, FINDING_OPERATION_UNAPPROVED, &place,
			     "it is no operation");
		return SG_OK;
	}
	err = find_first(a, k, &first);
	if (err != SG_OK)
		return err;
	/* After a failure of power it may be on record twice, which decides
	 * nothing more. */
	if (first != k && span_eq(bytes, span_of(first->p, first->n)))
		return SG_OK;
	err = judge_operation(a, origin, &why);
	if (err != SG_OK)
		return err;
	if (why == NULL && first != k)
		why = "its nonce was used before";
	if (why != NULL)
		findings_add(f, FINDING_OPERATION_UNAPPROVED, &place,
			     "%s %.*s: %s", operation_kind_name(o->kind),
			     (int)o->key.n, (const char *)o->key.p, why);
	else
		take(a, k->index);
	/* What was accepted is in force, rightly or not. */
	if (o->kind == OPERATION_GENESIS || o->kind == OPERATION_OFFICERS)
		a->roll = o->roll;
	return SG_OK;
}

enum sg_err approvals_judge(struct approvals *a, struct span origin,
			    struct findings *f)
{
	enum sg_err err = SG_OK;

	if (a->n > 0)
		qsort(a->list, a->n, sizeof(*a->list), by_index);
	a->roll.n = 0;
	for (size_t i = 0; err == SG_OK && i < a->n && !findings_full(f); i++)
		err = judge_one(a, &a->list[i], origin, f);
	tdestroy(a->nonces, let_be);
	a->nonces = NULL;
	if (a->more)
		findings_add(f, FINDING_OPERATION_UNAPPROVED, NULL,
			     "there are more operations than can be looked at");
	return err;
}
