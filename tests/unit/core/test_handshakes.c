/* SPDX-License-Identifier: Apache-2.0 */
/* What fronts have signed with the server's TLS key. */
#include "office.h"

#include "core/handshakes.h"

static const char CONTEXT[] = "TLS 1.3, server CertificateVerify";

enum { SPACES = 64, SHORT = 32, LONG = 48 };

/* As RFC 8446 section 4.4.3 has it, with a hash of N bytes. */
static struct span content_of(uint8_t out[WIRE_HANDSHAKE_MAX], size_t n)
{
	memset(out, ' ', SPACES);
	memcpy(out + SPACES, CONTEXT, sizeof(CONTEXT));
	for (size_t i = 0; i < n; i++)
		out[SPACES + sizeof(CONTEXT) + i] = (uint8_t)(i * 7);
	return span_of(out, SPACES + sizeof(CONTEXT) + n);
}

/* The second hsm has the TLS key, and it alone. */
static void add_door(struct office *o, enum hsm_mood mood)
{
	office_link_hsm(o, 1, mood);
	o->hsm[1].signer = &o->second;
	o->hsm[1].label = "tls";
	hsm_say_ready(&o->hsm[1], false);
}

static struct office *open_office(enum cose_alg alg)
{
	struct office *o = office_make(COSE_ES256);

	o->second = signer_usual(alg);
	o->settings.nkeys = 2;
	o->settings.key[1] = (struct core_key_settings){
		.label = "tls", .alg = alg, .tls = true};
	office_open_desk(o);
	office_add_front(o, 0);
	office_add_hsm(o, 0, HSM_SIGNS);
	return o;
}

static struct office *ready_office(enum cose_alg alg, enum hsm_mood mood)
{
	struct office *o = open_office(alg);

	add_door(o, mood);
	OFFICE_WAIT(o, o->front[0].ready);
	return o;
}

static void ask_within(struct fake_front *f, uint64_t id, struct span content,
		       uint64_t us)
{
	const struct wire_handshake m = {.deadline_us = clock_mono_us() + us,
					 .content = content};
	struct wire_packet *w = channel_room(f->channel, 512);

	assert_non_null(w);
	assert_int_equal(wire_put_handshake(w, id, &m), SG_OK);
}

static void ask(struct fake_front *f, uint64_t id, struct span content)
{
	ask_within(f, id, content, 5000000);
}

static void check_signed(enum cose_alg alg, size_t hash_n)
{
	struct office *o = ready_office(alg, HSM_SIGNS);
	struct fake_front *f = &o->front[0];
	uint8_t buf[WIRE_HANDSHAKE_MAX];
	const struct span content = content_of(buf, hash_n);
	struct cose_key *key;

	ask(f, 77, content);
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].type, WIRE_ANSWER);
	assert_int_equal(f->answer[0].id, 77);
	assert_int_equal(
		cose_key_from_certificate(
			span_of(o->second.der, (size_t)o->second.der_n), &key),
		SG_OK);
	assert_int_equal(cose_key_verify(key, alg, content,
					 span_of(f->document, f->document_n)),
			 SG_OK);
	cose_key_free(key);
	assert_int_equal(office_metric(o, METRIC_HANDSHAKES_SIGNED), 1);
	assert_int_equal(office_metric(o, METRIC_HANDSHAKES_UNSIGNED), 0);
	office_close(o);
}

static void test_signed(void **state)
{
	(void)state;
	check_signed(COSE_ES256, SHORT);
	check_signed(COSE_ES256, LONG);
	check_signed(COSE_PS256, SHORT);
	check_signed(COSE_EDDSA, LONG);
}

static void test_content(void **state)
{
	uint8_t buf[WIRE_HANDSHAKE_MAX + 1] = {0};
	const struct span good = content_of(buf, SHORT);

	(void)state;
	assert_true(handshakes_is_content(good));
	assert_true(handshakes_is_content(content_of(buf, LONG)));
	for (size_t n = 0; n <= sizeof(buf); n++)
		assert_int_equal(handshakes_is_content(span_of(buf, n)),
				 n == good.n || n == good.n + LONG - SHORT);
	/* Each byte before the hash counts. */
	for (size_t i = 0; i < SPACES + sizeof(CONTEXT); i++) {
		buf[i] ^= 1;
		assert_false(handshakes_is_content(good));
		buf[i] ^= 1;
	}
	assert_true(handshakes_is_content(good));
}

/* What else a front would have signed with it: it is replaced. */
static void check_nonsense(struct office *o, struct span content)
{
	ask(&o->front[0], 1, content);
	OFFICE_WAIT(o, o->bad_fronts == 1 && o->front[0].ended);
	assert_int_equal(office_metric(o, METRIC_FRONT_MESSAGE), 1);
	assert_int_equal(o->hsm[1].jobs, 0);
	office_close(o);
}

