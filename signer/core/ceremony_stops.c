/* SPDX-License-Identifier: Apache-2.0 */
/* Stops, and declarations that a key is compromised, that could not be kept:
 * the key signs nothing all the same, as long as the process lives, and they
 * become operations when the disk takes them. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ceremony_state.h"
#include "hcert/cbor.h"

enum {
	KEEP_EVERY_US = 2 * 1000 * 1000,
	ANSWER_MAX = 512,
	/* What is_held() looks for. */
	STOPS = 1 << OPERATION_STOP,
	COMPROMISES = 1 << OPERATION_COMPROMISE
};

/* Is one of these KINDS held for L? */
static bool is_held(const struct ceremony *c, const struct life *l,
		    unsigned kinds)
{
	for (size_t i = 0; i < c->nstops; i++)
		if (span_is(c->stop[i]->op.key, l->label) &&
		    (kinds >> c->stop[i]->op.kind & 1) != 0)
			return true;
	return false;
}

bool ceremony_is_stopped(const struct ceremony *c, const struct life *l)
{
	return is_held(c, l, STOPS | COMPROMISES);
}

enum key_state ceremony_state(const struct ceremony *c, const struct life *l)
{
	if ((l->state == KEY_CERTIFIED || l->state == KEY_PUBLISHED ||
	     l->state == KEY_ACTIVE) &&
	    ceremony_is_stopped(c, l))
		return KEY_STOPPED;
	return l->state;
}

enum key_state ceremony_keyring_state(const struct ceremony *c,
				      const struct life *l)
{
	/* What it has signed stays what it is when it is gone. */
	return life_is_compromised(l) || is_held(c, l, COMPROMISES)
		       ? KEY_COMPROMISED
		       : ceremony_state(c, l);
}

static void put_text(struct cbor_writer *w, const char *text)
{
	cbor_put_text(w, span_str(text));
}

/* In the order of the keys. */
static void tell_stopped(struct ceremony *c, const struct ceremony_job *j,
			 const struct life *l)
{
	static const char stop[] =
		"it is not on record, for the state directory takes nothing, "
		"and holds until signerd restarts: make room, or bring the "
		"same signed file, or another stop, after the restart";
	static const char compromise[] =
		"it signs nothing from now on, and what it has signed is not "
		"given out again, but it is not on record that it is "
		"compromised, for the state directory takes nothing: this "
		"holds until signerd restarts; make room, or bring the same "
		"signed file after the restart";
	const unsigned gap = ceremony_gap(c, l);
	char kinds[CEREMONY_KINDS_TEXT];
	uint8_t text[ANSWER_MAX];
	struct cbor_writer cbor = cbor_write(text, sizeof(text));
	size_t n = 0;
	enum sg_err err;

	cbor_put_map(&cbor, 3 + (gap != 0 ? 1 : 0));
	put_text(&cbor, "state");
	put_text(&cbor, key_state_text(ceremony_state(c, l)));
	put_text(&cbor, "warning");
	put_text(&cbor, j->op.kind == OPERATION_STOP ? stop : compromise);
	put_text(&cbor, "operation");
	cbor_put_bytes(&cbor, span_of(j->hash, sizeof(j->hash)));
	if (gap != 0) {
		put_text(&cbor, "nothing-signs");
		put_text(&cbor, ceremony_kinds(gap, kinds));
	}
	err = cbor_done(&cbor, &n);
	ceremony_tell(&j->who, err, span_of(text, err == SG_OK ? n : 0));
}

bool ceremony_stop_unkept(struct ceremony *c, const struct ceremony_job *j)
{
	const struct life *l = lifecycle_find(&c->life, j->op.key);
	struct ceremony_refusal r;
	struct ceremony_job *copy;

	/* The ledger's own key signs nothing either while nothing can be
	 * written, and what becomes of it changes the ledger. */
	if ((j->op.kind != OPERATION_STOP &&
	     j->op.kind != OPERATION_COMPROMISE) ||
	    l == NULL || l->ledger)
		return false;
	if (!is_held(c, l, 1U << j->op.kind)) {
		/* A key has one of each at most. */
		if (c->nstops == CEREMONY_STOPS_MAX ||
		    ceremony_job_make(span_of(j->bytes, j->n), NULL, &copy,
				      &r) != SG_OK)
			return false;
		c->stop[c->nstops++] = copy;
		c->stops_us = clock_mono_us();
		log_event(LOG_ERROR, "stopped-unrecorded",
			  "key=\"%s\" op=%s proposer=\"%.*s\" text=\"it signs "
			  "nothing, and that holds until a restart, for the "
			  "state directory takes nothing: make room\"",
			  l->label, operation_kind_name(j->op.kind),
			  (int)j->op.proposer.n,
			  (const char *)j->op.proposer.p);
		ceremony_project(c);
		c->part.changed(c->part.ctx);
		ceremony_log_gap(c, &j->op);
	}
	tell_stopped(c, j, l);
	return true;
}

/* May J still be an operation?  A start will ask the same. */
static bool may_be_kept(struct ceremony *c, const struct ceremony_job *j,
			int64_t time, struct ceremony_refusal *r)
{
	const char *why;
	bool known;

	if (ceremony_is_repeated(c, j->op.nonce))
		return ceremony_refuse(r, SG_FORBIDDEN,
				       "it was accepted before");
	if (!ceremony_check_approvals(c, j, &known, r))
		return false;
	why = lifecycle_refuses(&c->life, &j->op, time);
	return why == NULL || ceremony_refuse(r, SG_CONFLICT, "%s", why);
}

/* False: the disk does not take J. */
static bool keep(struct ceremony *c, const struct ceremony_job *j)
{
	const struct outcome outcome = {.time = ceremony_done_at(j)};
	struct ceremony_refusal r;
	unsigned number = 0;

	if (!may_be_kept(c, j, outcome.time, &r)) {
		/* The key signs no more anyway, or others have decided. */
		ceremony_log_refusal(&j->op, &r);
		ceremony_record_refusal(c, span_of(j->bytes, j->n), &r);
		return true;
	}
	if (ceremony_accept(c, j, &outcome, &number) != SG_OK)
		return false;
	ceremony_log_accepted(c, j, number);
	return true;
}

void ceremony_keep_stops(struct ceremony *c, bool at_once)
{
	const uint64_t now = clock_mono_us();

	if (c->nstops == 0 || (!at_once && now - c->stops_us < KEEP_EVERY_US))
		return;
	c->stops_us = now;
	while (c->nstops > 0 && keep(c, c->stop[0])) {
		free(c->stop[0]);
		c->nstops--;
		memmove(&c->stop[0], &c->stop[1],
			c->nstops * sizeof(c->stop[0]));
		ceremony_project(c);
		c->part.changed(c->part.ctx);
	}
}
