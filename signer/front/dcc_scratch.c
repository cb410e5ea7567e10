/* SPDX-License-Identifier: Apache-2.0 */
#include "dcc_scratch.h"

#include <stdio.h>
#include <stdlib.h>

enum { FEW = 24 }; /* members that are sorted by insertion */

static const double TWO_TO_63 = 9223372036854775808.0;

void dcc_scratch_clear(struct dcc_scratch *s)
{
	json_tree_free(s->json);
	s->json = NULL;
}

void dcc_scratch_reset(struct dcc_scratch *s)
{
	s->used = 0;
	s->detail[0] = '\0';
}

enum sg_err dcc_fault(struct dcc_scratch *s, enum sg_err err,
		      const char *detail)
{
	(void)snprintf(s->detail, sizeof(s->detail), "%s", detail);
	return err;
}

struct dcc_member *dcc_member_add(struct dcc_scratch *s)
{
	if (s->used == DCC_MEMBERS_MAX)
		return NULL;
	return &s->member[s->used++];
}

static int compare(const void *left, const void *right)
{
	const struct dcc_member *a = (const struct dcc_member *)left;
	const struct dcc_member *b = (const struct dcc_member *)right;

	if (a->key.n != b->key.n)
		return a->key.n < b->key.n ? -1 : 1;
	return a->key.n == 0 ? 0 : memcmp(a->key.p, b->key.p, a->key.n);
}

static void insertion_sort(struct dcc_member *m, size_t n)
{
	struct dcc_member moving;
	size_t to;

	for (size_t i = 1; i < n; i++) {
		if (compare(&m[i - 1], &m[i]) <= 0)
			continue;
		moving = m[i];
		for (to = i; to > 0 && compare(&m[to - 1], &moving) > 0; to--)
			m[to] = m[to - 1];
		m[to] = moving;
	}
}

enum sg_err dcc_members_sort(struct dcc_scratch *s, size_t first)
{
	struct dcc_member *m = &s->member[first];
	const size_t n = s->used - first;

	/* A certificate's maps are small; a hostile one's must not cost its
	 * square. */
	if (n <= FEW)
		insertion_sort(m, n);
	else
		qsort(m, n, sizeof(*m), compare);
	for (size_t i = 1; i < n; i++) {
		if (compare(&m[i - 1], &m[i]) == 0)
			return SG_DUPLICATE_KEY;
	}
	return SG_OK;
}

bool dcc_whole(double v, int64_t *whole)
{
	if (!(v >= -TWO_TO_63 && v < TWO_TO_63)) /* false for NaN, too */
		return false;
	*whole = (int64_t)v;
	return (double)*whole == v;
}
