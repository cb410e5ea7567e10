/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "wire_codec.h"

/*
 * The head of a message.  SIZE counts head and body, without the padding that
 * brings the next message to a multiple of ALIGN.
 */
struct head {
	uint32_t size; /* bytes */
	uint16_t type;
	uint16_t reserved; /* zero */
	uint64_t id;
};

enum { ALIGN = 8, HEAD_BYTES = 16 };

_Static_assert(sizeof(struct head) == HEAD_BYTES, "the head has no holes");
_Static_assert(WIRE_PACKET_MAX % ALIGN == 0, "a full packet ends aligned");

static size_t padded(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static bool has_id(enum wire_type type)
{
	switch (type) {
	case WIRE_ISSUE:
	case WIRE_ASK:
	case WIRE_ISSUED:
	case WIRE_PROBLEM:
	case WIRE_LATER:
	case WIRE_ANSWER:
	case WIRE_SIGN:
	case WIRE_SIGNED:
	case WIRE_SIGN_FAILED:
	case WIRE_ANCHOR:
	case WIRE_ANCHORED:
	case WIRE_OPERATE:
	case WIRE_HANDSHAKE:
	case WIRE_FIND_KEY:
	case WIRE_FOUND_KEY:
	case WIRE_FORGE:
	case WIRE_FORGED:
	case WIRE_COSIGN:
	case WIRE_COSIGNED: return true;
	default: return false;
	}
}

static bool is_bare(enum wire_type type)
{
	return type == WIRE_RELOAD || type == WIRE_DRAIN || type == WIRE_UP;
}

struct wire_codec wire_begin(struct wire_packet *w)
{
	const size_t cap = w->cap < WIRE_PACKET_MAX ? w->cap : WIRE_PACKET_MAX;
	struct wire_codec c = wire_writer(w->buf, w->len, cap);

	assert(w->len % ALIGN == 0 && w->len <= cap);
	if (HEAD_BYTES > c.end - c.at)
		c.fault = true;
	else
		c.at += HEAD_BYTES;
	return c;
}

enum sg_err wire_finish(struct wire_packet *w, const struct wire_codec *c,
			enum wire_type type, uint64_t id)
{
	const size_t size = c->at - w->len;
	const struct head head = {
		.size = (uint32_t)size, .type = (uint16_t)type, .id = id};

	if (c->fault || padded(size) > c->end - w->len)
		return SG_TOO_BIG;
	memcpy(w->buf + w->len, &head, HEAD_BYTES);
	memset(w->buf + c->at, 0, padded(size) - size);
	w->len += padded(size);
	return SG_OK;
}

enum sg_err wire_put_bare(struct wire_packet *w, enum wire_type type)
{
	const struct wire_codec c = wire_begin(w);

	assert(is_bare(type));
	return wire_finish(w, &c, type, 0);
}

static bool head_is_sound(const struct head *h, size_t left)
{
	const enum wire_type type = (enum wire_type)h->type;

	if (h->type < WIRE_ISSUE || h->type >= WIRE_TYPE_COUNT)
		return false;
	if (h->reserved != 0 || (h->id != 0 && !has_id(type)))
		return false;
	if (h->size < HEAD_BYTES || h->size > left || padded(h->size) > left)
		return false;
	return !is_bare(type) || h->size == HEAD_BYTES;
}

enum sg_err wire_next(struct span *rest, struct wire_msg *out)
{
	struct head head;
	size_t whole;

	if (rest->n == 0)
		return SG_NOT_FOUND;
	if (rest->n < HEAD_BYTES || rest->n > WIRE_PACKET_MAX)
		return SG_MALFORMED;
	memcpy(&head, rest->p, HEAD_BYTES);
	if (!head_is_sound(&head, rest->n))
		return SG_MALFORMED;
	whole = padded(head.size);
	for (size_t i = head.size; i < whole; i++)
		if (rest->p[i] != 0)
			return SG_MALFORMED;
	out->type = (enum wire_type)head.type;
	out->id = head.id;
	out->body = span_of(rest->p + HEAD_BYTES, head.size - HEAD_BYTES);
	*rest = span_of(rest->p + whole, rest->n - whole);
	return SG_OK;
}

static void visit_violation(struct wire_codec *c, struct wire_violation *v)
{
	codec_bool(c, &v->warning);
	codec_run(c, &v->pointer, WIRE_PACKET_MAX);
	codec_run(c, &v->code, WIRE_PACKET_MAX);
	codec_run(c, &v->detail, WIRE_PACKET_MAX);
}

enum sg_err wire_violation_put(uint8_t *buf, size_t cap, size_t *len,
			       const struct wire_violation *v)
{
	struct wire_codec c = wire_writer(buf, *len, cap);
	struct wire_violation copy = *v;

	assert(*len <= cap);
	visit_violation(&c, &copy);
	if (c.fault)
		return SG_TOO_BIG;
	*len = c.at;
	return SG_OK;
}

enum sg_err wire_violation_next(struct span *rest, struct wire_violation *out)
{
	struct wire_codec c = wire_reader(*rest);
	struct wire_violation v = {0};

	if (rest->n == 0)
		return SG_NOT_FOUND;
	visit_violation(&c, &v);
	if (c.fault)
		return SG_MALFORMED;
	*out = v;
	*rest = span_of(rest->p + c.at, rest->n - c.at);
	return SG_OK;
}
