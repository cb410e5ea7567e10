/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"

#include <stdlib.h>

#include "hcert/cbor.h"

/* A document, with room for the message around it. */
enum { DOCUMENT_MAX = WIRE_PACKET_MAX - 256 };

static void put_text(struct cbor_writer *w, const char *text)
{
	cbor_put_text(w, span_str(text));
}

static void put_kinds(struct cbor_writer *w, unsigned kinds)
{
	cbor_put_array(w, (uint64_t)__builtin_popcount(kinds));
	for (int kind = 0; kind < DCC_KINDS; kind++) {
		const char letter = dcc_kind_letter((enum dcc_kind)kind);

		if ((kinds & DCC_KIND_BIT((unsigned)kind)) != 0)
			cbor_put_text(w, span_of(&letter, 1));
	}
}

/* Map keys in bytewise order of their encoding: the shorter first. */
static void put_key(struct cbor_writer *w, const struct key *key)
{
	const bool has_country = key->country[0] != '\0';

	cbor_put_map(w, has_country ? 9 : 8);
	put_text(w, "alg");
	put_text(w, cose_alg_name(key->alg));
	put_text(w, "kid");
	cbor_put_bytes(w, span_of(key->dsc.kid, sizeof(key->dsc.kid)));
	put_text(w, "kinds");
	put_kinds(w, key->kinds);
	put_text(w, "label");
	put_text(w, key->label);
	put_text(w, "state");
	put_text(w, key_state_text(key->state));
	if (has_country) {
		put_text(w, "country");
		put_text(w, key->country);
	}
	put_text(w, "not_after");
	cbor_put_int(w, key->dsc.not_after);
	put_text(w, "not_before");
	cbor_put_int(w, key->dsc.not_before);
	put_text(w, "certificate");
	cbor_put_bytes(w, span_of(key->certificate, key->certificate_n));
}

enum sg_err documents_keys(const struct keyring *k, uint8_t *out, size_t cap,
			   size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint64_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += keyring_public(&k->key[i]) ? 1 : 0;
	cbor_put_map(&w, 1);
	put_text(&w, "keys");
	cbor_put_array(&w, n);
	for (size_t i = 0; i < k->n; i++) {
		if (keyring_public(&k->key[i]))
			put_key(&w, &k->key[i]);
	}
	return cbor_done(&w, len);
}

enum sg_err documents_answer(uint8_t question, const struct policy *p,
			     const struct client *c,
			     const struct documents_facts *f, uint8_t **out,
			     size_t *len)
{
	uint8_t *buf;
	enum sg_err err = SG_OK;

	if (question == WIRE_ASK_AUDIT && !client_may(c, CLIENT_AUDIT))
		return SG_FORBIDDEN;
	if (question == WIRE_ASK_PROOF)
		return SG_NOT_FOUND; /* proofs.h makes them */
	buf = malloc(DOCUMENT_MAX);
	if (buf == NULL)
		return SG_NO_MEMORY;
	*len = 0;
	if (question == WIRE_ASK_POLICY)
		err = policy_describe(p, c, f->usage, buf, DOCUMENT_MAX, len);
	else if (question == WIRE_ASK_KEYS)
		err = documents_keys(f->keys, buf, DOCUMENT_MAX, len);
	if (err != SG_OK) {
		free(buf);
		return err;
	}
	*out = buf;
	return SG_OK;
}
