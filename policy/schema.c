/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <math.h>

#include "hcert/cbor.h"
#include "hcert/utf8.h"
#include "schema_table.h"

struct walk {
	struct cbor_reader r;
	const struct rule_profile *profile;
	struct document *d;
	struct verdict *v;
	unsigned depth;	 /* maps and arrays around the next item */
	unsigned kinds;	 /* DCC_KIND_BIT()s seen */
	bool keep;	 /* leaves go into the document */
	bool kept_entry; /* one entry's have gone there */
};

static void complain(struct walk *w, enum violation_code code,
		     const struct pointer *at)
{
	verdict_add_at(w->v, code, false, at);
}

/* TEXT, a value at AT or the name of one in it, is going to be signed. */
static void check_visible(struct walk *w, struct span text,
			  const struct pointer *at)
{
	if (utf8_has_hidden(text))
		rule_report(w->profile, w->v, VIOLATION_CONTROL_CHARACTER, at);
}

/* TEXT is a value at AT that is going to be signed. */
static void check_value(struct walk *w, struct span text,
			const struct pointer *at)
{
	check_visible(w, text, at);
	if (!utf8_is_trimmed(text))
		rule_report(w->profile, w->v, VIOLATION_UNTRIMMED, at);
}

static enum sg_err enter(struct walk *w)
{
	return ++w->depth > SCHEMA_DEPTH_MAX ? SG_TOO_BIG : SG_OK;
}

static void leave(struct walk *w)
{
	w->depth--;
}

static enum sg_err next_key(struct walk *w, struct span *key)
{
	struct cbor_item item;
	const enum sg_err err = cbor_next(&w->r, &item);

	if (err != SG_OK)
		return err;
	*key = item.run;
	return item.type == CBOR_TEXT ? SG_OK : SG_MALFORMED;
}

/* What integers, texts, arrays and maps are made of: all that goes into a
 * payload. */
static bool is_holdable(enum cbor_type type)
{
	return type == CBOR_UINT || type == CBOR_NINT || type == CBOR_TEXT ||
	       type == CBOR_ARRAY || type == CBOR_MAP;
}

/* Is ITEM an integer beyond 64 bits?  From JSON such a one comes as a real
 * number, so the same is one from CBOR. */
static bool is_too_large(const struct cbor_item *item)
{
	int64_t value;

	if (item->type == CBOR_UINT || item->type == CBOR_NINT)
		return !cbor_int(item, &value);
	return item->type == CBOR_FLOAT && isfinite(item->real) &&
	       fabs(item->real) >= 0x1p63;
}

static enum sg_err pass_inside(struct walk *w, const struct cbor_item *item,
			       const struct pointer *at);

/* Pass a value of which nothing is known but that it must be holdable. */
static enum sg_err pass_value(struct walk *w, const struct pointer *at)
{
	struct cbor_item item;
	const enum sg_err err = cbor_next(&w->r, &item);

	if (err != SG_OK)
		return err;
	if (is_too_large(&item))
		complain(w, VIOLATION_OUT_OF_RANGE, at);
	else if (!is_holdable(item.type))
		complain(w, VIOLATION_WRONG_TYPE, at);
	return pass_inside(w, &item, at);
}

/* The same for what is inside of ITEM, whose head has been read. */
static enum sg_err pass_inside(struct walk *w, const struct cbor_item *item,
			       const struct pointer *at)
{
	const bool array = item->type == CBOR_ARRAY;
	struct pointer step = {.up = at, .indexed = array};
	enum sg_err err;

	if (item->type == CBOR_TEXT)
		check_value(w, item->run, at);
	if (item->type == CBOR_TAG) /* has been told already, whole */
		return cbor_skip(&w->r, SCHEMA_DEPTH_MAX, NULL);
	if (!array && item->type != CBOR_MAP)
		return SG_OK;
	err = enter(w);
	for (uint64_t i = 0; err == SG_OK && i < item->arg; i++) {
		step.index = i;
		if (!array)
			err = next_key(w, &step.key);
		if (err == SG_OK && !array)
			check_visible(w, step.key, at);
		if (err == SG_OK)
			err = pass_value(w, &step);
	}
	leave(w);
	return err;
}

