/* SPDX-License-Identifier: Apache-2.0 */
/* issue_end: requests for one UVCI that are in flight at the same time. */
#include "bureau.h"

#include <openssl/evp.h>

#include "core/issue_state.h"

static struct bureau *bureau_holding(void)
{
	struct bureau *b = bureau_open();

	b->o.hsm[0].mood = HSM_HOLDS;
	return b;
}

/* Send ASK as front I's request ID and have it taken: N are in flight then. */
static void put_in_flight(struct bureau *b, size_t i, uint64_t id,
			  const struct ask *ask, size_t n)
{
	front_issue(&b->o.front[i], id, ask);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == n);
}

static void let_sign(struct bureau *b)
{
	b->o.hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&b->o.hsm[0]);
}

static void assert_idle(struct bureau *b)
{
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 0);
	assert_int_equal(b->o.bad_hsms, 0);
	for (size_t i = 0; i < OFFICE_FRONTS; i++)
		assert_true(b->link[i] == NULL || b->link[i]->outstanding == 0);
}

static void test_twins(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct answer *a;

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 0, 2, &ask, 2);
	put_in_flight(b, 1, 3, &ask, 3);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 2 && b->o.front[1].n == 1);
	a = front_answer(&b->o.front[0], 1);
	assert_certificate(&b->o, a, &ask);
	assert_false(a->issued.replayed);
	assert_same_certificate(a, front_answer(&b->o.front[0], 2));
	assert_same_certificate(a, front_answer(&b->o.front[1], 3));
	assert_int_equal(b->o.hsm[0].jobs, 1);
	assert_int_equal(b->release.signed_items, 1);
	assert_int_equal(office_metric(&b->o, METRIC_ISSUED), 1);
	assert_int_equal(office_metric(&b->o, METRIC_REPLAYED), 2);
	assert_idle(b);
	bureau_close(b);
}

/* The second comes while the first is signed, but not committed. */
static void test_uncommitted(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};

	(void)state;
	b->release.mood = RELEASE_HOLDS;
	put_in_flight(b, 0, 1, &ask, 1);
	OFFICE_WAIT(&b->o, b->release.n == 1);
	put_in_flight(b, 1, 2, &ask, 2);
	OFFICE_UNTIL(&b->o, 50, false);
	assert_int_equal(b->o.front[1].n, 0);
	release_go_on(&b->release, RELEASE_COMMITS);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1 && b->o.front[1].n == 1);
	assert_same_certificate(&b->o.front[0].answer[0],
				&b->o.front[1].answer[0]);
	assert_int_equal(b->o.hsm[0].jobs, 1);
	assert_idle(b);
	bureau_close(b);
}

static void test_rivals(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct ask other = {
		.serial = 1, .born = "1990-05-18", .vietnamese = true};
	const struct ask warned = {.serial = 1, .extra = true};
	const struct answer *a;

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 1, 2, &other, 2);
	put_in_flight(b, 1, 3, &warned, 3);
	put_in_flight(b, 1, 4, &ask, 4);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 3);
	a = front_answer(&b->o.front[1], 2);
	assert_conflict(a);
	assert_string_equal(
		a->violation_detail,
		violation_detail(VIOLATION_UVCI_CONFLICT, VERDICT_VIETNAMESE));
	a = front_answer(&b->o.front[1], 3);
	assert_int_equal(a->err, SG_CONFLICT);
	assert_int_equal(a->nviolations, 2);
	assert_same_certificate(&b->o.front[0].answer[0],
				front_answer(&b->o.front[1], 4));
	assert_int_equal(b->o.hsm[0].jobs, 1);
	assert_idle(b);
	bureau_close(b);
}

/* Validation does not wait. */
static void test_dry_run(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct ask twin = {.serial = 1, .dry_run = true};
	const struct ask rival = {
		.serial = 1, .dry_run = true, .born = "1990-05-18"};
	const struct ask looker = {
		.serial = 1, .dry_run = true, .identity = "urn:test:looker"};
	const struct ask bad = {.serial = 1, .extra = true, .exp = 1};
	const struct answer *a;

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	a = bureau_answer(b, 1, 2, &twin);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_true(a->issued.dry_run);
	assert_conflict(bureau_answer(b, 1, 3, &rival));
	/* Nor does what is refused anyway. */
	a = bureau_answer(b, 1, 4, &bad);
	assert_int_equal(a->err, SG_REFUSED);
	assert_int_equal(a->nviolations, 3);
	/* Another client's is another request. */
	assert_conflict(bureau_answer(b, 1, 5, &looker));
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_idle(b);
	bureau_close(b);
}

/* The first runs out of time: the next one is signed, another payload or not.
 */
