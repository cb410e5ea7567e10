/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes with a server whose key is in an HSM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ecdsa.h>
#include <openssl/provider.h>

#include "front/tls_key.h"
#include "tls_world.h"

enum { RSA_BITS = 2048, SIGNATURE_MAX = 512, HALF = 32 };

static const struct {
	enum cose_alg alg;
	const char *name;
} ALGS[] = {
	{COSE_ES256, "ES256"}, {COSE_PS256, "PS256"}, {COSE_EDDSA, "EdDSA"}};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static EVP_PKEY *generate(enum cose_alg alg)
{
	switch (alg) {
	case COSE_PS256: return EVP_RSA_gen(RSA_BITS);
	case COSE_EDDSA: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case COSE_ES256:
	case COSE_ES384:
	case COSE_NONE:
	default: return EVP_EC_gen("P-256");
	}
}

/* The server's certificate for a fresh key, which no file has. */
static struct pki_cert hsm_server(enum cose_alg alg)
{
	const struct pki_cert c =
		pki_issue(&ca, (struct pki_wish){.cn = "hsm",
						 .san = "DNS:localhost",
						 .key = generate(alg)});

	pki_write_cert("server.pem", c.x);
	return c;
}

static struct front_settings hsm_settings(enum cose_alg alg)
{
	struct front_settings s = settings_with("crl.pem");

	s.key[0] = '\0';
	s.key_alg = alg;
	return s;
}

/* What an HSM would make of MESSAGE, in COSE form. */
static struct span sign(EVP_PKEY *key, struct span message,
			uint8_t out[SIGNATURE_MAX])
{
	const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;
	const uint8_t *der = out;
	size_t n = SIGNATURE_MAX;
	ECDSA_SIG *sig;

	assert_int_equal(
		EVP_DigestSignInit_ex(c, &p, digest, NULL, NULL, key, NULL), 1);
	if (EVP_PKEY_is_a(key, "RSA")) {
		assert_int_equal(
			EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING),
			1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(
					 p, RSA_PSS_SALTLEN_DIGEST),
				 1);
	}
	assert_int_equal(EVP_DigestSign(c, out, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(c);
	if (!EVP_PKEY_is_a(key, "EC"))
		return span_of(out, n);
	sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	assert_non_null(sig);
	(void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF);
	(void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF, HALF);
	ECDSA_SIG_free(sig);
	return span_of(out, (size_t)2 * HALF);
}

/* Up to where the server's key has to sign. */
static void open_to_sign(struct wire *w, const struct front_settings *s,
			 const struct pki_cert *client, size_t step)
{
	wire_open(w, s, client);
	wire_to_server(w, step, span_of(NULL, 0));
	assert_int_equal(w->result, TLS_SIGN);
	assert_false(tls_established(w->server));
}

/* The signature is there: to the end. */
static void finish(struct wire *w, struct span signature)
{
	w->result = tls_signed(w->server, signature, "nobody signs");
	for (int i = 0; i < 4 && w->result != TLS_FAILED; i++) {
		wire_to_client(w);
		wire_to_server(w, SIZE_MAX / 2, span_of(NULL, 0));
	}
	wire_to_client(w);
	client_step(w);
}

static void check_alg(size_t i, size_t step)
{
	static const uint8_t hello[] = "hello";
	struct pki_cert own = hsm_server(ALGS[i].alg);
	const struct front_settings s = hsm_settings(ALGS[i].alg);
	uint8_t signature[SIGNATURE_MAX];
	uint8_t buf[64];
	struct span content;
	struct wire w;
	size_t n;

	open_to_sign(&w, &s, &good, step);
	content = tls_to_sign(w.server);
	/* RFC 8446 section 4.4.3. */
	assert_in_range(content.n, 64 + 33 + 1 + 32, WIRE_HANDSHAKE_MAX);
	for (size_t k = 0; k < 64; k++)
		assert_int_equal(content.p[k], ' ');
	assert_memory_equal(content.p + 64, "TLS 1.3, server CertificateVerify",
			    34);
	finish(&w, sign(own.key, content, signature));
	if (w.result != TLS_OK)
		fail_msg("%s: %s", ALGS[i].name, tls_reason(w.server));
	assert_true(tls_established(w.server));
	assert_int_equal(SSL_is_init_finished(w.client), 1);
	assert_int_equal(SSL_write(w.client, hello, sizeof(hello)),
			 sizeof(hello));
	n = (size_t)BIO_read(w.from, buf, sizeof(buf));
	tls_give(w.server, span_of(buf, n));
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_OK);
	assert_int_equal(n, sizeof(hello));
	assert_int_equal(tls_read(w.server, buf, sizeof(buf), &n), TLS_WANT);
	wire_close(&w);
	pki_free(&own);
}

static void test_algorithms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ALGS); i++) {
		check_alg(i, SIZE_MAX / 2);
		check_alg(i, 7);
	}
}

