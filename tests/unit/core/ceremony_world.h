/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CEREMONY_WORLD_H
#define TEST_CEREMONY_WORLD_H

#include "ceremony/approval.h"
#include "core/ceremony_state.h"
#include "core/desk_state.h"
#include "office.h"
#include "place.h"

/*
 * ceremony_world: a whole desk with its ledger, three officers, and an HSM
 * "one" whose hsm finds what its smith has made.  What the officers do is in
 * ceremony_operations.h.
 */
enum { OFFICERS = 3, LEDGER_KEY = 1, LEDGER_HSM = 1, MADE_MAX = HSM_MADE_MAX };

struct fake_smith {
	struct channel *channel;
	struct fake_token *token;
	bool silent; /* says nothing */
	bool holds;  /* says it only when it is told to, by smith_release() */
	bool dies;   /* instead of an answer */
	bool fails;
	size_t asked;
	struct wire_forge task; /* the last one, without its spans */
	struct wire_forge held; /* its spans lie in ROOM */
	uint8_t room[LIFE_LABEL_MAX + LIFE_SPKI_MAX];
	uint64_t id;
	bool ended;
};

struct heard {
	size_t n;
	enum sg_err err;
	char text[256];
	uint8_t document[8192];
	size_t document_n;
};

struct world {
	struct office *o;
	struct place *p;
	struct signer ledger;
	EVP_PKEY *pkey[OFFICERS];
	struct officer officer[OFFICERS];
	struct fake_token token;
	char label[MADE_MAX][LIFE_LABEL_MAX];
	struct signer made[MADE_MAX];
	struct fake_smith smith;
	struct heard heard;
	unsigned nonce;
	int64_t created, expires; /* of the next operation; 0: usual */
	uint32_t stale, lead;
	bool proposer_approves, policy_approval;
};

static inline struct ceremony *ceremony_of(struct world *w)
{
	return w->o->desk->ceremony;
}

/* --- the smith ------------------------------------------------------------ */

static inline void smith_make(struct world *w, const struct wire_forge *m)
{
	const struct signer_shape shape = {.alg = (enum cose_alg)m->alg,
					   .key_usage =
						   "critical,digitalSignature",
					   .from_s = -3600,
					   .to_s = 3L * 365 * 86400};
	const size_t i = w->token.n;

	assert_true(i < MADE_MAX);
	(void)snprintf(w->label[i], sizeof(w->label[i]), "%.*s",
		       (int)m->label.n, (const char *)m->label.p);
	w->made[i] = signer_make(&shape);
	w->token.key[i].signer = &w->made[i];
	w->token.key[i].label = w->label[i];
	w->token.n++;
}

static inline struct signer *made(struct world *w, struct span label)
{
	for (size_t i = 0; i < w->token.n; i++)
		if (span_is(label, w->label[i]))
			return &w->made[i];
	return NULL;
}

static inline void smith_do(struct world *w, uint64_t id,
			    const struct wire_forge *m)
{
	struct wire_forged done = {.ok = true};
	struct wire_packet *out;
	struct signer *s;

	if (m->task == WIRE_TASK_GENERATE && !w->smith.fails)
		smith_make(w, m);
	s = made(w, m->label);
	if (m->task == WIRE_TASK_DESTROY && s == NULL)
		s = &w->o->signer; /* it was there from the beginning */
	if (w->smith.fails) {
		done.ok = false;
		done.ckr = 0x30;
		done.reason = SPAN_LIT("no \x01room");
	} else {
		assert_non_null(s);
		done.spki = span_of(s->spki, (size_t)s->spki_n);
		if (m->task != WIRE_TASK_GENERATE)
			assert_true(span_eq(m->spki, done.spki));
		if (m->task == WIRE_TASK_CSR)
			done.csr = SPAN_LIT("a request");
	}
	out = channel_room(w->smith.channel, 4096);
	assert_non_null(out);
	assert_int_equal(wire_put_forged(out, id, &done), SG_OK);
	w->smith.ended = true; /* it does one task */
}

static inline void smith_hold(struct world *w, uint64_t id,
			      const struct wire_forge *m)
{
	struct fake_smith *s = &w->smith;

	s->id = id;
	s->held = *m;
	memcpy(s->room, m->label.p, m->label.n);
	if (m->spki.n > 0)
		memcpy(s->room + LIFE_LABEL_MAX, m->spki.p, m->spki.n);
	s->held.label = span_of(s->room, m->label.n);
	s->held.spki = span_of(s->room + LIFE_LABEL_MAX, m->spki.n);
}

/* What it has held is done. */
static inline void smith_release(struct world *w)
{
	w->smith.holds = false;
	smith_do(w, w->smith.id, &w->smith.held);
}

static inline bool smith_on_message(void *ctx, const struct wire_msg *msg,
				    const int *fds, size_t n)
{
	struct world *w = ctx;
	struct wire_forge m;

	(void)fds;
	assert_int_equal(n, 0);
	assert_int_equal(msg->type, WIRE_FORGE);
	assert_int_equal(wire_get_forge(msg, &m), SG_OK);
	w->smith.asked++;
	w->smith.task = m;
	if (w->smith.silent)
		return true;
	if (w->smith.dies) {
		channel_close(w->smith.channel);
		w->smith.channel = NULL;
	} else if (w->smith.holds) {
		smith_hold(w, msg->id, &m);
	} else {
		smith_do(w, msg->id, &m);
	}
	return true;
}

