/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_world.h"

/* --- handshakes ----------------------------------------------------------- */

static const struct {
	const char *name;
	const struct pki_cert *cert;
	enum tls_result result;
	int alert; /* as the client's reason; 0: none */
	const char *reason;
} CLIENTS[] = {
	{"valid", &good, TLS_OK, 0, ""},
	{"none", NULL, TLS_FAILED, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
	 "peer did not return a certificate"},
	{"revoked", &revoked, TLS_FAILED, SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
	 "certificate revoked"},
	{"expired", &expired, TLS_FAILED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	 "certificate has expired"},
	{"not yet valid", &early, TLS_FAILED, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
	 "certificate is not yet valid"},
	{"of another CA", &foreign, TLS_FAILED, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	 "unable to get local issuer certificate"},
	{"for servers", &wrong_use, TLS_FAILED,
	 SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	 "unsuitable certificate purpose"},
	{"RSA of 1,024 bits", &weak, TLS_FAILED,
	 SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "EE certificate key too weak"},
};

static void check_client(size_t i, const struct front_settings *s, size_t step)
{
	struct wire w;

	wire_open(&w, s, CLIENTS[i].cert);
	shake(&w, step);
	if (w.result != CLIENTS[i].result ||
	    w.client_error != (unsigned long)CLIENTS[i].alert ||
	    strcmp(tls_reason(w.server), CLIENTS[i].reason) != 0)
		fail_msg("%s: %d, alert %lu, %s", CLIENTS[i].name, w.result,
			 w.client_error, tls_reason(w.server));
	assert_int_equal(tls_established(w.server), w.result == TLS_OK);
	/* To find whose certificate it was. */
	assert_int_equal(tls_fingerprint(w.server)[0] != '-',
			 w.result != TLS_OK && CLIENTS[i].cert != NULL);
	wire_close(&w);
}

static void test_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(CLIENTS) / sizeof(CLIENTS[0]); i++) {
		check_client(i, &settings, SIZE_MAX / 2);
		check_client(i, &settings, 7);
	}
}

static void test_peer_of_a_connection(void **state)
{
	struct wire w;
	struct peer p;
	struct identity id;

	(void)state;
	wire_open(&w, &settings, &good);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(tls_peer(w.server, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_true(span_is(id.name[0].text, "urn:good"));
	peer_clear(&p);
	wire_close(&w);
}

static void test_versions(void **state)
{
	struct front_settings s = settings;
	struct wire w;

	(void)state;
	for (int tls12 = 0; tls12 < 2; tls12++) {
		s.tls12 = tls12 != 0;
		wire_open(&w, &s, &good);
		(void)SSL_set_max_proto_version(w.client, TLS1_2_VERSION);
		shake(&w, SIZE_MAX / 2);
		assert_int_equal(w.result, tls12 != 0 ? TLS_OK : TLS_FAILED);
		wire_close(&w);
	}
	wire_open(&w, &s, &good);
	(void)SSL_set_min_proto_version(w.client, TLS1_VERSION);
	(void)SSL_set_max_proto_version(w.client, TLS1_1_VERSION);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_FAILED);
	wire_close(&w);
}

/* A client that speaks TLS 1.2 at most to a server that allows it. */
static void open_tls12(struct wire *w)
{
	struct front_settings s = settings;

	s.tls12 = true;
	wire_open(w, &s, &good);
	(void)SSL_set_max_proto_version(w->client, TLS1_2_VERSION);
}

static void test_suites_of_tls12(void **state)
{
	static const struct {
		const char *suites;
		enum tls_result result;
	} cases[] = {
		{"ECDHE-ECDSA-AES128-GCM-SHA256", TLS_OK},
		{"ECDHE-ECDSA-AES256-GCM-SHA384", TLS_OK},
		{"ECDHE-ECDSA-CHACHA20-POLY1305", TLS_OK},
		{"ECDHE-ECDSA-AES256-SHA384", TLS_FAILED}, /* not an AEAD */
		{"ECDHE-ECDSA-AES128-SHA", TLS_FAILED},
		{"ECDHE-ECDSA-AES128-CCM8", TLS_FAILED},
		{"AES128-GCM-SHA256", TLS_FAILED}, /* no ephemeral key */
		{"AECDH-AES128-SHA", TLS_FAILED},  /* no certificate */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire w;

		open_tls12(&w);
		assert_int_equal(SSL_set_cipher_list(w.client, cases[i].suites),
				 1);
		shake(&w, SIZE_MAX / 2);
		if (w.result != cases[i].result)
			fail_msg("%s: %d", cases[i].suites, w.result);
		if (w.result == TLS_OK)
			assert_true(tls_is_12(w.server));
		wire_close(&w);
	}
}

static void test_sha1_in_tls12(void **state)
{
	char list[] = "ECDSA+SHA1"; /* the macro takes no const */
	struct wire w;

	(void)state;
	open_tls12(&w);
	assert_int_equal(SSL_set1_sigalgs_list(w.client, list), 1);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_FAILED);
	wire_close(&w);
}

/* Else somebody could have another handshake, and another, on one socket. */
static void test_no_renegotiation(void **state)
{
	static uint8_t raw[4096];
	uint8_t buf[64];
	struct wire w;
	size_t n;
	int len;

	(void)state;
	open_tls12(&w);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	assert_int_equal(SSL_renegotiate(w.client), 1);
	(void)SSL_do_handshake(w.client);
	len = BIO_read(w.from, raw, sizeof(raw));
	assert_true(len > 0);
	tls_give(w.server, span_of(raw, (size_t)len));
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_WANT);
	assert_true(tls_established(w.server));
	/* A warning, and nothing else. */
	assert_in_range(w.out.len, 1, 64);
	assert_int_equal(BIO_write(w.in, bytes_view(&w.out).p, (int)w.out.len),
			 (int)w.out.len);
	assert_int_equal(SSL_do_handshake(w.client), -1);
	assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()),
			 SSL_R_NO_RENEGOTIATION);
	wire_close(&w);
}

