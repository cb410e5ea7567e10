/* SPDX-License-Identifier: Apache-2.0 */
/* One packet to write to and to read from. */
#ifndef SG_TEST_WIRE_PACKET_H
#define SG_TEST_WIRE_PACKET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/identity.h"
#include "ipc/wire.h"

enum { HEAD = 16, ID = 0x11223344 };

static uint8_t packet[WIRE_PACKET_MAX];
static uint8_t big[WIRE_PACKET_MAX];

static inline struct wire_packet fresh(void)
{
	memset(packet, 0xee, sizeof(packet));
	return (struct wire_packet){.buf = packet, .cap = sizeof(packet)};
}

/* The only message of W. */
static inline struct wire_msg only(const struct wire_packet *w)
{
	struct span rest = span_of(w->buf, w->len);
	struct wire_msg m;

	assert_int_equal(w->len % 8, 0);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(rest.n, 0);
	assert_int_equal(wire_next(&rest, &m), SG_NOT_FOUND);
	return m;
}

static inline void assert_span(struct span got, struct span want)
{
	assert_true(span_eq(got, want));
}

/*
 * Every message is checked in the same way: what READ reads from the packet is
 * what was written, and no shorter or longer body is taken.
 */
typedef enum sg_err (*reader)(const struct wire_msg *m, void *out);

static inline void check_lengths(const struct wire_msg *m, reader read,
				 void *scratch)
{
	uint8_t *copy = malloc(m->body.n + 1);

	assert_non_null(copy);
	for (size_t n = 0; n < m->body.n; n++) {
		/* A block of its own size, so that a read beyond is seen. */
		uint8_t *exact = malloc(n > 0 ? n : 1);
		struct wire_msg cut = *m;

		assert_non_null(exact);
		memcpy(exact, m->body.p, n);
		cut.body = span_of(exact, n);
		assert_int_equal(read(&cut, scratch), SG_MALFORMED);
		free(exact);
	}
	memcpy(copy, m->body.p, m->body.n);
	copy[m->body.n] = 0;
	{
		struct wire_msg more = *m;

		more.body = span_of(copy, m->body.n + 1);
		assert_int_equal(read(&more, scratch), SG_MALFORMED);
		more.body = m->body;
		more.type = m->type == WIRE_DRAIN ? WIRE_UP : WIRE_DRAIN;
		assert_int_equal(read(&more, scratch), SG_MALFORMED);
	}
	free(copy);
}

#define READER(name)                                                           \
	static enum sg_err read_##name(const struct wire_msg *m, void *out)    \
	{                                                                      \
		return wire_get_##name(m, (struct wire_##name *)out);          \
	}

#endif /* SG_TEST_WIRE_PACKET_H */
