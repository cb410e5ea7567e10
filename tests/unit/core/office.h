/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_OFFICE_H
#define TEST_OFFICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "core/desk.h"
#include "fakes.h"
#include "hcert/cbor.h"
#include "hcert/cwt.h"
#include "ipc/channel.h"

/*
 * office: a desk on a loop, with fronts that ask and hsms that sign in
 * software, all in the test's own process over real channel pairs.
 */
enum { OFFICE_HSMS = 2, OFFICE_FRONTS = 2 };

static const char POLICY_TEXT[] = "version: 1\n"
				  "profiles:\n"
				  "  - name: full\n"
				  "    rules: {unknown-field: warning}\n"
				  "clients:\n"
				  "  - name: issuer\n"
				  "    identities: [\"uri:urn:test:issuer\"]\n"
				  "    operations: [issue, validate]\n"
				  "    kinds: [v]\n"
				  "    countries: [VN]\n"
				  "    issuers: [\"*\"]\n"
				  "    profile: full\n"
				  "    validity: {v: 365d, t: 365d, r: 365d}\n"
				  "  - name: looker\n"
				  "    identities: [\"uri:urn:test:looker\"]\n"
				  "    operations: [validate]\n"
				  "    kinds: [v]\n"
				  "    countries: [VN]\n"
				  "    issuers: [\"*\"]\n"
				  "    profile: full\n"
				  "    validity: {v: 365d, t: 365d, r: 365d}\n"
				  "  - name: auditor\n"
				  "    identities: [\"uri:urn:test:auditor\"]\n"
				  "    operations: [audit]\n";

struct office {
	uv_loop_t loop;
	struct desk *desk;
	struct core_settings settings;
	struct policy *policy;
	struct metrics_page *page;
	struct signer signer; /* dsc-1 */
	struct signer second; /* dsc-2, in tests that have one */
	struct fake_anchor anchor;
	struct fake_hsm hsm[OFFICE_HSMS];
	struct fake_front front[OFFICE_FRONTS];
	size_t bad_fronts, bad_hsms, drained, refused, stuck;
	size_t left_fronts;
	uint64_t left_linked_us; /* of the last one */
	uv_timer_t alarm;
	bool waiting, rang;
	int64_t newest_iat;
};

/* --- the loop ----------------------------------------------------------- */

static inline void office_on_alarm(uv_timer_t *t)
{
	((struct office *)t->data)->rang = true;
}

/* Is the wait for MET still on?  Runs the loop for one turn if so; ends it
 * when MET, or after MS milliseconds. */
static inline bool office_waits(struct office *o, unsigned ms, bool met)
{
	if (!o->waiting) {
		o->waiting = true;
		o->rang = false;
		uv_timer_start(&o->alarm, office_on_alarm, ms, 0);
	}
	if (met || o->rang) {
		o->waiting = false;
		uv_timer_stop(&o->alarm);
		return false;
	}
	uv_run(&o->loop, UV_RUN_ONCE);
	return true;
}

/* Run the loop until COND, or for MS milliseconds. */
#define OFFICE_UNTIL(o, ms, cond)                                              \
	while (office_waits((o), (ms), (cond)))                                \
	continue
/* Run the loop until COND; it must come true. */
#define OFFICE_WAIT(o, cond)                                                   \
	OFFICE_UNTIL(o, 15000, cond);                                          \
	assert_true(cond)

/* Link a fake hsm in slot I; it says nothing yet. */
static inline void office_link_hsm(struct office *o, size_t i,
				   enum hsm_mood mood)
{
	static const struct channel_events events = {.message = hsm_on_message,
						     .packet_done =
							     hsm_on_packet,
						     .end = hsm_on_end};
	struct fake_hsm *h = &o->hsm[i];
	int fd[2];

