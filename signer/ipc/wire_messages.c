/* SPDX-License-Identifier: Apache-2.0 */
#include "base/identity.h"
#include "wire.h"
#include "wire_codec.h"

/*
 * The fields of each message, in the order in which they are sent: one
 * visit_NAME() a message, from which WIRE_MESSAGE makes wire_put_NAME() and
 * wire_get_NAME().
 */

static void visit_issue(struct wire_codec *c, struct wire_issue *m)
{
	codec_u64(c, &m->deadline_us);
	codec_bool(c, &m->dry_run);
	codec_bool(c, &m->renew);
	if (m->dry_run && m->renew)
		c->fault = true;
	codec_bool(c, &m->bulk);
	codec_enum(c, &m->language, WIRE_LANGUAGE_COUNT);
	codec_run(c, &m->identity, IDENTITY_BYTES_MAX);
	codec_run(c, &m->request, WIRE_REQUEST_MAX);
	codec_run(c, &m->presented, WIRE_PRESENTED_MAX);
	codec_run(c, &m->signature, WIRE_SIGNATURE_MAX);
	codec_u64(c, &m->name);
	codec_u32(c, &m->line);
}

static void visit_ask(struct wire_codec *c, struct wire_ask *m)
{
	codec_enum(c, &m->question, WIRE_QUESTION_COUNT);
	codec_u64(c, &m->index);
	codec_run(c, &m->identity, IDENTITY_BYTES_MAX);
	codec_u64(c, &m->name);
}

static void visit_operate(struct wire_codec *c, struct wire_operate *m)
{
	codec_run(c, &m->identity, IDENTITY_BYTES_MAX);
	codec_run(c, &m->operation, WIRE_OPERATION_MAX);
	codec_u64(c, &m->name);
}

static void visit_handshake(struct wire_codec *c, struct wire_handshake *m)
{
	codec_u64(c, &m->deadline_us);
	codec_run(c, &m->content, WIRE_HANDSHAKE_MAX);
	codec_u64(c, &m->name);
}

static void visit_credit(struct wire_codec *c, struct wire_credit *m)
{
	codec_u32(c, &m->credit);
}

static void visit_issued(struct wire_codec *c, struct wire_issued *m)
{
	codec_bool(c, &m->dry_run);
	codec_bool(c, &m->replayed);
	codec_i32(c, &m->alg);
	codec_i64(c, &m->iat);
	codec_i64(c, &m->exp);
	codec_i64(c, &m->ledger_index);
	codec_raw(c, m->kid, sizeof(m->kid));
	codec_run(c, &m->cose, WIRE_PACKET_MAX);
	codec_run(c, &m->uvci, WIRE_PACKET_MAX);
	codec_run(c, &m->violations, WIRE_PACKET_MAX);
}

static void visit_problem(struct wire_codec *c, struct wire_problem *m)
{
	codec_u16(c, &m->err);
	if (m->err == SG_OK || m->err >= SG_ERR_COUNT)
		c->fault = true;
	codec_u32(c, &m->retry_after_s);
	codec_run(c, &m->detail, WIRE_PACKET_MAX);
	codec_run(c, &m->violations, WIRE_PACKET_MAX);
}

static void visit_later(struct wire_codec *c, struct wire_later *m)
{
	codec_u32(c, &m->wait_ms);
	codec_u32(c, &m->per_second);
	if (m->wait_ms == 0 || m->per_second == 0)
		c->fault = true;
	codec_run(c, &m->request, WIRE_REQUEST_MAX);
	codec_run(c, &m->presented, WIRE_PRESENTED_MAX);
	codec_run(c, &m->signature, WIRE_SIGNATURE_MAX);
}

static void visit_answer(struct wire_codec *c, struct wire_answer *m)
{
	codec_run(c, &m->document, WIRE_PACKET_MAX);
}

static void visit_status(struct wire_codec *c, struct wire_status *m)
{
	codec_bool(c, &m->ready);
	codec_run(c, &m->reason, WIRE_PACKET_MAX);
	codec_raw(c, m->policy_hash, sizeof(m->policy_hash));
	codec_run(c, &m->ledger_origin, WIRE_PACKET_MAX);
	codec_run(c, &m->remark, WIRE_PACKET_MAX);
	codec_run(c, &m->tls_key, WIRE_SPKI_MAX);
}

