/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_value.h"

#include <assert.h>

enum { STEP_BYTES = 64 /* of text, a step */ };

/* RFC 8949 s. 3.1: the major types, in the first three bits of a head. */
enum {
	MAJOR_UINT,
	MAJOR_NINT,
	MAJOR_BYTES,
	MAJOR_TEXT,
	MAJOR_ARRAY,
	MAJOR_MAP,
	MAJOR_TAG,
	MAJOR_SIMPLE,
	MAJOR_SHIFT = 5,
	INFO_MASK = 0x1F
};
/* s. 3: what the other five bits say from 24 on; s. 3.3: simple values. */
enum {
	INFO_1_BYTE = 24,
	INFO_8_BYTES = 27,
	SIMPLE_FALSE = 20,
	SIMPLE_TRUE,
	SIMPLE_NULL,
	SIMPLE_UNDEFINED
};

const char *certlogic_error_text(enum certlogic_error error)
{
	static const char *const texts[] = {
#define X(id, text) text,
		CERTLOGIC_ERROR_MAP(X)
#undef X
	};

	assert(error < CERTLOGIC_ERROR_COUNT);
	return texts[error];
}

/* --- CBOR, read where it lies --------------------------------------------- */

struct head {
	unsigned major, info;
	uint64_t arg;
};

/* Take a head from IN.  The data has been through cbor_check() as a rule, but
 * nothing here leans on it: no read is beyond IN. */
static bool take_head(struct span *in, struct head *out)
{
	size_t width;

	if (in->n == 0)
		return false;
	out->major = in->p[0] >> MAJOR_SHIFT;
	out->info = in->p[0] & INFO_MASK;
	out->arg = out->info;
	*in = span_of(in->p + 1, in->n - 1);
	if (out->info < INFO_1_BYTE)
		return true;
	if (out->info > INFO_8_BYTES)
		return false;
	width = (size_t)1 << (out->info - INFO_1_BYTE);
	if (width > in->n)
		return false;
	out->arg = 0;
	for (size_t i = 0; i < width; i++)
		out->arg = out->arg << 8 | in->p[i];
	*in = span_of(in->p + width, in->n - width);
	return true;
}

/* Pass the bytes of a string. */
static bool take_run(struct span *in, uint64_t n, struct span *run)
{
	if (n > in->n)
		return false;
	*run = span_of(in->p, (size_t)n);
	*in = span_of(in->p + n, in->n - (size_t)n);
	return true;
}

/* Pass N items, nested ones included, by counting instead of recursing. */
static enum certlogic_error pass(struct span *in, uint64_t n,
				 struct certlogic_scratch *s)
{
	struct span run;
	struct head h;

	for (; n > 0; n--) {
		if (!certlogic_spend(s, 1))
			return CERTLOGIC_STEPS;
		if (!take_head(in, &h))
			return CERTLOGIC_DATA;
		if ((h.major == MAJOR_BYTES || h.major == MAJOR_TEXT) &&
		    !take_run(in, h.arg, &run))
			return CERTLOGIC_DATA;
		if ((h.major == MAJOR_ARRAY || h.major == MAJOR_MAP) &&
		    h.arg > in->n)
			return CERTLOGIC_DATA; /* and no overflow below */
		if (h.major == MAJOR_ARRAY)
			n += h.arg;
		else if (h.major == MAJOR_MAP)
			n += 2 * h.arg;
		else if (h.major == MAJOR_TAG)
			n++;
	}
	return CERTLOGIC_OK;
}

static struct certlogic_value integer_of(const struct head *h)
{
	if (h->arg > INT64_MAX)
		return (struct certlogic_value){.type = CERTLOGIC_OTHER};
	return certlogic_integer(h->major == MAJOR_UINT ? (int64_t)h->arg
							: -1 - (int64_t)h->arg);
}

