/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CORE_FAKE_HSM_H
#define TEST_CORE_FAKE_HSM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "ipc/channel.h"
#include "pki.h"

/*
 * fake_hsm: the other ends of the desk's links to hsms, which sign in software,
 * hold, fail or lie.
 */
enum { HELD_MAX = 256, HSM_MADE_MAX = 256 };

/* The data object beside the ledger's key: of the token, so that it outlives
 * the hsms. */
struct fake_anchor {
	bool silent; /* gives no answer */
	bool fails;
	size_t asked, written;
	uint64_t id; /* of the last one asked */
	size_t n;
	uint8_t value[WIRE_ANCHOR_MAX];
};

/* --- what a fake hsm does with a job ------------------------------------ */

enum hsm_mood {
	HSM_SIGNS,
	HSM_HOLDS,	      /* keeps certificates, signs tests */
	HSM_SIGNS_WRONG,      /* certificates; tests are good */
	HSM_SIGNS_WRONG_ONLY, /* and does not answer tests */
	HSM_SIGNS_SHORT,
	HSM_FAILS,     /* certificates */
	HSM_FAILS_ALL, /* tests too */
	HSM_EXPIRES
};

/* A key that was made on the token of its HSM: it outlives the hsms. */
struct fake_token {
	size_t n, asked; /* keys; times that hsms were asked for one */
	struct {
		const struct signer *signer;
		const char *label;
	} key[HSM_MADE_MAX]; /* numbers from HSM_MADE_FIRST on */
};

enum { HSM_FIRST = 7, HSM_MADE_FIRST = 100 };

struct fake_hsm {
	struct channel *channel;
	struct fake_token *token; /* or NULL */
	enum hsm_mood mood;
	size_t tests; /* answered */
	/* Or NULL: who gets a test's signature, or the anchor, has no memory
	 * for it. */
	bool *starves;
	const struct signer *signer; /* the key it has */
	const char *label;	     /* of it */
	const char *name;	     /* the HSM's; NULL: it has none */
	uint32_t sessions;
	uint32_t sign_us;     /* what it says of a signature; 0: 330 */
	size_t packets, jobs; /* seen; tests are not counted */
	size_t most_in_packet, in_packet;
	struct fake_anchor *anchor;
	struct fake_anchor *made_anchor; /* of the first key of the token */
	size_t nheld;
	struct {
		uint64_t id;
		uint16_t key;
		uint8_t tbs[64];
		size_t n;
	} held[HELD_MAX];
	bool ended;
};

/* --- hsm ---------------------------------------------------------------- */

static inline const struct signer *hsm_signer(const struct fake_hsm *h,
					      uint16_t key)
{
	if (key == HSM_FIRST)
		return h->signer;
	assert_non_null(h->token);
	assert_in_range(key, HSM_MADE_FIRST, HSM_MADE_FIRST + h->token->n - 1);
	return h->token->key[key - HSM_MADE_FIRST].signer;
}

static inline bool hsm_is_test(const struct fake_hsm *h, uint16_t key,
			       struct span tbs)
{
	uint8_t digest[32];
	char text[128];
	const char *label = key == HSM_FIRST
				    ? h->label
				    : h->token->key[key - HSM_MADE_FIRST].label;
	const int n = snprintf(text, sizeof(text), "signerd test signature %s",
			       label);

	if (hsm_signer(h, key)->alg == COSE_EDDSA)
		return span_is(tbs, text);
	EVP_Digest(text, (size_t)n, digest, NULL, EVP_sha256(), NULL);
	return span_eq(tbs, span_of(digest, sizeof(digest)));
}

static inline void hsm_answer(struct fake_hsm *h, uint64_t id, uint16_t key,
			      struct span tbs, enum hsm_mood mood)
{
	uint8_t sig[COSE_SIG_MAX];
	struct wire_signed m = {.queue_us = 3,
				.sign_us = h->sign_us > 0 ? h->sign_us : 330};
	const struct wire_sign_failed failed = {.ckr = 0x30,
						.expired = mood == HSM_EXPIRES};
	struct wire_packet *w = channel_room(h->channel, 1024);

	assert_non_null(w);
	if (h->starves != NULL)
		*h->starves = false; /* it needs some itself */
	if (mood == HSM_FAILS || mood == HSM_FAILS_ALL || mood == HSM_EXPIRES) {
		assert_int_equal(wire_put_sign_failed(w, id, &failed), SG_OK);
		return;
	}
	m.signature = span_of(sig, signer_sign(hsm_signer(h, key), tbs, sig));
	if (mood == HSM_SIGNS_WRONG || mood == HSM_SIGNS_WRONG_ONLY)
		sig[5] ^= 1;
	if (mood == HSM_SIGNS_SHORT)
		m.signature.n--;
	assert_int_equal(wire_put_signed(w, id, &m), SG_OK);
}

static inline void hsm_say_anchor(struct fake_hsm *h,
				  const struct fake_anchor *a, uint64_t id)
{
	const struct wire_anchored m = {
		.ok = !a->fails,
		.ckr = a->fails ? 0x30 : 0,
		.value = span_of(a->value, a->fails ? 0 : a->n)};
	struct wire_packet *w = channel_room(h->channel, 2048);

	assert_non_null(w);
	assert_int_equal(wire_put_anchored(w, id, &m), SG_OK);
	if (h->starves != NULL)
		*h->starves = true;
}