static void test_no_tickets(void **state)
{
	struct wire w;

	(void)state;
	for (int tls12 = 0; tls12 < 2; tls12++) {
		SSL_SESSION *session;

		if (tls12 != 0)
			open_tls12(&w);
		else
			wire_open(&w, &settings, &good);
		shake(&w, SIZE_MAX / 2);
		assert_int_equal(w.result, TLS_OK);
		assert_int_equal(tls_is_12(w.server), tls12);
		session = SSL_get_session(w.client);
		assert_false(SSL_SESSION_has_ticket(session));
		assert_int_equal(SSL_SESSION_is_resumable(session), 0);
		wire_close(&w);
	}
}

static void test_alpn(void **state)
{
	static const struct {
		const char *offer;
		enum tls_result result;
		bool h2;
		int alert;
	} cases[] = {
		{NULL, TLS_OK, false, 0},
		{"\x02h2", TLS_OK, true, 0},
		{"\x08http/1.1", TLS_OK, false, 0},
		{"\x08http/1.1\x02h2", TLS_OK, true, 0},
		{"\x06spdy/3", TLS_FAILED, false,
		 SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire w;

		wire_open(&w, &settings, &good);
		if (cases[i].offer != NULL)
			(void)SSL_set_alpn_protos(
				w.client, (const unsigned char *)cases[i].offer,
				(unsigned)strlen(cases[i].offer));
		shake(&w, SIZE_MAX / 2);
		assert_int_equal(w.result, cases[i].result);
		assert_int_equal(w.client_error, cases[i].alert);
		if (w.result == TLS_OK)
			assert_int_equal(tls_is_http2(w.server), cases[i].h2);
		wire_close(&w);
	}
}

static void test_garbage(void **state)
{
	struct wire w;

	(void)state;
	wire_open(&w, &settings, &good);
	tls_give(w.server, SPAN_LIT("GET / HTTP/1.1\r\n\r\n"));
	assert_int_equal(tls_handshake(w.server), TLS_FAILED);
	assert_string_equal(tls_reason(w.server), "http request");
	wire_close(&w);
}

/* --- records -------------------------------------------------------------- */

static void to_server(struct wire *w, uint8_t *buf, size_t cap)
{
	const int n = BIO_read(w->from, buf, (int)cap);

	assert_true(n > 0);
	tls_give(w->server, span_of(buf, (size_t)n));
}

static void test_records(void **state)
{
	static uint8_t raw[65536];
	uint8_t buf[64];
	size_t n;
	struct wire w;

	(void)state;
	wire_open(&w, &settings, &good);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(SSL_write(w.client, "hello", 5), 5);
	assert_int_equal(SSL_write(w.client, "world", 5), 5);
	to_server(&w, raw, sizeof(raw));
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_OK);
	assert_true(span_is(span_of(buf, n), "hello"));
	assert_int_equal(tls_read(w.server, buf, 3, &n), TLS_OK);
	assert_true(span_is(span_of(buf, n), "wor"));
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_OK);
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_WANT);

	assert_int_equal(tls_write(w.server, SPAN_LIT("answer")), SG_OK);
	assert_int_equal(BIO_write(w.in, bytes_view(&w.out).p, (int)w.out.len),
			 (int)w.out.len);
	assert_int_equal(SSL_read(w.client, buf, sizeof(buf)), 6);

	assert_int_equal(SSL_shutdown(w.client), 0);
	to_server(&w, raw, sizeof(raw));
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_EOF);
	tls_close(w.server);
	wire_close(&w);
}

static void test_record_that_was_changed(void **state)
{
	static uint8_t raw[65536];
	uint8_t buf[64];
	size_t n;
	struct wire w;

	(void)state;
	wire_open(&w, &settings, &good);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(SSL_write(w.client, "hello", 5), 5);
	to_server(&w, raw, sizeof(raw));
	raw[8] ^= 1;
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_FAILED);
	assert_true(w.out.len > 0); /* the alert */
	assert_int_equal(tls_write(w.server, SPAN_LIT("x")), SG_IO);
	wire_close(&w);
}

/* --- again ---------------------------------------------------------------- */

static void test_verify_again(void **state)
{
	struct front_settings bare = settings_with(NULL);
	struct front_settings other = settings_with(NULL);
	struct tls_context *ctx;
	const char *reason = "";
	struct wire w;

	(void)state;
	wire_open(&w, &bare, &revoked);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	assert_int_equal(tls_verify_again(w.server, w.ctx, &reason), SG_OK);

	ctx = context(&settings); /* now with the CRL */
	assert_int_equal(tls_verify_again(w.server, ctx, &reason),
			 SG_UNAUTHENTICATED);
	assert_string_equal(reason, "certificate revoked");
	tls_context_free(ctx);

	(void)pki_path(other.client_ca, "other.pem");
	ctx = context(&other);
	assert_int_equal(tls_verify_again(w.server, ctx, &reason),
			 SG_UNAUTHENTICATED);
	tls_context_free(ctx);
	wire_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_peer_of_a_connection),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_suites_of_tls12),
		cmocka_unit_test(test_sha1_in_tls12),
		cmocka_unit_test(test_no_renegotiation),
		cmocka_unit_test(test_no_tickets),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_record_that_was_changed),
		cmocka_unit_test(test_verify_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
