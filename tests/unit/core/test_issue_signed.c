/* SPDX-License-Identifier: Apache-2.0 */
/* issue: whatever a front says, of a client that signs its requests nothing is
 * signed, judged or given out again without its signature over just this. */
#include "../hcert/starved.h"
#include "../policy/signing_client.h"
#include "bureau.h"

_Static_assert((size_t)SIGNED_REQUEST_BYTES_MAX <= WIRE_SIGNATURE_MAX,
	       "what a client may sign with comes to the core");

enum { LIFE = 4, AHEAD = 60, DAY = 86400 };

/* Two clients that sign; the second does not have to. */
static struct gate mine, its_next, other, stranger;

#define CLIENT(name, more)                                                     \
	"  - name: " name "\n"                                                 \
	"    identities: [\"uri:urn:test:" name "\"]\n"                        \
	"    operations: [issue, validate, renew]\n"                           \
	"    kinds: [v]\n"                                                     \
	"    countries: [VN]\n"                                                \
	"    issuers: [\"*\"]\n"                                               \
	"    profile: full\n"                                                  \
	"    validity: {v: %s}\n"                                              \
	"    renewal_window: 1h\n" more
#define HEAD "version: 1\nprofiles:\n  - name: full\nclients:\n"

static int make_keys(void **state)
{
	(void)state;
	mine = gate_make(COSE_ES256);
	its_next = gate_make(COSE_EDDSA);
	other = gate_make(COSE_ES256);
	stranger = gate_make(COSE_ES256);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	gate_free(&mine);
	gate_free(&its_next);
	gate_free(&other);
	gate_free(&stranger);
	return 0;
}

/* The policy, where the issuer's key is KEY, and certificates live for LIFE. */
static void use_policy(struct bureau *b, const struct gate *key,
		       const char *life)
{
	static char text[8192];

	(void)snprintf(text, sizeof(text),
		       HEAD CLIENT("issuer", "    request_keys: [\"%s\"]\n"
					     "    require: [signature]\n")
			       CLIENT("second", "    request_keys: [\"%s\"]\n")
				       CLIENT("third", ""),
		       life, key->text, life, other.text, life);
	bureau_set_policy(b, text);
}

static struct bureau *open_signed(void)
{
	struct bureau *b = bureau_open();

	use_policy(b, &mine, "1h");
	return b;
}

static const char *operation_of(const struct ask *a)
{
	if (a->renew)
		return "renew";
	return a->dry_run ? "validate" : "issue";
}

/* What the client signs, by G at TIME, who wants A. */
GATE_FUNCTION struct detached sign_ask(const struct gate *g,
				       const struct ask *a, int64_t time)
{
	const struct signed_purpose purpose = {
		.operation = span_str(operation_of(a))};
	static uint8_t request[2048];
	const size_t n = request_make(a, request, sizeof(request));

	return client_sign(g, span_of(request, n), &purpose, time);
}

/* A is that the wish that was signed has had its renewal. */
static void assert_had(const struct answer *a)
{
	assert_string_equal(a->code, "not-renewable");
	assert_non_null(strstr(a->violation_detail, "has had its renewal"));
}

/* A front asks for A with SIGNATURE, whoever made that for whatever. */
static const struct answer *ask_with(struct bureau *b, const struct ask *a,
				     struct span signature)
{
	static uint8_t request[2048];
	static uint64_t id = 1000;
	struct fake_front *f = &b->o.front[0];
	uint8_t identity[IDENTITY_BYTES_MAX];
	const size_t n = identity_make(a->identity != NULL ? a->identity
							   : "urn:test:issuer",
				       identity, sizeof(identity));
	const struct wire_issue m = {
		.deadline_us = clock_mono_us() + 5000000,
		.dry_run = a->dry_run,
		.renew = a->renew,
		.bulk = a->bulk,
		.identity = span_of(identity, n),
		.request = span_of(request,
				   request_make(a, request, sizeof(request))),
		.presented = a->presented,
		.signature = signature};
	struct wire_packet *w = channel_room(f->channel, 4096);

	assert_non_null(w);
	assert_int_equal(wire_put_issue(w, ++id, &m), SG_OK);
	if (b->o.hsm[0].mood == HSM_HOLDS)
		return NULL;
	OFFICE_WAIT(&b->o, front_answer(f, id) != NULL);
	return front_answer(f, id);
}

