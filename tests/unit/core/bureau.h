/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_BUREAU_H
#define TEST_BUREAU_H

#include "office.h"

#include <stdlib.h>

#include "core/issue.h"
#include "ledger/journal.h"

/*
 * bureau: an issuer with a real index, claims and journal, between the fakes of
 * an office.  There is no desk: release is the test's own, so that it can hold
 * what is signed, or lose it.
 */
enum { HELD_ITEMS_MAX = 64 };

enum release_mood { RELEASE_COMMITS, RELEASE_HOLDS, RELEASE_LOSES };

struct release {
	struct journal *journal;
	enum release_mood mood;
	size_t signed_items; /* that it was given */
	bool attested;	     /* the last one was */
	bool shut;
	uint8_t attestation[32];
	size_t n; /* that wait */
	struct {
		struct release_item *item;
		bool appended;
		uint64_t index, offset;
	} held[HELD_ITEMS_MAX];
	/* All certificates that were committed. */
	size_t nrecords;
	struct index_item record[ANSWERS_MAX];
};

struct bureau {
	struct office o;
	char dir[64], journal_dir[96], index_dir[96];
	struct index *index;
	struct claims *claims;
	struct revoked *revoked;
	struct journal *journal;
	struct keyring *keys;
	struct hsm_pool *pool;
	struct quota *quota;
	struct issuer *issuer;
	struct front_link *link[OFFICE_FRONTS];
	uv_async_t wake;
	uv_timer_t tick;
	bool alone; /* the issuer's tick is the only one */
	struct release release;
};

/* --- release: instead of the core's ------------------------------------- */

bool release_clock_sane(const struct release *r, int64_t now)
{
	(void)r;
	(void)now;
	return true;
}

bool release_open(const struct release *r)
{
	return !r->shut;
}

/* There is no diary: what is refused is counted here. */
static size_t refused[VIOLATION_COUNT];

void diary_refused(struct diary *d, const char *client, const struct verdict *v)
{
	assert_null(d);
	assert_true(client != NULL && v->errors > 0);
	for (size_t i = 0; i < v->n; i++)
		refused[v->violation[i].code]++;
}

static inline void release_append(struct release *r, size_t at)
{
	const struct release_item *item = r->held[at].item;
	uint8_t entry[1024];
	struct record record = {.signature = item->facts.signature,
				.country = item->country,
				.uci = item->uci,
				.country_uci = item->country_uci,
				.payload = item->payload};
	size_t n;

	r->attested = item->facts.attestation != NULL;
	if (r->attested)
		memcpy(r->attestation, item->facts.attestation,
		       sizeof(r->attestation));
	assert_int_equal(entry_encode_certificate(
				 item->renewed ? ENTRY_RENEWED : ENTRY_ISSUED,
				 1000, &item->facts, entry, sizeof(entry), &n),
			 SG_OK);
	record.entry = span_of(entry, n);
	assert_int_equal(
		journal_append(r->journal, &record, (struct journal_wait){0},
			       &r->held[at].index, &r->held[at].offset),
		SG_OK);
	r->held[at].appended = true;
}

/* Take the oldest one out. */
static inline struct release_item *release_take(struct release *r,
						uint64_t *index,
						uint64_t *offset)
{
	struct release_item *item = r->held[0].item;

	*index = r->held[0].index;
	*offset = r->held[0].offset;
	r->n--;
	memmove(r->held, r->held + 1, r->n * sizeof(r->held[0]));
	return item;
}

/* Go on with what was held. */
static inline void release_go_on(struct release *r, enum release_mood mood)
{
	uint64_t index;
	uint64_t offset;

	r->mood = mood;
	while (r->n > 0 && mood == RELEASE_LOSES) {
		struct release_item *item = release_take(r, &index, &offset);

		item->released(item, SG_LEDGER_DOWN, WIRE_NO_LEDGER_INDEX, 0);
	}
	for (size_t i = 0; i < r->n && mood == RELEASE_COMMITS; i++)
		if (!r->held[i].appended)
			release_append(r, i);
}

