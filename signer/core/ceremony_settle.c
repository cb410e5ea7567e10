/* SPDX-License-Identifier: Apache-2.0 */
/* What was approved is done and kept, and whoever brought it told when it is on
 * record. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ceremony_state.h"
#include "hcert/cbor.h"

enum {
	/* Who waits for the record is told by then, on record or not. */
	RECORD_US = 10 * 1000 * 1000,
	ANSWER_MAX = 8192
};

/* --- answers -------------------------------------------------------------- */

void ceremony_tell(const struct ceremony_caller *who, enum sg_err err,
		   struct span text)
{
	if (who->link != NULL)
		who->answer(who->link, who->id, err, text);
}

static void put_text(struct cbor_writer *w, const char *text)
{
	cbor_put_text(w, span_str(text));
}

/* In the order of the keys. */
static enum sg_err put_answer(struct ceremony *c,
			      const struct ceremony_waiter *w,
			      const uint64_t *leaf, uint8_t *out, size_t cap,
			      size_t *len)
{
	struct cbor_writer cbor = cbor_write(out, cap);
	char kinds[CEREMONY_KINDS_TEXT];
	const struct life *l = NULL;
	unsigned gap = 0;
	bool csr;
	bool spki;

	if (w->label[0] != '\0')
		l = lifecycle_find(&c->life, span_str(w->label));
	csr = l != NULL && l->csr_n > 0 && l->state == KEY_REQUESTED;
	spki = l != NULL && l->spki_n > 0;
	if (w->ends && l != NULL)
		gap = ceremony_gap(c, l);
	cbor_put_map(&cbor, 2 + (uint64_t)csr + (uint64_t)spki +
				    (l != NULL ? 1 : 0) + (gap != 0 ? 1 : 0) +
				    (leaf != NULL ? 1 : 0));
	if (csr) {
		put_text(&cbor, "csr");
		cbor_put_bytes(&cbor, span_of(l->csr, l->csr_n));
	}
	if (spki) {
		put_text(&cbor, "spki");
		cbor_put_bytes(&cbor, span_of(l->spki, l->spki_n));
	}
	if (l != NULL) {
		put_text(&cbor, "state");
		put_text(&cbor, key_state_text(l->state));
	}
	if (leaf != NULL) {
		put_text(&cbor, "ledger");
		cbor_put_uint(&cbor, *leaf);
	}
	put_text(&cbor, "number");
	cbor_put_uint(&cbor, w->number);
	put_text(&cbor, "operation");
	cbor_put_bytes(&cbor, span_of(w->hash, sizeof(w->hash)));
	if (gap != 0) {
		put_text(&cbor, "nothing-signs");
		put_text(&cbor, ceremony_kinds(gap, kinds));
	}
	return cbor_done(&cbor, len);
}

/* Tell W, who waits no more, that it is done; LEAF NULL: not on record yet. */
static void tell_done(struct ceremony *c, struct ceremony_waiter *w,
		      const uint64_t *leaf)
{
	uint8_t text[ANSWER_MAX];
	size_t n = 0;
	const enum sg_err err = put_answer(c, w, leaf, text, sizeof(text), &n);
	const struct ceremony_caller who = w->who;

	*w = (struct ceremony_waiter){.number = 0};
	ceremony_tell(&who, err, span_of(text, err == SG_OK ? n : 0));
}

void ceremony_recorded(struct ceremony *c, unsigned number, uint64_t leaf)
{
	struct store_item item;

	if (number > ceremony_store_recorded(c->store) &&
	    ceremony_store_read(c->store, number, &item) == SG_OK)
		ceremony_store_note(c->store, number, item.approved, leaf);
	for (size_t i = 0; i < CEREMONY_WAITERS_MAX; i++) {
		if (c->waiter[i].number == number)
			tell_done(c, &c->waiter[i], &leaf);
	}
}

static void wait_for_record(struct ceremony *c, const struct ceremony_job *j,
			    unsigned number)
{
	struct ceremony_waiter w = {.number = number,
				    .since_us = clock_mono_us(),
				    .ends = ceremony_ends(j->op.kind),
				    .who = j->who};

	if (j->op.key.n > 0)
		memcpy(w.label, j->op.key.p, j->op.key.n);
	memcpy(w.hash, j->hash, sizeof(w.hash));
	for (size_t i = 0; i < CEREMONY_WAITERS_MAX; i++) {
		if (c->waiter[i].number != 0)
			continue;
		c->waiter[i] = w;
		return;
	}
	tell_done(c, &w, NULL);
}

void ceremony_settle_tick(struct ceremony *c, uint64_t now_us)
{
	for (size_t i = 0; i < CEREMONY_WAITERS_MAX; i++) {
		struct ceremony_waiter *w = &c->waiter[i];

		if (w->number != 0 && now_us - w->since_us > RECORD_US)
			tell_done(c, w, NULL);
	}
}

/* --- an operation --------------------------------------------------------- */

void ceremony_log_accepted(struct ceremony *c, const struct ceremony_job *j,
			   unsigned number)
{
	metric_add(METRIC_OPERATIONS, 1);
	log_event(
		LOG_INFO, "operation-accepted",
		"number=%u op=%s key=\"%.*s\" proposer=\"%.*s\" approvals=%zu",
		number, operation_kind_name(j->op.kind), (int)j->op.key.n,
		j->op.key.n > 0 ? (const char *)j->op.key.p : "",
		(int)j->op.proposer.n, (const char *)j->op.proposer.p,
		j->approved.n);
	ceremony_log_gap(c, &j->op);
}

void ceremony_settle(struct ceremony *c, const struct ceremony_job *j,
		     const struct outcome *outcome)
{
	static const char unsure[] =
		"it could not be kept: the state directory takes nothing; "
		"until it does, what could not be kept may be in force after "
		"a power cut, and nothing more is accepted";
	unsigned number = 0;
	const enum sg_err err = ceremony_accept(c, j, outcome, &number);

	if (err != SG_OK && ceremony_stop_unkept(c, j))
		return;
	if (err != SG_OK) {
		log_event(LOG_ERROR, "operation-failed",
			  "op=%s key=\"%.*s\" reason=" LOG_Q,
			  operation_kind_name(j->op.kind), (int)j->op.key.n,
			  j->op.key.n > 0 ? (const char *)j->op.key.p : "",
			  err_text(err));
		ceremony_tell(&j->who, err,
			      span_str(ceremony_store_unsure(c->store)
					       ? unsure
					       : "it could not be kept: the "
						 "state directory takes "
						 "nothing"));
		return;
	}
	ceremony_log_accepted(c, j, number);
	wait_for_record(c, j, number);
	diary_look(c->part.diary);
}