/* What a front with all that the client has signed just now is told. */
static const struct answer *ask_signed(struct bureau *b, const struct ask *a,
				       const struct gate *g, int64_t time)
{
	const struct detached d = sign_ask(g, a, time);

	return ask_with(b, a, detached_span(&d));
}

static void assert_unsigned(const struct answer *a, const char *code)
{
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_REFUSED);
	assert_int_equal(a->nviolations, 1);
	assert_string_equal(a->code, code);
	assert_string_equal(a->pointer, "");
}

/* Another HOW, alike but for the operation. */
static const struct ask *as(const struct ask *a, bool dry_run, bool renew)
{
	static struct ask out;

	out = *a;
	out.dry_run = dry_run;
	out.renew = renew;
	return &out;
}

static void test_without(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const struct ask faulty = {.serial = 1, .country = "XX"};
	const struct ask foreign = {.serial = 1, .identity = "urn:test:third"};
	const struct span none = span_of(NULL, 0);
	const struct answer *first;

	(void)state;
	first = ask_signed(b, &ask, &mine, clock_wall_s());
	assert_certificate(&b->o, first, &ask);
	for (unsigned i = 0; i < 2; i++) {
		const char *code =
			i == 0 ? "signature-missing" : "signature-invalid";
		const struct span s = i == 0 ? none : SPAN_LIT("\xd2\x84");

		assert_unsigned(ask_with(b, &ask, s), code);
		assert_unsigned(ask_with(b, as(&ask, true, false), s), code);
		assert_unsigned(ask_with(b, as(&ask, false, true), s), code);
		/* Nothing is told beside that. */
		assert_unsigned(ask_with(b, &faulty, s), code);
	}
	assert_int_equal(office_metric(&b->o, METRIC_UNSIGNED), 8);
	assert_int_equal(office_metric(&b->o, METRIC_REFUSED), 6);
	assert_int_equal(office_metric(&b->o, METRIC_REPLAYED), 0);
	assert_int_equal(b->release.signed_items, 1);
	/* Who need not sign is asked for none. */
	assert_string_equal(ask_with(b, &foreign, none)->code, "uvci-conflict");
	bureau_close(b);
}

/* The signature is good, but for something else. */
static void test_for_another(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const int64_t now = clock_wall_s();
	const struct detached issue = sign_ask(&mine, &ask, now);
	const struct detached validate =
		sign_ask(&mine, as(&ask, true, false), now);
	const struct detached renew =
		sign_ask(&mine, as(&ask, false, true), now);
	struct ask changed = ask;

	(void)state;
	/* Operations. */
	assert_unsigned(ask_with(b, &ask, detached_span(&validate)),
			"signature-invalid");
	assert_unsigned(ask_with(b, &ask, detached_span(&renew)),
			"signature-invalid");
	assert_unsigned(
		ask_with(b, as(&ask, false, true), detached_span(&issue)),
		"signature-invalid");
	assert_unsigned(
		ask_with(b, as(&ask, true, false), detached_span(&issue)),
		"signature-invalid");
	/* A wish of the front's own beside what was signed. */
	changed.exp = now + 2;
	assert_unsigned(ask_with(b, &changed, detached_span(&issue)),
			"signature-invalid");
	changed = ask;
	changed.attestation = SPAN_LIT("x");
	assert_unsigned(ask_with(b, &changed, detached_span(&issue)),
			"signature-invalid");
	changed = ask;
	changed.born = "1990-05-18";
	assert_unsigned(ask_with(b, &changed, detached_span(&issue)),
			"signature-invalid");
	/* Clients: with the key of another one, and in another one's name. */
	assert_unsigned(ask_signed(b, &ask, &other, now), "signature-invalid");
	assert_unsigned(ask_signed(b, &ask, &stranger, now),
			"signature-invalid");
	changed = ask;
	changed.identity = "urn:test:second";
	assert_unsigned(ask_with(b, &changed, detached_span(&issue)),
			"signature-invalid");
	changed.identity = "urn:test:third";
	assert_unsigned(ask_with(b, &changed, detached_span(&issue)),
			"signature-invalid");
	assert_int_equal(b->release.signed_items, 0);
	/* And what it is for. */
	assert_certificate(&b->o, ask_with(b, &ask, detached_span(&issue)),
			   &ask);
	bureau_close(b);
}

