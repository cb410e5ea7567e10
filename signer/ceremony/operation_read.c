/* SPDX-License-Identifier: Apache-2.0 */
/* The reading half of operation.h.  The members come in one order alone, so
 * whoever takes them one after the other has checked that order, and that none
 * is there twice. */
#include "hcert/cbor.h"
#include "hcert/dsc.h"
#include "operation_members.h"

static const char NOT_CBOR[] = "it is not deterministic CBOR";
static const char NOT_MAP[] = "it is not a map";
static const char WRONG_FORM[] = "a member has another type or size than it "
				 "must have";

struct taking {
	struct cbor_reader r;
	const char *why;
	uint64_t left; /* pairs */
	struct span last;
};

static enum sg_err no(struct taking *t, enum sg_err err, const char *why)
{
	if (t->why == NULL)
		t->why = why;
	return err;
}

static enum sg_err take_item(struct taking *t, struct cbor_item *item)
{
	const enum sg_err err = cbor_next(&t->r, item);

	return err == SG_OK ? SG_OK : no(t, err, NOT_CBOR);
}

static enum sg_err take_string(struct taking *t, enum cbor_type type,
			       struct span *out)
{
	struct cbor_item item;
	const enum sg_err err = take_item(t, &item);

	if (err != SG_OK)
		return err;
	if (item.type != type)
		return no(t, SG_MALFORMED, WRONG_FORM);
	*out = item.run;
	return SG_OK;
}

static enum sg_err take_fixed(struct taking *t, size_t n, const uint8_t **out)
{
	struct span run;
	const enum sg_err err = take_string(t, CBOR_BYTES, &run);

	if (err != SG_OK)
		return err;
	*out = run.p;
	return run.n == n ? SG_OK : no(t, SG_MALFORMED, WRONG_FORM);
}

static enum sg_err take_int(struct taking *t, int64_t *out)
{
	struct cbor_item item;
	const enum sg_err err = take_item(t, &item);

	if (err != SG_OK)
		return err;
	return cbor_int(&item, out) ? SG_OK : no(t, SG_MALFORMED, WRONG_FORM);
}

static enum sg_err take_uint(struct taking *t, uint64_t max, uint64_t *out)
{
	struct cbor_item item;
	const enum sg_err err = take_item(t, &item);

	if (err != SG_OK)
		return err;
	if (item.type != CBOR_UINT || item.arg > max)
		return no(t, SG_MALFORMED, WRONG_FORM);
	*out = item.arg;
	return SG_OK;
}

static enum sg_err take_bool(struct taking *t, bool *out)
{
	struct cbor_item item;
	const enum sg_err err = take_item(t, &item);

	if (err != SG_OK)
		return err;
	if (item.type != CBOR_TRUE && item.type != CBOR_FALSE)
		return no(t, SG_MALFORMED, WRONG_FORM);
	*out = item.type == CBOR_TRUE;
	return SG_OK;
}

static enum sg_err take_kind(struct taking *t, enum operation_kind *out)
{
	struct span name;
	const enum sg_err err = take_string(t, CBOR_TEXT, &name);

	if (err != SG_OK)
		return err;
	*out = operation_kind_of(name);
	return *out < OPERATION_KINDS
		       ? SG_OK
		       : no(t, SG_MALFORMED,
			    "there is no such kind of operation");
}

static enum sg_err take_alg(struct taking *t, enum cose_alg *out)
{
	int64_t number;
	const enum sg_err err = take_int(t, &number);

	if (err != SG_OK)
		return err;
	/* Which of them may be is operation_fault()'s to say. */
	*out = number >= INT16_MIN && number <= INT16_MAX
		       ? (enum cose_alg)number
		       : COSE_NONE;
	return SG_OK;
}

static enum sg_err take_kinds(struct taking *t, unsigned *out)
{
	unsigned next = 0;
	struct span text;
	const enum sg_err err = take_string(t, CBOR_TEXT, &text);

	if (err != SG_OK)
		return err;
	*out = 0;
	for (size_t i = 0; i < text.n; i++) {
		while (next < DCC_KINDS &&
		       dcc_kind_letter((enum dcc_kind)next) != (char)text.p[i])
			next++;
		if (next == DCC_KINDS)
			return no(t, SG_MALFORMED,
				  "kinds must be some of \"vtr\", in this "
				  "order");
		*out |= DCC_KIND_BIT(next++);
	}
	return SG_OK;
}

/* --- officers ------------------------------------------------------------- */

static enum sg_err take_label(struct taking *t, struct span want)
{
	struct span key;
	const enum sg_err err = take_string(t, CBOR_TEXT, &key);

	if (err != SG_OK)
		return err;
	return span_eq(key, want)
		       ? SG_OK
		       : no(t, SG_MALFORMED, "an officer is a name and a key");
}

static enum sg_err take_officer(struct taking *t, struct officer *out)
{
	struct cbor_item map;
	struct span name;
	struct span spki;
	enum sg_err err = take_item(t, &map);

	if (err != SG_OK)
		return err;
	if (map.type != CBOR_MAP || map.arg != 2)
		return no(t, SG_MALFORMED, "an officer is a name and a key");
	err = take_label(t, SPAN_LIT("name"));
	if (err == SG_OK)
		err = take_string(t, CBOR_TEXT, &name);
	if (err == SG_OK)
		err = take_label(t, SPAN_LIT("spki"));
	if (err == SG_OK)
		err = take_string(t, CBOR_BYTES, &spki);
	if (err != SG_OK)
		return err;
	if (!roll_is_name(name))
		return no(t, SG_MALFORMED,
			  "an officer's name is not [A-Za-z0-9._-]{1,63}");
	err = officer_make(name, spki, out);
	return err == SG_OK ? SG_OK
			    : no(t, err,
				 "an officer's key is none for ES256, "
				 "ES384, PS256 or EdDSA");
}

