/* SPDX-License-Identifier: Apache-2.0 */
#include "revoked.h"

#include <stdlib.h>

enum { BYTES = REVOCATION_HASH_BYTES };

struct revoked {
	size_t n;
	uint8_t *hash; /* N of BYTES, ascending */
};

enum sg_err revoked_create(struct revoked **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? SG_OK : SG_NO_MEMORY;
}

static const uint8_t *at(const struct revoked *r, size_t i)
{
	return r->hash + i * BYTES;
}

enum sg_err revoked_add(struct revoked *r, struct span list)
{
	const size_t more = list.n / BYTES;
	size_t i = 0;
	size_t k = 0;
	size_t n = 0;
	uint8_t *hash;

	if (more > REVOKED_MAX - r->n)
		return SG_TOO_BIG;
	hash = malloc((r->n + more) * BYTES + 1);
	if (hash == NULL)
		return SG_NO_MEMORY;
	while (i < r->n || k < more) {
		const uint8_t *from = list.p + k * BYTES;
		int order = -1; /* the old one is first */

		if (i == r->n)
			order = 1;
		else if (k < more)
			order = memcmp(at(r, i), from, BYTES);
		memcpy(hash + n++ * BYTES, order <= 0 ? at(r, i) : from, BYTES);
		i += order <= 0;
		k += order >= 0;
	}
	free(r->hash);
	r->hash = hash;
	r->n = n;
	return SG_OK;
}

bool revoked_has(const struct revoked *r, const uint8_t *hash)
{
	size_t low = 0;
	size_t high = r->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = memcmp(at(r, middle), hash, BYTES);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

size_t revoked_count(const struct revoked *r)
{
	return r != NULL ? r->n : 0;
}

void revoked_free(struct revoked *r)
{
	if (r == NULL)
		return;
	free(r->hash);
	free(r);
}