/* Sent again, it is the certificate that there is, and no second one; from the
 * day that it is too old, not even that. */
static void test_again(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const struct ask rival = {.serial = 1, .born = "1990-05-18"};
	const int64_t now = clock_wall_s();
	const struct detached d = sign_ask(&mine, &ask, now);
	const struct detached old = sign_ask(&mine, &ask, now - DAY - AHEAD);
	const struct detached early =
		sign_ask(&mine, &ask, now + AHEAD + AHEAD);
	const struct answer *first;

	(void)state;
	first = ask_with(b, &ask, detached_span(&d));
	assert_certificate(&b->o, first, &ask);
	assert_same_certificate(first, ask_with(b, &ask, detached_span(&d)));
	assert_same_certificate(first, ask_signed(b, &ask, &mine, now + 1));
	assert_unsigned(ask_with(b, &ask, detached_span(&old)),
			"signature-stale");
	assert_unsigned(ask_with(b, &ask, detached_span(&early)),
			"signature-stale");
	assert_string_equal(ask_signed(b, &rival, &mine, now)->code,
			    "uvci-conflict");
	assert_int_equal(b->release.signed_items, 1);
	bureau_close(b);
}

/* Nor what has run out. */
static void test_run_out(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const struct detached d = sign_ask(&mine, &ask, clock_wall_s());
	const struct answer *a;

	(void)state;
	use_policy(b, &mine, "1s");
	a = ask_with(b, &ask, detached_span(&d));
	assert_certificate(&b->o, a, &ask);
	OFFICE_UNTIL(&b->o, 10000, clock_wall_s() > a->issued.exp);
	a = ask_with(b, &ask, detached_span(&d));
	assert_int_equal(a->err, SG_CONFLICT);
	assert_string_equal(a->code, "expired");
	assert_int_equal(b->release.signed_items, 1);
	bureau_close(b);
}

/* A wish to renew is fulfilled once, however short the certificates live. */
static void test_renewed_once(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const struct ask renew = {.serial = 1, .renew = true};
	const struct answer *second;
	const struct answer *third;
	const struct answer *a;
	struct detached d;

	(void)state;
	use_policy(b, &mine, "4s");
	(void)ask_signed(b, &ask, &mine, clock_wall_s());
	d = sign_ask(&mine, &renew, clock_wall_s());
	second = ask_with(b, &renew, detached_span(&d));
	assert_certificate(&b->o, second, &ask);
	assert_false(second->issued.replayed);
	/* In the second half of its time it is due again. */
	OFFICE_UNTIL(&b->o, 2000 * LIFE,
		     clock_wall_s() > second->issued.iat + LIFE / 2);
	a = ask_with(b, &renew, detached_span(&d));
	if (clock_wall_s() < second->issued.exp) /* else it was too slow */
		assert_same_certificate(second, a);
	assert_int_equal(b->release.signed_items, 2);
	OFFICE_UNTIL(&b->o, 2000 * LIFE, clock_wall_s() > second->issued.exp);
	assert_had(ask_with(b, &renew, detached_span(&d)));
	assert_int_equal(b->release.signed_items, 2);
	/* But the client may wish anew. */
	third = ask_signed(b, &renew, &mine, clock_wall_s() + AHEAD);
	assert_certificate(&b->o, third, &ask);
	assert_false(third->issued.replayed);
	assert_true(third->issued.iat > second->issued.iat);
	bureau_close(b);
}

/* Of a compromised key's certificate as well. */
static void test_renewed_of_compromised(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const struct ask renew = {.serial = 1, .renew = true};
	struct detached d;

	(void)state;
	(void)ask_signed(b, &ask, &mine, clock_wall_s());
	d = sign_ask(&mine, &renew, clock_wall_s());
	assert_int_equal(ask_with(b, &renew, detached_span(&d))->type,
			 WIRE_ISSUED);
	b->keys->key[0].state = KEY_COMPROMISED;
	assert_had(ask_with(b, &renew, detached_span(&d)));
	assert_int_equal(b->release.signed_items, 2);
	bureau_close(b);
}