/* A client that may not come in is turned away as ever, after the pause. */
static void test_refused_client(void **state)
{
	struct pki_cert own = hsm_server(COSE_ES256);
	const struct front_settings s = hsm_settings(COSE_ES256);
	uint8_t signature[SIGNATURE_MAX];
	struct wire w;

	(void)state;
	open_to_sign(&w, &s, &revoked, SIZE_MAX / 2);
	finish(&w, sign(own.key, tls_to_sign(w.server), signature));
	assert_int_equal(w.result, TLS_FAILED);
	assert_string_equal(tls_reason(w.server), "certificate revoked");
	wire_close(&w);
	pki_free(&own);
}

static void check_failure(struct span signature, const char *reason)
{
	const struct front_settings s = hsm_settings(COSE_ES256);
	struct wire w;

	open_to_sign(&w, &s, &good, SIZE_MAX / 2);
	finish(&w, signature);
	assert_int_equal(w.result, TLS_FAILED);
	assert_string_equal(tls_reason(w.server), reason);
	assert_int_equal(w.client_error, SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
	wire_close(&w);
}

static void test_failures(void **state)
{
	static const char other[] =
		"what the HSM has signed is not of the certificate's key";
	struct pki_cert own = hsm_server(COSE_ES256);
	const struct front_settings s = hsm_settings(COSE_ES256);
	uint8_t signature[SIGNATURE_MAX];
	struct wire w;

	(void)state;
	check_failure(span_of(NULL, 0), "nobody signs");
	check_failure(SPAN_LIT("short"), other);
	/* One of another handshake, and of another key. */
	check_failure(sign(own.key, SPAN_LIT("another"), signature), other);
	open_to_sign(&w, &s, &good, SIZE_MAX / 2);
	check_failure(sign(good.key, tls_to_sign(w.server), signature), other);
	/* And the one that waited meanwhile goes on. */
	finish(&w, sign(own.key, tls_to_sign(w.server), signature));
	assert_int_equal(w.result, TLS_OK);
	wire_close(&w);
	pki_free(&own);
}

/* Gone while it waits; the address sanitizer sees what stays. */
static void test_dropped(void **state)
{
	struct pki_cert own = hsm_server(COSE_ES256);
	const struct front_settings s = hsm_settings(COSE_ES256);
	struct wire w;

	(void)state;
	for (int i = 0; i < 100; i++) {
		open_to_sign(&w, &s, &good, SIZE_MAX / 2);
		wire_close(&w);
	}
	pki_free(&own);
}

/* What came with the hello is read when it is its turn. */
static void test_late_bytes(void **state)
{
	static const uint8_t garbage[] = "\x17\x03\x03\x00\x01x";
	struct pki_cert own = hsm_server(COSE_ES256);
	const struct front_settings s = hsm_settings(COSE_ES256);
	uint8_t signature[SIGNATURE_MAX];
	struct wire w;

	(void)state;
	wire_open(&w, &s, &good);
	wire_to_server(&w, SIZE_MAX / 2, span_of(garbage, sizeof(garbage) - 1));
	assert_int_equal(w.result, TLS_SIGN);
	w.result = tls_signed(w.server,
			      sign(own.key, tls_to_sign(w.server), signature),
			      NULL);
	assert_int_equal(w.result, TLS_FAILED);
	assert_string_equal(tls_reason(w.server),
			    "decryption failed or bad record mac");
	wire_close(&w);
	pki_free(&own);
}

/* Many at a time, answered in another order. */
static void test_many(void **state)
{
	enum { MANY = 50 };
	static struct wire w[MANY];
	static uint8_t signature[MANY][SIGNATURE_MAX];
	struct pki_cert own = hsm_server(COSE_EDDSA);
	const struct front_settings s = hsm_settings(COSE_EDDSA);

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		open_to_sign(&w[i], &s, &good, SIZE_MAX / 2);
	for (size_t i = MANY; i-- > 0;) {
		finish(&w[i],
		       sign(own.key, tls_to_sign(w[i].server), signature[i]));
		assert_int_equal(w[i].result, TLS_OK);
	}
	for (size_t i = 0; i < MANY; i++)
		wire_close(&w[i]);
	pki_free(&own);
}

/* The certificate's key and the algorithm have to fit. */
static void check_unfit(EVP_PKEY *key, enum cose_alg alg)
{
	struct pki_cert own =
		pki_issue(&ca, (struct pki_wish){.cn = "hsm", .key = key});
	const struct front_settings s = hsm_settings(alg);
	char reason[TLS_REASON_BYTES];
	struct tls_context *ctx;

	pki_write_cert("server.pem", own.x);
	assert_int_equal(tls_context_create(&s, &ctx, reason), SG_CONFIG);
	assert_non_null(strstr(reason, "server.pem: its key is not for the "
				       "algorithm of tls.hsm_key"));
	pki_free(&own);
}

static void test_certificate(void **state)
{
	(void)state;
	check_unfit(generate(COSE_ES256), COSE_PS256);
	check_unfit(generate(COSE_PS256), COSE_ES256);
	check_unfit(generate(COSE_ES256), COSE_EDDSA);
	check_unfit(EVP_EC_gen("P-384"), COSE_ES256);
	/* A key that does nothing but PSS has a place of its own in TLS. */
	check_unfit(EVP_PKEY_Q_keygen(NULL, NULL, "RSA-PSS", (size_t)RSA_BITS),
		    COSE_PS256);
}

/* What the client's hello asks for; with SIGALGS, up to where the key signs. */
static enum tls_result hello_with(const char *groups, const char *sigalgs,
				  int version, enum cose_alg alg)
{
	struct pki_cert own = hsm_server(alg);
	const struct front_settings s = hsm_settings(alg);
	uint8_t signature[SIGNATURE_MAX];
	char list[64];
	enum tls_result r;
	struct wire w;

	wire_open(&w, &s, &good);
	/* The macros of OpenSSL cast away that they only read. */
	if (groups != NULL) {
		(void)snprintf(list, sizeof(list), "%s", groups);
		assert_int_equal(SSL_set1_groups_list(w.client, list), 1);
	}
	if (sigalgs != NULL) {
		(void)snprintf(list, sizeof(list), "%s", sigalgs);
		assert_int_equal(SSL_set1_sigalgs_list(w.client, list), 1);
	}
	assert_int_equal(SSL_set_max_proto_version(w.client, version), 1);
	for (int i = 0; i < 3 && w.result == TLS_WANT; i++) {
		wire_to_server(&w, SIZE_MAX / 2, span_of(NULL, 0));
		if (w.result == TLS_WANT)
			wire_to_client(&w);
	}
	r = w.result;
	if (r == TLS_SIGN && sigalgs == NULL) {
		finish(&w, sign(own.key, tls_to_sign(w.server), signature));
		r = w.result;
	}
	wire_close(&w);
	pki_free(&own);
	return r;
}

static void test_hellos(void **state)
{
	(void)state;
	/* One that has to say hello again. */
	assert_int_equal(
		hello_with("P-521:P-256", NULL, TLS1_3_VERSION, COSE_ES256),
		TLS_OK);
	assert_int_equal(hello_with("X25519", NULL, TLS1_2_VERSION, COSE_ES256),
			 TLS_FAILED);
	assert_int_equal(hello_with(NULL,
				    "rsa_pss_rsae_sha512:"
				    "rsa_pss_rsae_sha256",
				    TLS1_3_VERSION, COSE_PS256),
			 TLS_SIGN);
	/* The HSM signs by SHA-256 alone. */
	assert_int_equal(hello_with(NULL,
				    "rsa_pss_rsae_sha384:"
				    "rsa_pss_rsae_sha512",
				    TLS1_3_VERSION, COSE_PS256),
			 TLS_FAILED);
}

/* Another certificate is taken if it is of the same key. */
static void test_key_changes(void **state)
{
	struct pki_cert first = hsm_server(COSE_ES256);
	const struct front_settings s = hsm_settings(COSE_ES256);
	const struct front_settings file = settings_with("crl.pem");
	struct tls_context *old = context(&s);
	struct tls_context *now;
	struct pki_cert second;

	(void)state;
	EVP_PKEY_up_ref(first.key);
	second = pki_issue(&ca,
			   (struct pki_wish){.cn = "again", .key = first.key});
	pki_write_cert("server.pem", second.x);
	now = context(&s);
	assert_false(tls_context_key_changes(now, tls_context_hsm_key(old)));
	tls_context_free(now);
	pki_free(&second);
	second = hsm_server(COSE_ES256);
	now = context(&s);
	assert_true(tls_context_key_changes(now, tls_context_hsm_key(old)));
	tls_context_free(now);
	pki_free(&second);
	/* A file brings its own. */
	pki_write_cert("server.pem", server.x);
	now = context(&file);
	assert_false(tls_context_key_changes(now, tls_context_hsm_key(old)));
	tls_context_free(now);
	tls_context_free(old);
	pki_free(&first);
}

/* Nobody gets our keys who asks for others. */
static void test_apart(void **state)
{
	struct pki_cert own = hsm_server(COSE_ES256);
	const struct front_settings s = hsm_settings(COSE_ES256);
	struct tls_context *ctx = context(&s);
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	assert_non_null(key);
	assert_string_equal(
		OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
		"default");
	EVP_PKEY_free(key);
	tls_context_free(ctx);
	pki_free(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_refused_client),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_late_bytes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_hellos),
		cmocka_unit_test(test_key_changes),
		cmocka_unit_test(test_apart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
