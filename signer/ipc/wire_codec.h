/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WIRE_CODEC_H
#define SG_WIRE_CODEC_H

#include <assert.h>

#include "wire.h"

/*
 * wire_codec: a cursor over one message's bytes that either writes or reads.
 * A message type is described once, by a function that visits its fields in
 * order; the same function writes and reads, so the two cannot disagree.
 * Integers take their natural width without alignment, a bool one byte (0 or
 * 1), a run a u32 length and its bytes.  Internal to signer/ipc.
 */
struct wire_codec {
	uint8_t *to;	     /* writing: the whole buffer */
	const uint8_t *from; /* reading: the message's body */
	size_t at;	     /* offset of the next field */
	size_t end;	     /* no field goes beyond */
	bool writes;
	bool fault; /* does not fit (writing), malformed (reading) */
};

static inline struct wire_codec wire_writer(uint8_t *to, size_t at, size_t end)
{
	return (struct wire_codec){
		.to = to, .at = at, .end = end, .writes = true};
}

static inline struct wire_codec wire_reader(struct span body)
{
	return (struct wire_codec){.from = body.p, .end = body.n};
}

/* N bytes between the message and the field at V. */
static inline void codec_raw(struct wire_codec *c, void *v, size_t n)
{
	if (c->fault || n > c->end - c->at) {
		c->fault = true;
		return;
	}
	if (c->writes)
		memcpy(c->to + c->at, v, n);
	else
		memcpy(v, c->from + c->at, n);
	c->at += n;
}

static inline void codec_u16(struct wire_codec *c, uint16_t *v)
{
	codec_raw(c, v, sizeof(*v));
}

static inline void codec_u32(struct wire_codec *c, uint32_t *v)
{
	codec_raw(c, v, sizeof(*v));
}

static inline void codec_i32(struct wire_codec *c, int32_t *v)
{
	codec_raw(c, v, sizeof(*v));
}

static inline void codec_u64(struct wire_codec *c, uint64_t *v)
{
	codec_raw(c, v, sizeof(*v));
}

static inline void codec_i64(struct wire_codec *c, int64_t *v)
{
	codec_raw(c, v, sizeof(*v));
}

static inline void codec_bool(struct wire_codec *c, bool *v)
{
	uint8_t byte = 0;

	if (c->writes)
		byte = *v ? 1 : 0;
	codec_raw(c, &byte, 1);
	if (byte > 1)
		c->fault = true;
	*v = byte == 1;
}

/* An enum whose values are 0 .. COUNT - 1. */
static inline void codec_enum(struct wire_codec *c, uint8_t *v, uint8_t count)
{
	assert(!c->writes || *v < count);
	codec_raw(c, v, 1);
	if (!c->fault && *v >= count)
		c->fault = true;
}

/* A run of at most MAX bytes; read, it lies in the packet. */
static inline void codec_run(struct wire_codec *c, struct span *v, size_t max)
{
	uint32_t n = 0;

	if (c->writes) {
		if (v->n > max) {
			c->fault = true;
			return;
		}
		n = (uint32_t)v->n;
	}
	codec_u32(c, &n);
	if (c->fault || n > max || n > c->end - c->at) {
		c->fault = true;
		return;
	}
	if (!c->writes)
		*v = span_of(c->from + c->at, n);
	else if (n > 0)
		memcpy(c->to + c->at, v->p, n);
	c->at += n;
}

/* Read to the last byte, without a fault? */
static inline enum sg_err codec_read_end(const struct wire_codec *c)
{
	return c->fault || c->at != c->end ? SG_MALFORMED : SG_OK;
}

/* Begin a message at W's end: the cursor stands behind its head. */
struct wire_codec wire_begin(struct wire_packet *w);
/* Write the head of the message that began at W's end and pad it.
 * Errors: SG_TOO_BIG; W is as it was. */
SG_MUST_USE enum sg_err wire_finish(struct wire_packet *w,
				    const struct wire_codec *c,
				    enum wire_type type, uint64_t id);

#endif /* SG_WIRE_CODEC_H */
