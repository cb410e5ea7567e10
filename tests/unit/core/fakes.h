/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CORE_FAKES_H
#define TEST_CORE_FAKES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/clock.h"
#include "fake_hsm.h"
#include "ipc/channel.h"
#include "request.h"

/*
 * fakes: the other ends of the desk's links: hsms (fake_hsm.h), and fronts that
 * ask and remember what they were told.
 */
enum { ANSWERS_MAX = 1024 };

struct answer {
	enum wire_type type;
	uint64_t id;
	enum sg_err err;
	char detail[128];
	char code[64];	  /* of the first violation */
	char pointer[80]; /* likewise */
	char violation_detail[256];
	struct wire_issued issued; /* spans point to cose, uvci */
	uint8_t cose[8192];
	char uvci[128];
	size_t nviolations;
	uint32_t retry_after_s;
	uint32_t wait_ms, per_second; /* of a WIRE_LATER */
	bool same;		      /* it has the bytes of the last request */
};

struct fake_front {
	struct channel *channel;
	size_t n;
	struct answer answer[ANSWERS_MAX];
	uint32_t credit;
	bool has_status, ready, remarked;
	size_t statuses;
	uint8_t policy_hash[32];
	uint8_t sent[4096]; /* the last request */
	size_t sent_n;
	uint8_t *document; /* of the last WIRE_ANSWER */
	size_t document_n;
	bool ended;
};

/* --- front -------------------------------------------------------------- */

static inline void answer_take_violations(struct answer *a, struct span rest)
{
	struct wire_violation v;

	while (wire_violation_next(&rest, &v) == SG_OK) {
		if (a->nviolations++ > 0)
			continue;
		(void)snprintf(a->code, sizeof(a->code), "%.*s", (int)v.code.n,
			       (const char *)v.code.p);
		(void)snprintf(a->pointer, sizeof(a->pointer), "%.*s",
			       (int)v.pointer.n, (const char *)v.pointer.p);
		(void)snprintf(a->violation_detail, sizeof(a->violation_detail),
			       "%.*s", (int)v.detail.n,
			       (const char *)v.detail.p);
	}
}

static inline void front_take_issued(struct answer *a, const struct wire_msg *m)
{
	assert_int_equal(wire_get_issued(m, &a->issued), SG_OK);
	assert_true(a->issued.cose.n <= sizeof(a->cose));
	assert_true(a->issued.uvci.n < sizeof(a->uvci));
	if (a->issued.cose.n > 0)
		memcpy(a->cose, a->issued.cose.p, a->issued.cose.n);
	a->issued.cose.p = a->cose;
	(void)snprintf(a->uvci, sizeof(a->uvci), "%.*s", (int)a->issued.uvci.n,
		       (const char *)a->issued.uvci.p);
	answer_take_violations(a, a->issued.violations);
}

static inline void front_take_problem(struct answer *a,
				      const struct wire_msg *m)
{
	struct wire_problem p;

	assert_int_equal(wire_get_problem(m, &p), SG_OK);
	a->err = (enum sg_err)p.err;
	a->retry_after_s = p.retry_after_s;
	assert_int_equal(p.retry_after_s > 0, err_retry(a->err));
	(void)snprintf(a->detail, sizeof(a->detail), "%.*s", (int)p.detail.n,
		       (const char *)p.detail.p);
	answer_take_violations(a, p.violations);
}

static inline void front_take_later(const struct fake_front *f,
				    struct answer *a, const struct wire_msg *m)
{
	struct wire_later l;

	assert_int_equal(wire_get_later(m, &l), SG_OK);
	a->wait_ms = l.wait_ms;
	a->per_second = l.per_second;
	a->same = span_eq(l.request, span_of(f->sent, f->sent_n));
}

static inline void front_take_status(struct fake_front *f,
				     const struct wire_msg *m)
{
	struct wire_status s;

	assert_int_equal(wire_get_status(m, &s), SG_OK);
	assert_int_equal(s.ready, s.reason.n == 0);
	f->has_status = true;
	f->statuses++;
	f->ready = s.ready;
	f->remarked = s.remark.n > 0;
	memcpy(f->policy_hash, s.policy_hash, sizeof(f->policy_hash));
}

