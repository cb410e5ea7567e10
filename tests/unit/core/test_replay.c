/* SPDX-License-Identifier: Apache-2.0 */
/* replay: only what belongs together leaves. */
#include "../hcert/starved.h"
#include "base/digest.h"
#include "bureau.h"
#include "core/replay.h"

/* A bureau with one certificate on record, and the request for it. */
struct scene {
	struct bureau *b;
	struct answer first;
	uint8_t request[1024];
	uint8_t uci[DIGEST_BYTES], payload[DIGEST_BYTES];
	struct replay_request q;
	struct replay *replay;
};

static uint8_t scratch[ASSEMBLY_SCRATCH];

static int open_scene(void **state)
{
	static struct scene s;
	const struct ask ask = {.serial = 1};
	struct digest *d;
	size_t n;

	memset(&s, 0, sizeof(s));
	s.b = bureau_open();
	s.first = *bureau_answer(s.b, 0, 1, &ask);
	s.first.issued.cose.p = s.first.cose;
	n = request_make(&ask, s.request, sizeof(s.request));
	s.q = (struct replay_request){.offset = s.b->release.record[0].offset,
				      .client = SPAN_LIT("issuer"),
				      .uvci = span_str(s.first.uvci),
				      .uci = s.uci,
				      .payload = s.payload,
				      .dcc = span_of(s.request + 5, n - 5),
				      .now = s.first.issued.iat};
	assert_int_equal(digest_create(&d), SG_OK);
	assert_int_equal(digest_sum(d, s.q.uvci, span_of(NULL, 0), s.uci),
			 SG_OK);
	assert_int_equal(digest_sum(d, span_of(NULL, 0), s.q.dcc, s.payload),
			 SG_OK);
	digest_free(d);
	digest_free(NULL);
	assert_int_equal(replay_create(s.b->journal_dir, s.b->keys, &s.replay),
			 SG_OK);
	log_limit((enum log_level) - 1);
	*state = &s;
	return 0;
}

static int close_scene(void **state)
{
	struct scene *s = *state;

	replay_free(s->replay);
	replay_free(NULL);
	bureau_close(s->b);
	return 0;
}

static void assert_word(struct scene *s, enum replay_word expected)
{
	struct wire_issued m;
	enum replay_word word = REPLAY_CONFLICT;

	assert_int_equal(replay_find(s->replay, &s->q, scratch, &word, &m),
			 SG_OK);
	assert_int_equal(word, expected);
	if (word == REPLAY_SAME)
		assert_true(span_eq(m.cose, s->first.issued.cose));
}

static void assert_error(struct scene *s, enum sg_err expected)
{
	struct wire_issued m;
	enum replay_word word;

	assert_int_equal(replay_find(s->replay, &s->q, scratch, &word, &m),
			 expected);
}

static void test_words(void **state)
{
	struct scene *s = *state;

	assert_word(s, REPLAY_SAME);
	s->q.now = s->first.issued.exp - 1;
	assert_word(s, REPLAY_SAME);
	s->q.now = s->first.issued.exp;
	assert_word(s, REPLAY_EXPIRED);
	s->q.now = s->first.issued.iat;
	s->q.client = SPAN_LIT("issue");
	assert_word(s, REPLAY_CONFLICT);
	s->q.client = SPAN_LIT("issuer");
	s->payload[31] ^= 1;
	assert_word(s, REPLAY_CONFLICT);
	/* Whoever asks for a renewal of what is his own may know why not. */
	s->q.renew = true;
	s->q.signed_at = INT64_MAX;
	assert_word(s, REPLAY_CHANGED);
	s->q.client = SPAN_LIT("issue");
	assert_word(s, REPLAY_CONFLICT);
	s->q.client = SPAN_LIT("issuer");
	s->payload[31] ^= 1;
	assert_word(s, REPLAY_EARLY);
	s->q.now = s->first.issued.exp;
	assert_word(s, REPLAY_DUE);
	s->q.now = s->first.issued.iat;
	s->q.renew = false;
	assert_word(s, REPLAY_SAME);
}

