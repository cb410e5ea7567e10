/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/attested.h"

#include "../hcert/starved.h"
#include "gateways.h"
#include "policy/gateway.h"
#include "request.h"

enum { NOW = 1700000000, AGE = 3600 };

static const char UVCI[] = "URN:UVCI:01:VN:1";
static struct rule_profile profile;
static struct gate gate, other;
static struct gateway gateway, second;
static const struct gateway *known[] = {&second, &gateway};
static struct client client;
static struct document document;
static struct attestation_claims claims;
static struct attested sent;
static uint8_t person[32];

static int open_gates(void **state)
{
	struct digest *d;

	(void)state;
	gate = gate_make(COSE_ES256);
	other = gate_make(COSE_ES256);
	if (digest_create(&d) != SG_OK)
		return -1;
	gateway = (struct gateway){.max_age_s = AGE, .digest = d};
	second = (struct gateway){.max_age_s = 1, .digest = d};
	return verifiers_add(&gateway.keys, span_str(gate.text)) == SG_OK ? 0
									  : -1;
}

static int close_gates(void **state)
{
	(void)state;
	verifiers_clear(&gateway.keys);
	digest_free(gateway.digest);
	gate_free(&gate);
	gate_free(&other);
	return 0;
}

static void put(enum document_field field, const char *text)
{
	document.present[field] = true;
	document.text[field] = span_str(text);
}

/* A client that must attest, a document of it, and what the gateway says. */
static int reset(void **state)
{
	(void)state;
	rule_profile_init(&profile);
	client = (struct client){.gateway = known,
				 .ngateways = 2,
				 .must_attest = true,
				 .profile = &profile};
	document = (struct document){.has_kind = true, .kind = DCC_TEST};
	put(DOC_CI, UVCI);
	put(DOC_FNT, "NGUYEN");
	put(DOC_GNT, "BAO<DUY");
	put(DOC_DOB, "1984-03-02");
	gate_person("NGUYEN", "BAO<DUY", "1984-03-02", person);
	claims = gate_claims(UVCI, person, NOW);
	return 0;
}

static void check_at(int64_t now, const char *lines)
{
	const struct rule_context context = {.client = &client,
					     .profile = &profile,
					     .document = &document,
					     .now = now};
	struct verdict v;

	verdict_init(&v);
	attested_judge(&context, &v);
	assert_string_equal(verdict_lines(&v), lines);
	assert_int_equal(v.errors, v.n); /* never switchable */
}

/* What is said of CLAIMS by the gateway. */
static void check(const char *lines)
{
	sent = gate_attest(&gate, &claims);
	document.attestation = attested_span(&sent);
	check_at(NOW, lines);
}

static struct span evidence(bool renewal)
{
	const struct rule_context context = {.client = &client,
					     .document = &document,
					     .renewal = renewal,
					     .now = NOW};

	return attested_evidence(&context);
}

#define MISSING "attestation-missing /attestation\n"
#define INVALID "attestation-invalid /attestation\n"
#define STALE "attestation-stale /attestation\n"
#define MISMATCH "attestation-mismatch /attestation\n"
#define REPLAYED "attestation-replayed /attestation\n"

static void test_good(void **state)
{
	(void)state;
	check("");
	assert_true(span_eq(evidence(false), attested_span(&sent)));
	/* One that is not required holds as well. */
	client.must_attest = false;
	check("");
	document.attestation.n = 0;
	check_at(NOW, "");
	assert_int_equal(evidence(false).n, 0);
}

static void test_missing(void **state)
{
	(void)state;
	check_at(NOW, MISSING);
	document.wrong_attestation = true; /* there, and no bytes */
	check_at(NOW, INVALID);
}

/* A renewal needs none, and what comes with it has to hold. */
static void test_renewal(void **state)
{
	const struct rule_context context = {.client = &client,
					     .profile = &profile,
					     .document = &document,
					     .renewal = true,
					     .now = NOW};
	struct verdict v;

	(void)state;
	verdict_init(&v);
	attested_judge(&context, &v);
	assert_int_equal(v.n, 0);
	assert_int_equal(evidence(true).n, 0);
	claims.verdict = false;
	sent = gate_attest(&gate, &claims);
	document.attestation = attested_span(&sent);
	attested_judge(&context, &v);
	assert_string_equal(verdict_lines(&v), MISMATCH);
	assert_int_equal(evidence(true).n, sent.n);
}

/* Where no gateway is known nothing of it is looked at, or recorded. */
static void test_without_gateways(void **state)
{
	(void)state;
	client.ngateways = 0;
	client.must_attest = false;
	claims.verdict = false;
	check("");
	assert_int_equal(evidence(false).n, 0);
}

