/* SPDX-License-Identifier: Apache-2.0 */
/* issue_renew: what is on record gets new times, once. */
#include "base/digest.h"
#include "bureau.h"
#include "ledger/journal_read.h"

#define NO_RECORD "no certificate of this client on record"
#define OTHER_DATA "says something else"
#define TOO_EARLY "not due for renewal yet"

enum { HOUR = 3600, YEAR = 365 * 24 * HOUR };

#define CLIENT(name, operations, window)                                       \
	"  - name: " name "\n"                                                 \
	"    identities: [\"uri:urn:test:" name "\"]\n"                        \
	"    operations: [" operations "]\n"                                   \
	"    kinds: [v]\n"                                                     \
	"    countries: [VN]\n"                                                \
	"    issuers: [\"*\"]\n"                                               \
	"    profile: full\n"                                                  \
	"    validity: {v: 365d}\n"                                            \
	"    renewal_window: " window "\n"
#define POLICY(issuer)                                                         \
	"version: 1\n"                                                         \
	"profiles:\n"                                                          \
	"  - name: full\n"                                                     \
	"clients:\n" issuer CLIENT("second", "issue, renew", "1h")             \
		CLIENT("looker", "validate", "1h")

static const char RENEWS[] = POLICY(CLIENT("issuer", "issue, renew", "1h"));
static const char LATER[] = POLICY(CLIENT("issuer", "issue, renew", "1s"));

static struct bureau *bureau_renewing(void)
{
	struct bureau *b = bureau_open();

	bureau_set_policy(b, RENEWS);
	return b;
}

static void assert_refused(const struct answer *a, const char *code)
{
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_REFUSED);
	assert_int_equal(a->nviolations, 1);
	assert_string_equal(a->code, code);
	assert_string_equal(a->pointer, "/dcc/v/0/ci");
}

static void assert_unrenewable(const struct answer *a, const char *cause)
{
	assert_refused(a, "not-renewable");
	assert_non_null(strstr(a->violation_detail, cause));
}

/* Revoke what begins the SHA-256 of A and B. */
static void revoke_hash(struct bureau *b, struct span a, struct span more)
{
	uint8_t hash[DIGEST_BYTES];
	struct digest *d;

	assert_int_equal(digest_create(&d), SG_OK);
	assert_int_equal(digest_sum(d, a, more, hash), SG_OK);
	digest_free(d);
	assert_int_equal(
		revoked_add(b->revoked, span_of(hash, REVOCATION_HASH_BYTES)),
		SG_OK);
}

static void assert_revoked(const struct answer *a)
{
	assert_refused(a, "revoked");
}

/* Is the newest record of the journal of TYPE? */
static void assert_newest(struct bureau *b, enum entry_type type)
{
	struct journal_reader *r;
	struct record record;
	struct entry entry;

	assert_int_equal(journal_reader_open(b->journal_dir, &r), SG_OK);
	assert_int_equal(
		journal_reader_seek(
			r, b->release.record[b->release.nrecords - 1].offset),
		SG_OK);
	assert_int_equal(journal_reader_next(r, UINT64_MAX, &record, NULL),
			 SG_OK);
	assert_int_equal(entry_decode(record.entry, &entry), SG_OK);
	assert_int_equal(entry.type, type);
	journal_reader_close(r);
}