static enum sg_err wrong_type(struct walk *w, const struct cbor_item *item,
			      const struct pointer *at)
{
	complain(w, VIOLATION_WRONG_TYPE, at);
	return pass_inside(w, item, at);
}

static void check_text(struct walk *w, const struct schema_field *f,
		       struct span text, const struct pointer *at)
{
	if (!pattern_matches(f->pattern, text))
		complain(w, VIOLATION_BAD_FORMAT, at);
	if (f->max != SCHEMA_NO_LIMIT && pattern_longer(text, f->max))
		complain(w, VIOLATION_TOO_LONG, at);
}

static enum sg_err read_text(struct walk *w, const struct schema_field *f,
			     const struct cbor_item *item,
			     const struct pointer *at)
{
	if (item->type != CBOR_TEXT)
		return wrong_type(w, item, at);
	check_text(w, f, item->run, at);
	check_value(w, item->run, at);
	/* A date of birth that nobody knows is an empty text. */
	if (item->run.n == 0 && f->leaf != DOC_DOB)
		rule_report(w->profile, w->v, VIOLATION_EMPTY_FIELD, at);
	if (w->keep) {
		w->d->present[f->leaf] = true;
		w->d->text[f->leaf] = item->run;
	}
	return SG_OK;
}

static enum sg_err read_positive(struct walk *w, const struct schema_field *f,
				 const struct cbor_item *item,
				 const struct pointer *at)
{
	const bool too_large = is_too_large(item);
	int64_t value = 0;

	if (item->type != CBOR_UINT && item->type != CBOR_NINT && !too_large)
		return wrong_type(w, item, at);
	if (too_large || !cbor_int(item, &value) || value < 1)
		complain(w, VIOLATION_OUT_OF_RANGE, at);
	if (w->keep && !too_large) {
		w->d->present[f->leaf] = true;
		w->d->number[f->leaf] = value;
	}
	return SG_OK;
}

/* The field of O named KEY, at or behind *HINT first: in a request in order
 * each is found at once. */
static const struct schema_field *find_field(const struct schema_object *o,
					     struct span key, size_t *hint)
{
	for (size_t i = 0; i < o->n; i++) {
		const size_t at = (*hint + i) % o->n;
		const struct schema_field *f = &o->field[at];

		if (f->name_n == key.n && memcmp(f->name, key.p, key.n) == 0) {
			*hint = at + 1;
			return f;
		}
	}
	return NULL;
}

static enum sg_err read_value(struct walk *w, const struct schema_field *f,
			      const struct pointer *at);

static enum sg_err read_unknown(struct walk *w, const struct schema_object *o,
				const struct pointer *at)
{
	if (o->open) {
		rule_report(w->profile, w->v, VIOLATION_UNKNOWN_FIELD, at);
		check_visible(w, at->key, at->up);
		return pass_value(w, at);
	}
	complain(w, VIOLATION_UNKNOWN_FIELD, at);
	return cbor_skip(&w->r, SCHEMA_DEPTH_MAX, NULL);
}

static void check_missing(struct walk *w, const struct schema_object *o,
			  unsigned seen, const struct pointer *at)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct schema_field *f = &o->field[i];
		const struct pointer step = {
			.up = at, .key = span_of(f->name, f->name_n)};

		if (f->need == SCHEMA_REQUIRED && (seen & 1U << i) == 0)
			complain(w, VIOLATION_MISSING_FIELD, &step);
	}
}

/* Read the PAIRS of a map by O's table.  *SEEN, a bit for each of its fields,
 * says which of them are there, of whatever type. */
