/* SPDX-License-Identifier: Apache-2.0 */
/* issue: a certificate's life, driven through a desk with software hsms. */
#include "office.h"

static void issue_with(enum cose_alg alg)
{
	struct office *o = office_ready(alg, 1);
	const struct ask ask = {.serial = 1};
	struct answer *a;

	front_issue(&o->front[0], 41, &ask);
	OFFICE_WAIT(o, o->front[0].n == 1);
	a = &o->front[0].answer[0];
	assert_int_equal(a->id, 41);
	assert_certificate(o, a, &ask);
	assert_string_equal(a->uvci, "URN:UVCI:01:VN:TEST/00000001");
	assert_int_equal(a->issued.exp - a->issued.iat, 365 * 86400);
	assert_int_equal(a->issued.ledger_index, WIRE_NO_LEDGER_INDEX);
	assert_false(a->issued.replayed || a->issued.dry_run);
	assert_int_equal(a->nviolations, 0);
	assert_int_equal(office_metric(o, METRIC_ISSUED), 1);
	assert_int_equal(office_metric(o, METRIC_IN_FLIGHT), 0);
	assert_int_equal(desk_in_flight(o->desk), 0);
	office_close(o);
}

static void test_es256(void **state)
{
	(void)state;
	issue_with(COSE_ES256);
}

static void test_ps256(void **state)
{
	(void)state;
	issue_with(COSE_PS256);
}

static void test_eddsa(void **state)
{
	(void)state;
	issue_with(COSE_EDDSA);
}

static void test_warnings(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	const struct ask ask = {.serial = 2, .extra = true};

	(void)state;
	front_issue(&o->front[0], 1, &ask);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_certificate(o, &o->front[0].answer[0], &ask);
	assert_string_equal(o->front[0].answer[0].code, "unknown-field");
	assert_int_equal(o->front[0].answer[0].nviolations, 1);
	office_close(o);
}

/* A request beyond the fixed buffer of its slot. */
static void test_large(void **state)
{
	static uint8_t request[8192];
	struct office *o = office_ready(COSE_ES256, 1);
	const struct ask ask = {.serial = 3};
	struct cbor_writer w = cbor_write(request, sizeof(request));
	static char text[4000];
	struct cose_sign1 sign1;
	struct cwt_claims claims;
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text));
	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("dcc"));
	cbor_put_map(&w, 5);
	cbor_put_text(&w, SPAN_LIT("v"));
	cbor_put_array(&w, 1);
	put_vaccination(&w, &ask);
	put_pair(&w, "dob", "1990-05-17");
	cbor_put_text(&w, SPAN_LIT("nam"));
	put_name(&w);
	put_pair(&w, "ver", "1.3.0");
	cbor_put_text(&w, SPAN_LIT("extra"));
	cbor_put_text(&w, span_of(text, sizeof(text)));
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	front_send(&o->front[0], 1, &(struct ask){.dry_run = true},
		   span_of(request, n));
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_int_equal(o->front[0].answer[0].type, WIRE_ISSUED);
	front_send(&o->front[0], 2, &ask, span_of(request, n));
	OFFICE_WAIT(o, o->front[0].n == 2);
	assert_int_equal(
		cose_sign1_decode(o->front[0].answer[1].issued.cose, &sign1),
		SG_OK);
	assert_int_equal(cwt_decode(sign1.payload, &claims), SG_OK);
	assert_true(span_eq(claims.dcc, span_of(request + 5, n - 5)));
	o->hsm[0].mood = HSM_HOLDS;
	front_send(&o->front[0], 3, &ask, span_of(request, n));
	OFFICE_WAIT(o, o->hsm[0].nheld == 1);
	/* Its front goes away while the large buffer is in use. */
	front_clear(&o->front[0]);
	OFFICE_WAIT(o, desk_in_flight(o->desk) == 0);
	office_close(o);
}

static void test_refused(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct ask foreign = {.country = "FR"};
	const struct ask foreign_vi = {.country = "FR", .vietnamese = true};

	(void)state;
	front_issue(f, 1, &foreign);
	front_issue(f, 2, &foreign_vi);
	OFFICE_WAIT(o, f->n == 2);
	assert_int_equal(f->answer[0].type, WIRE_PROBLEM);
	assert_int_equal(f->answer[0].err, SG_REFUSED);
	assert_string_equal(f->answer[0].code, "country-not-allowed");
	assert_string_equal(f->answer[0].violation_detail,
			    violation_detail(VIOLATION_COUNTRY_NOT_ALLOWED,
					     VERDICT_ENGLISH));
	assert_string_equal(f->answer[1].violation_detail,
			    violation_detail(VIOLATION_COUNTRY_NOT_ALLOWED,
					     VERDICT_VIETNAMESE));
	assert_int_equal(office_metric(o, METRIC_REFUSED), 2);
	assert_int_equal(o->hsm[0].jobs, 0); /* it never touched the HSM */
	office_close(o);
}