static inline void front_take_answer(struct fake_front *f,
				     const struct wire_msg *m)
{
	struct wire_answer a;

	assert_int_equal(wire_get_answer(m, &a), SG_OK);
	free(f->document);
	f->document = malloc(a.document.n + 1);
	assert_non_null(f->document);
	if (a.document.n > 0)
		memcpy(f->document, a.document.p, a.document.n);
	f->document_n = a.document.n;
}

static inline bool front_on_message(void *ctx, const struct wire_msg *m,
				    const int *fds, size_t n)
{
	struct fake_front *f = ctx;
	struct answer *a = &f->answer[f->n];
	struct wire_credit credit;

	(void)fds;
	assert_int_equal(n, 0);
	if (m->type == WIRE_CREDIT) {
		assert_int_equal(wire_get_credit(m, &credit), SG_OK);
		f->credit = credit.credit;
		return true;
	}
	if (m->type == WIRE_STATUS) {
		front_take_status(f, m);
		return true;
	}
	assert_true(f->n < ANSWERS_MAX);
	*a = (struct answer){.type = m->type, .id = m->id};
	if (m->type == WIRE_ISSUED)
		front_take_issued(a, m);
	else if (m->type == WIRE_PROBLEM)
		front_take_problem(a, m);
	else if (m->type == WIRE_LATER)
		front_take_later(f, a, m);
	else if (m->type == WIRE_ANSWER)
		front_take_answer(f, m);
	else
		fail_msg("message %d", m->type);
	f->n++;
	return true;
}

static inline void front_on_end(void *ctx, bool bad)
{
	struct fake_front *f = ctx;

	assert_false(bad);
	f->ended = true;
}

static inline void front_clear(struct fake_front *f)
{
	channel_close(f->channel);
	free(f->document);
	f->channel = NULL;
	f->document = NULL;
}

static inline void front_send(struct fake_front *f, uint64_t id,
			      const struct ask *a, struct span request)
{
	uint8_t identity[IDENTITY_BYTES_MAX];
	const size_t n = identity_make(a->identity != NULL ? a->identity
							   : "urn:test:issuer",
				       identity, sizeof(identity));
	const struct wire_issue m = {
		.deadline_us = clock_mono_us() +
			       (a->within_us > 0 ? a->within_us : 5000000),
		.dry_run = a->dry_run,
		.renew = a->renew,
		.bulk = a->bulk,
		.language = a->vietnamese ? WIRE_VIETNAMESE : WIRE_ENGLISH,
		.identity = span_of(identity, n),
		.request = request,
		.presented = a->presented};
	struct wire_packet *w = channel_room(f->channel, 1536 + request.n);

	assert_non_null(w);
	assert_int_equal(wire_put_issue(w, id, &m), SG_OK);
}

static inline void front_issue(struct fake_front *f, uint64_t id,
			       const struct ask *a)
{
	f->sent_n = request_make(a, f->sent, sizeof(f->sent));
	front_send(f, id, a, span_of(f->sent, f->sent_n));
}

static inline void front_ask(struct fake_front *f, uint64_t id,
			     enum wire_question question, const char *uri)
{
	uint8_t identity[IDENTITY_BYTES_MAX];
	const size_t n = identity_make(uri, identity, sizeof(identity));
	const struct wire_ask m = {.question = (uint8_t)question,
				   .identity = span_of(identity, n)};
	struct wire_packet *w = channel_room(f->channel, 1024);

	assert_non_null(w);
	assert_int_equal(wire_put_ask(w, id, &m), SG_OK);
}

/* The answer to ID; NULL: there is none. */
static inline struct answer *front_answer(struct fake_front *f, uint64_t id)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->answer[i].id == id)
			return &f->answer[i];
	return NULL;
}

#endif /* TEST_CORE_FAKES_H */