static enum sg_err read_map(struct walk *w, const struct schema_object *o,
			    uint64_t pairs, const struct pointer *at,
			    unsigned *seen)
{
	struct pointer step = {.up = at};
	size_t hint = 0;
	enum sg_err err = enter(w);

	*seen = 0;
	for (uint64_t i = 0; err == SG_OK && i < pairs; i++) {
		const struct schema_field *f;

		err = next_key(w, &step.key);
		if (err != SG_OK)
			break;
		f = find_field(o, step.key, &hint);
		if (f != NULL) {
			*seen |= 1U << (f - o->field);
			err = read_value(w, f, &step);
		} else {
			err = read_unknown(w, o, &step);
		}
	}
	leave(w);
	if (err == SG_OK)
		check_missing(w, o, *seen, at);
	return err;
}

/* The name in the map of O, of which the fields SEEN are there. */
static void check_name(struct walk *w, const struct schema_object *o,
		       unsigned seen, const struct pointer *at)
{
	bool there = false;
	bool empty = true;

	for (size_t i = 0; i < o->n; i++) {
		const struct schema_field *f = &o->field[i];

		if (f->need != SCHEMA_ONE_OF || (seen & 1U << i) == 0)
			continue;
		there = true;
		empty = empty && w->d->present[f->leaf] &&
			w->d->text[f->leaf].n == 0;
	}
	if (!there)
		complain(w, VIOLATION_NAME_MISSING, at);
	else if (empty) /* the schema has nothing against that */
		rule_report(w->profile, w->v, VIOLATION_NAME_MISSING, at);
}

static enum sg_err read_name(struct walk *w, const struct schema_field *f,
			     const struct cbor_item *item,
			     const struct pointer *at)
{
	unsigned seen;
	enum sg_err err;

	if (item->type != CBOR_MAP)
		return wrong_type(w, item, at);
	err = read_map(w, f->object, item->arg, at, &seen);
	if (err == SG_OK)
		check_name(w, f->object, seen, at);
	return err;
}

static enum sg_err read_entry(struct walk *w, const struct schema_object *o,
			      const struct pointer *at)
{
	struct cbor_item item;
	unsigned seen;
	enum sg_err err = cbor_next(&w->r, &item);

	if (err != SG_OK)
		return err;
	if (item.type != CBOR_MAP)
		return wrong_type(w, &item, at);
	w->keep = !w->kept_entry;
	w->kept_entry = true;
	err = read_map(w, o, item.arg, at, &seen);
	w->keep = true;
	return err;
}

static enum sg_err read_entries(struct walk *w, const struct schema_field *f,
				const struct cbor_item *item,
				const struct pointer *at)
{
	struct pointer step = {.up = at, .indexed = true};
	enum sg_err err;

	w->kinds |= DCC_KIND_BIT(f->kind);
	w->d->kind = f->kind;
	if (item->type != CBOR_ARRAY)
		return wrong_type(w, item, at);
	if (item->arg != 1)
		complain(w, VIOLATION_ENTRY_COUNT, at);
	err = enter(w);
	for (; err == SG_OK && step.index < item->arg; step.index++)
		err = read_entry(w, f->object, &step);
	leave(w);
	return err;
}

static enum sg_err read_dcc(struct walk *w, const struct schema_field *f,
			    const struct cbor_item *item,
			    const struct pointer *at)
{
	const size_t start = w->r.at - item->all.n;
	unsigned seen;
	enum sg_err err;

	if (item->type != CBOR_MAP)
		return wrong_type(w, item, at);
	err = read_map(w, f->object, item->arg, at, &seen);
	if (err != SG_OK)
		return err;
	w->d->has_kind = w->kinds != 0 && (w->kinds & (w->kinds - 1)) == 0;
	if (!w->d->has_kind)
		complain(w, VIOLATION_ENTRY_COUNT, at);
	w->d->dcc = span_of(w->r.in.p + start, w->r.at - start);
	return SG_OK;
}

