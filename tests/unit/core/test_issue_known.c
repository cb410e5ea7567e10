/* SPDX-License-Identifier: Apache-2.0 */
/* issue_known: what is on record answers a request that is sent again. */
#include "../policy/gateways.h"
#include "bureau.h"

/* The issuer's rights are gone but for France; another client has them. */
static const char OTHER_POLICY[] = "version: 1\n"
				   "profiles:\n"
				   "  - name: full\n"
				   "    rules: {unknown-field: warning}\n"
				   "clients:\n"
				   "  - name: issuer\n"
				   "    identities: [\"uri:urn:test:issuer\"]\n"
				   "    operations: [issue, validate]\n"
				   "    kinds: [v]\n"
				   "    countries: [FR]\n"
				   "    issuers: [\"*\"]\n"
				   "    profile: full\n"
				   "    validity: {v: 1d}\n"
				   "  - name: second\n"
				   "    identities: [\"uri:urn:test:second\"]\n"
				   "    operations: [issue, validate]\n"
				   "    kinds: [v]\n"
				   "    countries: [VN]\n"
				   "    issuers: [\"*\"]\n"
				   "    profile: full\n"
				   "    validity: {v: 365d}\n"
				   "  - name: abroad\n"
				   "    identities: [\"uri:urn:test:abroad\"]\n"
				   "    operations: [issue, validate]\n"
				   "    kinds: [v]\n"
				   "    countries: [VN]\n"
				   "    issuers: [\"*\"]\n"
				   "    uvci_prefixes: [\"URN:UVCI:01:FR:\"]\n"
				   "    profile: full\n"
				   "    validity: {v: 365d}\n";

static void use_other_policy(struct bureau *b)
{
	policy_unref(b->o.policy);
	b->o.policy = office_policy(OTHER_POLICY);
	issuer_set_policy(b->issuer, b->o.policy);
}

/* Once more, from memory, from the index, and after a restart. */
static void test_replay(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};
	const struct ask timed = {.serial = 1, .exp = clock_wall_s() + 100000};
	static struct answer first;
	const struct answer *again;

	(void)state;
	first = *bureau_answer(b, 0, 1, &ask);
	first.issued.cose.p = first.cose;
	assert_certificate(&b->o, &first, &ask);
	assert_false(first.issued.replayed);
	assert_int_equal(first.issued.ledger_index, 0);
	again = bureau_answer(b, 0, 2, &ask);
	assert_same_certificate(&first, again);
	/* `exp` is no part of what makes a request the same. */
	assert_same_certificate(&first, bureau_answer(b, 1, 3, &timed));
	bureau_index(b);
	assert_same_certificate(&first, bureau_answer(b, 1, 4, &ask));
	assert_int_equal(b->o.hsm[0].jobs, 1);
	assert_int_equal(b->release.signed_items, 1);
	assert_int_equal(office_metric(&b->o, METRIC_ISSUED), 1);
	assert_int_equal(office_metric(&b->o, METRIC_REPLAYED), 3);
	/* Without any HSM. */
	office_kill_hsm(&b->o, 0);
	OFFICE_WAIT(&b->o, hsm_pool_good(b->pool, 0) == 0);
	assert_same_certificate(&first, bureau_answer(b, 1, 5, &ask));
	bureau_end(b);
	bureau_begin(b);
	assert_same_certificate(&first, bureau_answer(b, 0, 6, &ask));
	assert_int_equal(b->o.hsm[0].jobs, 0);
	/* And others are signed as ever. */
	again = bureau_answer(b, 0, 7, &(struct ask){.serial = 2});
	assert_int_equal(again->type, WIRE_ISSUED);
	assert_false(again->issued.replayed);
	assert_int_equal(again->issued.ledger_index, 1);
	bureau_close(b);
}

/* Warnings of today go with it; errors of today do not. */
static void test_warnings(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1, .extra = true};
	static struct answer first;
	const struct answer *again;

	(void)state;
	first = *bureau_answer(b, 0, 1, &ask);
	first.issued.cose.p = first.cose;
	assert_string_equal(first.code, "unknown-field");
	again = bureau_answer(b, 0, 2, &ask);
	assert_same_certificate(&first, again);
	assert_string_equal(again->code, "unknown-field");
	use_other_policy(b);
	again = bureau_answer(b, 0, 3, &ask);
	assert_same_certificate(&first, again);
	assert_int_equal(again->nviolations, 0);
	bureau_close(b);
}