static void test_renewed(void **state)
{
	struct bureau *b = bureau_renewing();
	const int64_t soon = clock_wall_s() + HOUR / 2;
	const struct ask ask = {.serial = 1, .exp = soon};
	const struct ask plain = {.serial = 1};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct answer *first;
	const struct answer *second;

	(void)state;
	first = answer_keep(bureau_answer(b, 0, 1, &ask));
	assert_int_equal(first->issued.exp, soon);
	second = answer_keep(bureau_answer(b, 0, 2, &renew));
	assert_certificate(&b->o, second, &plain);
	assert_false(second->issued.replayed);
	assert_true(second->issued.exp >= first->issued.iat + YEAR);
	assert_int_equal(second->issued.ledger_index, 1);
	assert_newest(b, ENTRY_RENEWED);
	/* Again, for whoever asks in whatever way: the newest one. */
	assert_same_certificate(second, bureau_answer(b, 1, 3, &renew));
	assert_same_certificate(second, bureau_answer(b, 0, 4, &ask));
	bureau_index(b);
	assert_same_certificate(second, bureau_answer(b, 0, 5, &renew));
	bureau_end(b); /* as after a crash: from the journal and the index */
	bureau_begin(b);
	bureau_set_policy(b, RENEWS);
	assert_same_certificate(second, bureau_answer(b, 0, 6, &renew));
	assert_same_certificate(second, bureau_answer(b, 0, 7, &plain));
	assert_int_equal(office_metric(&b->o, METRIC_ISSUED), 2);
	assert_int_equal(office_metric(&b->o, METRIC_RENEWED), 1);
	bureau_close(b);
}

/* One that lives shorter than the window is not renewed at each request. */
static void test_short_lives(void **state)
{
	struct bureau *b = bureau_renewing();
	const int64_t soon = clock_wall_s() + HOUR / 2;
	const struct ask ask = {.serial = 1, .exp = soon};
	const struct ask renew = {.serial = 1, .exp = soon + 60, .renew = true};
	const struct answer *second;

	(void)state;
	(void)bureau_answer(b, 0, 1, &ask);
	second = answer_keep(bureau_answer(b, 0, 2, &renew));
	assert_int_equal(second->type, WIRE_ISSUED);
	assert_int_equal(second->issued.exp, soon + 60);
	assert_same_certificate(second, bureau_answer(b, 0, 3, &renew));
	assert_int_equal(b->release.signed_items, 2);
	bureau_close(b);
}

static void test_not_renewable(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask fresh = {.serial = 1};
	const struct ask early = {.serial = 1, .renew = true};
	const struct ask unknown = {.serial = 2, .renew = true};
	const struct ask changed = {
		.serial = 1, .renew = true, .born = "1990-05-18"};
	const struct ask foreign = {
		.serial = 1, .renew = true, .identity = "urn:test:second"};
	const struct ask looker = {
		.serial = 1, .renew = true, .identity = "urn:test:looker"};
	const struct ask faulty = {.serial = 1,
				   .renew = true,
				   .exp = clock_wall_s() + YEAR + HOUR};
	const struct answer *a;

	(void)state;
	(void)bureau_answer(b, 0, 1, &fresh);
	assert_unrenewable(bureau_answer(b, 0, 2, &early), TOO_EARLY);
	assert_unrenewable(bureau_answer(b, 0, 3, &unknown), NO_RECORD);
	assert_unrenewable(bureau_answer(b, 0, 4, &changed), OTHER_DATA);
	assert_unrenewable(bureau_answer(b, 0, 5, &foreign), NO_RECORD);
	a = bureau_answer(b, 0, 6, &looker);
	assert_int_equal(a->err, SG_FORBIDDEN);
	assert_non_null(strstr(a->detail, "renew"));
	/* All that is wrong at once. */
	a = bureau_answer(b, 0, 7, &faulty);
	assert_int_equal(a->err, SG_REFUSED);
	assert_int_equal(a->nviolations, 2);
	assert_int_equal(b->release.signed_items, 1);
	assert_int_equal(office_metric(&b->o, METRIC_REFUSED), 5);
	bureau_close(b);
}

/* A core that begins may not have read all that is on record yet: until it has,
 * it tells nobody that something cannot be renewed. */
static void test_not_read_yet(void **state)
{
	static const char *const cause[] = {TOO_EARLY, NO_RECORD, NO_RECORD,
					    OTHER_DATA};
	struct bureau *b = bureau_renewing();
	struct ask ask = {.serial = 1};

	(void)state;
	(void)bureau_answer(b, 0, 1, &ask);
	ask.renew = true; /* too early, unknown, another one's, another one */
	for (unsigned i = 0; i < 4; i++) {
		ask.serial = i == 1 ? 2 : 1;
		ask.identity = i == 2 ? "urn:test:second" : NULL;
		ask.born = i == 3 ? "1990-05-18" : NULL;
		b->release.shut = true;
		assert_int_equal(bureau_answer(b, 0, 10 + i, &ask)->err,
				 SG_LEDGER_DOWN);
		b->release.shut = false;
		assert_unrenewable(bureau_answer(b, 0, 20 + i, &ask), cause[i]);
	}
	bureau_close(b);
}

