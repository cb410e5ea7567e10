/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CEREMONY_OPERATIONS_H
#define TEST_CEREMONY_OPERATIONS_H

#include "ceremony_world.h"

/*
 * ceremony_operations: what the officers of a ceremony_world sign, and what
 * they hear.
 */

/* The first proposes, and signs that; it is the others who approve. */
enum { EVERYBODY = 7 };

static inline void on_heard(void *link, uint64_t id, enum sg_err err,
			    struct span text)
{
	struct heard *h = &((struct world *)link)->heard;

	(void)id;
	h->n++;
	h->err = err;
	if (err == SG_OK) {
		assert_true(text.n <= sizeof(h->document));
		memcpy(h->document, text.p, text.n);
		h->document_n = text.n;
		h->text[0] = '\0';
	} else {
		(void)snprintf(h->text, sizeof(h->text), "%.*s", (int)text.n,
			       (const char *)text.p);
	}
}

static inline void fill_roll(struct world *w, struct roll *r, size_t n,
			     unsigned threshold)
{
	memset(r, 0, sizeof(*r));
	r->n = n;
	r->threshold = threshold;
	r->lead_s = w->lead;
	r->stale_s = w->stale;
	r->proposer_may_approve = w->proposer_approves;
	r->policy_approval = w->policy_approval;
	for (size_t i = 0; i < n; i++)
		r->officer[i] = w->officer[i];
}

/* An operation that may be done, on KEY (NULL: on none). */
static inline void begin_operation(struct world *w, struct operation *o,
				   enum operation_kind kind, const char *key,
				   uint8_t nonce[OPERATION_NONCE_BYTES])
{
	uint64_t size = 0;

	memset(nonce, 0, OPERATION_NONCE_BYTES);
	w->nonce++;
	memcpy(nonce, &w->nonce, sizeof(w->nonce));
	memset(o, 0, sizeof(*o));
	o->kind = kind;
	o->origin = SPAN_LIT("test.example/log");
	o->nonce = nonce;
	o->created = clock_wall_s();
	o->proposer = SPAN_LIT("anne");
	if (w->created != 0)
		o->created = w->created;
	o->expires = w->expires != 0 ? w->expires : o->created + 3600;
	if (key != NULL)
		o->key = span_str(key);
	assert_int_equal(
		proofs_newest(books_proofs(w->o->desk->books), &size, &o->root),
		SG_OK);
	o->size = size;
}

static inline size_t officer_sign(struct world *w, size_t i, struct span tbs,
				  uint8_t out[COSE_SIG_MAX])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t n = COSE_SIG_MAX;

	assert_int_equal(EVP_DigestSignInit(md, NULL, NULL, NULL, w->pkey[i]),
			 1);
	assert_int_equal(EVP_DigestSign(md, out, &n, tbs.p, tbs.n), 1);
	EVP_MD_CTX_free(md);
	return n;
}

/* O, signed by the officers of SIGNERS (bits), as a COSE_Sign in OUT. */
static inline size_t sign_operation(struct world *w, const struct operation *o,
				    unsigned signers,
				    uint8_t out[APPROVED_BYTES_MAX])
{
	static uint8_t other[APPROVED_BYTES_MAX];
	static uint8_t message[OPERATION_BYTES_MAX + 256];
	static uint8_t bytes[OPERATION_BYTES_MAX];
	uint8_t sig[COSE_SIG_MAX];
	static struct approved a;
	size_t n;
	size_t m;

	assert_int_equal(operation_encode(o, bytes, sizeof(bytes), &n), SG_OK);
	memcpy(out, bytes, n);
	for (size_t i = 0; i < OFFICERS; i++) {
		if ((signers & (1U << i)) == 0)
			continue;
		memcpy(other, out, n);
		assert_int_equal(approved_decode(span_of(other, n), &a), SG_OK);
		assert_int_equal(approval_message(&w->officer[i], a.operation,
						  message, sizeof(message), &m),
				 SG_OK);
		m = officer_sign(w, i, span_of(message, m), sig);
		assert_int_equal(approved_add(&a, &w->officer[i],
					      span_of(sig, m), out,
					      APPROVED_BYTES_MAX, &n),
				 SG_OK);
	}
	return n;
}