static void test_policy_change(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask old = {.serial = 1};
	const struct ask old_dry = {.serial = 1, .dry_run = true};
	const struct ask new = {.serial = 2};
	const struct ask new_dry = {.serial = 2, .dry_run = true};
	static struct answer first;
	const struct answer *a;

	(void)state;
	first = *bureau_answer(b, 0, 1, &old);
	first.issued.cose.p = first.cose;
	use_other_policy(b);
	assert_same_certificate(&first, bureau_answer(b, 0, 2, &old));
	a = bureau_answer(b, 0, 3, &old_dry);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_true(a->issued.dry_run);
	assert_false(a->issued.replayed);
	assert_int_equal(a->issued.cose.n, 0);
	a = bureau_answer(b, 0, 4, &new);
	assert_int_equal(a->err, SG_REFUSED);
	assert_string_equal(a->code, "country-not-allowed");
	a = bureau_answer(b, 0, 5, &new_dry);
	assert_int_equal(a->err, SG_REFUSED);
	assert_int_equal(office_metric(&b->o, METRIC_REPLAYED), 1);
	bureau_close(b);
}

static void test_other_payload(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};
	const struct ask other = {.serial = 1, .born = "1990-05-18"};
	const struct ask other_dry = {
		.serial = 1, .born = "1990-05-18", .dry_run = true};
	const struct ask other_vi = {
		.serial = 1, .born = "1990-05-18", .vietnamese = true};
	const struct ask warned = {.serial = 1, .extra = true};
	const struct answer *a;

	(void)state;
	(void)bureau_answer(b, 0, 1, &ask);
	assert_conflict(bureau_answer(b, 0, 2, &other));
	assert_int_equal(office_metric(&b->o, METRIC_REFUSED), 1);
	assert_conflict(bureau_answer(b, 0, 3, &other_dry));
	assert_int_equal(office_metric(&b->o, METRIC_REFUSED), 1);
	bureau_index(b);
	a = bureau_answer(b, 0, 4, &other_vi);
	assert_conflict(a);
	assert_string_equal(
		a->violation_detail,
		violation_detail(VIOLATION_UVCI_CONFLICT, VERDICT_VIETNAMESE));
	/* All is told at once: with a warning, and with an error. */
	a = bureau_answer(b, 0, 5, &warned);
	assert_int_equal(a->err, SG_CONFLICT);
	assert_int_equal(a->nviolations, 2);
	use_other_policy(b);
	a = bureau_answer(b, 0, 6, &other);
	assert_int_equal(a->err, SG_REFUSED);
	assert_int_equal(a->nviolations, 2);
	assert_int_equal(b->o.hsm[0].jobs, 1);
	bureau_close(b);
}

static void test_other_client(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};
	const struct ask other = {.serial = 1, .identity = "urn:test:second"};
	const struct ask other_dry = {
		.serial = 1, .identity = "urn:test:second", .dry_run = true};
	const struct ask looker = {.serial = 1, .identity = "urn:test:looker"};
	const struct ask looker_dry = {
		.serial = 1, .identity = "urn:test:looker", .dry_run = true};
	const struct answer *a;

	(void)state;
	(void)bureau_answer(b, 0, 1, &ask);
	/* Rights come first. */
	a = bureau_answer(b, 0, 2, &looker);
	assert_int_equal(a->err, SG_FORBIDDEN);
	assert_conflict(bureau_answer(b, 0, 5, &looker_dry));
	use_other_policy(b);
	assert_conflict(bureau_answer(b, 0, 3, &other));
	assert_conflict(bureau_answer(b, 0, 4, &other_dry));
	assert_int_equal(b->o.hsm[0].jobs, 1);
	bureau_close(b);
}

