/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a witness: see witnesses.h. */
#include <stdio.h>

#include "base/base64.h"
#include "base/log.h"
#include "witnesses_state.h"

enum {
	US_PER_MS = 1000,
	LINE_BYTES = 45,      /* of a hash in base64, with its line end */
	PROOF_LINES_MAX = 63, /* tlog-witness, add-checkpoint */
	BODY_MAX = 64 + PROOF_LINES_MAX * LINE_BYTES + WITNESSES_NOTE_MAX,
	BODY_ROOM = 128, /* bytes of a WIRE_COSIGN beside its body */
	GRACE_MS = 2000, /* for their process to answer in time */
	LOG_AGAIN_US = 600 * 1000 * 1000
};

/* --- failure -------------------------------------------------------------- */

void witnesses_failed(struct witness *x, uint64_t witness_us, uint64_t now_us,
		      const char *reason)
{
	const uint64_t most_ms = witness_us / US_PER_MS;

	x->failing = x->tried = true;
	x->wait_ms = x->wait_ms == 0 ? WITNESSES_WAIT_MS : 2 * x->wait_ms;
	if (x->wait_ms > most_ms)
		x->wait_ms = most_ms;
	x->again_us = now_us + x->wait_ms * US_PER_MS;
	if (x->logged_us != 0 && now_us - x->logged_us < LOG_AGAIN_US)
		return;
	x->logged_us = now_us;
	log_event(LOG_WARNING, "witness-failed",
		  "witness=\"%s\" reason=\"%s\" text=\"tried again\"",
		  x->key.name, reason);
}

/* --- the body ------------------------------------------------------------- */

/* That the round's tree begins with its first OLD leaves; what is sent has been
 * checked, so that who denies it knows of other leaves. */
static enum sg_err prove(struct witnesses *w, uint64_t old,
			 struct merkle_proof *out)
{
	struct merkle_source source;
	struct merkle_hash root;
	enum sg_err err = SG_OK;

	out->n = 0;
	if (old == 0 || old == w->about.size)
		return SG_OK;
	if (w->tiles == NULL)
		err = tiles_open(w->part.ledger_dir, false, &w->tiles);
	if (err != SG_OK)
		return err;
	source = tiles_source(w->tiles, w->merkle, w->about.size);
	err = merkle_root_of(w->merkle, &source, old, &root);
	if (err == SG_OK)
		err = merkle_prove_consistency(w->merkle, &source, old,
					       w->about.size, out);
	if (err == SG_OK)
		err = merkle_check_consistency(w->merkle, out, old, &root,
					       w->about.size, &w->about.root);
	return err == SG_OK && out->n > PROOF_LINES_MAX ? SG_TOO_BIG : err;
}

static enum sg_err make_body(struct witnesses *w, uint64_t old,
			     uint8_t body[BODY_MAX], size_t *len)
{
	struct merkle_proof proof;
	size_t n;
	enum sg_err err = prove(w, old, &proof);

	if (err != SG_OK)
		return err;
	n = (size_t)snprintf((char *)body, BODY_MAX, "old %llu\n",
			     (unsigned long long)old);
	for (size_t i = 0; i < proof.n; i++) {
		n += base64_encode(span_of(proof.hash[i].b, MERKLE_HASH_BYTES),
				   BASE64_STANDARD, (char *)body + n);
		body[n++] = '\n';
	}
	body[n++] = '\n';
	memcpy(body + n, w->about.note, w->about.n);
	*len = n + w->about.n;
	return SG_OK;
}

/* --- asking --------------------------------------------------------------- */

static enum sg_err send_body(struct witnesses *w, const struct witness *x,
			     struct span body, uint64_t now_us)
{
	const struct wire_cosign m = {
		.witness = (uint16_t)(x - w->witness),
		.deadline_us =
			now_us + (uint64_t)WITNESSES_REQUEST_MS * US_PER_MS,
		.body = body};
	struct wire_packet *p = channel_room(w->channel, BODY_ROOM + body.n);

	return p != NULL ? wire_put_cosign(p, w->ids + 1, &m) : SG_BUSY;
}

void witnesses_ask(struct witnesses *w, struct witness *x, uint64_t now_us)
{
	uint8_t body[BODY_MAX];
	size_t n = 0;
	enum sg_err err;

	if (w->channel == NULL || x->flying)
		return;
	err = x->size <= w->about.size ? make_body(w, x->size, body, &n)
				       : SG_INTERNAL;
	if (err != SG_OK) {
		witnesses_failed(x, w->witness_us, now_us,
				 "its proof cannot be made from the tiles");
		return;
	}
	err = send_body(w, x, span_of(body, n), now_us);
	if (err != SG_OK) {
		witnesses_failed(x, w->witness_us, now_us,
				 "the process of the witnesses is stuck");
		return;
	}
	x->id = ++w->ids;
	x->flying = true;
	x->old = x->size;
	x->about = w->about;
	x->given_up_us = now_us + (uint64_t)(WITNESSES_REQUEST_MS + GRACE_MS) *
					  US_PER_MS;
}