static inline bool hsm_on_anchor(struct fake_hsm *h, const struct wire_msg *m)
{
	struct fake_anchor *a;
	struct wire_anchor job;

	assert_int_equal(wire_get_anchor(m, &job), SG_OK);
	assert_true(job.key == HSM_FIRST || job.key == HSM_MADE_FIRST);
	a = job.key == HSM_FIRST ? h->anchor : h->made_anchor;
	assert_non_null(a);
	a->asked++;
	a->id = m->id;
	if (job.value.n > 0 && !a->fails) {
		a->written++;
		a->n = job.value.n;
		memcpy(a->value, job.value.p, job.value.n);
	}
	if (!a->silent)
		hsm_say_anchor(h, a, m->id);
	return true;
}

static inline bool hsm_on_find(struct fake_hsm *h, const struct wire_msg *m)
{
	struct wire_packet *w = channel_room(h->channel, 8192);
	struct wire_find_key find;
	struct wire_found_key found = {.ok = false};

	assert_non_null(h->token);
	assert_int_equal(wire_get_find_key(m, &find), SG_OK);
	h->token->asked++;
	for (size_t i = 0; i < h->token->n; i++) {
		const struct signer *s = h->token->key[i].signer;

		if (!span_is(find.label, h->token->key[i].label))
			continue;
		found = (struct wire_found_key){
			.ok = true,
			.key = {.key = (uint16_t)(HSM_MADE_FIRST + i),
				.alg = s->alg,
				.label = span_str(h->token->key[i].label),
				.spki = span_of(s->spki, (size_t)s->spki_n)}};
	}
	assert_non_null(w);
	assert_int_equal(wire_put_found_key(w, m->id, &found), SG_OK);
	return true;
}

static inline bool hsm_on_message(void *ctx, const struct wire_msg *m,
				  const int *fds, size_t n)
{
	struct fake_hsm *h = ctx;
	struct wire_sign sign;
	bool test;

	(void)fds;
	assert_int_equal(n, 0);
	if (m->type == WIRE_ANCHOR)
		return hsm_on_anchor(h, m);
	if (m->type == WIRE_FIND_KEY)
		return hsm_on_find(h, m);
	assert_int_equal(m->type, WIRE_SIGN);
	assert_int_equal(wire_get_sign(m, &sign), SG_OK);
	test = hsm_is_test(h, sign.key, sign.tbs);
	if (!test) {
		h->jobs++;
		h->in_packet++;
	}
	if (test && h->mood == HSM_SIGNS_WRONG_ONLY)
		return true;
	if (test)
		h->tests++;
	if (test && h->mood != HSM_FAILS_ALL) {
		hsm_answer(h, m->id, sign.key, sign.tbs, HSM_SIGNS);
		if (h->starves != NULL)
			*h->starves = true;
	} else if (h->mood == HSM_HOLDS) {
		assert_true(h->nheld < HELD_MAX);
		assert_true(sign.tbs.n <= sizeof(h->held[0].tbs));
		h->held[h->nheld].id = m->id;
		h->held[h->nheld].key = sign.key;
		h->held[h->nheld].n = sign.tbs.n;
		memcpy(h->held[h->nheld].tbs, sign.tbs.p, sign.tbs.n);
		h->nheld++;
	} else {
		hsm_answer(h, m->id, sign.key, sign.tbs, h->mood);
	}
	return true;
}

static inline void hsm_on_packet(void *ctx)
{
	struct fake_hsm *h = ctx;

	if (h->in_packet > 0)
		h->packets++;
	if (h->in_packet > h->most_in_packet)
		h->most_in_packet = h->in_packet;
	h->in_packet = 0;
}

static inline void hsm_on_end(void *ctx, bool bad)
{
	struct fake_hsm *h = ctx;

	assert_false(bad);
	h->ended = true;
}

static inline void hsm_release_held(struct fake_hsm *h)
{
	const size_t n = h->nheld;

	h->nheld = 0;
	for (size_t i = 0; i < n; i++)
		hsm_answer(h, h->held[i].id, h->held[i].key,
			   span_of(h->held[i].tbs, h->held[i].n), HSM_SIGNS);
}

/* Offer the key of H under number 7, with or without its certificate. */
static inline void hsm_say_ready(struct fake_hsm *h, bool certificate)
{
	struct wire_hsm_ready m = {.sessions = h->sessions, .nkeys = 1};
	struct wire_packet *w = channel_room(h->channel, 8192);

	if (h->name != NULL)
		m.hsm = span_str(h->name);
	m.key[0] = (struct wire_hsm_key){
		.key = HSM_FIRST,
		.alg = h->signer->alg,
		.label = span_str(h->label),
		.spki = span_of(h->signer->spki, (size_t)h->signer->spki_n)};
	if (certificate)
		m.key[0].certificate =
			span_of(h->signer->der, (size_t)h->signer->der_n);
	assert_non_null(w);
	assert_int_equal(wire_put_hsm_ready(w, &m), SG_OK);
}

#endif /* TEST_CORE_FAKE_HSM_H */
