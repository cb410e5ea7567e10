/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WHEEL_H
#define SG_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * wheel: many coarse deadlines under one timer of the loop.  A deadline costs
 * its owner 40 bytes and is set and cleared in constant time; it fires up to
 * two ticks late and never early.  No allocation.  Loop thread only.
 */
enum { WHEEL_TICK_MS = 250, WHEEL_SLOTS = 512 };

/* Zeroed: not set.  Must not move while it is set. */
struct wheel_timer {
	struct wheel_timer *prev, *next; /* NULL: not set */
	uint64_t due_tick;
	/* May set and clear any timer, and free its own. */
	void (*fire)(struct wheel_timer *t);
};

struct wheel {
	uint64_t tick; /* the last one that was handled */
	struct wheel_timer slot[WHEEL_SLOTS]; /* heads of rings */
};

/* The wheel's time: that of the last tick. */
static inline uint64_t wheel_now_ms(const struct wheel *w)
{
	return w->tick * WHEEL_TICK_MS;
}
void wheel_init(struct wheel *w, uint64_t now_ms);
/* (Re)arm T to call T->fire AFTER_MS from the wheel's time. */
void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t after_ms);
void wheel_clear(struct wheel_timer *t);
bool wheel_is_set(const struct wheel_timer *t);
/* Fire what is due at NOW_MS (of any monotonic clock, always the same). */
void wheel_advance(struct wheel *w, uint64_t now_ms);

#endif /* SG_WHEEL_H */
