/* SPDX-License-Identifier: Apache-2.0 */
#include "logfmt.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* --- writing -------------------------------------------------------------- */

struct text {
	char *out;
	size_t n, size; /* n < size: room for the NUL */
	bool quoted;	/* in a value that FMT has in quotes */
};

/* A va_list that functions can be given, whatever type it is. */
struct arguments {
	va_list ap;
};

/* A conversion: %0WIDTH.*LENGTH, and its letter. */
struct conversion {
	bool zeros, precision;
	int width;
	unsigned longs; /* l: 1, ll: 2 */
	bool is_size;	/* z */
	char letter;
};

static void put_char(struct text *t, char c)
{
	if (t->n + 1 < t->size)
		t->out[t->n++] = c;
}

/* Up to MOST bytes of VALUE, none of which ends it. */
static void put_value(struct text *t, const char *value, size_t most)
{
	for (size_t i = 0; i < most && value[i] != '\0'; i++) {
		const char c = value[i];

		if (t->quoted && (c == '"' || c == '\\'))
			put_char(t, '\\');
		if (!t->quoted && (c == ' ' || c == '"' || c == '='))
			put_char(t, '?');
		else
			put_char(t, c);
	}
}

static void put_string(struct text *t, const struct conversion *c,
		       struct arguments *args)
{
	const int most = c->precision ? va_arg(args->ap, int) : -1;
	const char *value = va_arg(args->ap, const char *);

	if (value != NULL)
		put_value(t, value, most >= 0 ? (size_t)most : SIZE_MAX);
}

static long long signed_argument(const struct conversion *c,
				 struct arguments *args)
{
	if (c->longs == 2)
		return va_arg(args->ap, long long);
	return c->longs == 1 ? va_arg(args->ap, long) : va_arg(args->ap, int);
}

static unsigned long long unsigned_argument(const struct conversion *c,
					    struct arguments *args)
{
	if (c->is_size)
		return va_arg(args->ap, size_t);
	if (c->longs == 2)
		return va_arg(args->ap, unsigned long long);
	return c->longs == 1 ? va_arg(args->ap, unsigned long)
			     : va_arg(args->ap, unsigned);
}

static void put_number(struct text *t, const struct conversion *c,
		       struct arguments *args)
{
	char *p = t->out + t->n;
	const size_t room = t->size - t->n;
	unsigned long long u;
	int n;

	if (c->letter == 'd') {
		const long long d = signed_argument(c, args);

		n = c->zeros ? snprintf(p, room, "%0*lld", c->width, d)
			     : snprintf(p, room, "%*lld", c->width, d);
	} else {
		u = unsigned_argument(c, args);
		if (c->letter == 'x')
			n = snprintf(p, room, "%0*llx", c->width, u);
		else if (c->letter == 'o')
			n = snprintf(p, room, "%0*llo", c->width, u);
		else
			n = snprintf(p, room, "%0*llu", c->width, u);
	}
	if (n > 0)
		t->n += (size_t)n < room ? (size_t)n : room - 1;
}

/* The conversion behind the '%' at P.  Returns what follows. */
static const char *take_conversion(const char *p, struct conversion *c)
{
	*c = (struct conversion){0};
	for (p++; *p == '0'; p++)
		c->zeros = true;
	for (; *p >= '0' && *p <= '9'; p++)
		c->width = 10 * c->width + (*p - '0');
	if (p[0] == '.' && p[1] == '*') {
		c->precision = true;
		p += 2;
	}
	for (; *p == 'l'; p++)
		c->longs++;
	if (*p == 'z') {
		c->is_size = true;
		p++;
	}
	c->letter = *p;
	return p + 1;
}

size_t logfmt_write(char *out, size_t size, const char *fmt, va_list ap)
{
	struct text t = {.out = out, .size = size};
	struct arguments args;
	struct conversion c;

	va_copy(args.ap, ap);
	while (*fmt != '\0') {
		if (*fmt != '%') {
			if (*fmt == '"')
				t.quoted = !t.quoted;
			put_char(&t, *fmt++);
			continue;
		}
		fmt = take_conversion(fmt, &c);
		assert(c.letter != '\0' && strchr("sduxo%", c.letter) != NULL);
		if (c.letter == 's')
			put_string(&t, &c, &args);
		else if (c.letter == '%')
			put_char(&t, '%');
		else
			put_number(&t, &c, &args);
	}
	va_end(args.ap);
	t.out[t.n] = '\0';
	return t.n;
}

/* --- reading -------------------------------------------------------------- */

/* The bytes of a value in quotes at P, behind the first, up to the second, or
 * all N: the line was cut. */
static size_t quoted_n(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != '"')
		i += p[i] == '\\' ? 2 : 1;
	return i < n ? i : n;
}

static size_t word_n(const char *p, size_t n, const char *ends)
{
	size_t i = 0;

	while (i < n && strchr(ends, p[i]) == NULL)
		i++;
	return i;
}

static void skip(const char **p, size_t *n, size_t bytes)
{
	const size_t all = bytes < *n ? bytes : *n;

	*p += all;
	*n -= all;
}

bool logfmt_next(const char **p, size_t *n, struct logfmt_pair *pair)
{
	while (*n > 0) {
		*pair = (struct logfmt_pair){.key = *p,
					     .key_n = word_n(*p, *n, "= ")};
		skip(p, n, pair->key_n);
		if (*n == 0)
			return false;
		if (**p == ' ') {
			skip(p, n, 1);
			continue;
		}
		skip(p, n, 1);
		pair->quoted = *n > 0 && **p == '"';
		if (pair->quoted)
			skip(p, n, 1);
		pair->value = *p;
		pair->value_n =
			pair->quoted ? quoted_n(*p, *n) : word_n(*p, *n, " ");
		skip(p, n, pair->value_n);
		if (pair->quoted)
			skip(p, n, 1);
		if (pair->key_n > 0)
			return true;
	}
	return false;
}

size_t logfmt_value(const struct logfmt_pair *pair, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < pair->value_n; i++) {
		if (pair->quoted && pair->value[i] == '\\' &&
		    ++i == pair->value_n)
			break;
		out[n++] = pair->value[i];
	}
	return n;
}
