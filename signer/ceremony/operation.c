/* SPDX-License-Identifier: Apache-2.0 */
#include "operation.h"

#include <stddef.h>

#include "hcert/cbor.h"
#include "hcert/dsc.h"
#include "operation_members.h"

_Static_assert(sizeof(unsigned) == sizeof(uint32_t),
	       "the threshold is taken as a uint32_t");

const struct member OPERATION_MEMBERS[MEMBERS] = {
#define X(key, name, form, of, optional)                                       \
	{SPAN_LIT(key), offsetof(struct operation, name), form, of, optional},
	MEMBER_MAP(X)
#undef X
};

/* --- kinds ---------------------------------------------------------------- */

struct kind {
	const char *name;
	unsigned members;
};

static const struct kind KINDS[OPERATION_KINDS] = {
#define X(id, text, members) [OPERATION_##id] = {(text), (members)},
	OPERATION_MAP(X)
#undef X
};

const char *operation_kind_name(enum operation_kind kind)
{
	return (unsigned)kind < OPERATION_KINDS ? KINDS[kind].name : "unknown";
}

enum operation_kind operation_kind_of(struct span name)
{
	unsigned k = 0;

	while (k < OPERATION_KINDS && !span_is(name, KINDS[k].name))
		k++;
	return (enum operation_kind)k;
}

unsigned operation_members(enum operation_kind kind)
{
	return (unsigned)kind < OPERATION_KINDS ? KINDS[kind].members : 0;
}

/* --- members -------------------------------------------------------------- */

bool member_belongs(const struct member *m, enum operation_kind kind)
{
	return m->of == 0 || (operation_members(kind) & m->of) != 0;
}

static const void *place(const struct member *m, const struct operation *o)
{
	return (const char *)o + m->at;
}

bool member_present(const struct member *m, const struct operation *o)
{
	const void *p = place(m, o);

	if (!m->optional)
		return true;
	switch (m->form) {
	case FORM_TEXT:
	case FORM_BYTES: return ((const struct span *)p)->n > 0;
	case FORM_INT64: return *(const int64_t *)p != 0;
	case FORM_UINT64: return *(const uint64_t *)p != 0;
	case FORM_UINT32: return *(const uint32_t *)p != 0;
	case FORM_BOOL: return *(const bool *)p;
	case FORM_KINDS: return *(const unsigned *)p != 0;
	case FORM_NONCE:
	case FORM_HASH:
	case FORM_KIND:
	case FORM_ALG:
	case FORM_ROOT:
	case FORM_OFFICERS:
	default: return true;
	}
}

/* --- encoding ------------------------------------------------------------- */

static void put_kinds(struct cbor_writer *w, unsigned kinds)
{
	char text[DCC_KINDS];
	size_t n = 0;

	for (unsigned k = 0; k < DCC_KINDS; k++)
		if ((kinds & DCC_KIND_BIT(k)) != 0)
			text[n++] = dcc_kind_letter((enum dcc_kind)k);
	cbor_put_text(w, span_of(text, n));
}

static void put_officers(struct cbor_writer *w, const struct roll *r)
{
	cbor_put_array(w, r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct officer *o = &r->officer[i];

		cbor_put_map(w, 2);
		cbor_put_text(w, SPAN_LIT("name"));
		cbor_put_text(w, span_str(o->name));
		cbor_put_text(w, SPAN_LIT("spki"));
		cbor_put_bytes(w, span_of(o->spki, o->spki_n));
	}
}

static void put_member(struct cbor_writer *w, const struct member *m,
		       const struct operation *o)
{
	const void *p = place(m, o);

	cbor_put_text(w, m->key);
	switch (m->form) {
	case FORM_TEXT: cbor_put_text(w, *(const struct span *)p); break;
	case FORM_BYTES: cbor_put_bytes(w, *(const struct span *)p); break;
	case FORM_NONCE:
		cbor_put_bytes(w, span_of(o->nonce, OPERATION_NONCE_BYTES));
		break;
	case FORM_HASH:
		cbor_put_bytes(w, span_of(o->policy, OPERATION_HASH_BYTES));
		break;
	case FORM_INT64: cbor_put_int(w, *(const int64_t *)p); break;
	case FORM_UINT64: cbor_put_uint(w, *(const uint64_t *)p); break;
	case FORM_UINT32: cbor_put_uint(w, *(const uint32_t *)p); break;
	case FORM_BOOL: cbor_put_bool(w, *(const bool *)p); break;
	case FORM_KIND:
		cbor_put_text(w, span_str(operation_kind_name(o->kind)));
		break;
	case FORM_ALG: cbor_put_int(w, o->alg); break;
	case FORM_KINDS: put_kinds(w, o->kinds); break;
	case FORM_ROOT:
		cbor_put_bytes(w, span_of(o->root.b, sizeof(o->root.b)));
		break;
	case FORM_OFFICERS: put_officers(w, &o->roll); break;
	}
}

enum sg_err operation_encode(const struct operation *o, uint8_t *out,
			     size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint64_t pairs = 0;
	enum sg_err err;

	*len = 0;
	if (operation_fault(o) != NULL)
		return SG_MALFORMED;
	for (size_t i = 0; i < MEMBERS; i++)
		if (member_belongs(&OPERATION_MEMBERS[i], o->kind) &&
		    member_present(&OPERATION_MEMBERS[i], o))
			pairs++;
	cbor_put_map(&w, pairs);
	for (size_t i = 0; i < MEMBERS; i++)
		if (member_belongs(&OPERATION_MEMBERS[i], o->kind) &&
		    member_present(&OPERATION_MEMBERS[i], o))
			put_member(&w, &OPERATION_MEMBERS[i], o);
	err = cbor_done(&w, len);
	return err == SG_OK && *len > OPERATION_BYTES_MAX ? SG_TOO_BIG : err;
}