	channel_close(h->channel);
	*h = (struct fake_hsm){.mood = mood,
			       .signer = &o->signer,
			       .label = "dsc-1",
			       .anchor = &o->anchor,
			       .sessions = 1};
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(channel_open(&o->loop, fd[0], &events, h, &h->channel),
			 SG_OK);
	assert_int_equal(desk_link(o->desk, WIRE_HSM, (uint16_t)i, fd[1]),
			 SG_OK);
}

static inline void office_add_hsm(struct office *o, size_t i,
				  enum hsm_mood mood)
{
	office_link_hsm(o, i, mood);
	hsm_say_ready(&o->hsm[i], true);
}

static inline void office_kill_hsm(struct office *o, size_t i)
{
	channel_close(o->hsm[i].channel);
	o->hsm[i].channel = NULL;
}

static inline void office_add_front(struct office *o, size_t i)
{
	static const struct channel_events events = {
		.message = front_on_message, .end = front_on_end};
	struct fake_front *f = &o->front[i];
	int fd[2];

	front_clear(f);
	memset(f, 0, sizeof(*f));
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(channel_open(&o->loop, fd[0], &events, f, &f->channel),
			 SG_OK);
	assert_int_equal(desk_link(o->desk, WIRE_FRONT, (uint16_t)i, fd[1]),
			 SG_OK);
}

/* The signer whose kid the certificate in A has. */
static inline const struct signer *office_signer(const struct office *o,
						 const struct answer *a)
{
	uint8_t hash[32];

	if (a == NULL) {
		fail_msg("there is no answer");
		abort(); /* for those who do not know that this never is */
	}
	EVP_Digest(o->signer.der, (size_t)o->signer.der_n, hash, NULL,
		   EVP_sha256(), NULL);
	return memcmp(hash, a->issued.kid, COSE_KID_BYTES) == 0 ? &o->signer
								: &o->second;
}

/* Does the certificate in A verify with the office's key, for REQUEST A? */
static inline void assert_certificate(const struct office *o,
				      const struct answer *a,
				      const struct ask *asked)
{
	uint8_t request[4096];
	const size_t request_n = request_make(asked, request, sizeof(request));
	uint8_t tbs[4096];
	size_t tbs_n;
	struct cose_sign1 sign1;
	struct cose_key *key;
	struct cwt_claims claims;
	const struct signer *s = office_signer(o, a);

	assert_int_equal(a->type, WIRE_ISSUED);
	assert_int_equal(cose_sign1_decode(a->issued.cose, &sign1), SG_OK);
	assert_true(sign1.tagged);
	assert_int_equal(sign1.alg, s->alg);
	assert_memory_equal(sign1.kid.p, a->issued.kid, COSE_KID_BYTES);
	assert_int_equal(cose_sig_structure(sign1.prot, span_of(NULL, 0),
					    sign1.payload, tbs, sizeof(tbs),
					    &tbs_n),
			 SG_OK);
	assert_int_equal(cose_key_from_certificate(
				 span_of(s->der, (size_t)s->der_n), &key),
			 SG_OK);
	assert_int_equal(cose_key_verify(key, sign1.alg, span_of(tbs, tbs_n),
					 sign1.signature),
			 SG_OK);
	cose_key_free(key);
	assert_int_equal(cwt_decode(sign1.payload, &claims), SG_OK);
	assert_true(span_is(claims.iss, "VN"));
	assert_int_equal(claims.iat, a->issued.iat);
	assert_int_equal(claims.exp, a->issued.exp);
	/* The payload is the request's, byte for byte: after {"dcc": */
	assert_true(span_eq(claims.dcc, span_of(request + 5, request_n - 5)));
}

/* --- the office --------------------------------------------------------- */

static inline void office_on_bad(void *ctx, enum wire_role role, uint16_t slot)
{
	struct office *o = ctx;

	assert_true(slot < OFFICE_FRONTS);
	if (role == WIRE_FRONT)
		o->bad_fronts++;
	else
		o->bad_hsms++;
}

static inline void office_on_left(void *ctx, uint16_t slot, uint64_t linked_us)
{
	struct office *o = ctx;

	assert_true(slot < OFFICE_FRONTS);
	o->left_fronts++;
	o->left_linked_us = linked_us;
}

