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

#endif /* SG_TEST_WIRE_PACKET_H */
