/* SPDX-License-Identifier: Apache-2.0 */
/* A packet from another process: every reader, on every message. */
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
	struct wire_violation v;

	while (wire_violation_next(&list, &v) == SG_OK) {
		touch(v.pointer);
		touch(v.code);
		touch(v.detail);
	}
}

/* What was read must be writable, and the same bytes again. */
static void again(const struct wire_msg *m, const struct wire_packet *w)
{
	struct span rest = span_of(w->buf, w->len);
	struct wire_msg back;

	if (wire_next(&rest, &back) != SG_OK || back.type != m->type ||
	    back.id != m->id || !span_eq(back.body, m->body))
		abort();
}

static void read_requests(const struct wire_msg *m, struct wire_packet *w)
{
	struct wire_issue issue;
	struct wire_ask ask;
	struct wire_sign sign;

	if (wire_get_issue(m, &issue) == SG_OK) {
		touch(issue.identity);
		touch(issue.request);
		touch(issue.presented);
		touch(issue.signature);
		if (wire_put_issue(w, m->id, &issue) != SG_OK)
			abort();
		again(m, w);
	}
	if (wire_get_ask(m, &ask) == SG_OK)
		touch(ask.identity);
	if (wire_get_sign(m, &sign) == SG_OK)
		touch(sign.tbs);
}

static void read_answers(const struct wire_msg *m, struct wire_packet *w)
{
	struct wire_issued issued;
	struct wire_problem problem;
	struct wire_later later;
	struct wire_answer answer;
	struct wire_signed done;
	struct wire_sign_failed failed;

	if (wire_get_issued(m, &issued) == SG_OK) {
		touch(issued.cose);
		touch(issued.uvci);
		touch_violations(issued.violations);
		if (wire_put_issued(w, m->id, &issued) != SG_OK)
			abort();
		again(m, w);
	}
	if (wire_get_problem(m, &problem) == SG_OK) {
		touch(problem.detail);
		touch_violations(problem.violations);
	}
	if (wire_get_later(m, &later) == SG_OK) {
		touch(later.request);
		touch(later.presented);
		touch(later.signature);
		if (wire_put_later(w, m->id, &later) != SG_OK)
			abort();
		again(m, w);
	}
	if (wire_get_answer(m, &answer) == SG_OK)
		touch(answer.document);
	if (wire_get_signed(m, &done) == SG_OK)
		touch(done.signature);
	(void)!wire_get_sign_failed(m, &failed);
}

static void read_keys(const struct wire_msg *m, struct wire_packet *w)
{
	struct wire_operate operate;
	struct wire_find_key find;
	struct wire_found_key found;
	struct wire_forge forge;
	struct wire_forged forged;

	if (wire_get_operate(m, &operate) == SG_OK) {
		touch(operate.identity);
		touch(operate.operation);
	}
	if (wire_get_find_key(m, &find) == SG_OK)
		touch(find.label);
	if (wire_get_found_key(m, &found) == SG_OK) {
		touch(found.key.label);
		touch(found.key.certificate);
		touch(found.key.spki);
		if (wire_put_found_key(w, m->id, &found) != SG_OK)
			abort();
		again(m, w);
	}
	if (wire_get_forge(m, &forge) == SG_OK) {
		touch(forge.label);
		touch(forge.subject);
		touch(forge.spki);
		if (wire_put_forge(w, m->id, &forge) != SG_OK)
			abort();
		again(m, w);
	}
	if (wire_get_forged(m, &forged) == SG_OK) {
		touch(forged.reason);
		touch(forged.spki);
		touch(forged.csr);
	}
}

static void read_rest(const struct wire_msg *m, struct wire_packet *w)
{
	static struct wire_hsm_ready ready;
	struct wire_credit credit;
	struct wire_status status;
	struct wire_link link;
	struct wire_reloaded reloaded;
	struct wire_peer_bad bad;

	if (wire_get_hsm_ready(m, &ready) == SG_OK) {
		for (uint32_t i = 0; i < ready.nkeys; i++) {
			touch(ready.key[i].label);
			touch(ready.key[i].certificate);
			touch(ready.key[i].spki);
		}
		if (wire_put_hsm_ready(w, &ready) != SG_OK)
			abort();
		again(m, w);
	}
	if (wire_get_status(m, &status) == SG_OK) {
		touch(status.reason);
		touch(status.ledger_origin);
	}
	if (wire_get_reloaded(m, &reloaded) == SG_OK)
		touch(reloaded.reason);
	(void)!wire_get_credit(m, &credit);
	(void)!wire_get_link(m, &link);
	(void)!wire_get_peer_bad(m, &bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[WIRE_PACKET_MAX];
	struct span rest = span_of(data, size);
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	struct wire_msg m;

	while (wire_next(&rest, &m) == SG_OK) {
		w.len = 0;
		read_requests(&m, &w);
		read_answers(&m, &w);
		read_keys(&m, &w);
		read_rest(&m, &w);
	}
	return 0;
}
