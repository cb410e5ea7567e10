/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front_world.h"

/* --- reload --------------------------------------------------------------- */

static bool reload(const char *crl, char *reason, size_t cap)
{
	struct wire_reloaded r;
	struct wire_msg m;

	send_reload(&child, crl);
	assert_true(packet_next(child.control, packet, &m));
	assert_int_equal(m.type, WIRE_RELOADED);
	assert_int_equal(wire_get_reloaded(&m, &r), SG_OK);
	fake_copy(reason, cap, r.reason);
	return r.ok;
}

static void test_reload_closes_revoked(void **state)
{
	char crl[PKI_PATH];
	char reason[256];
	struct client a;
	struct client b;

	(void)state;
	start();
	a = client_open(&child, &good, NULL);
	b = client_open(&child, &other, NULL);
	get(&a);
	get(&b);
	assert_true(reload(pki_path(crl, "crl.pem"), reason, sizeof(reason)));
	assert_true(client_is_closed(&b));
	get(&a);
	assert_true(metric_becomes(METRIC_CONNECTIONS_CLOSED_BY_RELOAD, 1));
	assert_int_equal(metric_get(child.page, METRIC_RELOADS), 1);
	client_close(&b);
	/* And it does not come back. */
	b = client_open(&child, &other, NULL);
	assert_true(SSL_read(b.ssl, text, 64) <= 0);
	client_close(&a);
	client_close(&b);
	child_stop(&child);
}

static void test_reload_with_a_fault_changes_nothing(void **state)
{
	char crl[PKI_PATH];
	char reason[256];
	struct client a;

	(void)state;
	start();
	a = client_open(&child, &good, NULL);
	assert_false(reload("!", reason, sizeof(reason)));
	assert_string_equal(reason, "a fault");
	assert_false(reload("/absent.pem", reason, sizeof(reason)));
	assert_non_null(strstr(reason, "/absent.pem"));
	assert_false(
		reload(pki_path(crl, "old-crl.pem"), reason, sizeof(reason)));
	get(&a);
	assert_true(metric_becomes(METRIC_RELOADS_REFUSED, 3));
	client_close(&a);
	child_stop(&child);
}

/* --- the core's opinion --------------------------------------------------- */

static void core_status_is(int core, uint8_t hash)
{
	struct wire_status s = {.ready = true};

	memset(s.policy_hash, hash, sizeof(s.policy_hash));
	core_tells(core, &s);
}

/* Answer one question: only urn:good is a client. */
static bool core_answers(int core)
{
	uint8_t buf[256];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	const struct wire_answer yes = {0};
	const struct wire_problem no = {.err = SG_FORBIDDEN};
	struct wire_msg m;
	struct wire_ask q;
	struct identity id;

	assert_true(packet_next(core, packet, &m));
	assert_int_equal(wire_get_ask(&m, &q), SG_OK);
	assert_int_equal(q.question, WIRE_ASK_CLIENT);
	assert_int_equal(identity_decode(q.identity, &id), SG_OK);
	if (span_is(id.name[0].text, "urn:good")) {
		assert_int_equal(wire_put_answer(&w, m.id, &yes), SG_OK);
		packet_send(core, &w, -1);
		return true;
	}
	assert_int_equal(wire_put_problem(&w, m.id, &no), SG_OK);
	packet_send(core, &w, -1);
	return false;
}

static void test_policy_closes_clients(void **state)
{
	struct client a;
	int core;

	(void)state;
	start();
	core = core_attach();
	core_status_is(core, 1);
	a = client_open(&child, &other, NULL);
	get(&a);
	core_status_is(core, 2);
	assert_false(core_answers(core));
	assert_true(client_is_closed(&a));
	client_close(&a);
	a = client_open(&child, &good, NULL);
	get(&a);
	core_status_is(core, 3);
	assert_true(core_answers(core));
	get(&a);
	assert_true(metric_becomes(METRIC_CONNECTIONS_CLOSED_BY_RELOAD, 1));
	client_close(&a);
	child_stop(&child);
	(void)close(core);
}

/* A core that dies over the question is asked again when it is back. */
static void test_question_survives_the_core(void **state)
{
	struct client a;
	struct wire_msg m;
	int core;

	(void)state;
	start();
	core = core_attach();
	core_status_is(core, 1);
	a = client_open(&child, &other, NULL);
	get(&a);
	core_status_is(core, 2);
	assert_true(packet_next(core, packet, &m));
	assert_int_equal(m.type, WIRE_ASK);
	(void)close(core);
	core = core_attach();
	core_status_is(core, 2);
	assert_false(core_answers(core));
	assert_true(client_is_closed(&a));
	client_close(&a);
	child_stop(&child);
	(void)close(core);
}

/* --- time ----------------------------------------------------------------- */

static void test_certificate_runs_out(void **state)
{
	struct pki_cert brief =
		pki_issue(&ca, (struct pki_wish){.cn = "d", .seconds = 2});
	struct client a;
	struct client b;

	(void)state;
	start();
	a = client_open(&child, &brief, NULL);
	b = client_open(&child, &good, NULL);
	get(&a);
	/* Without a request of its own. */
	assert_true(client_is_closed(&a));
	get(&b);
	client_close(&a);
	client_close(&b);
	pki_free(&brief);
	child_stop(&child);
}

#define CASE(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_reload_closes_revoked),
		CASE(test_reload_with_a_fault_changes_nothing),
		CASE(test_policy_closes_clients),
		CASE(test_question_survives_the_core),
		CASE(test_certificate_runs_out),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