static struct certlogic_value simple_of(const struct head *h)
{
	if (h->info >= INFO_1_BYTE) /* fractions among them */
		return (struct certlogic_value){.type = CERTLOGIC_OTHER};
	switch (h->arg) {
	case SIMPLE_FALSE: return certlogic_bool(false);
	case SIMPLE_TRUE: return certlogic_bool(true);
	case SIMPLE_NULL:
	case SIMPLE_UNDEFINED:
		return (struct certlogic_value){.type = CERTLOGIC_NULL};
	default: return (struct certlogic_value){.type = CERTLOGIC_OTHER};
	}
}

/* Take the value at the start of IN: a scalar whole, of an array, a map or a
 * tag the head.  *BEHIND: the items that lie behind that head. */
static enum certlogic_error take_value(struct span *in,
				       struct certlogic_value *out,
				       uint64_t *behind)
{
	struct span run;
	struct head h;

	*behind = 0;
	if (!take_head(in, &h))
		return CERTLOGIC_DATA;
	switch (h.major) {
	case MAJOR_UINT:
	case MAJOR_NINT: *out = integer_of(&h); break;
	case MAJOR_BYTES:
	case MAJOR_TEXT:
		if (!take_run(in, h.arg, &run))
			return CERTLOGIC_DATA;
		*out = h.major == MAJOR_TEXT ? certlogic_text(run)
					     : (struct certlogic_value){
						       .type = CERTLOGIC_OTHER};
		break;
	case MAJOR_ARRAY:
	case MAJOR_MAP:
		/* Each item is a byte at least. */
		if (h.arg > UINT32_MAX || h.arg > in->n)
			return CERTLOGIC_DATA;
		out->type = h.major == MAJOR_ARRAY ? CERTLOGIC_ARRAY
						   : CERTLOGIC_MAP;
		out->n = (uint32_t)h.arg;
		out->data = *in;
		*behind = h.major == MAJOR_ARRAY ? h.arg : 2 * h.arg;
		break;
	case MAJOR_SIMPLE: *out = simple_of(&h); break;
	default:
		*out = (struct certlogic_value){.type = CERTLOGIC_OTHER};
		*behind = 1;
		break;
	}
	return CERTLOGIC_OK;
}

/* Take it whole. */
static enum certlogic_error take_item(struct span *in,
				      struct certlogic_scratch *s,
				      struct certlogic_value *out)
{
	uint64_t behind;
	enum certlogic_error err;

	if (!certlogic_spend(s, 1))
		return CERTLOGIC_STEPS;
	err = take_value(in, out, &behind);
	if (err != CERTLOGIC_OK || behind == 0)
		return err;
	return pass(in, behind, s);
}

enum certlogic_error certlogic_value_read(struct span in,
					  struct certlogic_value *out)
{
	uint64_t behind;

	return take_value(&in, out, &behind);
}

/* --- members and items ---------------------------------------------------- */

static enum certlogic_error find_in_map(const struct certlogic_value *v,
					struct span key,
					struct certlogic_scratch *s,
					struct certlogic_value *out)
{
	struct span in = v->data;

	for (uint32_t i = 0; i < v->n; i++) {
		struct certlogic_value name;
		enum certlogic_error err = take_item(&in, s, &name);

		if (err != CERTLOGIC_OK)
			return err;
		if (name.type == CERTLOGIC_TEXT && span_eq(name.text, key))
			return certlogic_value_read(in, out);
		err = pass(&in, 1, s);
		if (err != CERTLOGIC_OK)
			return err;
	}
	return CERTLOGIC_OK;
}

enum certlogic_error certlogic_value_member(const struct certlogic_value *v,
					    struct span key,
					    struct certlogic_scratch *s,
					    struct certlogic_value *out)
{
	const struct certlogic_value from = *v; /* OUT may be V */