/* A reload takes the key away: what is in flight comes, nothing after it. */
static void test_key_goes(void **state)
{
	struct bureau *b = open_signed();
	struct fake_front *f = &b->o.front[0];
	const struct ask ask = {.serial = 1};
	const struct ask next = {.serial = 2};
	const int64_t now = clock_wall_s();
	const struct detached d = sign_ask(&mine, &ask, now);

	(void)state;
	b->o.hsm[0].mood = HSM_HOLDS;
	(void)ask_with(b, &ask, detached_span(&d));
	OFFICE_WAIT(&b->o, issuer_in_flight(b->issuer) == 1);
	use_policy(b, &its_next, "1h");
	b->o.hsm[0].mood = HSM_SIGNS;
	/* It is no twin of what is in flight: it is nobody's. */
	assert_unsigned(ask_with(b, &ask, detached_span(&d)),
			"signature-invalid");
	assert_int_equal(issuer_in_flight(b->issuer), 1);
	hsm_release_held(&b->o.hsm[0]);
	OFFICE_WAIT(&b->o, f->n == 2);
	assert_certificate(&b->o, &f->answer[1], &ask);
	assert_unsigned(ask_with(b, &ask, detached_span(&d)),
			"signature-invalid");
	assert_unsigned(ask_signed(b, &next, &mine, now), "signature-invalid");
	/* By the new key the old certificate is the client's, too. */
	assert_same_certificate(&f->answer[1],
				ask_signed(b, &ask, &its_next, now));
	assert_certificate(&b->o, ask_signed(b, &next, &its_next, now), &next);
	bureau_close(b);
}

/* Any byte of the signature that a front has changed, and any length. */
static void test_spoiled(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1, .dry_run = true};
	struct detached d = sign_ask(&mine, &ask, clock_wall_s());
	static const uint8_t zeros[WIRE_SIGNATURE_MAX];

	(void)state;
	for (size_t i = 0; i < d.n; i += 3) {
		b->o.front[0].n = 0;
		d.bytes[i] ^= 0x40;
		assert_unsigned(ask_with(b, &ask, detached_span(&d)),
				"signature-invalid");
		d.bytes[i] ^= 0x40;
		assert_unsigned(ask_with(b, &ask, span_of(d.bytes, i + 1)),
				"signature-invalid");
	}
	assert_unsigned(ask_with(b, &ask, span_of(zeros, sizeof(zeros))),
			"signature-invalid");
	assert_int_equal(ask_with(b, &ask, detached_span(&d))->type,
			 WIRE_ISSUED);
	bureau_close(b);
}

/* Lack of memory is no forgery: it is a fault of ours, and nothing on record.
 */
static void test_no_memory(void **state)
{
	struct bureau *b = open_signed();
	const struct ask ask = {.serial = 1};
	const struct detached d = sign_ask(&mine, &ask, clock_wall_s());
	const struct answer *a;

	(void)state;
	memset(refused, 0, sizeof(refused));
	starved = true;
	a = ask_with(b, &ask, detached_span(&d));
	starved = false;
	assert_int_equal(a->type, WIRE_PROBLEM);
	assert_int_equal(a->err, SG_NO_MEMORY);
	assert_true(err_http(a->err) >= 500);
	assert_int_equal(a->nviolations, 0);
	assert_int_equal(office_metric(&b->o, METRIC_UNSIGNED), 0);
	assert_int_equal(office_metric(&b->o, METRIC_REFUSED), 0);
	assert_int_equal(office_metric(&b->o, METRIC_BAD_MESSAGES), 0);
	assert_int_equal(refused[VIOLATION_SIGNATURE_INVALID], 0);
	assert_certificate(&b->o, ask_with(b, &ask, detached_span(&d)), &ask);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_for_another),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_run_out),
		cmocka_unit_test(test_renewed_once),
		cmocka_unit_test(test_renewed_of_compromised),
		cmocka_unit_test(test_key_goes),
		cmocka_unit_test(test_spoiled),
		cmocka_unit_test(test_no_memory),
	};

	if (!starved_install())
		return 1;
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
