/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "hcert/utf8.h"

static const char FIRST_LINE[] = "signerd revocation";

static const char *const KINDS[REVOCATION_KINDS] = {
	[REVOCATION_SIGNATURE] = "signature",
	[REVOCATION_UCI] = "uci",
	[REVOCATION_COUNTRYCODEUCI] = "countrycodeuci"};

const char *revocation_kind_name(enum revocation_kind kind)
{
	return KINDS[kind];
}

enum revocation_kind revocation_kind_of(struct span name)
{
	unsigned k = 0;

	while (k < REVOCATION_KINDS && !span_is(name, KINDS[k]))
		k++;
	return (enum revocation_kind)k;
}

/* One line of text, in which nothing hides. */
static bool is_line(struct span s, size_t max)
{
	return s.n > 0 && s.n <= max && utf8_valid(s) && !utf8_has_hidden(s);
}

static bool is_sound(const struct revocation *r)
{
	return is_line(r->origin, REVOCATION_REASON_MAX) &&
	       is_line(r->reason, REVOCATION_REASON_MAX) &&
	       r->kind < REVOCATION_KINDS && r->serial > 0 &&
	       r->serial <= REVOCATION_SERIAL_MAX && r->count > 0 &&
	       r->count <= REVOCATION_LIST_MAX;
}

enum sg_err revocation_text(const struct revocation *r, char *out, size_t cap,
			    size_t *len)
{
	char list[HEX_TEXT(ENTRY_HASH_BYTES)];
	int n;

	*len = 0;
	if (!is_sound(r))
		return SG_MALFORMED;
	n = snprintf(out, cap,
		     "%s\n%.*s\nserial %u\nkind %s\nreason %.*s\nlist %u %s\n",
		     FIRST_LINE, (int)r->origin.n, (const char *)r->origin.p,
		     r->serial, KINDS[r->kind], (int)r->reason.n,
		     (const char *)r->reason.p, r->count,
		     hex_encode(r->list, sizeof(r->list), list));
	if (n < 0 || (size_t)n >= cap)
		return SG_TOO_BIG;
	*len = (size_t)n;
	return SG_OK;
}

/* --- reading -------------------------------------------------------------- */

/* Take a line off *REST, and PREFIX off it. */
static bool next_line(struct span *rest, const char *prefix, struct span *out)
{
	const size_t skip = strlen(prefix);
	const uint8_t *end =
		rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	struct span line;

	if (end == NULL)
		return false;
	line = span_of(rest->p, (size_t)(end - rest->p));
	*rest = span_of(end + 1, rest->n - line.n - 1);
	if (line.n < skip || memcmp(line.p, prefix, skip) != 0)
		return false;
	*out = span_of(line.p + skip, line.n - skip);
	return true;
}

/* At most seven digits; whether they are in the one spelling is told by the
 * whole. */
static bool take_number(struct span *s, unsigned *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && n < 8)
		*out = *out * 10 + (unsigned)(s->p[n++] - '0');
	*s = span_of(s->p + n, s->n - n);
	return n > 0 && n < 8;
}

static bool take_hex(struct span s, uint8_t out[ENTRY_HASH_BYTES])
{
	return s.n == (size_t)2 * ENTRY_HASH_BYTES &&
	       hex_decode((const char *)s.p, out, ENTRY_HASH_BYTES);
}

enum sg_err revocation_parse(struct span text, struct revocation *out)
{
	char again[REVOCATION_TEXT_MAX];
	struct span rest = text;
	struct span line;
	size_t n;

	*out = (struct revocation){.serial = 0};
	if (!next_line(&rest, FIRST_LINE, &line) ||
	    !next_line(&rest, "", &out->origin) ||
	    !next_line(&rest, "serial ", &line) ||
	    !take_number(&line, &out->serial) ||
	    !next_line(&rest, "kind ", &line))
		return SG_MALFORMED;
	out->kind = revocation_kind_of(line);
	if (!next_line(&rest, "reason ", &out->reason) ||
	    !next_line(&rest, "list ", &line) ||
	    !take_number(&line, &out->count) || line.n == 0 ||
	    !take_hex(span_of(line.p + 1, line.n - 1), out->list))
		return SG_MALFORMED;
	/* What is written again must be what was read. */
	return revocation_text(out, again, sizeof(again), &n) == SG_OK &&
			       span_eq(text, span_of(again, n))
		       ? SG_OK
		       : SG_MALFORMED;
}

enum sg_err revocation_check_list(struct span list, unsigned *count)
{
	*count = 0;
	if (list.n == 0 || list.n % REVOCATION_HASH_BYTES != 0)
		return SG_MALFORMED;
	if (list.n / REVOCATION_HASH_BYTES > REVOCATION_LIST_MAX)
		return SG_TOO_BIG;
	for (size_t i = REVOCATION_HASH_BYTES; i < list.n;
	     i += REVOCATION_HASH_BYTES)
		if (memcmp(list.p + i - REVOCATION_HASH_BYTES, list.p + i,
			   REVOCATION_HASH_BYTES) >= 0)
			return SG_MALFORMED;
	*count = (unsigned)(list.n / REVOCATION_HASH_BYTES);
	return SG_OK;
}

enum sg_err revocation_binds(const struct revocation *r, struct span list,
			     struct digest *d)
{
	uint8_t hash[DIGEST_BYTES];
	unsigned count;

	if (digest_sum(d, list, span_of(NULL, 0), hash) != SG_OK)
		return SG_NO_MEMORY;
	return revocation_check_list(list, &count) == SG_OK &&
			       count == r->count &&
			       memcmp(hash, r->list, sizeof(hash)) == 0
		       ? SG_OK
		       : SG_MALFORMED;
}
