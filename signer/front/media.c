/* SPDX-License-Identifier: Apache-2.0 */
#include "media.h"

#include <strings.h>

enum {
	Q_ONE = 1000, /* weights in thousandths (RFC 9110 s. 12.4.2) */
	MATCHES_NOT = -1
};

/* How closely a range names a type: the closest range's weight counts. */
enum closeness { CLOSE_ALL, CLOSE_MAIN_TYPE, CLOSE_TYPE, CLOSE_PARAMETERS };

/* One element of an Accept field, or a whole Content-Type. */
struct range {
	struct span main, sub;		/* "image", "svg+xml"; or "*" */
	struct span cose_type, charset; /* n is 0 when absent */
	bool has_parameters;		/* other than q */
	int q;
};

const char *media_text(enum media m)
{
	static const char *const text[] = {
#define X(id, text) text,
		MEDIA_MAP(X)
#undef X
	};

	return m < MEDIA_NONE ? text[m] : "";
}

/* --- reading (RFC 9110 s. 5.6) ----------------------------------------- */

static bool same(struct span a, const char *b)
{
	return a.n == strlen(b) && strncasecmp((const char *)a.p, b, a.n) == 0;
}

static bool token_char(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static void skip_space(struct span *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = span_of(s->p + 1, s->n - 1);
}

static bool take(struct span *s, char c)
{
	if (s->n == 0 || s->p[0] != (uint8_t)c)
		return false;
	*s = span_of(s->p + 1, s->n - 1);
	return true;
}

static bool take_token(struct span *s, struct span *token)
{
	size_t n = 0;

	while (n < s->n && token_char(s->p[n]))
		n++;
	*token = span_of(s->p, n);
	*s = span_of(s->p + n, s->n - n);
	return n > 0;
}

/* The inside of a quoted string, which begins here; its escapes stay as they
 * are, for no value that matters has any. */
static bool take_quoted(struct span *s, struct span *inside)
{
	size_t n = 1;

	while (n < s->n && s->p[n] != '"')
		n += s->p[n] == '\\' ? 2 : 1;
	if (n >= s->n)
		return false;
	*inside = span_of(s->p + 1, n - 1);
	*s = span_of(s->p + n + 1, s->n - n - 1);
	return true;
}

/* "0.85": at most three decimals, at most one. */
static bool read_weight(struct span s, int *q)
{
	static const int unit[] = {100, 10, 1};

	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') ||
	    (s.n > 1 && s.p[1] != '.'))
		return false;
	*q = (s.p[0] - '0') * Q_ONE;
	for (size_t i = 2; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*q += (s.p[i] - '0') * unit[i - 2];
	}
	return *q <= Q_ONE;
}

/* One parameter, after its semicolon; an empty one is allowed (s. 5.6.6). */
static bool take_parameter(struct span *s, struct range *r)
{
	struct span name;
	struct span value;

	skip_space(s);
	if (s->n == 0 || s->p[0] == ';' || s->p[0] == ',')
		return true;
	if (!take_token(s, &name) || !take(s, '='))
		return false;
	if (s->n > 0 && s->p[0] == '"' ? !take_quoted(s, &value)
				       : !take_token(s, &value))
		return false;
	if (same(name, "q"))
		return read_weight(value, &r->q);
	r->has_parameters = true;
	if (same(name, "cose-type"))
		r->cose_type = value;
	if (same(name, "charset"))
		r->charset = value;
	return true;
}

/* One range; S is left at what follows it. */
static bool take_range(struct span *s, struct range *r)
{
	*r = (struct range){.q = Q_ONE};
	skip_space(s);
	if (!take_token(s, &r->main) || !take(s, '/') ||
	    !take_token(s, &r->sub))
		return false;
	for (;;) {
		skip_space(s);
		if (!take(s, ';'))
			return s->n == 0 || s->p[0] == ',';
		if (!take_parameter(s, r))
			return false;
	}
}

