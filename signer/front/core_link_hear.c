/* SPDX-License-Identifier: Apache-2.0 */
/* What the core says. */
#include <unistd.h>

#include "core_link_state.h"

/* Does M decode?  A problem answers any question. */
static bool answer_is_sound(const struct wire_msg *m)
{
	union {
		struct wire_issued issued;
		struct wire_problem problem;
		struct wire_later later;
		struct wire_answer answer;
	} u;

	switch (m->type) {
	case WIRE_ISSUED: return wire_get_issued(m, &u.issued) == SG_OK;
	case WIRE_LATER: return wire_get_later(m, &u.later) == SG_OK;
	case WIRE_ANSWER: return wire_get_answer(m, &u.answer) == SG_OK;
	default: return wire_get_problem(m, &u.problem) == SG_OK;
	}
}

static bool on_answer(struct core_link *l, const struct wire_msg *m)
{
	struct op *op;

	if (!answer_is_sound(m))
		return false;
	op = slots_find(l->slots, m->id);
	if (op == NULL)
		return false; /* never asked, or answered before */
	if (m->type != WIRE_PROBLEM &&
	    (m->type == WIRE_ANSWER) == (op->kind == KIND_ISSUE)) {
		core_link_finish(l, op, NULL, SG_CORE_DOWN);
		return false;
	}
	core_link_finish(l, op, m, SG_OK);
	return true;
}

/* A copy in BUF that outlives the message. */
static struct span keep(uint8_t buf[STATUS_TEXT_MAX], struct span text)
{
	const size_t n = text.n < STATUS_TEXT_MAX ? text.n : STATUS_TEXT_MAX;

	if (n > 0)
		memcpy(buf, text.p, n);
	return span_of(buf, n);
}

static bool on_status(struct core_link *l, const struct wire_msg *m)
{
	struct wire_status s;
	bool changed;

	if (wire_get_status(m, &s) != SG_OK)
		return false;
	/* The hash before a restart of the core counts too. */
	changed = l->has_hash && memcmp(s.policy_hash, l->status.policy_hash,
					sizeof(s.policy_hash)) != 0;
	s.reason = keep(l->text[0], s.reason);
	s.ledger_origin = keep(l->text[1], s.ledger_origin);
	s.remark = keep(l->text[2], s.remark);
	if (s.tls_key.n > 0) /* the message has no more than fits */
		memcpy(l->tls_key, s.tls_key.p, s.tls_key.n);
	s.tls_key.p = l->tls_key;
	l->status = s;
	l->has_status = true;
	l->has_hash = true;
	l->on_status(l->status_ctx, &l->status, changed);
	return true;
}

static bool on_credit(struct core_link *l, const struct wire_msg *m)
{
	struct wire_credit c;

	if (wire_get_credit(m, &c) != SG_OK)
		return false;
	l->credit = c.credit;
	return true;
}

bool core_link_hear(void *ctx, const struct wire_msg *m, const int *fds,
		    size_t n)
{
	struct core_link *l = (struct core_link *)ctx;

	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	if (n > 0)
		return false;
	switch (m->type) {
	case WIRE_CREDIT: return on_credit(l, m);
	case WIRE_STATUS: return on_status(l, m);
	case WIRE_ISSUED:
	case WIRE_PROBLEM:
	case WIRE_LATER:
	case WIRE_ANSWER: return on_answer(l, m);
	default: return false;
	}
}