static void test_unknown_client(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct ask stranger = {.identity = "urn:test:stranger"};
	const struct ask looker = {.identity = "urn:test:looker"};

	(void)state;
	front_issue(f, 1, &stranger);
	front_issue(f, 2, &looker); /* may only validate */
	OFFICE_WAIT(o, f->n == 2);
	assert_int_equal(f->answer[0].err, SG_FORBIDDEN);
	assert_string_equal(f->answer[0].detail,
			    "no client in the policy has this certificate");
	assert_int_equal(f->answer[1].err, SG_FORBIDDEN);
	assert_string_equal(f->answer[1].detail,
			    "the policy does not allow this client to issue");
	assert_int_equal(o->hsm[0].jobs, 0);
	office_close(o);
}

static void test_dry_run(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct ask good = {.dry_run = true, .extra = true};
	const struct ask bad = {.dry_run = true, .country = "FR"};
	const struct ask looker = {.dry_run = true,
				   .identity = "urn:test:looker"};

	(void)state;
	front_issue(f, 1, &good);
	front_issue(f, 2, &bad);
	front_issue(f, 3, &looker);
	OFFICE_WAIT(o, f->n == 3);
	assert_int_equal(f->answer[0].type, WIRE_ISSUED);
	assert_true(f->answer[0].issued.dry_run);
	assert_int_equal(f->answer[0].issued.cose.n, 0);
	assert_string_equal(f->answer[0].code, "unknown-field");
	assert_int_equal(f->answer[1].err, SG_REFUSED);
	assert_int_equal(f->answer[2].type, WIRE_ISSUED);
	assert_int_equal(o->hsm[0].jobs, 0);
	assert_int_equal(office_metric(o, METRIC_REFUSED), 0);
	office_close(o);
}

/* What a front may not send, but which is no reason to cut it off. */
static void test_malformed_request(void **state)
{
	static const uint8_t lone_break[] = {0xff};
	static const uint8_t twice[] = {0xa2, 0x63, 'd', 'c', 'c', 0xa0,
					0x63, 'd',  'c', 'c', 0xa0};
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct ask ask = {.serial = 1};

	(void)state;
	front_send(f, 1, &ask, span_of(lone_break, sizeof(lone_break)));
	front_send(f, 2, &ask, span_of(twice, sizeof(twice)));
	front_issue(f, 3, &ask);
	OFFICE_WAIT(o, f->n == 3);
	assert_int_equal(front_answer(f, 1)->err, SG_MALFORMED);
	assert_int_equal(front_answer(f, 2)->err, SG_DUPLICATE_KEY);
	assert_certificate(o, front_answer(f, 3), &ask);
	assert_int_equal(office_metric(o, METRIC_BAD_MESSAGES), 2);
	assert_false(f->ended);
	office_close(o);
}

/* {"a": [0, 0, ...]}: a client can send that, so it is no fault of a front. */
static void test_many_items(void **state)
{
	enum { MANY = 5000 };
	static uint8_t request[MANY + 16];
	struct office *o = office_ready(COSE_ES256, 1);
	struct cbor_writer w = cbor_write(request, sizeof(request));
	const struct ask ask = {.serial = 1};
	size_t n;

	(void)state;
	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("a"));
	cbor_put_array(&w, MANY);
	for (int i = 0; i < MANY; i++)
		cbor_put_uint(&w, 0);
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	front_send(&o->front[0], 1, &ask, span_of(request, n));
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_int_equal(o->front[0].answer[0].err, SG_TOO_BIG);
	assert_int_equal(err_http(o->front[0].answer[0].err), 413);
	assert_int_equal(office_metric(o, METRIC_BAD_MESSAGES), 0);
	office_close(o);
}