static void test_first_late(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask brief = {.serial = 1, .within_us = 150000};
	const struct ask other = {.serial = 1, .born = "1990-05-18"};
	const struct ask third = {.serial = 1};

	(void)state;
	put_in_flight(b, 0, 1, &brief, 1);
	put_in_flight(b, 1, 2, &other, 2);
	put_in_flight(b, 1, 3, &third, 3);
	b->alone = true;
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_int_equal(b->o.front[0].answer[0].err, SG_TIMED_OUT);
	assert_int_equal(b->o.front[1].n, 0);
	/* It goes to the HSM by itself. */
	OFFICE_WAIT(&b->o, b->o.hsm[0].jobs == 2);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 2);
	assert_certificate(&b->o, front_answer(&b->o.front[1], 2), &other);
	assert_false(front_answer(&b->o.front[1], 2)->issued.replayed);
	assert_conflict(front_answer(&b->o.front[1], 3));
	assert_int_equal(b->release.signed_items, 1);
	/* And that is what is on record. */
	assert_same_certificate(front_answer(&b->o.front[1], 2),
				bureau_answer(b, 0, 4, &other));
	assert_conflict(bureau_answer(b, 0, 5, &third));
	assert_idle(b);
	bureau_close(b);
}

/* The ledger loses the first: it never was, and the next one is signed. */
static void test_first_lost(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};

	(void)state;
	b->release.mood = RELEASE_HOLDS;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 1, 2, &ask, 2);
	OFFICE_WAIT(&b->o, b->release.n == 1);
	release_go_on(&b->release, RELEASE_LOSES);
	b->release.mood = RELEASE_COMMITS;
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1 && b->o.front[1].n == 1);
	assert_int_equal(b->o.front[0].answer[0].err, SG_LEDGER_DOWN);
	assert_certificate(&b->o, &b->o.front[1].answer[0], &ask);
	assert_false(b->o.front[1].answer[0].issued.replayed);
	assert_same_certificate(&b->o.front[1].answer[0],
				bureau_answer(b, 0, 3, &ask));
	assert_idle(b);
	bureau_close(b);
}

/* Every attempt fails: each is told, and the UVCI is free again. */
static void test_all_fail(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};

	(void)state;
	b->o.hsm[0].mood = HSM_FAILS;
	for (unsigned i = 1; i <= 5; i++)
		front_issue(&b->o.front[i % 2], i, &ask);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 2 && b->o.front[1].n == 3);
	for (unsigned i = 1; i <= 5; i++)
		assert_true(
			err_http(front_answer(&b->o.front[i % 2], i)->err) >=
			500);
	assert_idle(b);
	assert_int_equal(b->release.signed_items, 0);
	b->o.hsm[0].mood = HSM_SIGNS;
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, 0) > 0);
	assert_certificate(&b->o, bureau_answer(b, 0, 9, &ask), &ask);
	bureau_close(b);
}

static void test_first_front_dies(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 0, 2, &ask, 2); /* of the same front */
	put_in_flight(b, 1, 3, &ask, 3);
	front_clear(&b->o.front[0]);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 1);
	OFFICE_WAIT(&b->o, b->o.hsm[0].jobs == 2);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 1);
	assert_certificate(&b->o, &b->o.front[1].answer[0], &ask);
	assert_false(b->o.front[1].answer[0].issued.replayed);
	assert_int_equal(b->release.signed_items, 1);
	assert_idle(b);
	bureau_close(b);
}

/* It is signed already when its front goes: the next one gets that. */
static void test_first_front_dies_late(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};

	(void)state;
	b->release.mood = RELEASE_HOLDS;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 1, 2, &ask, 2);
	OFFICE_WAIT(&b->o, b->release.n == 1);
	front_clear(&b->o.front[0]);
	OFFICE_WAIT(&b->o, b->link[0] == NULL);
	assert_int_equal(issuer_in_flight(b->issuer), 2);
	release_go_on(&b->release, RELEASE_COMMITS);
	OFFICE_WAIT(&b->o, b->o.front[1].n == 1);
	assert_certificate(&b->o, &b->o.front[1].answer[0], &ask);
	assert_true(b->o.front[1].answer[0].issued.replayed);
	assert_int_equal(b->o.hsm[0].jobs, 1);
	assert_idle(b);
	bureau_close(b);
}

static void test_waiter_leaves(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct ask brief = {.serial = 1, .within_us = 100000};

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 0, 2, &brief, 2);
	put_in_flight(b, 1, 3, &ask, 3);
	put_in_flight(b, 0, 4, &ask, 4);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_int_equal(front_answer(&b->o.front[0], 2)->err, SG_TIMED_OUT);
	front_clear(&b->o.front[1]);
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 2);
	assert_int_equal(b->o.hsm[0].jobs, 1);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 3);
	assert_same_certificate(front_answer(&b->o.front[0], 1),
				front_answer(&b->o.front[0], 4));
	assert_idle(b);
	bureau_close(b);
}