static inline void office_on_drained(void *ctx)
{
	struct office *o = ctx;

	o->drained++;
}

static inline void office_on_refused(void *ctx, const char *reason, bool mends)
{
	struct office *o = ctx;

	assert_true(reason[0] != '\0');
	o->refused += !mends;
	o->stuck += mends;
}

static inline struct policy *office_policy(const char *text)
{
	static struct faults faults;
	struct policy *policy;

	memset(&faults, 0, sizeof(faults));
	if (policy_load(span_str(text), "test", &policy, &faults) != SG_OK)
		fail_msg("%s", faults.text);
	return policy;
}

static inline void office_open_desk(struct office *o)
{
	static const struct desk_events events = {.peer_bad = office_on_bad,
						  .front_left = office_on_left,
						  .drained = office_on_drained,
						  .ledger_refused =
							  office_on_refused};
	const struct desk_parts parts = {.loop = &o->loop,
					 .settings = &o->settings,
					 .policy = o->policy,
					 .newest_iat = o->newest_iat,
					 .events = &events,
					 .ctx = o};

	assert_int_equal(desk_create(&parts, &o->desk), SG_OK);
}

/* An office with a key dsc-1 for ALG; there is no desk yet. */
static inline struct office *office_make(enum cose_alg alg)
{
	struct office *o = calloc(1, sizeof(*o));
	const int fd = metrics_memfd();

	assert_non_null(o);
	log_limit(LOG_ERROR);
	o->page = metrics_map(fd, 1);
	assert_non_null(o->page);
	(void)close(fd);
	metrics_install(o->page);
	assert_int_equal(uv_loop_init(&o->loop), 0);
	uv_timer_init(&o->loop, &o->alarm);
	o->alarm.data = o;
	o->signer = signer_usual(alg);
	o->newest_iat = INT64_MIN;
	o->settings.nkeys = 1;
	o->settings.front_credit = 512;
	o->settings.verify_ecdsa_one_in = 1;
	o->settings.verify_all_ms = 60000;
	o->settings.test_sign_ms = 5000;
	o->settings.key[0] = (struct core_key_settings){.label = "dsc-1",
							.alg = alg,
							.kinds = DCC_ALL_KINDS,
							.country = "VN"};
	o->policy = office_policy(POLICY_TEXT);
	return o;
}

/* The same with a desk and one front; no hsm is linked yet. */
static inline struct office *office_open(enum cose_alg alg)
{
	struct office *o = office_make(alg);

	office_open_desk(o);
	office_add_front(o, 0);
	return o;
}

/* An office with N hsms that sign, ready. */
static inline struct office *office_ready(enum cose_alg alg, size_t n)
{
	struct office *o = office_open(alg);

	for (size_t i = 0; i < n; i++)
		office_add_hsm(o, i, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].ready);
	/* All of them, not only the first. */
	OFFICE_UNTIL(o, 20, false);
	return o;
}

static inline uint64_t office_metric(const struct office *o, enum metric_id id)
{
	return metric_get(o->page, id);
}

static inline void office_close(struct office *o)
{
	for (size_t i = 0; i < OFFICE_FRONTS; i++)
		front_clear(&o->front[i]);
	for (size_t i = 0; i < OFFICE_HSMS; i++)
		office_kill_hsm(o, i);
	desk_free(o->desk);
	policy_unref(o->policy);
	uv_close((uv_handle_t *)&o->alarm, NULL);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	signer_free(&o->signer);
	signer_free(&o->second);
	free(o);
}

/* A copy that further answers leave alone. */
static inline const struct answer *answer_keep(const struct answer *a)
{
	static struct answer kept[8];
	static unsigned n;
	struct answer *k = &kept[n++ % 8];

	*k = *a;
	k->issued.cose.p = k->cose;
	return k;
}

#endif /* TEST_OFFICE_H */
