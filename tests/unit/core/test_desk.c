/* SPDX-License-Identifier: Apache-2.0 */
/* desk: links, readiness, questions, reload, drain. */
#include "office.h"

#include "core/documents.h"

static void assert_bad_front(struct office *o)
{
	OFFICE_WAIT(o, o->bad_fronts == 1);
	OFFICE_WAIT(o, o->front[0].ended);
	assert_int_equal(office_metric(o, METRIC_BAD_MESSAGES), 1);
	assert_int_equal(desk_in_flight(o->desk), 0);
}

/* --- fronts that make no sense ------------------------------------------ */

static void test_wrong_message(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct wire_packet *w = channel_room(o->front[0].channel, 64);

	(void)state;
	assert_int_equal(wire_put_bare(w, WIRE_RELOAD), SG_OK);
	assert_bad_front(o);
	office_close(o);
}

static void test_no_identity(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	uint8_t request[4096];
	const size_t n = request_make(&(struct ask){.serial = 1}, request,
				      sizeof(request));
	const struct wire_issue m = {.deadline_us = clock_mono_us() + 5000000,
				     .identity = SPAN_LIT("nobody"),
				     .request = span_of(request, n)};
	struct wire_packet *w;

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	front_issue(&o->front[0], 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(o, o->hsm[0].nheld == 1);
	w = channel_room(o->front[0].channel, 4096);
	assert_int_equal(wire_put_issue(w, 2, &m), SG_OK);
	assert_bad_front(o);
	office_close(o);
}

static void test_ask_without_identity(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	const struct wire_ask m = {.question = WIRE_ASK_CLIENT,
				   .identity = SPAN_LIT("nobody")};
	struct wire_packet *w = channel_room(o->front[0].channel, 256);

	(void)state;
	assert_int_equal(wire_put_ask(w, 1, &m), SG_OK);
	assert_bad_front(o);
	office_close(o);
}

static void test_bytes(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	const struct ask ask = {.serial = 7};
	int fd[2];

	(void)state;
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(desk_link(o->desk, WIRE_FRONT, 1, fd[1]), SG_OK);
	assert_int_equal(write(fd[0], "nonsense", 8), 8);
	OFFICE_WAIT(o, o->bad_fronts == 1);
	/* The others do not notice. */
	front_issue(&o->front[0], 1, &ask);
	OFFICE_WAIT(o, o->front[0].n == 1);
	assert_certificate(o, &o->front[0].answer[0], &ask);
	(void)close(fd[0]);
	office_close(o);
}

/* A descriptor that nobody asked for is closed, and ends the link. */
static void test_descriptor(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	uint8_t buf[4096];
	uint8_t identity[IDENTITY_BYTES_MAX];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	struct wire_ask m = {.question = WIRE_ASK_CLIENT};
	int fd[2];

	(void)state;
	m.identity =
		span_of(identity, identity_make("urn:test:issuer", identity,
						sizeof(identity)));
	assert_int_equal(wire_put_ask(&w, 1, &m), SG_OK);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(channel_send_fds(o->front[0].channel, &w, &fd[1], 1),
			 SG_OK);
	assert_bad_front(o);
	/* The write end is open nowhere any more. */
	assert_int_equal(read(fd[0], buf, 1), 0);
	(void)close(fd[0]);
	office_close(o);
}

static void test_no_such_slot(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	int fd[2];

	(void)state;
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(desk_link(o->desk, WIRE_FRONT, DESK_FRONTS_MAX, fd[1]),
			 SG_NOT_FOUND);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(desk_link(o->desk, WIRE_HSM, 60000, fd[1]),
			 SG_NOT_FOUND);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(desk_link(o->desk, WIRE_CORE, 0, fd[1]), SG_NOT_FOUND);
	office_close(o);
}

/* --- readiness ---------------------------------------------------------- */

static void test_readiness(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];
	const char *reason;

	(void)state;
	OFFICE_WAIT(o, f->has_status);
	assert_false(f->ready);
	assert_false(desk_ready(o->desk, &reason));
	assert_string_equal(reason, "key dsc-1: no HSM has offered it");
	assert_memory_equal(f->policy_hash, policy_hash(o->policy), 32);
	assert_int_equal(f->credit, 512);
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, f->ready);
	assert_int_equal(office_metric(o, METRIC_READY), 1);
	assert_true(desk_ready(o->desk, &reason));
	/* A front that comes later is told at once. */
	office_add_front(o, 1);
	OFFICE_WAIT(o, o->front[1].ready);
	office_kill_hsm(o, 0);
	OFFICE_WAIT(o, !f->ready && !o->front[1].ready);
	assert_int_equal(office_metric(o, METRIC_READY), 0);
	(void)desk_ready(o->desk, &reason);
	assert_string_equal(reason, "key dsc-1: no HSM signs with it");
	office_close(o);
}