void release_submit(struct release *r, struct release_item *item, size_t more)
{
	(void)more;
	assert_true(r->n < HELD_ITEMS_MAX);
	r->signed_items++;
	r->held[r->n].appended = false;
	r->held[r->n++].item = item;
	release_go_on(r, r->mood);
}

static inline void bureau_on_committed(void *ctx, uint64_t last)
{
	struct release *r = &((struct bureau *)ctx)->release;
	uint64_t index;
	uint64_t offset;

	while (r->n > 0 && r->held[0].appended && r->held[0].index <= last) {
		struct release_item *item = release_take(r, &index, &offset);
		struct index_item *record = &r->record[r->nrecords++];

		memcpy(record->uvci, item->uci, sizeof(record->uvci));
		record->offset = offset;
		item->released(item, SG_OK, (int64_t)index, offset);
	}
}

static inline void bureau_on_failed(void *ctx, uint64_t first, enum sg_err err,
				    int system_errno)
{
	(void)ctx;
	fail_msg("journal: %s at %llu, errno %d", err_text(err),
		 (unsigned long long)first, system_errno);
}

static inline void bureau_on_recovered(void *ctx)
{
	(void)ctx;
}

static inline void bureau_wake(void *ctx)
{
	(void)uv_async_send(&((struct bureau *)ctx)->wake);
}

static inline void bureau_on_wake(uv_async_t *a)
{
	journal_poll(((struct bureau *)a->data)->journal);
}

/* --- the issuer's neighbours -------------------------------------------- */

static inline void bureau_changed(void *ctx)
{
	(void)ctx;
}

static inline void bureau_bad_hsm(void *ctx, uint16_t slot)
{
	(void)slot;
	((struct bureau *)ctx)->o.bad_hsms++;
}

static inline bool bureau_issue(void *ctx, struct front_link *f, uint64_t id,
				const struct wire_issue *m)
{
	return issuer_take(((struct bureau *)ctx)->issuer, f, id, m);
}

static inline bool bureau_ask(void *ctx, struct front_link *f, uint64_t id,
			      const struct wire_ask *m)
{
	(void)ctx;
	(void)f;
	(void)id;
	(void)m;
	return false;
}

static inline void bureau_batch(void *ctx)
{
	hsm_pool_dispatch(((struct bureau *)ctx)->pool);
}

static inline void bureau_drop_front(struct bureau *b, struct front_link *f)
{
	b->link[f->slot] = NULL;
	issuer_forget(b->issuer, f);
	front_link_close(f);
}

static inline void bureau_front_end(void *ctx, struct front_link *f, bool bad)
{
	assert_false(bad);
	bureau_drop_front(ctx, f);
	bureau_batch(ctx);
}

static inline void bureau_on_tick(uv_timer_t *t)
{
	struct bureau *b = t->data;

	issuer_tick(b->issuer, clock_mono_us());
	if (!b->alone)
		hsm_pool_tick(b->pool);
}

static inline struct fake_front *bureau_add_front(struct bureau *b, size_t i)
{
	static const struct channel_events events = {
		.message = front_on_message, .end = front_on_end};
	static const struct front_link_events above = {.issue = bureau_issue,
						       .ask = bureau_ask,
						       .batch = bureau_batch,
						       .end = bureau_front_end};
	struct fake_front *f = &b->o.front[i];
	struct front_link_parts parts = {.loop = &b->o.loop,
					 .slot = (uint16_t)i,
					 .credit = b->o.settings.front_credit,
					 .events = &above,
					 .ctx = b};
	int fd[2];

	front_clear(f);
	memset(f, 0, sizeof(*f));
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&b->o.loop, fd[0], &events, f, &f->channel),
		SG_OK);
	parts.fd = fd[1];
	assert_int_equal(front_link_open(&parts, &b->link[i]), SG_OK);
	return f;
}

/* Link hsm I, which has key I + 1. */
static inline void bureau_add_hsm(struct bureau *b, size_t i,
				  enum hsm_mood mood)
{
	static const struct channel_events events = {.message = hsm_on_message,
						     .packet_done =
							     hsm_on_packet,
						     .end = hsm_on_end};
	struct fake_hsm *h = &b->o.hsm[i];
	int fd[2];

