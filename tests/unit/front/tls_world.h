/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_TLS_WORLD_H
#define SG_TEST_TLS_WORLD_H

/* The server's half of TLS against a client in memory, and their PKI. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "front/tls.h"
#include "pki.h"

static struct pki_cert ca, sub_ca, other_ca, server;
static struct pki_cert good, revoked, expired, early, foreign, wrong_use, weak,
	by_sub;
static struct front_settings settings;

static const char *const FILES[] = {
	"ca.pem",      "server.pem", "server.key",  "crl.pem",	 "text.pem",
	"old-crl.pem", "locked.key", "bad-crl.pem", "other.pem", "sub-crl.pem"};

static struct front_settings settings_with(const char *crl)
{
	struct front_settings s = {.client_chain = 3};

	(void)pki_path(s.certificate, "server.pem");
	(void)pki_path(s.key, "server.key");
	(void)pki_path(s.client_ca, "ca.pem");
	if (crl != NULL)
		(void)pki_path(s.crl, crl);
	return s;
}

static inline void issue_all(void)
{
	ca = pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	sub_ca = pki_issue(&ca, (struct pki_wish){.cn = "Sub CA", .ca = 1});
	other_ca = pki_issue(NULL, (struct pki_wish){.cn = "Other", .ca = 1});
	server = pki_issue(
		&ca, (struct pki_wish){.cn = "server", .san = "DNS:localhost"});
	good = pki_issue(&ca, (struct pki_wish){.cn = "good",
						.san = "URI:urn:good",
						.usage = "clientAuth"});
	revoked = pki_issue(&ca, (struct pki_wish){.cn = "revoked"});
	expired = pki_issue(
		&ca, (struct pki_wish){.cn = "expired", .from = -9, .to = -1});
	early = pki_issue(&ca,
			  (struct pki_wish){.cn = "early", .from = 1, .to = 9});
	foreign = pki_issue(&other_ca, (struct pki_wish){.cn = "foreign"});
	wrong_use = pki_issue(&ca, (struct pki_wish){.cn = "server only",
						     .usage = "serverAuth"});
	weak = pki_issue(
		&ca, (struct pki_wish){.cn = "weak", .key = EVP_RSA_gen(1024)});
	by_sub = pki_issue(&sub_ca, (struct pki_wish){.cn = "by sub"});
}

static inline int setup(void **state)
{
	(void)state;
	pki_setup();
	issue_all();
	pki_write_cert("ca.pem", ca.x);
	pki_write_cert("other.pem", other_ca.x);
	pki_write_cert("server.pem", server.x);
	pki_write_key("server.key", server.key);
	pki_write_locked("locked.key", server.key, "password");
	pki_write_text("text.pem", "hello\n");
	pki_write_crl("crl.pem", pki_crl(&ca, revoked.x, -1, 9), "w");
	pki_write_crl("crl.pem", pki_crl(&sub_ca, NULL, -1, 9), "a");
	pki_write_crl("sub-crl.pem", pki_crl(&ca, sub_ca.x, -1, 9), "w");
	pki_write_crl("sub-crl.pem", pki_crl(&sub_ca, NULL, -1, 9), "a");
	pki_write_crl("old-crl.pem", pki_crl(&ca, NULL, -9, -1), "w");
	{
		/* Says that it is the CA's, but another key has signed it. */
		struct pki_cert liar = {ca.x, other_ca.key};

		pki_write_crl("bad-crl.pem", pki_crl(&liar, NULL, -1, 9), "w");
	}
	settings = settings_with("crl.pem");
	return 0;
}

static inline int teardown(void **state)
{
	struct pki_cert *const all[] = {
		&ca,	  &sub_ca, &other_ca, &server,	  &good, &revoked,
		&expired, &early,  &foreign,  &wrong_use, &weak, &by_sub};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	pki_remove(FILES, sizeof(FILES) / sizeof(FILES[0]));
	return 0;
}

/* --- the client's side ---------------------------------------------------- */

struct wire {
	struct tls_context *ctx;
	struct tls *server;
	struct bytes out; /* of the server */
	SSL_CTX *client_ctx;
	SSL *client;
	BIO *in, *from; /* of the client */
	enum tls_result result;
	unsigned long client_error; /* reason, 0: none */
};

static inline struct tls_context *context(const struct front_settings *s)
{
	struct tls_context *ctx;
	char reason[TLS_REASON_BYTES];

	if (tls_context_create(s, &ctx, reason) != SG_OK)
		fail_msg("%s", reason);
	return ctx;
}

static inline void wire_open(struct wire *w, const struct front_settings *s,
			     const struct pki_cert *cert)
{
	*w = (struct wire){.ctx = context(s), .result = TLS_WANT};
	assert_int_equal(tls_create(w->ctx, &w->out, &w->server), SG_OK);
	w->client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(w->client_ctx, 0);
	if (cert != NULL) {
		assert_int_equal(
			SSL_CTX_use_certificate(w->client_ctx, cert->x), 1);
		assert_int_equal(
			SSL_CTX_use_PrivateKey(w->client_ctx, cert->key), 1);
	}
	w->client = SSL_new(w->client_ctx);
	w->in = BIO_new(BIO_s_mem());
	w->from = BIO_new(BIO_s_mem());
	SSL_set_bio(w->client, w->in, w->from);
	SSL_set_connect_state(w->client);
}

static inline void wire_close(struct wire *w)
{
	tls_free(w->server);
	bytes_free(&w->out);
	tls_context_free(w->ctx);
	SSL_free(w->client);
	SSL_CTX_free(w->client_ctx);
	ERR_clear_error();
}

static inline void client_step(struct wire *w)
{
	uint8_t buf[256];
	int ret;

	ERR_clear_error();
	ret = SSL_is_init_finished(w->client) != 0
		      ? SSL_read(w->client, buf, sizeof(buf))
		      : SSL_do_handshake(w->client);
	if (ret <= 0 && SSL_get_error(w->client, ret) == SSL_ERROR_SSL)
		w->client_error =
			(unsigned long)ERR_GET_REASON(ERR_peek_last_error());
}

/* The client's next bytes to the server, and EXTRA behind them, STEP at a
 * time. */
static inline void wire_to_server(struct wire *w, size_t step,
				  struct span extra)
{
	static uint8_t buf[65536];
	size_t n = 0;
	int from;

	client_step(w);
	from = BIO_read(w->from, buf, sizeof(buf) / 2);
	if (from > 0)
		n = (size_t)from;
	if (extra.n > 0)
		memcpy(buf + n, extra.p, extra.n);
	n += extra.n;
	for (size_t at = 0; at < n && w->result == TLS_WANT; at += step) {
		const size_t left = n - at;

		tls_give(w->server,
			 span_of(buf + at, left < step ? left : step));
		w->result = tls_handshake(w->server);
	}
}

/* What the server has for the client. */
static inline void wire_to_client(struct wire *w)
{
	if (w->out.len > 0)
		assert_int_equal(BIO_write(w->in, bytes_view(&w->out).p,
					   (int)w->out.len),
				 (int)w->out.len);
	bytes_free(&w->out);
}

/* Both sides, STEP bytes at a time to the server. */
static inline void shake(struct wire *w, size_t step)
{
	for (int i = 0; i < 8; i++) {
		wire_to_server(w, step, span_of(NULL, 0));
		wire_to_client(w);
	}
}

#endif /* SG_TEST_TLS_WORLD_H */