/* The ledger's key is missed where it is not there, and never signs a
 * certificate; whether there can be any without it the books decide. */
static void test_ledger_key(void **state)
{
	struct office *o = office_open(COSE_EDDSA);
	struct fake_front *f = &o->front[0];
	const char *reason;

	(void)state;
	desk_free(o->desk);
	o->settings.nkeys = 2;
	o->settings.key[1] = (struct core_key_settings){
		.label = "ledger", .alg = COSE_EDDSA, .ledger = true};
	o->second = signer_usual(COSE_EDDSA);
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	office_link_hsm(o, 1, HSM_SIGNS);
	o->hsm[1].signer = &o->second;
	o->hsm[1].label = "ledger";
	OFFICE_WAIT(o, f->ready && f->remarked);
	assert_true(desk_ready(o->desk, &reason));
	assert_non_null(strstr(reason, "key ledger: no HSM has offered it"));
	hsm_say_ready(&o->hsm[1], false);
	OFFICE_WAIT(o, f->ready && !f->remarked);
	for (unsigned i = 1; i <= 30; i++)
		front_issue(f, i, &(struct ask){.serial = i});
	OFFICE_WAIT(o, f->n == 30);
	for (unsigned i = 1; i <= 30; i++)
		assert_certificate(o, front_answer(f, i),
				   &(struct ask){.serial = i});
	assert_int_equal(o->hsm[0].jobs, 30);
	assert_int_equal(o->hsm[1].jobs, 0);
	office_kill_hsm(o, 1);
	OFFICE_WAIT(o, f->ready && f->remarked);
	assert_true(desk_ready(o->desk, &reason));
	assert_non_null(strstr(reason, "key ledger: no HSM signs with it"));
	office_close(o);
}

/* --- questions ---------------------------------------------------------- */

static void test_ask_client(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];

	(void)state;
	front_ask(f, 1, WIRE_ASK_CLIENT, "urn:test:looker");
	front_ask(f, 2, WIRE_ASK_CLIENT, "urn:test:stranger");
	front_ask(f, 3, WIRE_ASK_KEYS, "urn:test:stranger");
	front_ask(f, 4, WIRE_ASK_POLICY, "urn:test:stranger");
	OFFICE_WAIT(o, f->n == 4);
	assert_int_equal(f->answer[0].type, WIRE_ANSWER);
	assert_int_equal(f->document_n, 0);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(f->answer[i].err, SG_FORBIDDEN);
	office_close(o);
}

/* Who may read the entries of the ledger. */
static void test_ask_audit(void **state)
{
	static const char *const who[] = {"urn:test:looker", "urn:test:issuer",
					  "urn:test:stranger"};
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];

	(void)state;
	front_ask(f, 1, WIRE_ASK_AUDIT, "urn:test:auditor");
	for (uint64_t i = 0; i < 3; i++)
		front_ask(f, 2 + i, WIRE_ASK_AUDIT, who[i]);
	OFFICE_WAIT(o, f->n == 4);
	assert_int_equal(f->answer[0].type, WIRE_ANSWER);
	assert_int_equal(f->document_n, 0);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(f->answer[i].err, SG_FORBIDDEN);
	office_close(o);
}

static void test_ask_policy(void **state)
{
	struct office *o = office_open(COSE_ES256);
	struct fake_front *f = &o->front[0];
	uint8_t want[4096];
	struct identity id = {.n = 1};
	size_t n;

	(void)state;
	id.name[0] = (struct identity_name){IDENTITY_URI,
					    SPAN_LIT("urn:test:looker")};
	assert_int_equal(policy_describe(o->policy,
					 policy_client(o->policy, &id), NULL,
					 want, sizeof(want), &n),
			 SG_OK);
	front_ask(f, 1, WIRE_ASK_POLICY, "urn:test:looker");
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->document_n, n);
	assert_memory_equal(f->document, want, n);
	office_close(o);
}

