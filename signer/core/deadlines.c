/* SPDX-License-Identifier: Apache-2.0 */
#include "deadlines.h"

#include <stdlib.h>

LIST_HEAD(bucket, deadline);

struct deadlines {
	uint64_t done; /* every tick up to this one has been emptied */
	struct bucket bucket[DEADLINE_TICKS];
};

enum sg_err deadlines_create(uint64_t now_us, struct deadlines **out)
{
	struct deadlines *w = calloc(1, sizeof(*w));

	*out = w;
	if (w == NULL)
		return SG_NO_MEMORY;
	w->done = now_us / DEADLINE_TICK_US;
	return SG_OK;
}

void deadlines_add(struct deadlines *w, struct deadline *node,
		   uint64_t deadline_us)
{
	/* Rounded up, so that no node is found before its time. */
	uint64_t tick = deadline_us / DEADLINE_TICK_US + 1;

	if (tick <= w->done)
		tick = w->done + 1;
	node->tick = tick;
	LIST_INSERT_HEAD(&w->bucket[tick % DEADLINE_TICKS], node, entry);
}

void deadlines_remove(struct deadline *node)
{
	if (node->tick == 0)
		return;
	LIST_REMOVE(node, entry);
	node->tick = 0;
}

struct deadline *deadlines_expired(struct deadlines *w, uint64_t now_us)
{
	const uint64_t now = now_us / DEADLINE_TICK_US;
	struct deadline *node;

	/* After a long stop one turn visits every bucket. */
	if (now > w->done + DEADLINE_TICKS)
		w->done = now - DEADLINE_TICKS;
	while (w->done < now) {
		LIST_FOREACH (node, &w->bucket[(w->done + 1) % DEADLINE_TICKS],
			      entry) {
			if (node->tick <= now)
				break;
		}
		if (node != NULL) {
			deadlines_remove(node);
			return node;
		}
		w->done++;
	}
	return NULL;
}

void deadlines_free(struct deadlines *w)
{
	free(w);
}