static void test_deadline(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct ask quick = {.serial = 1, .within_us = 100000};
	const struct ask slow = {.serial = 2};
	const uint64_t begin = clock_mono_us();

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	front_issue(f, 1, &quick);
	front_issue(f, 2, &slow);
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].id, 1);
	assert_int_equal(f->answer[0].err, SG_TIMED_OUT);
	assert_true(clock_mono_us() - begin >= 100000);
	/* The late signature finds nothing; the other one its request. */
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, f->n == 2);
	assert_certificate(o, front_answer(f, 2), &slow);
	assert_false(o->hsm[0].ended);
	assert_int_equal(o->bad_hsms, 0);
	/* Past its deadline already. */
	front_issue(f, 3, &(struct ask){.within_us = 1});
	OFFICE_UNTIL(o, 5, false);
	OFFICE_WAIT(o, f->n == 3);
	assert_int_equal(f->answer[2].err, SG_TIMED_OUT);
	office_close(o);
}

static void test_credit(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];

	(void)state;
	desk_free(o->desk);
	o->settings.front_credit = 3;
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_HOLDS);
	OFFICE_WAIT(o, f->ready);
	assert_int_equal(f->credit, 3);
	for (unsigned i = 1; i <= 3; i++)
		front_issue(f, i, &(struct ask){.serial = i});
	OFFICE_WAIT(o, desk_in_flight(o->desk) == 3);
	front_issue(f, 4, &(struct ask){.serial = 4});
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].id, 4);
	assert_int_equal(f->answer[0].err, SG_BUSY);
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, f->n == 4);
	/* The credit is there again. */
	front_issue(f, 5, &(struct ask){.serial = 5});
	OFFICE_WAIT(o, f->n == 5);
	assert_int_equal(f->answer[4].type, WIRE_ISSUED);
	office_close(o);
}

static void test_front_death(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct ask other = {.serial = 99};

	(void)state;
	office_add_front(o, 1);
	o->hsm[0].mood = HSM_HOLDS;
	for (unsigned i = 1; i <= 8; i++)
		front_issue(f, i, &(struct ask){.serial = i});
	front_issue(&o->front[1], 1, &other);
	OFFICE_WAIT(o, desk_in_flight(o->desk) == 9);
	front_clear(f);
	OFFICE_WAIT(o, desk_in_flight(o->desk) == 1);
	/* A new front in the slot gets none of the old one's answers. */
	office_add_front(o, 0);
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, o->front[1].n == 1);
	assert_certificate(o, &o->front[1].answer[0], &other);
	OFFICE_UNTIL(o, 20, false);
	assert_int_equal(f->n, 0);
	/* At most what was at the hsm already was signed. */
	assert_true(o->hsm[0].jobs <= 3);
	assert_int_equal(o->bad_hsms + o->bad_fronts, 0);
	office_close(o);
}

static void test_clock_behind(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];
	const char *reason;

	(void)state;
	desk_free(o->desk);
	o->newest_iat = clock_wall_s() + 60;
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	/* The key is usable, but nothing is signed, and that is told. */
	OFFICE_UNTIL(o, 300, false); /* its hsm has proved itself */
	(void)desk_ready(o->desk, &reason);
	assert_string_equal(reason,
			    "the clock is behind the newest certificate");
	assert_false(f->ready);
	front_issue(f, 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_CLOCK_BEHIND);
	assert_int_equal(o->hsm[0].jobs, 0);
	office_close(o);
}

static void test_no_key(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];

	(void)state;
	desk_free(o->desk);
	o->settings.key[0].kinds = DCC_KIND_BIT(DCC_TEST);
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, f->ready);
	front_issue(f, 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_NO_KEY);
	office_close(o);
}

/* A DSC that has run out signs nothing, whatever its HSM can do. */
static void test_expired_dsc(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];
	const struct signer_shape expired = {
		.alg = COSE_ES256, .from_s = -7200, .to_s = -60};

	(void)state;
	signer_free(&o->signer);
	o->signer = signer_make(&expired);
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_UNTIL(o, 300, f->ready);
	assert_false(f->ready);
	front_issue(f, 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_NO_KEY);
	office_close(o);
}

/* The bounds of the very key that would sign are the policy's to keep. */
static void test_beyond_dsc(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];
	const struct signer_shape brief = {
		.alg = COSE_ES256, .from_s = -3600, .to_s = 100L * 86400};

	(void)state;
	signer_free(&o->signer);
	o->signer = signer_make(&brief);
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, f->ready);
	front_issue(f, 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_REFUSED);
	assert_string_equal(f->answer[0].code, "beyond-signer-certificate");
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_es256),
		cmocka_unit_test(test_ps256),
		cmocka_unit_test(test_eddsa),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown_client),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_malformed_request),
		cmocka_unit_test(test_many_items),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_front_death),
		cmocka_unit_test(test_clock_behind),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_expired_dsc),
		cmocka_unit_test(test_beyond_dsc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