static void test_ask_keys(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	const struct cbor_limits limits = {.depth = 8, .items = 1000};
	struct cbor_reader r;
	struct cbor_item item;

	(void)state;
	front_ask(f, 1, WIRE_ASK_KEYS, "urn:test:looker");
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(
		cbor_check(span_of(f->document, f->document_n), limits), SG_OK);
	/* The certificate is the last field of the last key. */
	assert_true(f->document_n > (size_t)o->signer.der_n);
	assert_memory_equal(f->document + f->document_n - o->signer.der_n,
			    o->signer.der, (size_t)o->signer.der_n);
	r = cbor_read(span_of(f->document, f->document_n), CBOR_DETERMINISTIC);
	assert_int_equal(cbor_next(&r, &item), SG_OK);
	assert_int_equal(item.type, CBOR_MAP);
	office_close(o);
}

/* --- reload ------------------------------------------------------------- */

static const char OTHER_POLICY[] = "version: 1\n"
				   "profiles:\n"
				   "  - name: full\n"
				   "    rules: {unknown-field: error}\n"
				   "clients:\n"
				   "  - name: issuer\n"
				   "    identities: [\"uri:urn:test:issuer\"]\n"
				   "    operations: [issue, validate]\n"
				   "    kinds: [v]\n"
				   "    countries: [FR]\n"
				   "    issuers: [\"*\"]\n"
				   "    profile: full\n"
				   "    validity: {v: 30d, t: 30d, r: 30d}\n";

static void test_reload(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	struct policy *other = office_policy(OTHER_POLICY);
	const struct ask vn = {.serial = 1};
	const struct ask fr = {.serial = 2, .country = "FR"};

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	front_issue(f, 1, &vn);
	OFFICE_WAIT(o, o->hsm[0].nheld == 1);
	assert_int_equal(desk_reload(o->desk, &o->settings, other), SG_OK);
	/* Only what is in flight still holds the old one. */
	policy_unref(o->policy);
	o->policy = other;
	OFFICE_WAIT(o, memcmp(f->policy_hash, policy_hash(other), 32) == 0);
	front_issue(f, 2, &vn);
	front_issue(f, 3, &fr);
	front_ask(f, 4, WIRE_ASK_CLIENT, "urn:test:looker");
	OFFICE_WAIT(o, f->n == 2 && o->hsm[0].nheld == 2);
	assert_string_equal(front_answer(f, 2)->code, "country-not-allowed");
	assert_int_equal(front_answer(f, 4)->err, SG_FORBIDDEN);
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, f->n == 4);
	assert_certificate(o, front_answer(f, 1), &vn);
	assert_int_equal(front_answer(f, 1)->issued.exp -
				 front_answer(f, 1)->issued.iat,
			 365 * 86400);
	assert_int_equal(front_answer(f, 3)->issued.exp -
				 front_answer(f, 3)->issued.iat,
			 30 * 86400);
	office_close(o);
}

/* The certificate of the office's signer, in the file that the settings name.
 */
static void write_dsc(const struct office *o)
{
	FILE *f = fopen(o->settings.key[0].certificate, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(o->signer.der, 1, (size_t)o->signer.der_n, f),
			 o->signer.der_n);
	assert_int_equal(fclose(f), 0);
}

/* One hsm, and a key whose certificate comes from a file. */
static struct office *office_from_file(void)
{
	struct office *o = office_open(COSE_ES256);

	(void)snprintf(o->settings.key[0].certificate, CORE_PATH_MAX,
		       "/tmp/test-desk-%ld.der", (long)getpid());
	write_dsc(o);
	desk_free(o->desk);
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	OFFICE_WAIT(o, o->front[0].ready);
	return o;
}

/* The same key, with another certificate. */
static struct signer renewed(const struct signer *old, long to_s)
{
	const struct signer_shape shape = {
		.alg = old->alg, .from_s = -7200, .to_s = to_s};
	struct signer s = {.key = old->key, .alg = old->alg};

	signer_certify(&s, &shape);
	return s;
}

static void forget_certificate(struct signer *s)
{
	s->key = NULL; /* the other's */
	signer_free(s);
}