/* What has run out is renewed, and judged by the law of the day. */
static void test_expired(void **state)
{
	struct bureau *b = bureau_renewing();
	const int64_t exp = clock_wall_s() + 2;
	const struct ask ask = {.serial = 1, .exp = exp};
	const struct ask strange = {.serial = 2, .exp = exp};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct ask too_long = {.serial = 2,
				     .renew = true,
				     .exp = clock_wall_s() + YEAR + HOUR};
	const struct answer *first;
	const struct answer *a;

	(void)state;
	bureau_set_policy(b, LATER);
	first = answer_keep(bureau_answer(b, 0, 1, &ask));
	(void)bureau_answer(b, 0, 2, &strange);
	OFFICE_UNTIL(&b->o, 5000, clock_wall_s() > exp);
	a = bureau_answer(b, 0, 3, &ask);
	assert_int_equal(a->err, SG_CONFLICT);
	assert_string_equal(a->code, "expired");
	a = bureau_answer(b, 0, 4, &renew);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_true(a->issued.iat > first->issued.iat);
	a = bureau_answer(b, 0, 5, &too_long);
	assert_string_equal(a->code, "validity-too-long");
	assert_int_equal(a->nviolations, 1);
	assert_int_equal(b->release.signed_items, 3);
	bureau_close(b);
}

/* While it is in flight: another renewal waits, issuance has what there is. */
static void test_in_flight(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask ask = {.serial = 1, .exp = clock_wall_s() + HOUR / 2};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct ask changed = {
		.serial = 1, .renew = true, .born = "1990-05-18"};
	const struct ask rival = {.serial = 1, .born = "1990-05-18"};
	const struct answer *first;
	const struct answer *a;

	(void)state;
	first = answer_keep(bureau_answer(b, 0, 1, &ask));
	b->o.hsm[0].mood = HSM_HOLDS;
	front_issue(&b->o.front[0], 2, &renew);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 1);
	front_issue(&b->o.front[1], 3, &renew);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 2);
	assert_same_certificate(first, bureau_answer(b, 0, 4, &ask));
	assert_unrenewable(bureau_answer(b, 0, 5, &changed), OTHER_DATA);
	assert_conflict(bureau_answer(b, 1, 6, &rival));
	assert_int_equal(issuer_in_flight(b->issuer), 2);
	/* And when the index knows the first. */
	bureau_index(b);
	assert_same_certificate(first, bureau_answer(b, 1, 7, &ask));
	b->o.hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[0]);
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[0], 2) != NULL &&
				   front_answer(&b->o.front[1], 3) != NULL);
	a = front_answer(&b->o.front[0], 2);
	assert_false(a->issued.replayed);
	assert_same_certificate(a, front_answer(&b->o.front[1], 3));
	assert_int_equal(b->release.signed_items, 2);
	bureau_close(b);
}

/* The first one's front goes away: the second is renewed in its place, and
 * what the ledger has lost may be asked for again. */
static void test_promoted(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask ask = {.serial = 1, .exp = clock_wall_s() + HOUR / 2};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct answer *first;
	const struct answer *a;

	(void)state;
	first = answer_keep(bureau_answer(b, 1, 1, &ask));
	b->o.hsm[0].mood = HSM_HOLDS;
	front_issue(&b->o.front[0], 2, &renew);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 1);
	front_issue(&b->o.front[1], 3, &renew);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 2);
	bureau_drop_front(b, b->link[0]);
	b->release.mood = RELEASE_LOSES;
	b->o.hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[0]);
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[1], 3) != NULL);
	assert_int_equal(front_answer(&b->o.front[1], 3)->err, SG_LEDGER_DOWN);
	assert_same_certificate(first, bureau_answer(b, 1, 4, &ask));
	b->release.mood = RELEASE_COMMITS;
	a = bureau_answer(b, 1, 5, &renew);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_false(a->issued.replayed);
	assert_int_equal(a->issued.ledger_index, 1);
	assert_newest(b, ENTRY_RENEWED);
	bureau_close(b);
}

