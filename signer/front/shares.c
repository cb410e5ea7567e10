/* SPDX-License-Identifier: Apache-2.0 */
#include "shares.h"

#include <sys/random.h>

enum {
	ABANDONED_SHARE = 4, /* one such part of the credit at most */
	OTHERS_SHARE = 8     /* one such part at least is for others */
};

/* FNV-1a, 64 bits, from a start that nobody knows. */
static const uint64_t FNV_BASIS = UINT64_C(0xcbf29ce484222325);
static const uint64_t FNV_PRIME = UINT64_C(0x100000001b3);

static struct {
	uint64_t begin, end;
} secret;

enum sg_err shares_seed(void)
{
	return getrandom(&secret, sizeof(secret), 0) == (ssize_t)sizeof(secret)
		       ? SG_OK
		       : SG_IO;
}

uint16_t shares_index(struct span identity)
{
	uint64_t h = FNV_BASIS ^ secret.begin;

	for (size_t i = 0; i < identity.n; i++)
		h = (h ^ identity.p[i]) * FNV_PRIME;
	/* SplitMix64's finish: each bit of H reaches each of the result. */
	h ^= secret.end;
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint16_t)((h ^ h >> 31) % SHARES_CLIENTS);
}

bool shares_used_up(const struct shares *s, uint16_t client, uint32_t credit)
{
	return s->abandoned[client] > credit / ABANDONED_SHARE ||
	       s->owed[client] >= credit - credit / OTHERS_SHARE;
}
