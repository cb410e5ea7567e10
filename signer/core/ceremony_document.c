/* SPDX-License-Identifier: Apache-2.0 */
/* What officers are shown: see ceremony/README.md. */
#include "base/clock.h"
#include "ceremony_state.h"
#include "hcert/cbor.h"

static void put_text(struct cbor_writer *w, const char *text)
{
	cbor_put_text(w, span_str(text));
}

static void put_uint(struct cbor_writer *w, const char *key, uint64_t v)
{
	put_text(w, key);
	cbor_put_uint(w, v);
}

static void put_int(struct cbor_writer *w, const char *key, int64_t v)
{
	put_text(w, key);
	cbor_put_int(w, v);
}

static void put_bool(struct cbor_writer *w, const char *key, bool v)
{
	put_text(w, key);
	cbor_put_bool(w, v);
}

static void put_str(struct cbor_writer *w, const char *key, const char *v)
{
	put_text(w, key);
	put_text(w, v);
}

static void put_bytes(struct cbor_writer *w, const char *key, struct span v)
{
	put_text(w, key);
	cbor_put_bytes(w, v);
}

/* Members are written in the order of their keys: the shorter first. */

/* --- officers ------------------------------------------------------------- */

static void put_officer(struct cbor_writer *w, const struct officer *o)
{
	cbor_put_map(w, 3);
	put_str(w, "alg", cose_alg_name(o->alg));
	put_bytes(w, "kid", span_of(o->kid, sizeof(o->kid)));
	put_str(w, "name", o->name);
}

static void put_roll(struct cbor_writer *w, const struct roll *r)
{
	cbor_put_map(w, 6);
	put_uint(w, "lead", r->lead_s);
	put_uint(w, "stale", r->stale_s);
	put_text(w, "officers");
	cbor_put_array(w, r->n);
	for (size_t i = 0; i < r->n; i++)
		put_officer(w, &r->officer[i]);
	put_uint(w, "threshold", r->threshold);
	put_bool(w, "policy-approval", r->policy_approval);
	put_bool(w, "proposer-approves", r->proposer_may_approve);
}

/* --- keys ----------------------------------------------------------------- */

const char *ceremony_kinds(unsigned kinds, char out[CEREMONY_KINDS_TEXT])
{
	size_t n = 0;

	for (unsigned kind = 0; kind < DCC_KINDS; kind++) {
		if ((kinds & DCC_KIND_BIT(kind)) != 0)
			out[n++] = dcc_kind_letter((enum dcc_kind)kind);
	}
	out[n] = '\0';
	return out;
}

/* Key L, and what the keyring and the hsms know of it. */
struct key_view {
	const struct life *l;
	enum key_state state;
	const struct key *key; /* NULL: not in the keyring */
	uint64_t good;
	uint64_t count;	    /* signatures */
	int64_t used_until; /* 0: no end */
	struct ceremony_warnings warnings;
};

static void look_at_key(const struct ceremony *c, const struct life *l,
			int64_t now, struct key_view *v)
{
	size_t k;

	*v = (struct key_view){.l = l, .state = ceremony_state(c, l)};
	if (l->period_s > 0 && l->activated > 0)
		v->used_until = l->activated + l->period_s;
	if (ceremony_find_key(c, l, &k)) {
		v->good = hsm_pool_good(c->part.pool, k);
		if (c->part.keys->key[k].has_dsc)
			v->key = &c->part.keys->key[k];
	}
	v->count = ceremony_signed(c, l);
	ceremony_warn(c, l, now, &v->warnings);
}

/* As long as somebody may make a certificate of it. */
static bool has_csr(const struct life *l)
{
	return l->csr_n > 0 && l->state != KEY_RETIRED &&
	       l->state != KEY_DESTROYED && l->state != KEY_COMPROMISED;
}

static uint64_t count_members(const struct key_view *v)
{
	const struct life *l = v->l;

	return 10 + (uint64_t)has_csr(l) + (v->key != NULL ? 2 : 0) +
	       (uint64_t)(l->spki_n > 0) + (uint64_t)(l->signatures > 0) +
	       (uint64_t)(l->retire != 0) + (uint64_t)(l->country[0] != '\0') +
	       (uint64_t)(l->activate != 0) + (uint64_t)(l->published != 0) +
	       (uint64_t)(v->used_until != 0);
}