	*out = (struct certlogic_value){.type = CERTLOGIC_NULL};
	if (from.type == CERTLOGIC_MAP)
		return find_in_map(&from, key, s, out);
	if (from.type != CERTLOGIC_RECORD)
		return CERTLOGIC_OK;
	for (uint32_t i = 0; i < from.n; i++) {
		if (!certlogic_spend(s, 1))
			return CERTLOGIC_STEPS;
		if (!span_eq(from.member[i].key, key))
			continue;
		*out = from.member[i].value;
		break;
	}
	return CERTLOGIC_OK;
}

enum certlogic_error certlogic_value_item(const struct certlogic_value *v,
					  uint32_t index,
					  struct certlogic_scratch *s,
					  struct certlogic_value *out)
{
	const struct certlogic_value from = *v; /* OUT may be V */
	struct span in = from.data;
	enum certlogic_error err;

	*out = (struct certlogic_value){.type = CERTLOGIC_NULL};
	if (!certlogic_is_array(&from) || index >= from.n)
		return CERTLOGIC_OK;
	if (from.type == CERTLOGIC_LIST) {
		*out = from.item[index];
		return CERTLOGIC_OK;
	}
	err = pass(&in, index, s);
	return err != CERTLOGIC_OK ? err : certlogic_value_read(in, out);
}

enum certlogic_error certlogic_walk_next(struct certlogic_walk *w,
					 struct certlogic_scratch *s,
					 struct certlogic_value *out)
{
	assert(w->rest.n > 0);
	w->rest.n--;
	if (w->rest.type == CERTLOGIC_LIST) {
		if (!certlogic_spend(s, 1))
			return CERTLOGIC_STEPS;
		*out = *w->rest.item++;
		return CERTLOGIC_OK;
	}
	return take_item(&w->rest.data, s, out);
}

/* --- truth and equality --------------------------------------------------- */

enum certlogic_error certlogic_value_truth(const struct certlogic_value *v,
					   bool *truth)
{
	switch (v->type) {
	case CERTLOGIC_NULL:
	case CERTLOGIC_FALSE: *truth = false; break;
	case CERTLOGIC_TRUE: *truth = true; break;
	case CERTLOGIC_INTEGER: *truth = v->integer != 0; break;
	case CERTLOGIC_TEXT: *truth = v->text.n > 0; break;
	case CERTLOGIC_ARRAY:
	case CERTLOGIC_MAP:
	case CERTLOGIC_LIST:
	case CERTLOGIC_RECORD: *truth = v->n > 0; break;
	case CERTLOGIC_TIME:
	case CERTLOGIC_OTHER:
	default: return CERTLOGIC_TRUTH;
	}
	return CERTLOGIC_OK;
}

/* The types between which "===" says nothing reliable, as one; the others as
 * they are. */
static enum certlogic_type family(enum certlogic_type type)
{
	switch (type) {
	case CERTLOGIC_LIST: return CERTLOGIC_ARRAY;
	case CERTLOGIC_RECORD: return CERTLOGIC_MAP;
	default: return type;
	}
}

enum certlogic_error certlogic_value_same(const struct certlogic_value *a,
					  const struct certlogic_value *b,
					  struct certlogic_scratch *s,
					  bool *same)
{
	*same = false;
	if (a->type == CERTLOGIC_OTHER || b->type == CERTLOGIC_OTHER)
		return CERTLOGIC_TYPE;
	if (family(a->type) != family(b->type))
		return CERTLOGIC_OK;
	switch (a->type) {
	case CERTLOGIC_NULL:
	case CERTLOGIC_FALSE:
	case CERTLOGIC_TRUE: *same = true; return CERTLOGIC_OK;
	case CERTLOGIC_INTEGER:
		*same = a->integer == b->integer;
		return CERTLOGIC_OK;
	case CERTLOGIC_TEXT:
		if (a->text.n != b->text.n)
			return CERTLOGIC_OK;
		if (!certlogic_spend(s, a->text.n / STEP_BYTES))
			return CERTLOGIC_STEPS;
		*same = span_eq(a->text, b->text);
		return CERTLOGIC_OK;
	default: return CERTLOGIC_TYPE;
	}
}
