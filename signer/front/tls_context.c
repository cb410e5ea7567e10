/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "tls_context.h"
#include "tls_key.h"
#include "tls_ocsp.h"

enum {
	SECURITY_LEVEL = 2,	/* 112 bits: no RSA under 2,048, no SHA-1 */
	CHAIN_BYTES_MAX = 32768 /* of what a stranger may send as his chain */
};

/* AEAD with forward secrecy; TLS 1.3 has nothing else anyway. */
static const char TLS12_SUITES[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
/* Not const: the macro that takes it casts it away. */
static char groups[] = "X25519:P-256:P-384";

/* Says what was wrong with FILE.  Paths are the operator's own: no secret. */
static enum sg_err fault(char reason[TLS_REASON_BYTES], const char *file,
			 const char *what)
{
	(void)snprintf(reason, TLS_REASON_BYTES, "%.160s: %.90s", file, what);
	ERR_clear_error();
	return SG_CONFIG;
}

static enum sg_err openssl_fault(char reason[TLS_REASON_BYTES],
				 const char *file)
{
	/* The first error is the cause; it has no text if it is the system's.
	 */
	const char *text = ERR_reason_error_string(ERR_peek_error());

	if (text == NULL)
		text = ERR_reason_error_string(ERR_peek_last_error());
	return fault(reason, file, text != NULL ? text : "cannot be used");
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return timegm(&tm);
}

/* OpenSSL would ask at the terminal: an encrypted key is a fault. */
static int no_password(char *buf, int cap, int writing, void *ctx)
{
	(void)buf;
	(void)cap;
	(void)writing;
	(void)ctx;
	return -1;
}

/* The key is in an HSM: what stands for it is made of the certificate. */
static enum sg_err use_hsm_key(struct tls_context *c, enum cose_alg alg,
			       const char *certificate, char *reason)
{
	EVP_PKEY *key = NULL;
	enum sg_err err =
		tls_key_create(SSL_CTX_get0_certificate(c->ssl), alg, &key);

	if (err == SG_BAD_KEY)
		return fault(reason, certificate,
			     "its key is not for the algorithm of tls.hsm_key");
	if (err == SG_OK && (SSL_CTX_use_PrivateKey(c->ssl, key) != 1 ||
			     SSL_CTX_check_private_key(c->ssl) != 1))
		err = openssl_fault(reason, certificate);
	EVP_PKEY_free(key);
	c->hsm_key = true;
	return err;
}

static enum sg_err use_key(struct tls_context *c,
			   const struct front_settings *s, char *reason)
{
	if (s->key_alg != COSE_NONE)
		return use_hsm_key(c, s->key_alg, s->certificate, reason);
	if (SSL_CTX_use_PrivateKey_file(c->ssl, s->key, SSL_FILETYPE_PEM) != 1)
		return openssl_fault(reason, s->key);
	if (SSL_CTX_check_private_key(c->ssl) != 1)
		return fault(reason, s->key, "does not fit the certificate");
	return SG_OK;
}

static enum sg_err use_own(struct tls_context *c,
			   const struct front_settings *s, char *reason)
{
	const X509 *own;
	enum sg_err err;

	if (SSL_CTX_use_certificate_chain_file(c->ssl, s->certificate) != 1)
		return openssl_fault(reason, s->certificate);
	own = SSL_CTX_get0_certificate(c->ssl);
	err = use_key(c, s, reason);
	if (err != SG_OK)
		return err;
	c->times.own = seconds_of(X509_get0_notAfter(own));
	c->times.own_from = seconds_of(X509_get0_notBefore(own));
	return SG_OK;
}

static void earliest(int64_t *of, int64_t t)
{
	if (*of == 0 || t < *of)
		*of = t;
}

static enum sg_err add_ca(struct tls_context *c, X509 *ca, const char *path,
			  char *reason)
{
	const bool over = X509_cmp_current_time(X509_get0_notAfter(ca)) < 0;
	char weak[TLS_FLOOR_TEXT];

	/* One that is over stands there for nobody: it is no news, and no fault
	 * however weak it is. */
	if (!over && !tls_floor_allows(c->floor, ca, weak))
		return fault(reason, path, weak);
	if (X509_STORE_add_cert(c->store, ca) != 1 ||
	    SSL_CTX_add_client_CA(c->ssl, ca) != 1 ||
	    sk_X509_push(c->cas, ca) <= 0)
		return SG_NO_MEMORY;
	(void)X509_up_ref(ca); /* the stack's own */
	if (!over)
		earliest(&c->times.client_ca,
			 seconds_of(X509_get0_notAfter(ca)));
	return SG_OK;
}

/* Did a PEM reader stop because there is no further block? */
static bool at_end_of_pem(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static enum sg_err use_cas(struct tls_context *c, const char *path,
			   char *reason)
{
	BIO *in = BIO_new_file(path, "r");
	enum sg_err err = SG_OK;
	X509 *ca;

	if (in == NULL)
		return openssl_fault(reason, path);
	while (err == SG_OK &&
	       (ca = PEM_read_bio_X509(in, NULL, no_password, NULL)) != NULL) {
		err = add_ca(c, ca, path, reason);
		X509_free(ca);
	}
	BIO_free(in);
	if (err != SG_OK)
		return err;
	if (!at_end_of_pem())
		return openssl_fault(reason, path);
	ERR_clear_error();
	if (sk_X509_num(c->cas) == 0)
		return fault(reason, path, "holds no certificate");
	return SG_OK;
}

/* A CRL that its CA did not sign would only be noticed by the clients.  One of
 * a CA that is not KNOWN may be of one that the clients send: then it is seen
 * at verification. */
static bool signature_is_wrong(const struct tls_context *c, X509_CRL *crl,
			       bool *known)
{
	*known = false;

	for (int i = 0; i < sk_X509_num(c->cas); i++) {
		X509 *ca = sk_X509_value(c->cas, i);

		if (X509_NAME_cmp(X509_get_subject_name(ca),
				  X509_CRL_get_issuer(crl)) != 0)
			continue;
		*known = true;
		if (X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1)
			return false;
	}
	return *known;
}

static enum sg_err add_crl(struct tls_context *c, X509_CRL *crl,
			   const char *path, char *reason)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	const int64_t from = seconds_of(X509_CRL_get0_lastUpdate(crl));
	bool known;

	if (signature_is_wrong(c, crl, &known))
		return fault(reason, path, "not signed by the client CA");
	c->crl_ours = c->crl_ours || known;
	c->crl_foreign = c->crl_foreign || !known;
	if (next != NULL)
		earliest(&c->times.crl, seconds_of(next));
	if (from > c->times.crl_from)
		c->times.crl_from = from;
	tls_crls_add(&c->crls, crl, from);
	return X509_STORE_add_crl(c->store, crl) == 1 ? SG_OK : SG_NO_MEMORY;
}

static enum sg_err use_crls(struct tls_context *c, const char *path,
			    char *reason)
{
	BIO *in = BIO_new_file(path, "r");
	enum sg_err err = SG_OK;
	size_t n = 0;
	X509_CRL *crl;

	if (in == NULL)
		return openssl_fault(reason, path);
	while (err == SG_OK && (crl = PEM_read_bio_X509_CRL(
					in, NULL, no_password, NULL)) != NULL) {
		err = add_crl(c, crl, path, reason);
		X509_CRL_free(crl);
		n++;
	}
	BIO_free(in);
	if (err != SG_OK)
		return err;
	if (!at_end_of_pem())
		return openssl_fault(reason, path);
	ERR_clear_error();
	if (n == 0)
		return fault(reason, path, "holds no CRL");
	X509_STORE_set_flags(c->store,
			     X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return SG_OK;
}

/* The store outlives its context where a handshake is under way at a reload:
 * so it has the floor. */
static void on_store_free(void *store, void *floor, CRYPTO_EX_DATA *ad,
			  int index, long argl, void *argp)
{
	(void)store;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	free(floor);
}

static int floor_index(void)
{
	static int index = -1;

	if (index < 0)
		index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0,
						NULL, NULL, NULL,
						on_store_free);
	return index;
}

static bool set_floor(struct tls_context *c, const struct front_settings *s)
{
	struct tls_floor *f = malloc(sizeof(*f));

	if (f == NULL)
		return false;
	*f = (struct tls_floor){s->client_rsa_bits, s->client_ec_bits};
	if (floor_index() < 0 ||
	    X509_STORE_set_ex_data(c->store, floor_index(), f) != 1) {
		free(f);
		return false;
	}
	c->floor = f;
	return true;
}

/* A certificate of the chain is good but for its key: TEXT says why. */
static bool key_is_weak(X509_STORE_CTX *v, char text[TLS_FLOOR_TEXT])
{
	const int depth = X509_STORE_CTX_get_error_depth(v);
	const struct tls_floor *f = X509_STORE_get_ex_data(
		X509_STORE_CTX_get0_store(v), floor_index());

	if (tls_floor_allows(f, X509_STORE_CTX_get_current_cert(v), text))
		return false;
	X509_STORE_CTX_set_error(v, depth == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL
					       : X509_V_ERR_CA_KEY_TOO_SMALL);
	return true;
}

/* CAs of the chain are checked where there is a CRL for them; the leaf always
 * needs one. */
static int on_verify(int ok, X509_STORE_CTX *v)
{
	char weak[TLS_FLOOR_TEXT] = "";
	SSL *ssl;

	if (ok && !key_is_weak(v, weak))
		return 1;
	if (X509_STORE_CTX_get_error(v) == X509_V_ERR_UNABLE_TO_GET_CRL &&
	    X509_STORE_CTX_get_error_depth(v) > 0) {
		X509_STORE_CTX_set_error(v, X509_V_OK);
		return 1;
	}
	/* NULL when an open connection is verified again. */
	ssl = X509_STORE_CTX_get_ex_data(v,
					 SSL_get_ex_data_X509_STORE_CTX_idx());
	if (ssl != NULL)
		tls_note_refused(ssl, X509_STORE_CTX_get0_cert(v),
				 weak[0] != '\0' ? weak : NULL);
	return 0;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in,
				  in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_store(X509_STORE *store, uint32_t chain)
{
	X509_STORE_set_verify_cb(store, on_verify);
	return X509_STORE_set_purpose(store, X509_PURPOSE_SSL_CLIENT) == 1 &&
	       X509_STORE_set_depth(store, (int)chain) == 1;
}

static bool set_protocol(SSL_CTX *ssl, bool tls12)
{
	static const unsigned char session_context[] = "signerd";

	(void)SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET |
					       SSL_OP_NO_RENEGOTIATION |
					       SSL_OP_NO_COMPRESSION |
					       SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS |
					    SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_security_level(ssl, SECURITY_LEVEL);
	SSL_CTX_set_max_cert_list(ssl, CHAIN_BYTES_MAX);
	SSL_CTX_set_default_passwd_cb(ssl, no_password);
	SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
	SSL_CTX_set_verify(
		ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return SSL_CTX_set_min_proto_version(
		       ssl, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ssl, TLS12_SUITES) == 1 &&
	       SSL_CTX_set1_groups_list(ssl, groups) == 1 &&
	       SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
	       SSL_CTX_set_session_id_context(ssl, session_context,
					      sizeof(session_context) - 1) == 1;
}

/* Without a response all goes on: a client that must have one sees it. */
static enum sg_err use_ocsp(struct tls_context *c, const char *path)
{
	const enum sg_err err = tls_ocsp_use(c->ssl, c->cas, path,
					     &c->times.ocsp, c->ocsp_fault);

	c->ocsp_revoked = err == SG_REFUSED;
	return err == SG_CONFIG || err == SG_REFUSED ? SG_OK : err;
}

static enum sg_err fill(struct tls_context *c, const struct front_settings *s,
			char *reason)
{
	enum sg_err err;

	c->ssl = SSL_CTX_new(TLS_server_method());
	c->store = X509_STORE_new();
	c->cas = sk_X509_new_null();
	if (c->ssl == NULL || c->store == NULL || c->cas == NULL)
		return SG_NO_MEMORY;
	if (!set_floor(c, s))
		return SG_NO_MEMORY;
	if (!set_store(c->store, s->client_chain) ||
	    !set_protocol(c->ssl, s->tls12) ||
	    SSL_CTX_set1_verify_cert_store(c->ssl, c->store) != 1)
		return openssl_fault(reason, "tls");
	err = use_own(c, s, reason);
	if (err == SG_OK)
		err = use_cas(c, s->client_ca, reason);
	if (err == SG_OK && s->crl[0] != '\0')
		err = use_crls(c, s->crl, reason);
	if (err == SG_OK && s->ocsp[0] != '\0')
		err = use_ocsp(c, s->ocsp);
	return err;
}

enum sg_err tls_context_create(const struct front_settings *s,
			       struct tls_context **out,
			       char reason[TLS_REASON_BYTES])
{
	struct tls_context *c = calloc(1, sizeof(*c));
	enum sg_err err;

	(void)snprintf(reason, TLS_REASON_BYTES, "out of memory");
	if (c == NULL)
		return SG_NO_MEMORY;
	ERR_clear_error();
	err = fill(c, s, reason);
	if (err != SG_OK) {
		tls_context_free(c);
		return err;
	}
	*out = c;
	return SG_OK;
}

const struct tls_times *tls_context_times(const struct tls_context *ctx)
{
	return &ctx->times;
}

const char *tls_context_ocsp_fault(const struct tls_context *ctx)
{
	return ctx->ocsp_fault[0] != '\0' ? ctx->ocsp_fault : NULL;
}

bool tls_context_crl_expired(const struct tls_context *ctx)
{
	return ctx->times.crl != 0 && ctx->times.crl < clock_wall_s();
}

void tls_context_keep_ocsp(struct tls_context *ctx,
			   const struct tls_context *old)
{
	if (ctx->ocsp_fault[0] != '\0' && !ctx->ocsp_revoked &&
	    tls_ocsp_keep(ctx->ssl, old->ssl, &ctx->times.ocsp) != SG_OK)
		ctx->times.ocsp = 0;
}

/* Exactly, since OpenSSL is exact about it, too. */
EVP_PKEY *tls_context_hsm_key(const struct tls_context *ctx)
{
	return ctx->hsm_key
		       ? X509_get0_pubkey(SSL_CTX_get0_certificate(ctx->ssl))
		       : NULL;
}

bool tls_context_key_changes(const struct tls_context *ctx, const EVP_PKEY *old)
{
	const EVP_PKEY *now = tls_context_hsm_key(ctx);
	bool same;

	if (now == NULL || old == NULL)
		return false;
	same = EVP_PKEY_eq(now, old) == 1;
	ERR_clear_error();
	return !same;
}

const char *tls_context_early(const struct tls_context *ctx)
{
	const int64_t now = clock_wall_s();

	if (ctx->times.own_from > now)
		return "the server's certificate is not valid yet";
	return ctx->times.crl_from > now ? "the CRL is not valid yet" : NULL;
}

const struct tls_crls *tls_context_crls(const struct tls_context *ctx)
{
	return &ctx->crls;
}

bool tls_context_crl_missing(const struct tls_context *ctx)
{
	return ctx->crl_foreign && !ctx->crl_ours;
}

void tls_context_free(struct tls_context *ctx)
{
	if (ctx == NULL)
		return;
	sk_X509_pop_free(ctx->cas, X509_free);
	X509_STORE_free(ctx->store);
	SSL_CTX_free(ctx->ssl);
	free(ctx);
}