/* A renewed certificate, for the same key in the same file, is taken; what is
 * being signed goes out under the old one. */
static void test_reload_renews(void **state)
{
	struct office *o = office_from_file();
	struct fake_front *f = &o->front[0];
	struct signer old = o->signer;
	const struct ask ask[2] = {{.serial = 1}, {.serial = 2}};

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	front_issue(f, 1, &ask[0]);
	OFFICE_WAIT(o, o->hsm[0].nheld == 1);
	o->signer = renewed(&old, 3L * 365 * 86400);
	write_dsc(o);
	assert_int_equal(desk_reload(o->desk, &o->settings, o->policy), SG_OK);
	front_issue(f, 2, &ask[1]);
	OFFICE_WAIT(o, o->hsm[0].nheld == 2);
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, f->n == 2);
	assert_certificate(o, front_answer(f, 2), &ask[1]);
	o->second = old; /* whose kid the first one has */
	assert_certificate(o, front_answer(f, 1), &ask[0]);
	assert_memory_not_equal(front_answer(f, 1)->issued.kid,
				front_answer(f, 2)->issued.kid, COSE_KID_BYTES);
	o->second = (struct signer){0};
	forget_certificate(&old);
	unlink(o->settings.key[0].certificate);
	office_close(o);
}

/* One that does not do leaves all as it was, the policy too. */
static void test_reload_refuses(void **state)
{
	struct office *o = office_from_file();
	struct fake_front *f = &o->front[0];
	struct policy *other = office_policy(OTHER_POLICY);
	struct signer good = o->signer;
	struct signer bad = signer_usual(COSE_ES256);
	const struct ask ask = {.serial = 1};

	(void)state;
	o->signer = bad; /* another key */
	write_dsc(o);
	assert_int_equal(desk_reload(o->desk, &o->settings, other), SG_BAD_KEY);
	signer_free(&bad);
	bad = renewed(&good, -60); /* expired */
	o->signer = bad;
	write_dsc(o);
	assert_int_equal(desk_reload(o->desk, &o->settings, other), SG_EXPIRED);
	unlink(o->settings.key[0].certificate);
	assert_int_not_equal(desk_reload(o->desk, &o->settings, other), SG_OK);
	forget_certificate(&bad);
	o->signer = good;
	front_issue(f, 1, &ask);
	OFFICE_WAIT(o, f->n == 1);
	assert_certificate(o, front_answer(f, 1), &ask);
	policy_unref(other);
	office_close(o);
}

/* --- drain -------------------------------------------------------------- */

static void test_drain(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];

	(void)state;
	o->hsm[0].mood = HSM_HOLDS;
	for (unsigned i = 1; i <= 5; i++)
		front_issue(f, i, &(struct ask){.serial = i});
	OFFICE_WAIT(o, desk_in_flight(o->desk) == 5);
	desk_drain(o->desk);
	front_issue(f, 6, &(struct ask){.serial = 6});
	OFFICE_WAIT(o, f->n == 1 && !f->ready);
	assert_int_equal(f->answer[0].id, 6);
	assert_int_equal(f->answer[0].err, SG_CLOSED);
	assert_int_equal(o->drained, 0);
	o->hsm[0].mood = HSM_SIGNS;
	hsm_release_held(&o->hsm[0]);
	OFFICE_WAIT(o, o->drained == 1);
	OFFICE_WAIT(o, f->n == 6);
	for (unsigned i = 1; i <= 5; i++)
		assert_certificate(o, front_answer(f, i),
				   &(struct ask){.serial = i});
	OFFICE_UNTIL(o, 300, o->drained > 1);
	assert_int_equal(o->drained, 1); /* told once */
	office_close(o);
}

static void test_drain_idle(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);

	(void)state;
	desk_drain(o->desk);
	assert_int_equal(o->drained, 1);
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_message),
		cmocka_unit_test(test_no_identity),
		cmocka_unit_test(test_ask_without_identity),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_no_such_slot),
		cmocka_unit_test(test_readiness),
		cmocka_unit_test(test_ledger_key),
		cmocka_unit_test(test_ask_client),
		cmocka_unit_test(test_ask_audit),
		cmocka_unit_test(test_ask_policy),
		cmocka_unit_test(test_ask_keys),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reload_renews),
		cmocka_unit_test(test_reload_refuses),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