static void put_warnings(struct cbor_writer *w,
			 const struct ceremony_warnings *list)
{
	put_text(w, "warnings");
	cbor_put_array(w, list->n);
	for (size_t i = 0; i < list->n; i++)
		put_text(w, list->text[i]);
}

static void put_key(struct cbor_writer *w, const struct key_view *v)
{
	const struct life *l = v->l;
	char kinds[CEREMONY_KINDS_TEXT];

	cbor_put_map(w, count_members(v));
	put_str(w, "alg", cose_alg_name(l->alg));
	if (has_csr(l))
		put_bytes(w, "csr", span_of(l->csr, l->csr_n));
	put_str(w, "hsm", l->hsm);
	if (v->key != NULL)
		put_bytes(w, "kid",
			  span_of(v->key->dsc.kid, sizeof(v->key->dsc.kid)));
	put_uint(w, "good", v->good);
	if (l->spki_n > 0)
		put_bytes(w, "spki", span_of(l->spki, l->spki_n));
	put_str(w, "kinds", ceremony_kinds(l->kinds, kinds));
	put_str(w, "label", l->label);
	if (l->signatures > 0)
		put_uint(w, "limit", l->signatures);
	put_int(w, "since", l->since);
	put_str(w, "state", key_state_text(v->state));
	if (l->retire != 0)
		put_int(w, "retire", l->retire);
	put_uint(w, "signed", v->count);
	if (l->country[0] != '\0')
		put_str(w, "country", l->country);
	if (l->activate != 0)
		put_int(w, "activate", l->activate);
	if (v->key != NULL)
		put_int(w, "notAfter", v->key->dsc.not_after);
	put_warnings(w, &v->warnings);
	if (l->published != 0)
		put_int(w, "published", l->published);
	if (v->used_until != 0)
		put_int(w, "usedUntil", v->used_until);
	put_bool(w, "configured", l->configured);
}

/* --- HSMs ----------------------------------------------------------------- */

static void put_hsm(struct cbor_writer *w, const struct ceremony *c,
		    const struct core_hsm_settings *h)
{
	struct hsm_pool_view v;

	hsm_pool_look(c->part.pool, h->first_slot, h->processes, &v);
	cbor_put_map(w, 8);
	put_uint(w, "up", v.up);
	put_str(w, "name", h->name);
	put_str(w, "state",
		v.good > 0 ? "good"
		: v.up > 0 ? "probing"
			   : "down");
	put_uint(w, "errors", v.errors);
	put_uint(w, "sessions", v.sessions);
	put_bool(w, "makesKeys", h->makes_keys);
	put_uint(w, "processes", h->processes);
	put_uint(w, "signatureUs", v.sign_us);
}

/* --- the whole ------------------------------------------------------------ */

enum sg_err ceremony_document(const struct ceremony *c, uint8_t *out,
			      size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	const int64_t now = clock_wall_s();
	const bool has_roll = c->life.roll.n > 0;
	struct merkle_hash root;
	struct key_view v;
	uint64_t size = 0;

	merkle_empty_root(&root);
	if (proofs_newest(c->part.proofs, &size, &root) != SG_OK)
		size = 0; /* logged; nothing can be proposed on that */
	cbor_put_map(&w, 7 + (uint64_t)has_roll + (uint64_t)c->life.has_policy);
	put_text(&w, "hsms");
	cbor_put_array(&w, c->nhsms);
	for (size_t i = 0; i < c->nhsms; i++)
		put_hsm(&w, c, &c->hsm[i]);
	put_text(&w, "keys");
	cbor_put_array(&w, c->life.n);
	for (size_t i = 0; i < c->life.n; i++) {
		look_at_key(c, &c->life.key[i], now, &v);
		put_key(&w, &v);
	}
	if (has_roll) {
		put_text(&w, "roll");
		put_roll(&w, &c->life.roll);
	}
	put_bytes(&w, "root", span_of(root.b, sizeof(root.b)));
	put_uint(&w, "size", size);
	put_int(&w, "time", now);
	put_str(&w, "origin", c->origin);
	put_bytes(&w, "policy", span_of(c->policy, sizeof(c->policy)));
	if (c->life.has_policy)
		put_bytes(&w, "approved-policy",
			  span_of(c->life.policy, sizeof(c->life.policy)));
	return cbor_done(&w, len);
}