/* The first issuance is not on record yet: there is nothing to renew. */
static void test_unborn(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask ask = {.serial = 1, .exp = clock_wall_s() + HOUR / 2};
	const struct ask renew = {.serial = 1, .renew = true};

	(void)state;
	b->o.hsm[0].mood = HSM_HOLDS;
	front_issue(&b->o.front[0], 1, &ask);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 1);
	assert_unrenewable(bureau_answer(b, 0, 2, &renew), NO_RECORD);
	/* Revoked meanwhile: nobody waits for it any more. */
	revoke_hash(b, SPAN_LIT("URN:UVCI:01:VN:TEST/00000001"),
		    span_of(NULL, 0));
	assert_revoked(bureau_answer(b, 0, 3, &ask));
	bureau_close(b);
}

/* A compromised key's certificate is renewed at any time; a request for it
 * waits for the renewal that is in flight. */
static void test_compromised(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask ask = {.serial = 1};
	const struct ask rival = {.serial = 1, .born = "1990-05-18"};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct answer *a;

	(void)state;
	(void)bureau_answer(b, 0, 1, &ask);
	b->keys->key[0].state = KEY_COMPROMISED;
	front_issue(&b->o.front[0], 2, &renew);
	/* No key is left that could sign it. */
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[0], 2) != NULL);
	assert_int_equal(front_answer(&b->o.front[0], 2)->err, SG_NO_KEY);
	b->keys->key[0].state = KEY_ACTIVE;
	/* In flight by the key that is then found compromised. */
	bureau_set_policy(b, POLICY(CLIENT("issuer", "issue, renew", "364d")));
	b->o.hsm[0].mood = HSM_HOLDS;
	front_issue(&b->o.front[0], 3,
		    &(struct ask){.serial = 1, .exp = clock_wall_s() + HOUR});
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[0], 3) != NULL);
	assert_true(front_answer(&b->o.front[0], 3)->issued.replayed);
	bureau_set_policy(b, POLICY(CLIENT("issuer", "issue, renew", "365d")));
	front_issue(&b->o.front[0], 4, &renew);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 1);
	b->keys->key[0].state = KEY_COMPROMISED;
	assert_conflict(bureau_answer(b, 1, 5, &rival));
	b->keys->key[0].state = KEY_ACTIVE;
	b->o.hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[0]);
	OFFICE_WAIT(&b->o, front_answer(&b->o.front[0], 4) != NULL);
	a = front_answer(&b->o.front[0], 4);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_false(a->issued.replayed);
	bureau_close(b);
}

/* By signature: that certificate.  It is not signed anew either. */
static void test_revoked_signature(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask ask = {.serial = 1, .exp = clock_wall_s() + HOUR / 2};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct ask other = {.serial = 1, .born = "1990-05-18"};
	const struct answer *first;
	struct cose_sign1 sign1;

	(void)state;
	first = answer_keep(bureau_answer(b, 0, 1, &ask));
	assert_int_equal(cose_sign1_decode(first->issued.cose, &sign1), SG_OK);
	revoke_hash(b, span_of(sign1.signature.p, 32),
		    span_of(NULL, 0)); /* r */
	assert_revoked(bureau_answer(b, 0, 2, &ask));
	assert_revoked(bureau_answer(b, 0, 3, &renew));
	b->keys->key[0].state = KEY_COMPROMISED;
	assert_revoked(bureau_answer(b, 0, 4, &ask));
	assert_revoked(bureau_answer(b, 0, 5, &renew));
	/* Whose it is not hears what he would else. */
	assert_conflict(bureau_answer(b, 0, 6, &other));
	assert_int_equal(b->release.signed_items, 1);
	assert_int_equal(office_metric(&b->o, METRIC_REPLAYED), 0);
	bureau_close(b);
}