/* Of the request's own values nothing is signed, so what a payload cannot hold
 * is no matter inside of them. */
static enum sg_err wrong_type_flat(struct walk *w, const struct cbor_item *item,
				   const struct pointer *at)
{
	complain(w, VIOLATION_WRONG_TYPE, at);
	w->r.at -= item->all.n;
	return cbor_skip(&w->r, SCHEMA_DEPTH_MAX, NULL);
}

static enum sg_err read_exp(struct walk *w, const struct cbor_item *item,
			    const struct pointer *at)
{
	const bool too_large = is_too_large(item);

	w->d->asks_exp = true;
	if (item->type != CBOR_UINT && item->type != CBOR_NINT && !too_large)
		return wrong_type_flat(w, item, at);
	w->d->has_exp = !too_large && cbor_int(item, &w->d->exp);
	if (!w->d->has_exp)
		complain(w, VIOLATION_OUT_OF_RANGE, at);
	return SG_OK;
}

static enum sg_err read_id(struct walk *w, const struct schema_field *f,
			   const struct cbor_item *item,
			   const struct pointer *at)
{
	if (item->type != CBOR_TEXT)
		return wrong_type_flat(w, item, at);
	check_text(w, f, item->run, at);
	if (!pattern_longer(item->run, f->max))
		w->d->id = item->run;
	return SG_OK;
}

static enum sg_err read_attestation(struct walk *w,
				    const struct cbor_item *item,
				    const struct pointer *at)
{
	w->d->wrong_attestation = item->type != CBOR_BYTES;
	if (item->type == CBOR_BYTES)
		w->d->attestation = item->run;
	else if (item->type == CBOR_TEXT) /* JSON's, and no base64 */
		complain(w, VIOLATION_BAD_FORMAT, at);
	else
		return wrong_type_flat(w, item, at);
	return SG_OK;
}

static enum sg_err read_value(struct walk *w, const struct schema_field *f,
			      const struct pointer *at)
{
	struct cbor_item item;
	const enum sg_err err = cbor_next(&w->r, &item);

	if (err != SG_OK)
		return err;
	switch (f->type) {
	case SCHEMA_TEXT: return read_text(w, f, &item, at);
	case SCHEMA_POSITIVE: return read_positive(w, f, &item, at);
	case SCHEMA_NAME: return read_name(w, f, &item, at);
	case SCHEMA_ENTRIES: return read_entries(w, f, &item, at);
	case SCHEMA_DCC: return read_dcc(w, f, &item, at);
	case SCHEMA_EXP: return read_exp(w, &item, at);
	case SCHEMA_ID: return read_id(w, f, &item, at);
	case SCHEMA_ATTESTATION: return read_attestation(w, &item, at);
	}
	return SG_INTERNAL;
}

static void document_init(struct document *d)
{
	/* Not text[] and number[]: they are read where present[] says so. */
	d->dcc = d->id = d->attestation = span_of(NULL, 0);
	d->wrong_attestation = false;
	d->has_kind = false;
	d->kind = DCC_VACCINATION;
	memset(d->present, 0, sizeof(d->present));
	d->asks_exp = d->has_exp = false;
	d->exp = 0;
}

enum sg_err schema_read(struct span request, const struct rule_profile *profile,
			struct document *d, struct verdict *v)
{
	struct walk w = {.r = cbor_read(request, CBOR_DETERMINISTIC),
			 .profile = profile,
			 .d = d,
			 .v = v,
			 .keep = true};
	struct cbor_item item;
	unsigned seen;
	enum sg_err err;

	document_init(d);
	err = cbor_next(&w.r, &item);
	if (err != SG_OK)
		return err;
	if (item.type != CBOR_MAP)
		err = wrong_type_flat(&w, &item, NULL);
	else
		err = read_map(&w, &SCHEMA_REQUEST, item.arg, NULL, &seen);
	if (err == SG_OK && !cbor_at_end(&w.r))
		err = SG_MALFORMED;
	return err;
}
