/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

enum { DIGITS_MAX = 18 };

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const uint8_t *skip_space(const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

/* Beyond the string that begins at P; NULL if it does not end. */
static const uint8_t *skip_string(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *from = p + 1;

	while (from < end) {
		const uint8_t *quote = memchr(from, '"', (size_t)(end - from));
		const uint8_t *back = quote;

		if (quote == NULL)
			return NULL;
		while (back - 1 > p && back[-1] == '\\')
			back--;
		if ((quote - back) % 2 == 0)
			return quote + 1;
		from = quote + 1;
	}
	return NULL;
}

/* Beyond the array or object that begins at P. */
static const uint8_t *skip_nested(const uint8_t *p, const uint8_t *end)
{
	size_t depth = 0;

	while (p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end);
			if (p == NULL)
				return NULL;
			continue;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']': depth--; break;
		default: break;
		}
		p++;
		if (depth == 0)
			return p;
	}
	return NULL;
}

static bool ends_scalar(uint8_t c)
{
	return c == ',' || c == '}' || c == ']' || is_space(c);
}

static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *from = p;

	if (p >= end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_nested(p, end);
	while (p < end && !ends_scalar(*p)) {
		if (*p == '"' || *p == ':' || *p < 0x20 || *p >= 0x7f)
			return NULL;
		p++;
	}
	return p > from ? p : NULL;
}

struct scan scan_object(struct span text)
{
	struct scan s = {.first = true};

	if (text.n == 0)
		return s;
	s.end = text.p + text.n;
	s.p = skip_space(text.p, s.end);
	if (s.p == s.end || *s.p != '{')
		s.p = NULL;
	else
		s.p++;
	return s;
}

/* After the last member: nothing else may stand there. */
static enum scan_got finish(struct scan *s)
{
	s->p = skip_space(s->p + 1, s->end);
	return s->p == s->end ? SCAN_END : SCAN_FAULT;
}

enum scan_got scan_next(struct scan *s, struct span *key, struct span *value)
{
	const uint8_t *from;

	if (s->p == NULL)
		return SCAN_FAULT;
	s->p = skip_space(s->p, s->end);
	if (s->p < s->end && *s->p == '}')
		return finish(s);
	if (!s->first) {
		if (s->p == s->end || *s->p != ',')
			return SCAN_FAULT;
		s->p = skip_space(s->p + 1, s->end);
	}
	s->first = false;
	from = s->p;
	if (from == s->end || *from != '"' ||
	    (s->p = skip_string(from, s->end)) == NULL)
		return SCAN_FAULT;
	*key = span_of(from + 1, (size_t)(s->p - from) - 2);
	s->p = skip_space(s->p, s->end);
	if (s->p == s->end || *s->p != ':')
		return SCAN_FAULT;
	from = skip_space(s->p + 1, s->end);
	s->p = skip_value(from, s->end);
	if (s->p == NULL)
		return SCAN_FAULT;
	*value = span_of(from, (size_t)(s->p - from));
	return SCAN_MEMBER;
}

bool scan_find(struct span text, const char *key, struct span *value)
{
	struct scan s = scan_object(text);
	struct span name;

	while (scan_next(&s, &name, value) == SCAN_MEMBER)
		if (span_is(name, key))
			return true;
	return false;
}

bool scan_first(struct span text, struct span *value)
{
	const uint8_t *end = text.p + text.n;
	const uint8_t *from;
	const uint8_t *to;

	if (text.n < 2 || text.p[0] != '[')
		return false;
	from = skip_space(text.p + 1, end);
	to = skip_value(from, end);
	if (to == NULL)
		return false;
	*value = span_of(from, (size_t)(to - from));
	return true;
}

bool scan_string(struct span value, struct span *text)
{
	if (value.n < 2 || value.p[0] != '"')
		return false;
	*text = span_of(value.p + 1, value.n - 2);
	return true;
}

bool scan_integer(struct span value, int64_t *out)
{
	const bool minus = value.n > 0 && value.p[0] == '-';
	const size_t first = minus ? 1 : 0;
	int64_t v = 0;

	if (value.n == first || value.n - first > DIGITS_MAX)
		return false;
	for (size_t i = first; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return false;
		v = v * 10 + (value.p[i] - '0');
	}
	*out = minus ? -v : v;
	return true;
}

bool scan_is_object(struct span text)
{
	struct scan s = scan_object(text);
	struct span key;
	struct span value;
	enum scan_got got;

	do {
		got = scan_next(&s, &key, &value);
	} while (got == SCAN_MEMBER);
	return got == SCAN_END;
}
