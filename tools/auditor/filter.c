/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "tools/common/bytes.h"
#include "tools/common/times.h"

static const char *const TYPE_NAMES[] = {
	[ENTRY_ISSUED] = "issued",	   [ENTRY_RENEWED] = "renewed",
	[ENTRY_REFUSED] = "refused",	   [ENTRY_KEY_EVENT] = "key",
	[ENTRY_POLICY] = "policy",	   [ENTRY_STARTED] = "started",
	[ENTRY_STOPPED] = "stopped",	   [ENTRY_CEREMONY] = "ceremony",
	[ENTRY_REVOCATION] = "revocation",
};
enum { NTYPES = sizeof(TYPE_NAMES) / sizeof(TYPE_NAMES[0]) };

const char *filter_type_name(enum entry_type type)
{
	return (size_t)type < NTYPES && TYPE_NAMES[type] != NULL
		       ? TYPE_NAMES[type]
		       : "unknown";
}

/* The bit of one word of a list; 0: there is no such word. */
static unsigned type_bit(struct span word)
{
	for (unsigned i = 1; i < NTYPES; i++)
		if (span_is(word, TYPE_NAMES[i]))
			return 1U << i;
	return 0;
}

static unsigned kind_bit(struct span word)
{
	for (unsigned i = 0; i < DCC_KINDS; i++)
		if (word.n == 1 &&
		    word.p[0] == (uint8_t)dcc_kind_letter((enum dcc_kind)i))
			return DCC_KIND_BIT(i);
	return 0;
}

static bool read_list(const char *text, unsigned (*bit_of)(struct span),
		      unsigned *out)
{
	*out = 0;
	for (;;) {
		const size_t n = strcspn(text, ",");
		const unsigned bit = bit_of(span_of(text, n));

		if (bit == 0)
			return false;
		*out |= bit;
		if (text[n] == '\0')
			return true;
		text += n + 1;
	}
}

static bool read_time(const char *text, int64_t *ms)
{
	int64_t s;

	if (!times_parse(span_str(text), &s) || s > INT64_MAX / 1000 ||
	    s < INT64_MIN / 1000)
		return false;
	*ms = s * 1000;
	return true;
}

static bool read_policy(const char *text, char *out)
{
	const size_t n = strlen(text);

	if (n == 0 || n > (size_t)2 * ENTRY_HASH_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		const int digit = hex_digit(text[i]);

		if (digit < 0)
			return false;
		out[i] = "0123456789abcdef"[digit];
	}
	out[n] = '\0';
	return true;
}

/* What is wrong with OPTION's TEXT, or NULL. */
static const char *read_one(enum filter_option option, const char *text,
			    struct filter *f)
{
	switch (option) {
	case FILTER_CLIENT: f->client = text; return NULL;
	case FILTER_KID:
		f->by_kid = bytes_parse(text, f->kid, sizeof(f->kid));
		return f->by_kid ? NULL : "not a kid: 8 bytes in hex or base64";
	case FILTER_ALG:
		f->alg = cose_alg_of(span_str(text));
		return f->alg != COSE_NONE ? NULL : "not ES256, PS256 or EdDSA";
	case FILTER_KIND:
		return read_list(text, kind_bit, &f->kinds)
			       ? NULL
			       : "not a list of v, t, r";
	case FILTER_TYPE:
		return read_list(text, type_bit, &f->types)
			       ? NULL
			       : "not a list of issued, renewed, refused, "
				 "key, policy, started, stopped, ceremony, "
				 "revocation";
	case FILTER_FROM:
		return read_time(text, &f->from_ms)
			       ? NULL
			       : "not a time (RFC 3339, or seconds since 1970)";
	case FILTER_TO:
		return read_time(text, &f->to_ms)
			       ? NULL
			       : "not a time (RFC 3339, or seconds since 1970)";
	case FILTER_POLICY:
		return read_policy(text, f->policy)
			       ? NULL
			       : "not the beginning of a hash in hex";
	case FILTER_INDEX:
	case FILTER_OPTION_COUNT: break;
	}
	return NULL;
}

enum sg_err filter_read(const struct args *args, size_t first,
			struct filter *out, char *why, size_t cap)
{
	memset(out, 0, sizeof(*out));
	out->from_ms = INT64_MIN;
	out->to_ms = INT64_MAX;
	for (unsigned i = 0; i < FILTER_OPTION_COUNT; i++) {
		const char *text = args->value[first + i];
		const char *wrong;

		if (text == NULL || i == FILTER_INDEX)
			continue;
		wrong = read_one((enum filter_option)i, text, out);
		if (wrong != NULL) {
			(void)snprintf(why, cap, "%s: %.100s", wrong, text);
			return SG_CONFIG;
		}
	}
	if (out->from_ms >= out->to_ms) {
		(void)snprintf(why, cap, "--from is not before --to");
		return SG_CONFIG;
	}
	if (args->value[first + FILTER_INDEX] == NULL)
		return SG_OK;
	return ranges_read(args->value[first + FILTER_INDEX], &out->index, why,
			   cap);
}

void filter_clear(struct filter *f)
{
	ranges_clear(&f->index);
}

static bool match_policy(const struct filter *f, const struct entry *e)
{
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	return e->policy_hash != NULL &&
	       strncmp(hex_encode(e->policy_hash, ENTRY_HASH_BYTES, hex),
		       f->policy, strlen(f->policy)) == 0;
}

bool filter_match(const struct filter *f, const struct entry *e)
{
	const bool signature =
		e->type == ENTRY_ISSUED || e->type == ENTRY_RENEWED;

	if (e->time_ms < f->from_ms || e->time_ms >= f->to_ms)
		return false;
	if (f->types != 0 && (f->types & 1U << (unsigned)e->type) == 0)
		return false;
	if (f->client != NULL && !span_is(e->client, f->client))
		return false;
	if (f->by_kid &&
	    (e->kid == NULL || memcmp(e->kid, f->kid, sizeof(f->kid)) != 0))
		return false;
	if (f->alg != COSE_NONE && (!signature || e->alg != f->alg))
		return false;
	if (f->kinds != 0 &&
	    (!signature || (f->kinds & DCC_KIND_BIT(e->kind)) == 0))
		return false;
	return f->policy[0] == '\0' || match_policy(f, e);
}