/* Pass to the next element of the list, quoted commas aside. */
static void skip_element(struct span *s)
{
	struct span inside;

	while (s->n > 0 && s->p[0] != ',') {
		if (s->p[0] != '"')
			*s = span_of(s->p + 1, s->n - 1);
		else if (!take_quoted(s, &inside))
			s->n = 0; /* it never ends: nothing follows */
	}
	(void)take(s, ',');
}

/* --- choosing ---------------------------------------------------------- */

/* Is the part of M's type before (or, SUB, after) the slash the text PART? */
static bool is_part(enum media m, bool sub, struct span part)
{
	const char *text = media_text(m);
	const char *slash = strchr(text, '/');
	const char *begin = sub ? slash + 1 : text;
	const size_t n = sub ? strlen(begin) : (size_t)(slash - text);

	return part.n == n && strncasecmp((const char *)part.p, begin, n) == 0;
}

static int closeness(const struct range *r, enum media m)
{
	if (span_is(r->main, "*"))
		return span_is(r->sub, "*") ? CLOSE_ALL : MATCHES_NOT;
	if (!is_part(m, false, r->main))
		return MATCHES_NOT;
	if (span_is(r->sub, "*"))
		return CLOSE_MAIN_TYPE;
	if (!is_part(m, true, r->sub))
		return MATCHES_NOT;
	/* RFC 9052 s. 11.3.1: the parameter says which COSE structure it is. */
	if (m == MEDIA_COSE && r->cose_type.n > 0 &&
	    !same(r->cose_type, "cose-sign1"))
		return MATCHES_NOT;
	return r->has_parameters ? CLOSE_PARAMETERS : CLOSE_TYPE;
}

enum media media_of(struct span content_type)
{
	struct range r;
	enum media m = MEDIA_JSON;

	if (!take_range(&content_type, &r) || content_type.n > 0)
		return MEDIA_NONE;
	while (m < MEDIA_NONE &&
	       !(is_part(m, false, r.main) && is_part(m, true, r.sub)))
		m = (enum media)(m + 1);
	if ((m == MEDIA_JSON || m == MEDIA_NDJSON) && r.charset.n > 0 &&
	    !same(r.charset, "utf-8"))
		return MEDIA_NONE;
	return m;
}

/* The weight that FIELD gives to M; 0 when it is not wanted. */
static int weight(struct span field, enum media m)
{
	struct range r;
	int closest = MATCHES_NOT;
	int q = 0;
	int close;

	while (field.n > 0) {
		close = take_range(&field, &r) ? closeness(&r, m) : MATCHES_NOT;
		if (close > closest) {
			closest = close;
			q = r.q;
		}
		skip_element(&field);
	}
	return q;
}

int media_negotiate(struct span field, const enum media *offers, size_t n)
{
	int best = -1;
	int best_q = 0;
	int q;

	for (size_t i = 0; i < n; i++) {
		q = field.n == 0 ? Q_ONE : weight(field, offers[i]);
		if (q > best_q) {
			best = (int)i;
			best_q = q;
		}
	}
	return best;
}

/* --- languages --------------------------------------------------------- */

/* Is RANGE the language TAG (two letters), or one of its kinds ("vi-VN")? */
static bool is_language(struct span range, const char *tag)
{
	return range.n >= 2 && (range.n == 2 || range.p[2] == '-') &&
	       same(span_of(range.p, 2), tag);
}

bool media_prefers_vietnamese(struct span field)
{
	int vietnamese = 0;
	int english = 0;
	struct span tag;
	struct range r;

	while (field.n > 0) {
		skip_space(&field);
		r = (struct range){.q = Q_ONE};
		if (take_token(&field, &tag)) {
			skip_space(&field);
			if (take(&field, ';') && !take_parameter(&field, &r))
				r.q = 0;
			if (is_language(tag, "vi") && r.q > vietnamese)
				vietnamese = r.q > english ? r.q : 0;
			if (is_language(tag, "en") && r.q > english)
				english = r.q;
		}
		skip_element(&field);
	}
	return vietnamese > 0 && vietnamese >= english;
}