static void visit_sign(struct wire_codec *c, struct wire_sign *m)
{
	codec_u16(c, &m->key);
	codec_u64(c, &m->deadline_us);
	codec_run(c, &m->tbs, WIRE_PACKET_MAX);
	codec_u64(c, &m->name);
	codec_u32(c, &m->line);
}

static void visit_hsm_key(struct wire_codec *c, struct wire_hsm_key *k)
{
	codec_u16(c, &k->key);
	codec_i32(c, &k->alg);
	codec_run(c, &k->label, WIRE_PACKET_MAX);
	codec_run(c, &k->certificate, WIRE_PACKET_MAX);
	codec_run(c, &k->spki, WIRE_PACKET_MAX);
}

static void visit_hsm_ready(struct wire_codec *c, struct wire_hsm_ready *m)
{
	codec_run(c, &m->hsm, WIRE_LABEL_MAX);
	codec_u32(c, &m->sessions);
	codec_u32(c, &m->nkeys);
	if (c->fault || m->nkeys > WIRE_HSM_KEYS_MAX) {
		c->fault = true;
		return;
	}
	for (uint32_t i = 0; i < m->nkeys; i++)
		visit_hsm_key(c, &m->key[i]);
}

static void visit_signed(struct wire_codec *c, struct wire_signed *m)
{
	codec_u32(c, &m->queue_us);
	codec_u32(c, &m->sign_us);
	codec_run(c, &m->signature, WIRE_PACKET_MAX);
}

static void visit_sign_failed(struct wire_codec *c, struct wire_sign_failed *m)
{
	codec_u64(c, &m->ckr);
	codec_bool(c, &m->expired);
}

static void visit_anchor(struct wire_codec *c, struct wire_anchor *m)
{
	codec_u16(c, &m->key);
	codec_run(c, &m->value, WIRE_ANCHOR_MAX);
}

static void visit_anchored(struct wire_codec *c, struct wire_anchored *m)
{
	codec_bool(c, &m->ok);
	codec_u64(c, &m->ckr);
	codec_run(c, &m->value, WIRE_ANCHOR_MAX);
}

static void visit_find_key(struct wire_codec *c, struct wire_find_key *m)
{
	codec_run(c, &m->label, WIRE_LABEL_MAX);
	codec_i32(c, &m->alg);
}

static void visit_found_key(struct wire_codec *c, struct wire_found_key *m)
{
	codec_bool(c, &m->ok);
	visit_hsm_key(c, &m->key);
}

static void visit_forge(struct wire_codec *c, struct wire_forge *m)
{
	codec_enum(c, &m->task, WIRE_TASK_COUNT);
	codec_raw(c, &m->kinds, sizeof(m->kinds));
	codec_i32(c, &m->alg);
	codec_u32(c, &m->bits);
	codec_run(c, &m->label, WIRE_LABEL_MAX);
	codec_run(c, &m->subject, WIRE_SUBJECT_MAX);
	codec_run(c, &m->spki, WIRE_PACKET_MAX);
}

static void visit_forged(struct wire_codec *c, struct wire_forged *m)
{
	codec_bool(c, &m->ok);
	codec_u64(c, &m->ckr);
	codec_run(c, &m->reason, WIRE_PACKET_MAX);
	codec_run(c, &m->spki, WIRE_PACKET_MAX);
	codec_run(c, &m->csr, WIRE_PACKET_MAX);
}

static void visit_cosign(struct wire_codec *c, struct wire_cosign *m)
{
	codec_u16(c, &m->witness);
	codec_u64(c, &m->deadline_us);
	codec_run(c, &m->body, WIRE_PACKET_MAX);
}

static void visit_cosigned(struct wire_codec *c, struct wire_cosigned *m)
{
	codec_u16(c, &m->status);
	codec_run(c, &m->type, WIRE_PACKET_MAX);
	codec_run(c, &m->body, WIRE_PACKET_MAX);
	codec_run(c, &m->reason, WIRE_PACKET_MAX);
}

static void visit_link(struct wire_codec *c, struct wire_link *m)
{
	codec_enum(c, &m->role, WIRE_ROLE_COUNT);
	codec_u16(c, &m->slot);
}

static void visit_reloaded(struct wire_codec *c, struct wire_reloaded *m)
{
	codec_bool(c, &m->ok);
	codec_run(c, &m->reason, WIRE_PACKET_MAX);
}

