/* SPDX-License-Identifier: Apache-2.0 */
#include "ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/input.h"

static enum sg_err add(struct ranges *r, struct range one)
{
	if (r->n == RANGES_MAX)
		return SG_TOO_BIG;
	if (r->n == r->cap) {
		const size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
		struct range *grown =
			realloc(r->range, cap * sizeof(*r->range));

		if (grown == NULL)
			return SG_NO_MEMORY;
		r->range = grown;
		r->cap = cap;
	}
	r->range[r->n++] = one;
	return SG_OK;
}

static bool take_number(const char **p, uint64_t *out)
{
	uint64_t v = 0;
	const char *begin = *p;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		const uint64_t digit = (uint64_t)(**p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return *p != begin;
}

/* "5", "5..9", "5.." */
static bool take_range(const char **p, struct range *out)
{
	if (!take_number(p, &out->first))
		return false;
	out->last = out->first;
	if (strncmp(*p, "..", 2) != 0)
		return true;
	*p += 2;
	if (**p < '0' || **p > '9')
		out->last = UINT64_MAX;
	else if (!take_number(p, &out->last))
		return false;
	return out->first <= out->last;
}

static enum sg_err take_list(const char *text, const char *between,
			     struct ranges *out)
{
	const char *p = text + strspn(text, between);

	while (*p != '\0') {
		struct range one;
		enum sg_err err;

		if (!take_range(&p, &one) ||
		    (*p != '\0' && strchr(between, *p) == NULL))
			return SG_CONFIG;
		err = add(out, one);
		if (err != SG_OK)
			return err;
		p += strspn(p, between);
	}
	return out->n > 0 ? SG_OK : SG_CONFIG;
}

static int compare(const void *a, const void *b)
{
	const struct range *x = a;
	const struct range *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void merge(struct ranges *r)
{
	size_t n = 0;

	qsort(r->range, r->n, sizeof(*r->range), compare);
	for (size_t i = 1; i < r->n; i++) {
		struct range *last = &r->range[n];

		if (last->last == UINT64_MAX ||
		    r->range[i].first <= last->last + 1) {
			if (r->range[i].last > last->last)
				last->last = r->range[i].last;
		} else {
			r->range[++n] = r->range[i];
		}
	}
	r->n = n + 1;
}

enum sg_err ranges_read(const char *text, struct ranges *out, char *why,
			size_t cap)
{
	enum sg_err err;

	memset(out, 0, sizeof(*out));
	if (text[0] == '@') {
		uint8_t *bytes;
		size_t n;

		err = input_bytes(text + 1, &bytes, &n, why, cap);
		if (err != SG_OK)
			return err;
		err = take_list((const char *)bytes, ", \t\r\n", out);
		free(bytes);
	} else {
		err = take_list(text, ",", out);
	}
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s: %.80s",
			       err == SG_CONFIG
				       ? "not a list of indexes (5,100..199)"
			       : err == SG_TOO_BIG ? "too many indexes"
						   : err_text(err),
			       text);
		ranges_clear(out);
		return err == SG_NO_MEMORY ? err : SG_CONFIG;
	}
	merge(out);
	return SG_OK;
}

void ranges_clear(struct ranges *r)
{
	free(r->range);
	memset(r, 0, sizeof(*r));
}

bool ranges_next(const struct ranges *r, size_t *at, uint64_t index,
		 uint64_t *out)
{
	*out = index;
	if (r->n == 0)
		return true;
	while (*at < r->n && r->range[*at].last < index)
		(*at)++;
	if (*at == r->n)
		return false;
	if (r->range[*at].first > index)
		*out = r->range[*at].first;
	return true;
}

bool ranges_has(const struct ranges *r, size_t *at, uint64_t index)
{
	uint64_t next;

	return ranges_next(r, at, index, &next) && next == index;
}
