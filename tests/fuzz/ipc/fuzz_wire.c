/* SPDX-License-Identifier: Apache-2.0 */
/* A packet from another process: every reader, on every message, in whatever
 * direction it is sent. */
#include <stdlib.h>

#include "ipc/wire.h"

/* The fuzzer's name for it. */
/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

/* Touch both ends, so that a span outside of the packet is seen. */
static void touch(struct span s)
{
	if (s.n > 0)
		sink = (uint8_t)(s.p[0] ^ s.p[s.n - 1]);
}

static void touch_violations(struct span list)
{
	static uint8_t buf[WIRE_PACKET_MAX];
	struct wire_violation v;
	size_t n = 0;

	while (wire_violation_next(&list, &v) == SG_OK) {
		touch(v.pointer);
		touch(v.code);
		touch(v.detail);
		if (wire_violation_put(buf, sizeof(buf), &n, &v) != SG_OK)
			abort();
	}
}

/* What was read must be writable, and the same bytes again. */
static void again(const struct wire_msg *m, struct wire_packet *w,
		  enum sg_err err)
{
	struct span rest = span_of(w->buf, w->len);
	struct wire_msg back;

	if (err != SG_OK || wire_next(&rest, &back) != SG_OK ||
	    back.type != m->type || back.id != m->id ||
	    !span_eq(back.body, m->body))
		abort();
	w->len = 0;
	/* Where there is no room nothing is written. */
	w->cap = m->body.n;
}

/* Read M as NAME, and then write it, with an id or without, and once more
 * where there is no room for it. */
#define READ(NAME, PUT)                                                        \
	do {                                                                   \
		static struct wire_##NAME got;                                 \
		struct wire_packet room = {.buf = buf, .cap = sizeof(buf)};    \
                                                                               \
		if (wire_get_##NAME(m, &got) != SG_OK)                         \
			break;                                                 \
		look_at_##NAME(&got);                                          \
		again(m, &room, PUT(&room, m->id, &got));                      \
		if (PUT(&room, m->id, &got) != SG_TOO_BIG || room.len != 0)    \
			abort();                                               \
	} while (0)

/* Of messages that belong to no request. */
#define WITHOUT_ID(NAME)                                                       \
	static enum sg_err put_##NAME(struct wire_packet *w, uint64_t id,      \
				      const struct wire_##NAME *m)             \
	{                                                                      \
		if (id != 0)                                                   \
			abort();                                               \
		return wire_put_##NAME(w, m);                                  \
	}

WITHOUT_ID(credit)
WITHOUT_ID(status)
WITHOUT_ID(hsm_ready)
WITHOUT_ID(reloaded)
WITHOUT_ID(peer_bad)

/* --- what each has of spans ----------------------------------------------- */

static void look_at_issue(const struct wire_issue *m)
{
	touch(m->identity);
	touch(m->request);
	touch(m->presented);
	touch(m->signature);
}

static void look_at_ask(const struct wire_ask *m)
{
	touch(m->identity);
}

static void look_at_operate(const struct wire_operate *m)
{
	touch(m->identity);
	touch(m->operation);
}

static void look_at_handshake(const struct wire_handshake *m)
{
	touch(m->content);
}

static void look_at_credit(const struct wire_credit *m)
{
	(void)m;
}

static void look_at_issued(const struct wire_issued *m)
{
	touch(m->cose);
	touch(m->uvci);
	touch_violations(m->violations);
}

static void look_at_problem(const struct wire_problem *m)
{
	touch(m->detail);
	touch_violations(m->violations);
}

static void look_at_later(const struct wire_later *m)
{
	touch(m->request);
	touch(m->presented);
	touch(m->signature);
}

static void look_at_answer(const struct wire_answer *m)
{
	touch(m->document);
}

static void look_at_status(const struct wire_status *m)
{
	touch(m->reason);
	touch(m->ledger_origin);
	touch(m->remark);
}

static void look_at_sign(const struct wire_sign *m)
{
	touch(m->tbs);
}

static void look_at_key(const struct wire_hsm_key *k)
{
	touch(k->label);
	touch(k->certificate);
	touch(k->spki);
}

static void look_at_hsm_ready(const struct wire_hsm_ready *m)
{
	touch(m->hsm);
	for (uint32_t i = 0; i < m->nkeys; i++)
		look_at_key(&m->key[i]);
}

static void look_at_signed(const struct wire_signed *m)
{
	touch(m->signature);
}

static void look_at_sign_failed(const struct wire_sign_failed *m)
{
	(void)m;
}

static void look_at_anchor(const struct wire_anchor *m)
{
	touch(m->value);
}

static void look_at_anchored(const struct wire_anchored *m)
{
	touch(m->value);
}

static void look_at_find_key(const struct wire_find_key *m)
{
	touch(m->label);
}

static void look_at_found_key(const struct wire_found_key *m)
{
	look_at_key(&m->key);
}

static void look_at_forge(const struct wire_forge *m)
{
	touch(m->label);
	touch(m->subject);
	touch(m->spki);
}

static void look_at_forged(const struct wire_forged *m)
{
	touch(m->reason);
	touch(m->spki);
	touch(m->csr);
}

static void look_at_cosign(const struct wire_cosign *m)
{
	touch(m->body);
}

static void look_at_cosigned(const struct wire_cosigned *m)
{
	touch(m->type);
	touch(m->body);
	touch(m->reason);
}

static void look_at_reloaded(const struct wire_reloaded *m)
{
	touch(m->reason);
}

static void look_at_peer_bad(const struct wire_peer_bad *m)
{
	(void)m;
}

/* --- each, between whom it is sent ---------------------------------------- */

static uint8_t buf[WIRE_PACKET_MAX];

static void read_front(const struct wire_msg *m)
{
	READ(issue, wire_put_issue);
	READ(ask, wire_put_ask);
	READ(operate, wire_put_operate);
	READ(handshake, wire_put_handshake);
	READ(credit, put_credit);
	READ(issued, wire_put_issued);
	READ(problem, wire_put_problem);
	READ(later, wire_put_later);
	READ(answer, wire_put_answer);
	READ(status, put_status);
}

static void read_hsm(const struct wire_msg *m)
{
	READ(sign, wire_put_sign);
	READ(anchor, wire_put_anchor);
	READ(find_key, wire_put_find_key);
	READ(hsm_ready, put_hsm_ready);
	READ(signed, wire_put_signed);
	READ(sign_failed, wire_put_sign_failed);
	READ(anchored, wire_put_anchored);
	READ(found_key, wire_put_found_key);
	READ(forge, wire_put_forge);
	READ(forged, wire_put_forged);
}

static void read_others(const struct wire_msg *m)
{
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	struct wire_link link;

	READ(cosign, wire_put_cosign);
	READ(cosigned, wire_put_cosigned);
	READ(reloaded, put_reloaded);
	READ(peer_bad, put_peer_bad);
	if (wire_get_link(m, &link) == SG_OK)
		again(m, &w,
		      m->type == WIRE_LINK ? wire_put_link(&w, &link)
					   : wire_put_page(&w, &link));
	if (m->type == WIRE_RELOAD || m->type == WIRE_DRAIN ||
	    m->type == WIRE_UP)
		again(m, &w, wire_put_bare(&w, m->type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size);
	struct wire_msg m;

	while (wire_next(&rest, &m) == SG_OK) {
		read_front(&m);
		read_hsm(&m);
		read_others(&m);
	}
	return 0;
}