/* What an adversary may have is never given out again. */
static void test_compromised(void **state)
{
	struct scene *s = *state;
	struct key *key = &s->b->keys->key[0];

	key->state = KEY_COMPROMISED;
	assert_word(s, REPLAY_ANEW);
	s->q.now = s->first.issued.exp;
	assert_word(s, REPLAY_ANEW);
	s->payload[0] ^= 1;
	assert_word(s, REPLAY_CONFLICT);
	s->payload[0] ^= 1;
	key->state = KEY_RETIRED;
	s->q.now = s->first.issued.iat;
	assert_word(s, REPLAY_SAME);
}

/* Nor where the compromised key is here no more: what no key has signed may be
 * its, and is due for a renewal. */
static void test_missed(void **state)
{
	struct scene *s = *state;
	struct key *key = &s->b->keys->key[0];

	s->b->keys->misses_compromised = true;
	assert_word(s, REPLAY_SAME); /* by a key that is known, and good */
	key->unapproved = true;
	assert_word(s, REPLAY_ANEW);
	key->unapproved = false;
	key->dsc.kid[0] ^= 1;
	assert_word(s, REPLAY_ANEW);
	s->q.renew = true;
	s->q.signed_at = INT64_MAX;
	assert_word(s, REPLAY_DUE);
	s->b->keys->misses_compromised = false;
	assert_word(s, REPLAY_EARLY);
	s->q.renew = false;
	assert_word(s, REPLAY_SAME);
	key->dsc.kid[0] ^= 1;
}

/* Where there is no memory to verify it, nothing goes out; nor is it taken for
 * a wrong one, which would be signed anew. */
static void test_starved(void **state)
{
	struct scene *s = *state;

	assert_word(s, REPLAY_SAME);
	starved = true;
	assert_error(s, SG_NO_MEMORY);
	starved = false;
	assert_word(s, REPLAY_SAME);
}

/* A payload that is not the one that its hash says: nothing goes out. */
static void test_mismatch(void **state)
{
	struct scene *s = *state;

	s->request[40] ^= 1;
	assert_error(s, SG_INTERNAL);
	s->request[40] ^= 1;
	assert_word(s, REPLAY_SAME);
	s->q.uvci.n--;
	assert_error(s, SG_INTERNAL);
	s->q.uvci.n++;
	s->uci[0] ^= 1; /* the index was wrong */
	assert_error(s, SG_INTERNAL);
	s->uci[0] ^= 1;
	assert_word(s, REPLAY_SAME);
}

static void test_wrong_offset(void **state)
{
	struct scene *s = *state;
	const uint64_t right = s->q.offset;
	uint8_t entry[64];
	struct record run = {0};
	uint64_t index;
	uint64_t offset;
	uint64_t end;
	size_t n;

	s->q.offset = right + 1;
	assert_error(s, SG_INTERNAL);
	s->q.offset = UINT64_MAX / 2;
	assert_error(s, SG_INTERNAL);
	journal_end(s->b->journal, &index, &s->q.offset);
	assert_error(s, SG_INTERNAL);
	/* A record, but no certificate's. */
	assert_int_equal(
		entry_encode_run(ENTRY_STOPPED, 5, entry, sizeof(entry), &n),
		SG_OK);
	run.entry = span_of(entry, n);
	assert_int_equal(journal_append(s->b->journal, &run,
					(struct journal_wait){0}, &index,
					&s->q.offset),
			 SG_OK);
	do {
		uv_run(&s->b->o.loop, UV_RUN_ONCE);
		journal_end(s->b->journal, &offset, &end);
	} while (offset <= index);
	assert_error(s, SG_INTERNAL);
	s->q.offset = right;
	assert_word(s, REPLAY_SAME);
}

static void test_no_journal(void **state)
{
	struct scene *s = *state;

	replay_free(s->replay);
	assert_int_equal(replay_create("/nonexistent", s->b->keys, &s->replay),
			 SG_OK);
	assert_error(s, SG_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, open_scene,
						close_scene),
		cmocka_unit_test_setup_teardown(test_compromised, open_scene,
						close_scene),
		cmocka_unit_test_setup_teardown(test_missed, open_scene,
						close_scene),
		cmocka_unit_test_setup_teardown(test_starved, open_scene,
						close_scene),
		cmocka_unit_test_setup_teardown(test_mismatch, open_scene,
						close_scene),
		cmocka_unit_test_setup_teardown(test_wrong_offset, open_scene,
						close_scene),
		cmocka_unit_test_setup_teardown(test_no_journal, open_scene,
						close_scene),
	};

	if (!starved_install())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
