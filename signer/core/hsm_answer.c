/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "hsm_pool_state.h"

enum {
	FAILURES_MAX = 3, /* in a row, then the key must prove itself */
	LOG_EVERY_US = 1000 * 1000
};

enum sg_err hsm_op_prepare(struct hsm_pool *p, struct op *op, uint64_t now_us)
{
	op->at = NULL;
	op->id = 0;
	op->sends = 0;
	op->avoid = -1;
	op->submitted_us = now_us;
	op->tbs = op->message;
	if (p->keys->key[op->key].alg == COSE_EDDSA)
		return SG_OK; /* pure EdDSA hashes by itself */
	op->tbs = span_of(op->digest, sizeof(op->digest));
	return sigcheck_digest(p->check, op->message, op->digest);
}

enum sg_err hsm_op_send(struct hsm_pool *p, struct hsm_link *l, struct op *op,
			uint64_t now_us)
{
	op_id id = 0;
	enum sg_err err = slots_put(p->flight, op, &id);

	if (err != SG_OK)
		return err;
	err = hsm_link_send(l, op, id, now_us);
	if (err != SG_OK)
		(void)slots_take(p->flight, id);
	return err;
}

void hsm_op_recall(struct hsm_pool *p, struct op *op)
{
	struct op *taken = slots_take(p->flight, op->id);

	assert(taken == op);
	(void)taken;
	hsm_link_forget(op->at, op);
}

void hsm_op_finish(struct hsm_pool *p, struct op *op, enum sg_err err,
		   struct span signature)
{
	p->key[op->key].load--;
	op->done(op, err, signature);
}

void hsm_op_again(struct hsm_pool *p, struct op *op, int avoid)
{
	if (op->sends >= HSM_POOL_SENDS_MAX || hsm_choose_elsewhere(p, op)) {
		hsm_op_finish(p, op, SG_TOKEN_DOWN, span_of(NULL, 0));
		return;
	}
	metric_add(METRIC_REQUEUED, 1);
	op->avoid = avoid;
	sign_queue_prepend(&p->queue, op);
}

/*
 * The operation that L answers under ID, taken out of flight; NULL if nobody
 * waits for it any more.  *OK is false when it is another hsm's.
 */
static struct op *answered(struct hsm_pool *p, struct hsm_link *l, op_id id,
			   bool *ok)
{
	struct op *op = slots_take(p->flight, id);

	*ok = true;
	if (op == NULL) {
		if (id == l->stalled)
			l->stalled = 0; /* slow, but it goes on */
		return NULL;
	}
	if (op->at == l) {
		hsm_link_forget(l, op);
		return op;
	}
	*ok = false;
	l = op->at;
	hsm_link_forget(l, op);
	if (op->test)
		hsm_test_result(p, l, op->key, false);
	else
		hsm_op_again(p, op, -1);
	return NULL;
}

/* An HSM error: at most one line a second and link, and fewer where it lasts.
 */
static void log_failure(struct hsm_pool *p, struct hsm_link *l,
			const struct op *op, const char *event, uint64_t ckr,
			uint64_t now_us)
{
	char name[REQUEST_ID_TEXT];
	uint64_t left_out;

	if (now_us - l->logged_us < LOG_EVERY_US)
		return;
	l->logged_us = now_us;
	if (hush_allows(&p->hush[l->slot], now_us, &left_out))
		log_event(LOG_ERROR, event,
			  "key=\"%s\" hsm=%u ckr=0x%llx request=%s "
			  "left_out=%llu",
			  p->keys->key[op->key].label, l->slot,
			  (unsigned long long)ckr,
			  request_id_text(op->name, op->line, name),
			  (unsigned long long)left_out);
}

static void wrong_signature(struct hsm_pool *p, struct hsm_link *l,
			    struct op *op, uint64_t now_us)
{
	const size_t k = op->key;

	metric_add(METRIC_VERIFY_FAILED, 1);
	p->errors[l->slot]++;
	log_failure(p, l, op, "signature-wrong", 0, now_us);
	hsm_pool_alarm(p, l, now_us);
	if (op->test) {
		hsm_test_result(p, l, k, false);
		return;
	}
	hsm_op_again(p, op, l->slot);
	hsm_test_doubt(p, l, k);
}

bool hsm_answer_signed(void *ctx, struct hsm_link *l, op_id id,
		       const struct wire_signed *m)
{
	struct hsm_pool *p = ctx;
	const uint64_t now = clock_mono_us();
	bool ok;
	struct op *op = answered(p, l, id, &ok);
	enum sg_err err;

	if (op == NULL)
		return ok;
	err = sigcheck_verify(
		p->check, &p->keys->key[op->key], op->message, m->signature,
		op->test || now < p->key[op->key].verify_until_us);
	if (err == SG_BAD_SIGNATURE) {
		wrong_signature(p, l, op, now);
		return true;
	}
	if (op->test && err == SG_NO_MEMORY) {
		hsm_test_untold(p, l, op->key);
		return true;
	}
	if (op->test) {
		l->test_us = m->sign_us;
		/* As below: how quick it is with certificates. */
		if (!p->keys->key[op->key].tls)
			hsm_link_tested(l, op->key, m->sign_us);
		hsm_test_result(p, l, op->key, err == SG_OK);
		return true;
	}
	if (err == SG_OK) {
		l->key[op->key].failures = 0;
		/* How quick it is with certificates. */
		if (!p->keys->key[op->key].tls)
			hsm_link_timed(l, m->sign_us);
		op->queue_us = (uint32_t)(op->sent_us - op->submitted_us) +
			       m->queue_us;
		op->sign_us = m->sign_us;
		/* The ledger's own signatures wait for no client, and those of
		 * handshakes are no certificates. */
		if (!p->keys->key[op->key].ledger && !p->keys->key[op->key].tls)
			metric_time(HISTOGRAM_QUEUE_TIME, op->queue_us);
	}
	hsm_op_finish(p, op, err, m->signature);
	return true;
}

bool hsm_answer_failed(void *ctx, struct hsm_link *l, op_id id,
		       const struct wire_sign_failed *m)
{
	struct hsm_pool *p = ctx;
	const uint64_t now = clock_mono_us();
	bool ok;
	struct op *op = answered(p, l, id, &ok);
	size_t k;

	if (op == NULL)
		return ok;
	k = op->key;
	if (m->expired && !op->test) {
		hsm_op_finish(p, op, SG_TIMED_OUT, span_of(NULL, 0));
		return true;
	}
	p->errors[l->slot]++;
	log_failure(p, l, op, "signing-failed", m->ckr, now);
	hsm_pool_alarm(p, l, now);
	if (op->test) {
		hsm_test_result(p, l, k, false);
		return true;
	}
	hsm_op_again(p, op, l->slot);
	if (++l->key[k].failures >= FAILURES_MAX)
		hsm_test_doubt(p, l, k);
	return true;
}
