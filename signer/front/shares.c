/* SPDX-License-Identifier: Apache-2.0 */
#include "shares.h"

enum {
	ABANDONED_SHARE = 4, /* one such part of the credit at most */
	OTHERS_SHARE = 8     /* one such part at least is for others */
};

/* FNV-1a, 32 bits. */
static const uint32_t FNV_BASIS = 2166136261U;
static const uint32_t FNV_PRIME = 16777619U;

uint16_t shares_index(struct span identity)
{
	uint32_t h = FNV_BASIS;

	for (size_t i = 0; i < identity.n; i++)
		h = (h ^ identity.p[i]) * FNV_PRIME;
	return (uint16_t)((h ^ h >> 12 ^ h >> 24) % SHARES_CLIENTS);
}

bool shares_used_up(const struct shares *s, uint16_t client, uint32_t credit)
{
	return s->abandoned[client] > credit / ABANDONED_SHARE ||
	       s->owed[client] >= credit - credit / OTHERS_SHARE;
}