static void test_nonsense(void **state)
{
	uint8_t buf[WIRE_HANDSHAKE_MAX];

	(void)state;
	check_nonsense(ready_office(COSE_ES256, HSM_SIGNS), span_of(NULL, 0));
	check_nonsense(ready_office(COSE_ES256, HSM_SIGNS),
		       SPAN_LIT("\x84\x6aSignature1\x43\xa1\x01\x26\x40"));
	(void)content_of(buf, SHORT);
	memcpy(buf + SPACES + 9, "client", 6);
	check_nonsense(ready_office(COSE_ES256, HSM_SIGNS),
		       span_of(buf, SPACES + sizeof(CONTEXT) + SHORT));
	/* There is no such key. */
	check_nonsense(office_ready(COSE_ES256, 1), content_of(buf, SHORT));
}

/* The HSM says nothing: the front is told when its time is over. */
static void test_deadline(void **state)
{
	struct office *o = ready_office(COSE_ES256, HSM_HOLDS);
	struct fake_front *f = &o->front[0];
	uint8_t buf[WIRE_HANDSHAKE_MAX];

	(void)state;
	ask_within(f, 5, content_of(buf, SHORT), 300000);
	ask(f, 6, content_of(buf, SHORT));
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].type, WIRE_PROBLEM);
	assert_int_equal(f->answer[0].id, 5);
	assert_int_equal(f->answer[0].err, SG_TIMED_OUT);
	assert_int_equal(office_metric(o, METRIC_HANDSHAKES_UNSIGNED), 1);
	hsm_release_held(&o->hsm[1]);
	OFFICE_WAIT(o, f->n == 2);
	assert_int_equal(f->answer[1].type, WIRE_ANSWER);
	assert_int_equal(f->answer[1].id, 6);
	office_close(o);
}

/* A front that goes takes what it asked with it; another one is served. */
static void test_front_gone(void **state)
{
	struct office *o = ready_office(COSE_ES256, HSM_HOLDS);
	uint8_t buf[WIRE_HANDSHAKE_MAX];

	(void)state;
	for (uint64_t id = 1; id <= 3; id++)
		ask(&o->front[0], id, content_of(buf, SHORT));
	OFFICE_WAIT(o, o->hsm[1].nheld > 0);
	office_add_front(o, 1);
	front_clear(&o->front[0]);
	OFFICE_WAIT(o, o->left_fronts == 1);
	ask(&o->front[1], 9, content_of(buf, SHORT));
	for (int i = 0; i < 4 && o->front[1].n == 0; i++) {
		OFFICE_UNTIL(o, 50, o->hsm[1].nheld > 0);
		hsm_release_held(&o->hsm[1]);
	}
	OFFICE_WAIT(o, o->front[1].n == 1);
	assert_int_equal(o->front[1].answer[0].type, WIRE_ANSWER);
	assert_int_equal(o->front[1].answer[0].id, 9);
	office_close(o);
}

/* Strangers bring them about: there is a limit. */
static void test_limit(void **state)
{
	struct office *o = ready_office(COSE_ES256, HSM_HOLDS);
	struct fake_front *f = &o->front[0];
	uint8_t buf[WIRE_HANDSHAKE_MAX];

	(void)state;
	for (uint64_t id = 1; id <= WIRE_HANDSHAKES_MAX; id++) {
		ask(f, id, content_of(buf, SHORT));
		if (id % 256 == 0) /* within its credit of a turn */
			OFFICE_UNTIL(o, 50, false);
	}
	assert_int_equal(f->n, 0);
	ask(f, 1000, content_of(buf, SHORT));
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].id, 1000);
	assert_int_equal(f->answer[0].err, SG_BUSY);
	office_close(o);
}

static void test_no_hsm(void **state)
{
	struct office *o = open_office(COSE_ES256);
	struct fake_front *f = &o->front[0];
	uint8_t buf[WIRE_HANDSHAKE_MAX];
	const char *reason;

	(void)state;
	OFFICE_WAIT(o, !desk_ready(o->desk, &reason) &&
			       strcmp(reason,
				      "key tls: no HSM has offered it") == 0);
	ask(f, 1, content_of(buf, SHORT));
	OFFICE_WAIT(o, f->n == 1);
	assert_int_equal(f->answer[0].err, SG_TOKEN_DOWN);
	/* It comes, goes, and comes back as another one. */
	add_door(o, HSM_SIGNS);
	OFFICE_WAIT(o, desk_ready(o->desk, &reason));
	ask(f, 2, content_of(buf, SHORT));
	OFFICE_WAIT(o, f->n == 2);
	assert_int_equal(f->answer[1].type, WIRE_ANSWER);
	office_kill_hsm(o, 1);
	signer_free(&o->second);
	o->second = signer_usual(COSE_ES256);
	add_door(o, HSM_SIGNS);
	OFFICE_UNTIL(o, 200, false);
	assert_false(desk_ready(o->desk, &reason));
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_front_gone),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_hsm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
