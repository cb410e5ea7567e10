/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"

#include "base/clock.h"

enum { PATIENCE_US = 5 * 1000 * 1000 };

#define SOMETHING SPAN_LIT("dsc-1")

/* A head alone, as wire.c has it. */
static void put_head(struct wire_packet *w, unsigned type)
{
	const struct {
		uint32_t size;
		uint16_t type, reserved;
		uint64_t id;
	} head = {.size = 16, .type = (uint16_t)type};

	memcpy(w->buf + w->len, &head, sizeof(head));
	w->len += sizeof(head);
}

static enum sg_err put_core(struct wire_packet *w, unsigned type)
{
	const struct wire_credit credit = {.credit = UINT32_MAX};
	const struct wire_issued issued = {.alg = -7, .cose = SOMETHING};
	const struct wire_problem problem = {.err = SG_BUSY};
	const struct wire_later later = {
		.wait_ms = 1, .per_second = 1, .request = SOMETHING};
	const struct wire_answer answer = {.document = SOMETHING};
	const struct wire_status status = {.ready = true};
	const struct wire_sign sign = {.deadline_us = UINT64_MAX,
				       .tbs = SOMETHING};
	const struct wire_anchor anchor = {.value = SOMETHING};
	const struct wire_find_key find = {.label = SOMETHING, .alg = -7};
	const struct wire_forge forge = {
		.task = WIRE_TASK_DESTROY, .alg = -7, .label = SOMETHING};
	const struct wire_cosign cosign = {.body = SOMETHING};
	/* A front's, but not where there is no such key. */
	const struct wire_handshake handshake = {.deadline_us = UINT64_MAX,
						 .content = SOMETHING};

	switch (type) {
	case WIRE_HANDSHAKE: return wire_put_handshake(w, 1, &handshake);
	case WIRE_CREDIT: return wire_put_credit(w, &credit);
	case WIRE_ISSUED: return wire_put_issued(w, 1, &issued);
	case WIRE_PROBLEM: return wire_put_problem(w, 1, &problem);
	case WIRE_LATER: return wire_put_later(w, 1, &later);
	case WIRE_ANSWER: return wire_put_answer(w, 1, &answer);
	case WIRE_STATUS: return wire_put_status(w, &status);
	case WIRE_SIGN: return wire_put_sign(w, 1, &sign);
	case WIRE_ANCHOR: return wire_put_anchor(w, 1, &anchor);
	case WIRE_FIND_KEY: return wire_put_find_key(w, 1, &find);
	case WIRE_FORGE: return wire_put_forge(w, 1, &forge);
	case WIRE_COSIGN: return wire_put_cosign(w, 1, &cosign);
	default: return SG_NOT_FOUND;
	}
}

static enum sg_err put_vault(struct wire_packet *w, unsigned type)
{
	static struct wire_hsm_ready ready;
	const struct wire_signed good = {.signature = SOMETHING};
	const struct wire_sign_failed failed = {.ckr = 5};
	const struct wire_anchored anchored = {.ok = true, .value = SOMETHING};
	const struct wire_found_key found = {
		.ok = true, .key = {.alg = -7, .label = SOMETHING}};
	const struct wire_forged forged = {.ok = true, .spki = SOMETHING};
	const struct wire_cosigned cosigned = {.status = 200};

	ready.hsm = SPAN_LIT("demo");
	ready.sessions = UINT32_MAX;
	switch (type) {
	case WIRE_HSM_READY: return wire_put_hsm_ready(w, &ready);
	case WIRE_SIGNED: return wire_put_signed(w, 1, &good);
	case WIRE_SIGN_FAILED: return wire_put_sign_failed(w, 1, &failed);
	case WIRE_ANCHORED: return wire_put_anchored(w, 1, &anchored);
	case WIRE_FOUND_KEY: return wire_put_found_key(w, 1, &found);
	case WIRE_FORGED: return wire_put_forged(w, 1, &forged);
	case WIRE_COSIGNED: return wire_put_cosigned(w, 1, &cosigned);
	default: return SG_NOT_FOUND;
	}
}

static enum sg_err put_supervisor(struct wire_packet *w, unsigned type)
{
	const struct wire_link link = {.role = WIRE_HSM};
	const struct wire_reloaded reloaded = {.ok = true};
	const struct wire_peer_bad bad = {.role = WIRE_HSM};

	switch (type) {
	case WIRE_LINK: return wire_put_link(w, &link);
	case WIRE_PAGE: return wire_put_page(w, &link);
	case WIRE_RELOAD:
	case WIRE_DRAIN:
	case WIRE_UP: return wire_put_bare(w, (enum wire_type)type);
	case WIRE_RELOADED: return wire_put_reloaded(w, &reloaded);
	case WIRE_PEER_BAD: return wire_put_peer_bad(w, &bad);
	default: return SG_NOT_FOUND;
	}
}

void messages_put_type(struct wire_packet *w, unsigned type)
{
	if (put_core(w, type) != SG_OK && put_vault(w, type) != SG_OK &&
	    put_supervisor(w, type) != SG_OK)
		put_head(w, type);
}

void messages_put_issue(struct wire_packet *w, uint64_t id,
			const struct evil *e)
{
	const struct wire_issue m = {.deadline_us =
					     clock_mono_us() + PATIENCE_US,
				     .dry_run = e->dry_run,
				     .renew = e->renew,
				     .identity = e->who,
				     .request = e->request,
				     .presented = e->presented,
				     .signature = e->signature};

	(void)!wire_put_issue(w, id, &m);
}

void messages_put_ask(struct wire_packet *w, uint64_t id,
		      enum wire_question question, const struct evil *e)
{
	const struct wire_ask m = {.question = (uint8_t)question,
				   .identity = e->who};

	(void)!wire_put_ask(w, id, &m);
}
