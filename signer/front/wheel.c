/* SPDX-License-Identifier: Apache-2.0 */
#include "wheel.h"

#include <assert.h>
#include <stddef.h>

static void ring_init(struct wheel_timer *head)
{
	head->prev = head;
	head->next = head;
}

static void ring_add(struct wheel_timer *head, struct wheel_timer *t)
{
	t->prev = head->prev;
	t->next = head;
	head->prev->next = t;
	head->prev = t;
}

static void ring_remove(struct wheel_timer *t)
{
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->prev = NULL;
	t->next = NULL;
}

/* Move the whole ring of FROM under TO, which is not in a ring yet. */
static void ring_move(struct wheel_timer *from, struct wheel_timer *to)
{
	ring_init(to);
	if (from->next == from)
		return;
	to->next = from->next;
	to->prev = from->prev;
	to->next->prev = to;
	to->prev->next = to;
	ring_init(from);
}

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	w->tick = now_ms / WHEEL_TICK_MS;
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		ring_init(&w->slot[i]);
}

void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t after_ms)
{
	/* One for the rounding of AFTER_MS, one because the tick has begun. */
	const uint64_t ticks = after_ms / WHEEL_TICK_MS + 2;

	assert(t->fire != NULL);
	wheel_clear(t);
	t->due_tick = w->tick + ticks;
	ring_add(&w->slot[t->due_tick % WHEEL_SLOTS], t);
}

void wheel_clear(struct wheel_timer *t)
{
	if (t->next != NULL)
		ring_remove(t);
}

bool wheel_is_set(const struct wheel_timer *t)
{
	return t->next != NULL;
}

static void handle_tick(struct wheel *w)
{
	struct wheel_timer *slot = &w->slot[w->tick % WHEEL_SLOTS];
	struct wheel_timer due;
	struct wheel_timer *t;

	/* Off the wheel first: what fires may set and clear any timer, and one
	 * that is set to a whole turn from now must not be met again. */
	ring_move(slot, &due);
	while ((t = due.next) != &due) {
		ring_remove(t);
		if (t->due_tick > w->tick)
			ring_add(slot, t);
		else
			t->fire(t);
	}
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
	const uint64_t now = now_ms / WHEEL_TICK_MS;

	/* After a long sleep one turn meets every slot. */
	if (now > w->tick + WHEEL_SLOTS)
		w->tick = now - WHEEL_SLOTS;
	while (w->tick < now) {
		w->tick++;
		handle_tick(w);
	}
}