	channel_close(h->channel);
	*h = (struct fake_hsm){.mood = mood,
			       .signer = i == 0 ? &b->o.signer : &b->o.second,
			       .label = i == 0 ? "dsc-1" : "dsc-2",
			       .name = i == 0 ? "a" : "b",
			       .sessions = 1};
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&b->o.loop, fd[0], &events, h, &h->channel),
		SG_OK);
	assert_int_equal(hsm_pool_link(b->pool, (uint16_t)i, fd[1]), SG_OK);
	hsm_say_ready(h, true);
}

/* --- the whole ---------------------------------------------------------- */

/* Open what lasts: the journal, the index, and what works with them. */
static inline void bureau_begin(struct bureau *b)
{
	static const struct hsm_pool_events pool_events = {
		.changed = bureau_changed, .bad = bureau_bad_hsm};
	static const struct journal_events journal_events = {
		.committed = bureau_on_committed,
		.failed = bureau_on_failed,
		.recovered = bureau_on_recovered};
	const struct journal_settings settings = {.dir = b->journal_dir,
						  .origin = "test.example/log",
						  .events = &journal_events,
						  .ctx = b,
						  .wake = bureau_wake};
	struct issuer_parts parts = {.release = &b->release,
				     .journal_dir = b->journal_dir};

	assert_int_equal(uv_async_init(&b->o.loop, &b->wake, bureau_on_wake),
			 0);
	b->wake.data = b;
	assert_int_equal(journal_open(&settings, &b->journal), SG_OK);
	assert_int_equal(index_open(b->index_dir, &b->index), SG_OK);
	assert_int_equal(claims_create(b->index, &b->claims), SG_OK);
	claims_set_whole(b->claims, true);
	assert_int_equal(revoked_create(&b->revoked), SG_OK);
	assert_int_equal(keyring_create(&b->o.settings, &b->keys), SG_OK);
	assert_int_equal(hsm_pool_create(&b->o.loop, b->keys, &b->o.settings,
					 &pool_events, b, &b->pool),
			 SG_OK);
	b->release.journal = b->journal;
	parts.keys = b->keys;
	parts.pool = b->pool;
	parts.claims = b->claims;
	parts.revoked = b->revoked;
	assert_int_equal(quota_create(b->o.policy, &b->quota), SG_OK);
	parts.quota = b->quota;
	assert_int_equal(issuer_create(&parts, b->o.policy, &b->issuer), SG_OK);
	uv_timer_init(&b->o.loop, &b->tick);
	b->tick.data = b;
	uv_timer_start(&b->tick, bureau_on_tick, 10, 10);
	for (size_t i = 0; i < b->o.settings.nkeys; i++) {
		bureau_add_hsm(b, i, HSM_SIGNS);
		OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, i) > 0);
	}
	(void)bureau_add_front(b, 0);
	(void)bureau_add_front(b, 1);
}

/* Close it again. */
static inline void bureau_end(struct bureau *b)
{
	for (size_t i = 0; i < OFFICE_FRONTS; i++) {
		front_clear(&b->o.front[i]);
		if (b->link[i] != NULL)
			bureau_drop_front(b, b->link[i]);
	}
	release_go_on(&b->release, RELEASE_LOSES);
	b->release.mood = RELEASE_COMMITS;
	for (size_t i = 0; i < OFFICE_HSMS; i++)
		office_kill_hsm(&b->o, i);
	issuer_free(b->issuer);
	quota_free(b->quota);
	hsm_pool_free(b->pool);
	keyring_free(b->keys);
	claims_free(b->claims);
	revoked_free(b->revoked);
	index_close(b->index);
	journal_close(b->journal);
	uv_close((uv_handle_t *)&b->wake, NULL);
	uv_close((uv_handle_t *)&b->tick, NULL);
	for (unsigned i = 0; i < 3; i++) /* until all is closed */
		uv_run(&b->o.loop, UV_RUN_NOWAIT);
}

/* Judge by TEXT from now on. */
static inline void bureau_set_policy(struct bureau *b, const char *text)
{
	policy_unref(b->o.policy);
	b->o.policy = office_policy(text);
	issuer_set_policy(b->issuer, b->o.policy);
	quota_set_policy(b->quota, b->o.policy, clock_wall_s());
}