static enum sg_err take_officers(struct taking *t, struct roll *r)
{
	struct cbor_item array;
	enum sg_err err = take_item(t, &array);

	if (err != SG_OK)
		return err;
	if (array.type != CBOR_ARRAY)
		return no(t, SG_MALFORMED, WRONG_FORM);
	if (array.arg > ROLL_OFFICERS_MAX)
		return no(t, SG_TOO_BIG, "there are too many officers");
	while (err == SG_OK && r->n < array.arg) {
		err = take_officer(t, &r->officer[r->n]);
		if (err == SG_OK)
			r->n++;
	}
	return err;
}

/* --- the map -------------------------------------------------------------- */

static enum sg_err take_value(struct taking *t, const struct member *m,
			      struct operation *o)
{
	void *p = (char *)o + m->at;
	const uint8_t *bytes;
	uint64_t v = 0;
	enum sg_err err;

	switch (m->form) {
	case FORM_TEXT: return take_string(t, CBOR_TEXT, p);
	case FORM_BYTES: return take_string(t, CBOR_BYTES, p);
	case FORM_NONCE: return take_fixed(t, OPERATION_NONCE_BYTES, p);
	case FORM_HASH: return take_fixed(t, OPERATION_HASH_BYTES, p);
	case FORM_INT64: return take_int(t, p);
	case FORM_UINT64: return take_uint(t, UINT64_MAX, p);
	case FORM_UINT32:
		err = take_uint(t, UINT32_MAX, &v);
		*(uint32_t *)p = (uint32_t)v;
		return err;
	case FORM_BOOL: return take_bool(t, p);
	case FORM_KIND: return take_kind(t, &o->kind);
	case FORM_ALG: return take_alg(t, &o->alg);
	case FORM_KINDS: return take_kinds(t, &o->kinds);
	case FORM_ROOT:
		err = take_fixed(t, sizeof(o->root.b), &bytes);
		if (err == SG_OK)
			memcpy(o->root.b, bytes, sizeof(o->root.b));
		return err;
	case FORM_OFFICERS: return take_officers(t, &o->roll);
	}
	return SG_MALFORMED;
}

/* Does KEY come next?  If so it is taken. */
static bool key_comes(struct taking *t, struct span key)
{
	struct cbor_reader at = t->r;
	struct span found;

	if (t->left == 0 || cbor_string(&at, CBOR_TEXT, &found) != SG_OK ||
	    !span_eq(found, key))
		return false;
	t->r = at;
	t->left--;
	t->last = key;
	return true;
}

static enum sg_err take_member(struct taking *t, const struct member *m,
			       struct operation *o)
{
	enum sg_err err;

	if (!key_comes(t, m->key))
		return m->optional ? SG_OK
				   : no(t, SG_MALFORMED,
					"a member is missing, or is not in its "
					"place");
	err = take_value(t, m, o);
	if (err == SG_OK && !member_present(m, o))
		err = no(t, SG_MALFORMED,
			 "an optional member is there, and empty");
	return err;
}

/* What stands where no member may be: one that came before, or another? */
static enum sg_err refuse_rest(struct taking *t)
{
	struct cbor_item key;

	if (t->left == 0)
		return no(t, SG_MALFORMED, "something follows it");
	if (cbor_next(&t->r, &key) != SG_OK)
		return no(t, SG_MALFORMED, NOT_CBOR);
	if (key.type == CBOR_TEXT && span_eq(key.run, t->last))
		return no(t, SG_DUPLICATE_KEY, "a member is there twice");
	return no(t, SG_MALFORMED,
		  "it has a member that its kind has not, or not in its place");
}

static enum sg_err take_map(struct taking *t, struct operation *o)
{
	struct cbor_item map;
	enum sg_err err = take_item(t, &map);

	if (err != SG_OK)
		return err;
	if (map.type != CBOR_MAP)
		return no(t, SG_MALFORMED, NOT_MAP);
	t->left = map.arg;
	/* The kind comes first, and says which of the others there are. */
	for (size_t i = 0; err == SG_OK && i < MEMBERS; i++)
		if (i == 0 || member_belongs(&OPERATION_MEMBERS[i], o->kind))
			err = take_member(t, &OPERATION_MEMBERS[i], o);
	if (err == SG_OK && (t->left > 0 || !cbor_at_end(&t->r)))
		err = refuse_rest(t);
	return err;
}

enum sg_err operation_decode(struct span in, struct operation *out,
			     const char **why)
{
	struct taking t = {.r = cbor_read(in, CBOR_DETERMINISTIC)};
	enum sg_err err;

	memset(out, 0, sizeof(*out));
	*why = NULL;
	if (in.n > OPERATION_BYTES_MAX) {
		*why = "it is too large";
		return SG_TOO_BIG;
	}
	err = take_map(&t, out);
	if (err == SG_OK) {
		t.why = operation_fault(out);
		err = t.why == NULL ? SG_OK : SG_MALFORMED;
	}
	*why = t.why;
	return err;
}
