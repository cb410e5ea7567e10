/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <assert.h>

_Static_assert(sizeof(((struct verdict *)NULL)->pool) <= UINT16_MAX,
	       "a place in the pool is 16 bits wide");

enum { INDEX_DIGITS = 20 }; /* of a size_t */

/* Text that takes whole pieces only, and after the first one that does not fit
 * none at all: a cut pointer is a prefix of the whole one. */
struct piece_text {
	char *p;
	size_t n;
	bool full;
};

static void put_piece(struct piece_text *t, const void *piece, size_t n)
{
	if (t->full || n > VERDICT_POINTER_MAX - t->n) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->n, piece, n);
	t->n += n;
}

/* Bytes of the character at the start of S (UTF-8: RFC 3629 s. 3).  Text that
 * is none is passed byte by byte. */
static size_t character_bytes(struct span s)
{
	size_t n = 1;

	while (n < s.n && n < 4 && (s.p[n] & 0xC0U) == 0x80U)
		n++;
	return n;
}

/* RFC 6901 s. 3: '~' is written ~0 and '/' ~1. */
static void put_key(struct piece_text *t, struct span key)
{
	while (key.n > 0 && !t->full) {
		const size_t n = character_bytes(key);

		if (key.p[0] == '~')
			put_piece(t, "~0", 2);
		else if (key.p[0] == '/')
			put_piece(t, "~1", 2);
		else
			put_piece(t, key.p, n);
		key = span_of(key.p + n, key.n - n);
	}
}

static void put_index(struct piece_text *t, size_t index)
{
	char digits[INDEX_DIGITS];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + index % 10);
		index /= 10;
	} while (index > 0);
	put_piece(t, digits + at, sizeof(digits) - at);
}

static void put_pointer(struct piece_text *t, const struct pointer *at)
{
	if (at == NULL)
		return;
	put_pointer(t, at->up);
	put_piece(t, "/", 1);
	if (at->indexed)
		put_index(t, at->index);
	else
		put_key(t, at->key);
}

/* Bytes of POINTER that are kept: whole characters and escapes only. */
static size_t cut(struct span pointer)
{
	size_t n = VERDICT_POINTER_MAX;

	if (pointer.n <= VERDICT_POINTER_MAX)
		return pointer.n;
	while (n > 0 && (pointer.p[n] & 0xC0U) == 0x80U)
		n--;
	if (n > 0 && pointer.p[n - 1] == '~')
		n--;
	return n;
}

void verdict_init(struct verdict *v)
{
	/* Not the arrays: clearing them would cost more than judging. */
	v->failed = SG_OK;
	v->n = 0;
	v->errors = 0;
	v->warnings = 0;
	v->dropped = 0;
	v->pool_n = 0;
}

/* Take violation I out, and its pointer's text out of the pool: texts lie
 * there in the violations' order. */
static void drop(struct verdict *v, size_t i)
{
	const struct violation gone = v->violation[i];
	const size_t end = (size_t)gone.pointer_at + gone.pointer_n;

	memmove(v->pool + gone.pointer_at, v->pool + end, v->pool_n - end);
	v->pool_n -= gone.pointer_n;
	v->warnings -= gone.warning ? 1 : 0;
	v->n--;
	for (; i < v->n; i++) {
		v->violation[i] = v->violation[i + 1];
		v->violation[i].pointer_at -= gone.pointer_n;
	}
	v->dropped++;
}

static bool has_room(const struct verdict *v, size_t n)
{
	return v->n < VERDICT_MAX && n <= sizeof(v->pool) - v->pool_n;
}

/* Room for an error with a pointer of N bytes.  Warnings give way, the last
 * one first, but none for nothing: not if all of them would not do. */
static bool make_room(struct verdict *v, size_t n)
{
	size_t bytes = 0;

	if (v->warnings == 0)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (v->violation[i].warning)
			bytes += v->violation[i].pointer_n;
	if (n > sizeof(v->pool) - v->pool_n + bytes)
		return false;
	for (size_t i = v->n; i > 0 && !has_room(v, n); i--)
		if (v->violation[i - 1].warning)
			drop(v, i - 1);
	return true;
}

static void add(struct verdict *v, enum violation_code code,
		const struct violation_text *text, bool warning,
		struct span pointer)
{
	const size_t n = cut(pointer);
	struct violation *violation;

	assert(code < VIOLATION_COUNT);
	if (!warning)
		v->errors++;
	if (!has_room(v, n) && (warning || !make_room(v, n))) {
		v->dropped++;
		return;
	}
	violation = &v->violation[v->n++];
	violation->code = code;
	violation->text = text;
	violation->warning = warning;
	v->warnings += warning ? 1 : 0;
	violation->pointer_at = (uint16_t)v->pool_n;
	violation->pointer_n = (uint16_t)n;
	if (n > 0)
		memcpy(v->pool + v->pool_n, pointer.p, n);
	v->pool_n += n;
}

void verdict_add(struct verdict *v, enum violation_code code, bool warning,
		 struct span pointer)
{
	add(v, code, NULL, warning, pointer);
}

void verdict_add_rule(struct verdict *v, const struct violation_text *text,
		      bool warning, struct span pointer)
{
	add(v, VIOLATION_RULE, text, warning, pointer);
}

static void add_at(struct verdict *v, enum violation_code code,
		   const struct violation_text *own, bool warning,
		   const struct pointer *at)
{
	char buf[VERDICT_POINTER_MAX];
	struct piece_text text = {.p = buf};

	/* What is only counted needs no text. */
	if (v->n < VERDICT_MAX || (!warning && v->warnings > 0))
		put_pointer(&text, at);
	add(v, code, own, warning, span_of(buf, text.n));
}

void verdict_add_at(struct verdict *v, enum violation_code code, bool warning,
		    const struct pointer *at)
{
	add_at(v, code, NULL, warning, at);
}

void verdict_add_cause(struct verdict *v, enum violation_code code,
		       const struct violation_text *cause,
		       const struct pointer *at)
{
	add_at(v, code, cause, false, at);
}

struct span verdict_pointer(const struct verdict *v, size_t i)
{
	assert(i < v->n);
	return span_of(v->pool + v->violation[i].pointer_at,
		       v->violation[i].pointer_n);
}

struct span verdict_code(const struct verdict *v, size_t i)
{
	assert(i < v->n);
	return v->violation[i].text != NULL
		       ? v->violation[i].text->code
		       : span_str(violation_code_text(v->violation[i].code));
}

struct span verdict_detail(const struct verdict *v, size_t i,
			   enum verdict_language language)
{
	assert(i < v->n);
	return v->violation[i].text != NULL
		       ? v->violation[i].text->detail[language]
		       : span_str(violation_detail(v->violation[i].code,
						   language));
}

const char *violation_code_text(enum violation_code code)
{
	static const char *const texts[] = {
#define X(id, text, en, vi) text,
		VERDICT_MAP(X)
#undef X
	};

	assert(code < VIOLATION_COUNT);
	return texts[code];
}

const char *violation_detail(enum violation_code code,
			     enum verdict_language language)
{
	static const char *const details[][2] = {
#define X(id, text, en, vi) {en, vi},
		VERDICT_MAP(X)
#undef X
	};

	assert(code < VIOLATION_COUNT);
	return details[code][language == VERDICT_VIETNAMESE ? 1 : 0];
}