/* Whether a UVCI is taken is told to nobody who may not issue it. */
static void test_foreign(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask taken = {.serial = 1, .identity = "urn:test:abroad"};
	const struct ask taken_dry = {
		.serial = 1, .identity = "urn:test:abroad", .dry_run = true};
	const struct ask free_dry = {
		.serial = 2, .identity = "urn:test:abroad", .dry_run = true};
	const struct ask *const all[] = {&taken, &taken_dry, &free_dry};
	const struct answer *a;

	(void)state;
	(void)bureau_answer(b, 0, 1, &(struct ask){.serial = 1});
	use_other_policy(b);
	for (uint64_t i = 0; i < 3; i++) {
		a = bureau_answer(b, 0, 2 + i, all[i]);
		assert_int_equal(a->err, SG_REFUSED);
		assert_int_equal(a->nviolations, 1);
		assert_string_equal(a->code, "uvci-not-allowed");
	}
	bureau_close(b);
}

static void test_expired(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1, .exp = clock_wall_s() + 2};
	const struct ask later = {.serial = 1};
	const struct ask dry = {.serial = 1, .dry_run = true};
	const struct ask other = {.serial = 1, .born = "1990-05-18"};
	const struct ask *const all[] = {&ask, &later, &dry};
	const struct answer *a;

	(void)state;
	a = bureau_answer(b, 0, 1, &ask);
	assert_int_equal(a->type, WIRE_ISSUED);
	OFFICE_WAIT(&b->o, clock_wall_s() >= ask.exp);
	/* Not as long as the index may lack what renewed it. */
	claims_set_whole(b->claims, false);
	for (uint64_t i = 0; i < 3; i++) {
		a = bureau_answer(b, 0, 20 + i, all[i]);
		assert_int_equal(a->err, SG_LEDGER_DOWN);
		assert_int_equal(a->nviolations, 0);
	}
	assert_conflict(bureau_answer(b, 0, 25, &other));
	claims_set_whole(b->claims, true);
	for (uint64_t i = 0; i < 3; i++) {
		a = bureau_answer(b, 0, 2 + i, all[i]);
		assert_int_equal(a->err, SG_CONFLICT);
		assert_int_equal(a->nviolations, 1);
		assert_string_equal(a->code, "expired");
		assert_string_equal(a->pointer, "/dcc/v/0/ci");
	}
	/* The UVCI is still taken. */
	assert_conflict(bureau_answer(b, 0, 9, &other));
	assert_int_equal(b->o.hsm[0].jobs, 1);
	bureau_close(b);
}

/* While the index may lack something: what is valid is given out. */
static void test_valid_before_the_index(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};
	const struct answer *a;

	(void)state;
	a = bureau_answer(b, 0, 1, &ask);
	assert_int_equal(a->type, WIRE_ISSUED);
	claims_set_whole(b->claims, false);
	a = bureau_answer(b, 0, 2, &ask);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_true(a->issued.replayed);
	assert_int_equal(b->o.hsm[0].jobs, 1);
	bureau_close(b);
}

/* A wrong signature that nobody verified when it was made is not given out to
 * whoever asks again. */
static void test_wrong_signature(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};
	static struct answer second;
	const struct answer *a;

	(void)state;
	log_limit((enum log_level) - 1); /* it says so, and shall */
	b->o.settings.verify_ecdsa_one_in = 1000;
	b->o.settings.verify_all_ms = 0;
	hsm_pool_rates(b->pool, &b->o.settings);
	b->o.hsm[0].mood = HSM_SIGNS_WRONG;
	a = bureau_answer(b, 0, 1, &ask);
	assert_int_equal(a->type, WIRE_ISSUED);
	b->o.hsm[0].mood = HSM_SIGNS;
	second = *bureau_answer(b, 0, 2, &ask);
	second.issued.cose.p = second.cose;
	assert_certificate(&b->o, &second, &ask);
	assert_false(second.issued.replayed);
	assert_int_equal(second.issued.ledger_index, 1);
	assert_same_certificate(&second, bureau_answer(b, 0, 3, &ask));
	bureau_index(b);
	assert_same_certificate(&second, bureau_answer(b, 0, 4, &ask));
	assert_int_equal(b->o.hsm[0].jobs, 2);
	bureau_close(b);
}