/* Bring it, and wait for what comes of it. */
static inline enum sg_err bring(struct world *w, struct span approved)
{
	const struct ceremony_caller who = {
		.link = w, .id = 7, .answer = on_heard};
	const size_t before = w->heard.n;

	if (w->smith.ended || w->smith.channel == NULL)
		link_smith(w);
	ceremony_operate(ceremony_of(w), approved, &who);
	OFFICE_WAIT(w->o, w->heard.n > before);
	assert_int_equal(w->heard.n, before + 1);
	return w->heard.err;
}

static inline enum sg_err operate(struct world *w, const struct operation *o,
				  unsigned signers)
{
	static uint8_t approved[APPROVED_BYTES_MAX];
	const size_t n = sign_operation(w, o, signers, approved);

	return bring(w, span_of(approved, n));
}

/* Of KIND, on KEY, with nothing more to say. */
static inline enum sg_err simple(struct world *w, enum operation_kind kind,
				 const char *key)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, kind, key, nonce);
	o.last = kind == OPERATION_RETIRE;
	return operate(w, &o, EVERYBODY);
}

static inline enum sg_err genesis(struct world *w)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_GENESIS, NULL, nonce);
	fill_roll(w, &o.roll, OFFICERS, 2);
	return operate(w, &o, 7);
}

static inline enum sg_err generate(struct world *w, const char *key)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_GENERATE, key, nonce);
	o.hsm = SPAN_LIT("one");
	o.alg = COSE_ES256;
	o.kinds = DCC_ALL_KINDS;
	o.country = SPAN_LIT("VN");
	return operate(w, &o, EVERYBODY);
}

static inline enum sg_err request(struct world *w, const char *key)
{
	static const uint8_t name[] = {0x30, 0x0d, 0x31, 0x0b, 0x30,
				       0x09, 0x06, 0x03, 0x55, 0x04,
				       0x06, 0x13, 0x02, 'V',  'N'};
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_REQUEST, key, nonce);
	o.subject = span_of(name, sizeof(name));
	return operate(w, &o, EVERYBODY);
}

static inline enum sg_err import(struct world *w, const char *key,
				 const struct signer *s)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_IMPORT, key, nonce);
	o.certificate = span_of(s->der, (size_t)s->der_n);
	return operate(w, &o, EVERYBODY);
}

static inline enum sg_err activate(struct world *w, const char *key, int64_t at)
{
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	begin_operation(w, &o, OPERATION_ACTIVATE, key, nonce);
	o.activate = at;
	return operate(w, &o, EVERYBODY);
}

/* A second from now or later: what is to come before it has that long. */
static inline int64_t soon(void)
{
	return clock_wall_s() + 2;
}

static inline size_t good(struct world *w, const char *key)
{
	size_t k;

	return keyring_find(w->o->desk->keys, span_str(key), &k)
		       ? hsm_pool_good(w->o->desk->pool, k)
		       : 0;
}

static inline enum key_state state_of(struct world *w, const char *key)
{
	const struct life *l =
		lifecycle_find(&ceremony_of(w)->life, span_str(key));

	assert_non_null(l);
	return l->state;
}

/* What ERR, of what was heard last, must be. */
static inline void assert_done(const struct world *w, enum sg_err err)
{
	if (err != SG_OK)
		fail_msg("refused: %s", w->heard.text);
}

static inline void assert_refused(const struct world *w, enum sg_err err,
				  enum sg_err want, const char *words)
{
	assert_int_equal(err, want);
	if (strstr(w->heard.text, words) == NULL)
		fail_msg("not \"%s\": %s", words, w->heard.text);
}

/* A key of that label from nothing until it is published. */
static inline void bring_up(struct world *w, const char *key)
{
	assert_done(w, generate(w, key));
	assert_done(w, request(w, key));
	assert_done(w, import(w, key, made(w, span_str(key))));
	OFFICE_WAIT(w->o, good(w, key) > 0);
	assert_done(w, simple(w, OPERATION_PUBLISH, key));
}

/* A desk that must not open with what is there. */
static inline void expect_no_desk(struct world *w)
{
	static const struct desk_events events = {0};
	const struct desk_parts parts = {.loop = &w->o->loop,
					 .settings = &w->o->settings,
					 .policy = w->o->policy,
					 .newest_iat = INT64_MIN,
					 .events = &events,
					 .ctx = w->o};
	struct desk *desk;

	log_limit(LOG_ERROR);
	assert_int_equal(desk_create(&parts, &desk), SG_IO);
	OFFICE_UNTIL(w->o, 10, false);
}

#endif /* TEST_CEREMONY_OPERATIONS_H */
