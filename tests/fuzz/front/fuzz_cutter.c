/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of requests, cut into records.  The first bytes of the input choose
 * the form, the largest record, and the pieces in which the rest comes.
 * Whatever comes: the same records as in one piece, each within its input, and
 * what has to be kept is never more than a record.
 */
#undef NDEBUG /* its checks are the test */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "front/cutter.h"
#include "hcert/cbor.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	INPUT_MAX = 4096,
	RECORDS_SEEN_MAX = INPUT_MAX + 1,
	STEPS_MAX = 15,
	HEAD_MAX = 9, /* of a CBOR item; it may be cut in two */
	DEPTH_MAX = 16
};

struct seen {
	enum cutter_result what;
	size_t begin, n; /* in the whole input; N is 0 if it was too large */
};

struct run {
	struct seen seen[RECORDS_SEEN_MAX];
	size_t n;
	size_t at; /* bytes of the input that are done with */
	bool over;
};

/* Where another reader finds an item, it is the record. */
static void check_item(struct span in, size_t n)
{
	struct cbor_reader r = cbor_read(in, CBOR_LAX);

	if (cbor_skip(&r, DEPTH_MAX, NULL) == SG_OK)
		assert(r.at == n);
}

/* No item begins at IN, or it is one that is not well-formed. */
static void check_lost(struct span in)
{
	struct cbor_reader r = cbor_read(in, CBOR_LAX);

	assert(cbor_skip(&r, DEPTH_MAX, NULL) != SG_OK);
}

static void keep(struct run *run, const struct cutter *c,
		 enum cutter_result what, struct span in, struct span record,
		 bool end)
{
	struct seen *s = &run->seen[run->n++];

	assert(run->n <= RECORDS_SEEN_MAX);
	*s = (struct seen){.what = what};
	if (what != CUTTER_RECORD)
		return;
	assert(record.n <= c->max && record.n <= in.n && record.p == in.p);
	s->begin = run->at;
	s->n = record.n;
	if (c->form == CUTTER_LINES)
		assert(record.n == 0 ||
		       memchr(record.p, '\n', record.n) == NULL);
	else if (!end || record.n < in.n)
		check_item(in, record.n);
}

/* One call, with IN in memory of its own, so that nothing beyond it is read. */
static enum cutter_result cut_one(struct run *run, struct cutter *c,
				  struct span in, bool end)
{
	uint8_t *copy = malloc(in.n > 0 ? in.n : 1);
	struct span record = {0};
	size_t used = SIZE_MAX;
	enum cutter_result got;

	assert(copy != NULL);
	if (in.n > 0)
		memcpy(copy, in.p, in.n);
	in.p = copy;
	got = cutter_next(c, in, end, &record, &used);
	assert(used <= in.n);
	if (got == CUTTER_MORE)
		assert(in.n - used <= (end ? 0 : c->max + HEAD_MAX));
	else
		keep(run, c, got, in, record, end);
	assert(used > 0 || end || got == CUTTER_MORE || got == CUTTER_LOST);
	run->at += used;
	free(copy);
	return got;
}

/* All records of the first N bytes of ALL, of which RUN->at are done with. */
static void cut(struct run *run, struct cutter *c, struct span all, size_t n,
		bool end)
{
	while (!run->over) {
		const enum cutter_result got = cut_one(
			run, c, span_of(all.p + run->at, n - run->at), end);

		run->over = got == CUTTER_LOST;
		if (got == CUTTER_MORE)
			return;
	}
}

/* The lines, found by nothing else than their ends. */
static void check_lines(const struct run *run, struct span all, size_t max)
{
	size_t n = 0;

	for (size_t at = 0; at < all.n; n++) {
		const uint8_t *end = memchr(all.p + at, '\n', all.n - at);
		const size_t len =
			end != NULL ? (size_t)(end - all.p) - at : all.n - at;

		assert(n < run->n);
		assert(run->seen[n].what ==
		       (len <= max ? CUTTER_RECORD : CUTTER_TOO_BIG));
		if (len <= max)
			assert(run->seen[n].n == len &&
			       run->seen[n].begin == at);
		at += len + 1;
	}
	assert(n == run->n);
}

static void check_same(const struct run *a, const struct run *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert(a->seen[i].what == b->seen[i].what &&
		       a->seen[i].begin == b->seen[i].begin &&
		       a->seen[i].n == b->seen[i].n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole;
	static struct run pieces;
	struct cutter c[2];
	struct span all;
	size_t nsteps;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	nsteps = data[1] & STEPS_MAX;
	if (size < 2 + nsteps)
		return 0;
	all = span_of(data + 2 + nsteps, size - 2 - nsteps);
	for (int i = 0; i < 2; i++)
		c[i] = cutter_begin((data[0] & 1) != 0 ? CUTTER_ITEMS
						       : CUTTER_LINES,
				    (size_t)(data[0] >> 1) * 4 + 1);
	whole.n = pieces.n = whole.at = pieces.at = 0;
	whole.over = pieces.over = false;
	cut(&whole, &c[0], all, all.n, true);
	for (size_t n = 0, i = 0; n < all.n; i++) {
		const size_t step = nsteps > 0 ? data[2 + i % nsteps] : 0;

		n = all.n - n > step + 1 ? n + step + 1 : all.n;
		cut(&pieces, &c[1], all, n, false);
	}
	cut(&pieces, &c[1], all, all.n, true);
	check_same(&whole, &pieces);
	if (c[0].form == CUTTER_LINES)
		check_lines(&whole, all, c[0].max);
	else if (whole.over)
		check_lost(span_of(all.p + whole.at, all.n - whole.at));
	return 0;
}