static void visit_peer_bad(struct wire_codec *c, struct wire_peer_bad *m)
{
	codec_enum(c, &m->role, WIRE_ROLE_COUNT);
	codec_u16(c, &m->slot);
	codec_bool(c, &m->left);
	codec_u64(c, &m->linked_us);
}

/* Spans are only borrowed: a shallow copy gives the visitor something that it
 * could write to. */
#define WIRE_PUT(NAME, TYPE, ID)                                               \
	struct wire_codec c = wire_begin(w);                                   \
	struct wire_##NAME copy = *m;                                          \
                                                                               \
	visit_##NAME(&c, &copy);                                               \
	return wire_finish(w, &c, TYPE, ID)

#define WIRE_GET(NAME, TYPE)                                                   \
	enum sg_err wire_get_##NAME(const struct wire_msg *m,                  \
				    struct wire_##NAME *out)                   \
	{                                                                      \
		struct wire_codec c = wire_reader(m->body);                    \
                                                                               \
		if (m->type != (TYPE))                                         \
			return SG_MALFORMED;                                   \
		*out = (struct wire_##NAME){0};                                \
		visit_##NAME(&c, out);                                         \
		return codec_read_end(&c);                                     \
	}

#define WIRE_MESSAGE(NAME, TYPE)                                               \
	enum sg_err wire_put_##NAME(struct wire_packet *w,                     \
				    const struct wire_##NAME *m)               \
	{                                                                      \
		WIRE_PUT(NAME, TYPE, 0);                                       \
	}                                                                      \
	WIRE_GET(NAME, TYPE)

#define WIRE_REQUEST(NAME, TYPE)                                               \
	enum sg_err wire_put_##NAME(struct wire_packet *w, uint64_t id,        \
				    const struct wire_##NAME *m)               \
	{                                                                      \
		WIRE_PUT(NAME, TYPE, id);                                      \
	}                                                                      \
	WIRE_GET(NAME, TYPE)

WIRE_REQUEST(issue, WIRE_ISSUE)
WIRE_REQUEST(ask, WIRE_ASK)
WIRE_REQUEST(operate, WIRE_OPERATE)
WIRE_REQUEST(handshake, WIRE_HANDSHAKE)
WIRE_MESSAGE(credit, WIRE_CREDIT)
WIRE_REQUEST(issued, WIRE_ISSUED)
WIRE_REQUEST(problem, WIRE_PROBLEM)
WIRE_REQUEST(later, WIRE_LATER)
WIRE_REQUEST(answer, WIRE_ANSWER)
WIRE_MESSAGE(status, WIRE_STATUS)
WIRE_REQUEST(sign, WIRE_SIGN)
WIRE_MESSAGE(hsm_ready, WIRE_HSM_READY)
WIRE_REQUEST(signed, WIRE_SIGNED)
WIRE_REQUEST(sign_failed, WIRE_SIGN_FAILED)
WIRE_REQUEST(anchor, WIRE_ANCHOR)
WIRE_REQUEST(anchored, WIRE_ANCHORED)
WIRE_REQUEST(find_key, WIRE_FIND_KEY)
WIRE_REQUEST(found_key, WIRE_FOUND_KEY)
WIRE_REQUEST(forge, WIRE_FORGE)
WIRE_REQUEST(forged, WIRE_FORGED)
WIRE_REQUEST(cosign, WIRE_COSIGN)
WIRE_REQUEST(cosigned, WIRE_COSIGNED)
WIRE_MESSAGE(reloaded, WIRE_RELOADED)
WIRE_MESSAGE(peer_bad, WIRE_PEER_BAD)

/* Two messages of one shape. */
enum sg_err wire_put_link(struct wire_packet *w, const struct wire_link *m)
{
	WIRE_PUT(link, WIRE_LINK, 0);
}

enum sg_err wire_put_page(struct wire_packet *w, const struct wire_link *m)
{
	WIRE_PUT(link, WIRE_PAGE, 0);
}

enum sg_err wire_get_link(const struct wire_msg *m, struct wire_link *out)
{
	struct wire_codec c = wire_reader(m->body);

	if (m->type != WIRE_LINK && m->type != WIRE_PAGE)
		return SG_MALFORMED;
	*out = (struct wire_link){0};
	visit_link(&c, out);
	return codec_read_end(&c);
}