/* No journal, no word about what is in it: try again later. */
static void test_unreadable(void **state)
{
	struct bureau *b = bureau_open();
	const struct ask ask = {.serial = 1};
	const struct ask other = {.serial = 1, .born = "1990-05-18"};
	char away[128];
	const struct answer *a;

	(void)state;
	log_limit((enum log_level) - 1); /* it says so, and shall */
	(void)bureau_answer(b, 0, 1, &ask);
	(void)snprintf(away, sizeof(away), "%s-away", b->journal_dir);
	assert_int_equal(rename(b->journal_dir, away), 0);
	a = bureau_answer(b, 0, 2, &ask);
	assert_true(err_http(a->err) >= 500);
	a = bureau_answer(b, 0, 3, &other);
	assert_true(err_http(a->err) >= 500);
	assert_int_equal(rename(away, b->journal_dir), 0);
	a = bureau_answer(b, 0, 4, &ask);
	assert_true(a->issued.replayed);
	assert_int_equal(b->o.hsm[0].jobs, 1);
	bureau_close(b);
}

static const char ATTESTED_POLICY[] =
	"version: 1\n"
	"profiles:\n"
	"  - name: full\n"
	"gateways:\n"
	"  - name: g\n"
	"    keys: ['%s']\n"
	"    max_age: 1h\n"
	"clients:\n"
	"  - name: issuer\n"
	"    identities: [\"uri:urn:test:issuer\"]\n"
	"    operations: [issue, validate]\n"
	"    kinds: [v]\n"
	"    countries: [VN]\n"
	"    issuers: [\"*\"]\n"
	"    profile: full\n"
	"    validity: {v: 365d}\n"
	"    gateways: [g]\n"
	"    require: [attestation]\n";

/* The attestation's hash goes on record.  A retry needs none; another one, or
 * none, signs nothing. */
static void test_attested(void **state)
{
	struct bureau *b = bureau_open();
	static struct gate gate;
	struct ask ask = {.serial = 1};
	struct attestation_claims claims;
	static struct attested sealed;
	static struct answer first;
	uint8_t person[32];
	uint8_t hash[DIGEST_BYTES];
	char text[4096];

	(void)state;
	gate = gate_make(COSE_ES256);
	(void)snprintf(text, sizeof(text), ATTESTED_POLICY, gate.text);
	policy_unref(b->o.policy);
	b->o.policy = office_policy(text);
	issuer_set_policy(b->issuer, b->o.policy);
	assert_string_equal(bureau_answer(b, 0, 1, &ask)->code,
			    "attestation-missing");
	gate_person("TRAN", "AN", "1990-05-17", person);
	claims = gate_claims("URN:UVCI:01:VN:TEST/00000001", person,
			     clock_wall_s());
	sealed = gate_attest(&gate, &claims);
	ask.attestation = attested_span(&sealed);
	first = *bureau_answer(b, 0, 2, &ask);
	first.issued.cose.p = first.cose;
	assert_certificate(&b->o, &first, &(struct ask){.serial = 1});
	assert_true(b->release.attested);
	pki_must(EVP_Digest(sealed.bytes, sealed.n, hash, NULL, EVP_sha256(),
			    NULL) == 1);
	assert_memory_equal(b->release.attestation, hash, sizeof(hash));
	/* The same request, its attestation stale, broken, gone. */
	claims.time = 0;
	sealed = gate_attest(&gate, &claims);
	assert_same_certificate(&first, bureau_answer(b, 0, 3, &ask));
	sealed.bytes[sealed.n - 1] ^= 1;
	assert_same_certificate(&first, bureau_answer(b, 0, 4, &ask));
	ask.attestation.n = 0;
	assert_same_certificate(&first, bureau_answer(b, 0, 5, &ask));
	/* Another certificate with what was good for the first. */
	claims.time = clock_wall_s();
	sealed = gate_attest(&gate, &claims);
	ask = (struct ask){.serial = 2, .attestation = attested_span(&sealed)};
	assert_string_equal(bureau_answer(b, 0, 6, &ask)->code,
			    "attestation-replayed");
	assert_int_equal(b->release.signed_items, 1);
	gate_free(&gate);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_policy_change),
		cmocka_unit_test(test_other_payload),
		cmocka_unit_test(test_other_client),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_valid_before_the_index),
		cmocka_unit_test(test_wrong_signature),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_attested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