static void test_invalid(void **state)
{
	(void)state;
	document.attestation = SPAN_LIT("attestation");
	check_at(NOW, INVALID);
	/* By nobody's key; by a key that says to be the gateway's. */
	sent = gate_attest(&other, &claims);
	document.attestation = attested_span(&sent);
	check_at(NOW, INVALID);
	memcpy(other.kid, gate.kid, sizeof(other.kid));
	sent = gate_attest(&other, &claims);
	document.attestation = attested_span(&sent);
	check_at(NOW, INVALID);
	/* By the gateway over what are no claims. */
	sent = gate_seal(&gate, SPAN_LIT("\xa0"), false);
	document.attestation = attested_span(&sent);
	check_at(NOW, INVALID);
	/* By a gateway that is not this client's. */
	client.ngateways = 1;
	check(INVALID);
}

/* After a wrong signature nothing of the content is told. */
static void test_not_believed(void **state)
{
	(void)state;
	claims.time = 0;
	claims.verdict = false;
	claims.uvci = SPAN_LIT("URN:X");
	sent = gate_attest(&gate, &claims);
	sent.bytes[sent.n - 1] ^= 1;
	document.attestation = attested_span(&sent);
	check_at(NOW, INVALID);
}

static void test_time(void **state)
{
	(void)state;
	claims.time = NOW - AGE;
	check("");
	check_at(NOW + 1, STALE);
	claims.time = NOW + GATEWAY_SKEW_S;
	check("");
	check_at(NOW - 1, STALE);
	claims.time = INT64_MAX;
	check(STALE);
	check_at(INT64_MIN, STALE);
	claims.time = INT64_MIN;
	check(STALE);
	check_at(INT64_MAX, STALE);
}

static void test_person(void **state)
{
	(void)state;
	put(DOC_FNT, "TRAN");
	check(MISMATCH);
	(void)reset(state);
	put(DOC_GNT, "BAO<DUYY");
	check(MISMATCH);
	(void)reset(state);
	put(DOC_DOB, "1984-03");
	check(MISMATCH);
	(void)reset(state);
	document.present[DOC_GNT] = false;
	check(MISMATCH);
	gate_person("NGUYEN", NULL, "1984-03-02", person);
	check("");
	document.present[DOC_FNT] = false;
	check(MISMATCH);
	gate_person(NULL, NULL, "1984-03-02", person);
	check("");
	document.present[DOC_DOB] = false; /* the schema's matter */
	check("");
	(void)reset(state);
	claims.verdict = false;
	check(MISMATCH);
}

static void test_uvci(void **state)
{
	(void)state;
	put(DOC_CI, "URN:UVCI:01:VN:2");
	check(REPLAYED);
	put(DOC_CI, "urn:uvci:01:vn:1");
	check(REPLAYED);
	document.present[DOC_CI] = false; /* the schema's matter */
	check("");
	document.has_kind = false;
	check("");
}

static void test_all_at_once(void **state)
{
	(void)state;
	claims.time = NOW - AGE - 1;
	claims.verdict = false;
	claims.uvci = SPAN_LIT("URN:X");
	check(STALE MISMATCH REPLAYED);
}

/* An attestation that could not be verified is not told to be a bad one:
 * whichever allocation fails, there is no verdict, or the right one. */
static void test_starved(void **state)
{
	const struct rule_context context = {.client = &client,
					     .profile = &profile,
					     .document = &document,
					     .now = NOW};
	struct verdict v;
	unsigned failed = 0;

	(void)state;
	sent = gate_attest(&gate, &claims);
	document.attestation = attested_span(&sent);
	for (unsigned n = 0;; n++) {
		verdict_init(&v);
		starved_after(n, false);
		attested_judge(&context, &v);
		starved_end();
		assert_int_equal(v.n, 0);
		if (!starved_was())
			break;
		assert_true(v.failed == SG_OK || v.failed == SG_NO_MEMORY ||
			    v.failed == SG_INTERNAL);
		failed += v.failed != SG_OK;
	}
	assert_int_equal(v.failed, SG_OK);
	assert_true(failed > 0);
	check("");
}

/* Clerks are told in their language. */
static void test_details(void **state)
{
	(void)state;
	for (unsigned c = VIOLATION_ATTESTATION_MISSING;
	     c <= VIOLATION_ATTESTATION_REPLAYED; c++) {
		const char *en = violation_detail((enum violation_code)c,
						  VERDICT_ENGLISH);
		const char *vi = violation_detail((enum violation_code)c,
						  VERDICT_VIETNAMESE);

		assert_int_equal(
			strncmp(violation_code_text((enum violation_code)c),
				"attestation-", 12),
			0);
		assert_non_null(strstr(en, "attestation"));
		assert_non_null(strstr(vi, "xác nhận danh tính"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, reset),
		cmocka_unit_test_setup(test_missing, reset),
		cmocka_unit_test_setup(test_renewal, reset),
		cmocka_unit_test_setup(test_without_gateways, reset),
		cmocka_unit_test_setup(test_invalid, reset),
		cmocka_unit_test_setup(test_not_believed, reset),
		cmocka_unit_test_setup(test_time, reset),
		cmocka_unit_test_setup(test_person, reset),
		cmocka_unit_test_setup(test_uvci, reset),
		cmocka_unit_test_setup(test_all_at_once, reset),
		cmocka_unit_test_setup(test_starved, reset),
		cmocka_unit_test(test_details),
	};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, open_gates, close_gates);
}