/* A queue of them, of which the first ones run out of time one by one. */
static void test_queue(void **state)
{
	struct bureau *b = bureau_holding();
	struct ask ask = {.serial = 1};

	(void)state;
	for (unsigned i = 1; i <= 40; i++) {
		ask.within_us = i <= 5 ? 100000 + 40000 * i : 0;
		put_in_flight(b, i % 2, i, &ask, i);
	}
	ask.within_us = 0;
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 35);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 20 && b->o.front[1].n == 20);
	for (unsigned i = 1; i <= 40; i++) {
		const struct answer *a = front_answer(&b->o.front[i % 2], i);

		if (i <= 5)
			assert_int_equal(a->err, SG_TIMED_OUT);
		else if (i == 6)
			assert_certificate(&b->o, a, &ask);
		else
			assert_same_certificate(front_answer(&b->o.front[0], 6),
						a);
	}
	assert_int_equal(b->release.signed_items, 1);
	assert_idle(b);
	bureau_close(b);
}

/* Those that wait count as well. */
static void test_credit(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct answer *a;

	(void)state;
	b->link[0]->credit = 3;
	for (unsigned i = 1; i <= 3; i++)
		put_in_flight(b, 0, i, &ask, i);
	a = bureau_answer(b, 0, 4, &ask);
	assert_int_equal(a->err, SG_BUSY);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 4);
	assert_idle(b);
	bureau_close(b);
}

static void test_drain(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct answer *a;

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	put_in_flight(b, 1, 2, &ask, 2);
	issuer_close(b->issuer);
	a = bureau_answer(b, 0, 3, &ask);
	assert_int_equal(a->err, SG_CLOSED);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 2 && b->o.front[1].n == 1);
	assert_same_certificate(front_answer(&b->o.front[0], 1),
				front_answer(&b->o.front[1], 2));
	assert_idle(b);
	bureau_close(b);
}

static const char RENAMED_POLICY[] =
	"version: 1\n"
	"profiles:\n"
	"  - name: full\n"
	"    rules: {unknown-field: error}\n"
	"clients:\n"
	"  - name: renamed\n"
	"    identities: [\"uri:urn:test:issuer\"]\n"
	"    operations: [issue, validate]\n"
	"    kinds: [v]\n"
	"    countries: [FR]\n"
	"    issuers: [\"*\"]\n"
	"    profile: full\n"
	"    validity: {v: 30d, t: 30d, r: 30d}\n";

/* Who is no client any more gets nothing, also of what was accepted before. */
static void test_let_go(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	bureau_set_policy(b, RENAMED_POLICY);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_int_equal(front_answer(&b->o.front[0], 1)->err, SG_FORBIDDEN);
	assert_int_equal(b->release.signed_items, 0);
	assert_idle(b);
	bureau_close(b);
}

/* Nor does a certificate whose UVCI officers have revoked meanwhile. */
static void test_revoked_meanwhile(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	static const char uvci[] = "URN:UVCI:01:VN:TEST/00000001";
	uint8_t hash[32];

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	assert_int_equal(EVP_Digest(uvci, sizeof(uvci) - 1, hash, NULL,
				    EVP_sha256(), NULL),
			 1);
	assert_int_equal(
		revoked_add(b->revoked, span_of(hash, REVOCATION_HASH_BYTES)),
		SG_OK);
	let_sign(b);
	OFFICE_WAIT(&b->o, b->o.front[0].n == 1);
	assert_int_equal(front_answer(&b->o.front[0], 1)->err, SG_REFUSED);
	assert_int_equal(b->release.signed_items, 0);
	assert_idle(b);
	bureau_close(b);
}

/* What the log tells of one request is not of the one that had its slot. */
static void test_slot_anew(void **state)
{
	struct bureau *b = bureau_holding();
	const struct ask ask = {.serial = 1};
	const struct ask next = {.serial = 2};
	struct issue *i;

	(void)state;
	put_in_flight(b, 0, 1, &ask, 1);
	i = LIST_FIRST(&b->link[0]->issues);
	let_sign(b);
	assert_idle(b);
	assert_true(issue_asked(i).queue_us + issue_asked(i).sign_us > 0);
	b->o.hsm[0].mood = HSM_HOLDS;
	put_in_flight(b, 0, 2, &next, 1);
	assert_ptr_equal(i, LIST_FIRST(&b->link[0]->issues));
	assert_int_equal(issue_asked(i).queue_us, 0);
	assert_int_equal(issue_asked(i).sign_us, 0);
	let_sign(b);
	assert_idle(b);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_let_go),
		cmocka_unit_test(test_revoked_meanwhile),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_uncommitted),
		cmocka_unit_test(test_rivals),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_first_late),
		cmocka_unit_test(test_first_lost),
		cmocka_unit_test(test_all_fail),
		cmocka_unit_test(test_first_front_dies),
		cmocka_unit_test(test_first_front_dies_late),
		cmocka_unit_test(test_waiter_leaves),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_slot_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