static inline void smith_on_end(void *ctx, bool bad)
{
	struct world *w = ctx;

	assert_false(bad);
	w->smith.ended = true;
}

/* A fresh smith, as the supervisor starts one. */
static inline void link_smith(struct world *w)
{
	static const struct channel_events events = {
		.message = smith_on_message, .end = smith_on_end};
	int fd[2];

	channel_close(w->smith.channel);
	w->smith.ended = false;
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&w->o->loop, fd[0], &events, w, &w->smith.channel),
		SG_OK);
	assert_int_equal(desk_link(w->o->desk, WIRE_SMITH, 0, fd[1]), SG_OK);
}

/* --- the world ------------------------------------------------------------ */

static inline void add_hsms(struct world *w)
{
	office_link_hsm(w->o, 0, HSM_SIGNS);
	w->o->hsm[0].token = &w->token;
	w->o->hsm[0].name = "one";
	hsm_say_ready(&w->o->hsm[0], true);
	office_link_hsm(w->o, LEDGER_HSM, HSM_SIGNS);
	w->o->hsm[LEDGER_HSM].signer = &w->ledger;
	w->o->hsm[LEDGER_HSM].label = "ledger";
	w->o->hsm[LEDGER_HSM].name = "two";
	hsm_say_ready(&w->o->hsm[LEDGER_HSM], false);
}

static inline void world_begin(struct world *w)
{
	office_open_desk(w->o);
	office_add_front(w->o, 0);
	add_hsms(w);
	link_smith(w);
	OFFICE_WAIT(w->o, w->o->front[0].ready);
}

/* As a process that is killed. */
static inline void world_end(struct world *w)
{
	front_clear(&w->o->front[0]);
	for (size_t i = 0; i < OFFICE_HSMS; i++)
		office_kill_hsm(w->o, i);
	channel_close(w->smith.channel);
	w->smith.channel = NULL;
	desk_free(w->o->desk);
	w->o->desk = NULL;
	OFFICE_UNTIL(w->o, 10, false);
}

static inline void world_restart(struct world *w)
{
	world_end(w);
	world_begin(w);
}

static inline void make_officer(struct world *w, size_t i, const char *name)
{
	uint8_t *spki = NULL;
	int n;

	w->pkey[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(w->pkey[i]);
	n = i2d_PUBKEY(w->pkey[i], &spki);
	assert_int_equal(officer_make(span_str(name), span_of(spki, (size_t)n),
				      &w->officer[i]),
			 SG_OK);
	OPENSSL_free(spki);
}

static inline struct world *world_make(void)
{
	static const char *const names[OFFICERS] = {"anne", "bao", "chi"};
	struct world *w = calloc(1, sizeof(*w));
	struct core_settings *s;

	assert_non_null(w);
	w->p = place_open();
	w->o = office_make(COSE_ES256);
	w->ledger = signer_usual(COSE_EDDSA);
	w->stale = 3600;
	for (size_t i = 0; i < OFFICERS; i++)
		make_officer(w, i, names[i]);
	s = &w->o->settings;
	s->nkeys = 2;
	(void)snprintf(s->key[0].hsm, sizeof(s->key[0].hsm), "one");
	s->key[LEDGER_KEY] = (struct core_key_settings){.label = "ledger",
							.hsm = "two",
							.alg = COSE_EDDSA,
							.ledger = true};
	s->nhsms = 2;
	s->hsm[0] = (struct core_hsm_settings){
		.name = "one", .processes = 1, .makes_keys = true};
	s->hsm[1] = (struct core_hsm_settings){
		.name = "two", .first_slot = 1, .processes = 1};
	(void)snprintf(s->state, sizeof(s->state), "%s", w->p->dir);
	(void)snprintf(s->ledger.origin, sizeof(s->ledger.origin),
		       "test.example/log");
	s->ledger.checkpoint_ms = 50;
	s->ledger.stale_ms = 60000;
	return w;
}

static inline struct world *world_open(void)
{
	struct world *w = world_make();

	world_begin(w);
	return w;
}

static inline void world_close(struct world *w)
{
	struct office *o = w->o;

	if (o->desk != NULL)
		world_end(w);
	signer_free(&w->ledger);
	for (size_t i = 0; i < OFFICERS; i++)
		EVP_PKEY_free(w->pkey[i]);
	for (size_t i = 0; i < w->token.n; i++)
		signer_free(&w->made[i]);
	policy_unref(o->policy);
	uv_close((uv_handle_t *)&o->alarm, NULL);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	signer_free(&o->signer);
	free(o);
	place_close(w->p);
	free(w);
}

/* Entries of TYPE in the ledger; the last one's to ENTRY, in ROOM. */
static inline size_t entries(const struct world *w, enum entry_type type,
			     struct entry *entry, uint8_t room[8192])
{
	static struct entry last;
	static uint8_t space[8192];
	const uint64_t n = place_records(w->p, 0, NULL, NULL);
	size_t found = 0;

	for (uint64_t i = 0; i < n; i++) {
		(void)place_records(w->p, i, &last, space);
		if (last.type != type)
			continue;
		found++;
		if (entry == NULL)
			continue;
		(void)place_records(w->p, i, entry, room);
	}
	return found;
}

#endif /* TEST_CEREMONY_WORLD_H */