/* Who presents the revoked certificate does not get the one that renewed it;
 * who presents that, or the payload alone, does. */
static void test_presented(void **state)
{
	struct bureau *b = bureau_renewing();
	const struct ask ask = {.serial = 1, .exp = clock_wall_s() + HOUR / 2};
	struct ask renew = {.serial = 1, .renew = true};
	struct ask other = {.serial = 1, .renew = true, .born = "1990-05-18"};
	const struct answer *first;
	const struct answer *second;
	struct cose_sign1 old;
	struct cose_sign1 new;

	(void)state;
	first = answer_keep(bureau_answer(b, 0, 1, &ask));
	assert_int_equal(cose_sign1_decode(first->issued.cose, &old), SG_OK);
	renew.presented = old.signature;
	second = answer_keep(bureau_answer(b, 0, 2, &renew));
	assert_false(second->issued.replayed);
	assert_int_equal(cose_sign1_decode(second->issued.cose, &new), SG_OK);
	assert_same_certificate(second, bureau_answer(b, 0, 3, &renew));
	revoke_hash(b, span_of(old.signature.p, 32), span_of(NULL, 0));
	assert_revoked(bureau_answer(b, 0, 4, &renew));
	other.presented = old.signature;
	assert_unrenewable(bureau_answer(b, 0, 5, &other), OTHER_DATA);
	renew.presented = new.signature;
	assert_same_certificate(second, bureau_answer(b, 0, 6, &renew));
	renew.presented = span_of(NULL, 0);
	assert_same_certificate(second, bureau_answer(b, 0, 7, &renew));
	/* Of algorithms with another name for theirs, and of none. */
	renew.presented = SPAN_LIT("nothing of ours");
	assert_same_certificate(second, bureau_answer(b, 0, 8, &renew));
	revoke_hash(b, renew.presented, span_of(NULL, 0));
	assert_revoked(bureau_answer(b, 0, 9, &renew));
	assert_int_equal(b->release.signed_items, 2);
	bureau_close(b);
}

/* By UVCI: all that there is of it, the renewal that was made since, too, and
 * what was never issued. */
static void test_revoked_uvci(void **state)
{
	struct bureau *b = bureau_renewing();
	const int64_t soon = clock_wall_s() + HOUR / 2;
	const struct span none = {0};

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		const struct ask ask = {.serial = i, .exp = soon};
		const struct ask renew = {.serial = i, .renew = true};

		assert_int_equal(bureau_answer(b, 0, 10 * i, &ask)->type,
				 WIRE_ISSUED);
		assert_int_equal(bureau_answer(b, 0, 10 * i + 1, &renew)->type,
				 WIRE_ISSUED);
	}
	revoke_hash(b, SPAN_LIT("URN:UVCI:01:VN:TEST/00000001"), none);
	revoke_hash(b, SPAN_LIT("VN"),
		    SPAN_LIT("URN:UVCI:01:VN:TEST/00000002"));
	revoke_hash(b, SPAN_LIT("URN:UVCI:01:VN:TEST/00000004"), none);
	for (unsigned i = 1; i <= 4; i++) {
		const struct ask ask = {.serial = i};
		const struct ask renew = {.serial = i, .renew = true};
		const struct answer *a = bureau_answer(b, 1, 10 * i, &ask);

		if (i == 3) { /* nobody has revoked this one */
			assert_int_equal(a->type, WIRE_ISSUED);
			continue;
		}
		assert_revoked(a);
		a = bureau_answer(b, 1, 10 * i + 1, &renew);
		if (i < 4)
			assert_revoked(a);
		else
			assert_unrenewable(a, NO_RECORD);
	}
	assert_int_equal(b->release.signed_items, 6);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_short_lives),
		cmocka_unit_test(test_not_renewable),
		cmocka_unit_test(test_not_read_yet),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_promoted),
		cmocka_unit_test(test_unborn),
		cmocka_unit_test(test_compromised),
		cmocka_unit_test(test_revoked_signature),
		cmocka_unit_test(test_presented),
		cmocka_unit_test(test_revoked_uvci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
