/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <assert.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

bool text_set_sort(struct text_set *s)
{
	const size_t before = s->n;
	size_t kept = 0;

	if (s->n > 0)
		qsort(s->text, s->n, sizeof(s->text[0]), compare);
	for (size_t i = 0; i < before; i++)
		if (kept == 0 || !span_eq(s->text[kept - 1], s->text[i]))
			s->text[kept++] = s->text[i];
	s->n = kept;
	return kept == before;
}

static bool begins(struct span text, struct span prefix)
{
	return span_eq(span_of(text.p, text.n < prefix.n ? text.n : prefix.n),
		       prefix);
}

void text_set_cover(struct text_set *s)
{
	size_t kept = 0;

	/* What begins with a text follows it in bytewise order. */
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || !begins(s->text[i], s->text[kept - 1]))
			s->text[kept++] = s->text[i];
	s->n = kept;
}

/* The last text of S that is not after TEXT; NULL if there is none. */
static const struct span *text_set_floor(const struct text_set *s,
					 struct span text)
{
	size_t low = 0;
	size_t high = s->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (span_compare(s->text[middle], text) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &s->text[low - 1] : NULL;
}

int client_country(struct span code)
{
	if (code.n != 2 || code.p[0] < 'A' || code.p[0] > 'Z' ||
	    code.p[1] < 'A' || code.p[1] > 'Z')
		return -1;
	return (code.p[0] - 'A') * CLIENT_LETTERS + (code.p[1] - 'A');
}

void client_grant_country(struct client *c, int country)
{
	assert(country >= 0 && country < CLIENT_COUNTRIES);
	c->country[country / 8] |= (uint8_t)(1U << country % 8);
}

bool client_may_kind(const struct client *c, enum dcc_kind kind)
{
	return (c->kinds & DCC_KIND_BIT(kind)) != 0;
}

bool client_may_country(const struct client *c, struct span code)
{
	const int country = client_country(code);

	if (c->any_country)
		return true;
	return country >= 0 &&
	       (c->country[country / 8] & 1U << country % 8) != 0;
}

bool client_may_issuer(const struct client *c, struct span issuer)
{
	const struct span *floor = text_set_floor(&c->issuers, issuer);

	return c->any_issuer || (floor != NULL && span_eq(*floor, issuer));
}

bool client_may_uvci(const struct client *c, struct span uvci)
{
	/* Whatever lies between a prefix and UVCI begins with that prefix, and
	 * no other prefix does, so it can only be the floor. */
	const struct span *floor = text_set_floor(&c->prefixes, uvci);

	return c->any_uvci || (floor != NULL && begins(uvci, *floor));
}

const char *client_operation_name(enum client_operation op)
{
	static const char *const name[CLIENT_OPERATION_COUNT] = {
		[CLIENT_ISSUE] = "issue",     [CLIENT_VALIDATE] = "validate",
		[CLIENT_RENEW] = "renew",     [CLIENT_AUDIT] = "audit",
		[CLIENT_OFFICER] = "officer",
	};

	assert(op < CLIENT_OPERATION_COUNT);
	return name[op];
}

const char *client_name(const struct client *c)
{
	return c->name;
}

int64_t client_renewal_window_s(const struct client *c)
{
	return c->renewal_window_s;
}

bool client_may(const struct client *c, enum client_operation op)
{
	return op < CLIENT_OPERATION_COUNT && (c->operations & 1U << op) != 0;
}

const struct client_limits *client_limits(const struct client *c)
{
	return &c->limits;
}

bool client_must_attest(const struct client *c)
{
	return c->must_attest;
}