/* Have the index know all that was recorded, as the scribe will. */
static inline void bureau_index(struct bureau *b)
{
	uint64_t end;
	uint64_t leaf;

	journal_end(b->journal, &leaf, &end);
	assert_int_equal(index_put(b->index, b->release.record,
				   b->release.nrecords, end),
			 SG_OK);
	claims_indexed(b->claims, end);
	assert_int_equal(claims_recent(b->claims), 0);
}

/* One with NKEYS keys, each in an HSM of its own. */
static inline struct bureau *bureau_open_keys(size_t nkeys)
{
	struct bureau *b = calloc(1, sizeof(*b));
	const int fd = metrics_memfd();

	assert_non_null(b);
	log_limit(LOG_ERROR);
	b->o.page = metrics_map(fd, 1);
	assert_non_null(b->o.page);
	(void)close(fd);
	metrics_install(b->o.page);
	assert_int_equal(uv_loop_init(&b->o.loop), 0);
	uv_timer_init(&b->o.loop, &b->o.alarm);
	b->o.alarm.data = &b->o;
	b->o.signer = signer_usual(COSE_ES256);
	b->o.settings.nkeys = nkeys;
	b->o.settings.front_credit = 64;
	b->o.settings.verify_ecdsa_one_in = 1;
	b->o.settings.verify_all_ms = 60000;
	b->o.settings.test_sign_ms = 5000;
	b->o.settings.key[0] =
		(struct core_key_settings){.label = "dsc-1",
					   .alg = COSE_ES256,
					   .kinds = DCC_ALL_KINDS,
					   .country = "VN"};
	if (nkeys > 1) {
		b->o.second = signer_usual(COSE_ES256);
		b->o.settings.key[1] = b->o.settings.key[0];
		memcpy(b->o.settings.key[1].label, "dsc-2", 6);
	}
	b->o.policy = office_policy(POLICY_TEXT);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/test_bureau.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	(void)snprintf(b->journal_dir, sizeof(b->journal_dir), "%s/journal",
		       b->dir);
	(void)snprintf(b->index_dir, sizeof(b->index_dir), "%s/index", b->dir);
	bureau_begin(b);
	return b;
}

static inline struct bureau *bureau_open(void)
{
	return bureau_open_keys(1);
}

static inline void bureau_close(struct bureau *b)
{
	char command[128];

	bureau_end(b);
	policy_unref(b->o.policy);
	uv_close((uv_handle_t *)&b->o.alarm, NULL);
	uv_run(&b->o.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->o.loop), 0);
	signer_free(&b->o.signer);
	signer_free(&b->o.second);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	assert_int_equal(system(command), 0);
	free(b);
}

/* Ask front I for ASK under ID, and have the answer. */
static inline struct answer *bureau_answer(struct bureau *b, size_t i,
					   uint64_t id, const struct ask *ask)
{
	struct fake_front *f = &b->o.front[i];

	front_issue(f, id, ask);
	OFFICE_WAIT(&b->o, front_answer(f, id) != NULL);
	return front_answer(f, id);
}

static inline void assert_same_certificate(const struct answer *a,
					   const struct answer *again)
{
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_int_equal(again->type, WIRE_ISSUED);
	assert_true(again->issued.replayed);
	assert_true(span_eq(a->issued.cose, again->issued.cose));
	assert_int_equal(a->issued.ledger_index, again->issued.ledger_index);
	assert_int_equal(a->issued.iat, again->issued.iat);
	assert_int_equal(a->issued.exp, again->issued.exp);
	assert_int_equal(a->issued.alg, again->issued.alg);
	assert_memory_equal(a->issued.kid, again->issued.kid, COSE_KID_BYTES);
	assert_string_equal(a->uvci, again->uvci);
}

static inline void assert_conflict(const struct answer *a)
{
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_CONFLICT);
	assert_int_equal(a->nviolations, 1);
	assert_string_equal(a->code, "uvci-conflict");
	assert_string_equal(a->pointer, "/dcc/v/0/ci");
}

#endif /* TEST_BUREAU_H */
