/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "tls_context.h"
#include "tls_key.h"

struct tls {
	SSL *ssl;
	struct span in;	   /* borrowed: what was given and is not read yet */
	struct bytes *out; /* the connection's */
	struct bytes late; /* what was given while the key was to sign */
	struct tls_key_job job; /* of the handshake */
	bool failed;
	const char *reason;
	char fingerprint[TLS_FINGERPRINT_BYTES]; /* of who was refused */
	char weak[TLS_FLOOR_TEXT]; /* what is wrong with the key; or empty */
};

/* --- a BIO over the two of them: no buffer of its own --------------------- */

static int on_bio_read(BIO *b, char *buf, size_t cap, size_t *n)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (t->in.n == 0) {
		BIO_set_retry_read(b);
		return 0;
	}
	*n = t->in.n < cap ? t->in.n : cap;
	memcpy(buf, t->in.p, *n);
	t->in.p += *n;
	t->in.n -= *n;
	return 1;
}

static int on_bio_write(BIO *b, const char *buf, size_t len, size_t *n)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (bytes_add(t->out, span_of(buf, len)) != SG_OK)
		return 0;
	*n = len;
	return 1;
}

static long on_bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

/* Made at the first connection, kept for all. */
static const BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method;
	BIO_METHOD *m;

	if (method != NULL)
		return method;
	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "front");
	if (m == NULL)
		return NULL;
	if (BIO_meth_set_read_ex(m, on_bio_read) != 1 ||
	    BIO_meth_set_write_ex(m, on_bio_write) != 1 ||
	    BIO_meth_set_ctrl(m, on_bio_ctrl) != 1) {
		BIO_meth_free(m);
		return NULL;
	}
	method = m;
	return method;
}

/* -------------------------------------------------------------------------- */

enum sg_err tls_create(struct tls_context *ctx, struct bytes *out,
		       struct tls **out_tls)
{
	const BIO_METHOD *method = bio_method();
	struct tls *t = calloc(1, sizeof(*t));
	BIO *bio;

	if (method == NULL || t == NULL)
		goto fail;
	bio = BIO_new(method);
	t->ssl = SSL_new(ctx->ssl);
	if (bio == NULL || t->ssl == NULL) {
		BIO_free(bio);
		goto fail;
	}
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	(void)SSL_set_app_data(t->ssl, t);
	SSL_set_accept_state(t->ssl);
	/* Nothing after the handshake is signed. */
	if (ctx->hsm_key)
		(void)SSL_set_mode(t->ssl, SSL_MODE_ASYNC);
	t->out = out;
	*out_tls = t;
	return SG_OK;
fail:
	ERR_clear_error();
	tls_free(t);
	return SG_NO_MEMORY;
}

void tls_give(struct tls *t, struct span cipher)
{
	t->in = cipher;
}

static const char *why(const struct tls *t)
{
	const long verdict = SSL_get_verify_result(t->ssl);
	const char *text;

	if (t->weak[0] != '\0')
		return t->weak;
	if (t->job.fault != NULL)
		return t->job.fault;
	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	text = ERR_reason_error_string(ERR_peek_last_error());
	return text != NULL ? text : "connection broken";
}

/* What is left of the input is the caller's: keep it. */
static enum tls_result pause_handshake(struct tls *t)
{
	const enum sg_err err = bytes_add(&t->late, t->in);

	t->in = span_of(NULL, 0);
	if (err == SG_OK)
		return TLS_SIGN;
	t->failed = true;
	t->reason = err_text(err);
	return TLS_FAILED;
}

static enum tls_result result_of(struct tls *t, int ret)
{
	const int e = SSL_get_error(t->ssl, ret);

	if (e == SSL_ERROR_WANT_READ)
		return TLS_WANT;
	if (e == SSL_ERROR_WANT_ASYNC)
		return pause_handshake(t);
	if (e == SSL_ERROR_ZERO_RETURN)
		return TLS_EOF;
	t->failed = true;
	t->reason = why(t);
	ERR_clear_error();
	return TLS_FAILED;
}

enum tls_result tls_handshake(struct tls *t)
{
	int ret;

	ERR_clear_error();
	tls_key_enter(&t->job);
	ret = SSL_do_handshake(t->ssl);
	tls_key_enter(NULL);
	if (ret != 1)
		return result_of(t, ret);
	/* What comes now signs nothing, and runs on its own stack again. */
	(void)SSL_clear_mode(t->ssl, SSL_MODE_ASYNC);
	return TLS_OK;
}

struct span tls_to_sign(const struct tls *t)
{
	return span_of(t->job.message, t->job.message_n);
}

enum tls_result tls_signed(struct tls *t, struct span signature,
			   const char *fault)
{
	t->job.signature = signature;
	t->job.fault = signature.n == 0 ? fault : NULL;
	t->job.state = TLS_KEY_HEARD;
	t->in = bytes_view(&t->late);
	return tls_handshake(t);
}

bool tls_is_unsigned(const struct tls *t)
{
	return t->job.fault != NULL;
}

bool tls_established(const struct tls *t)
{
	return !t->failed && SSL_is_init_finished(t->ssl);
}

const char *tls_reason(const struct tls *t)
{
	return t->reason != NULL ? t->reason : "";
}

void tls_note_refused(SSL *ssl, X509 *leaf, const char *reason)
{
	struct tls *t = SSL_get_app_data(ssl);
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint8_t *der = NULL;
	const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);

	if (reason != NULL)
		(void)snprintf(t->weak, sizeof(t->weak), "%s", reason);
	if (n > 0 &&
	    EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL) == 1)
		(void)hex_encode(digest, (TLS_FINGERPRINT_BYTES - 1) / 2,
				 t->fingerprint);
	OPENSSL_free(der);
}

const char *tls_fingerprint(const struct tls *t)
{
	return t->fingerprint[0] != '\0' ? t->fingerprint : "-";
}

enum sg_err tls_peer(const struct tls *t, struct peer *out)
{
	X509 *leaf = SSL_get0_peer_certificate(t->ssl);
	enum sg_err err;

	if (leaf == NULL)
		return SG_MALFORMED;
	err = peer_read(leaf, SSL_get0_verified_chain(t->ssl), out);
	ERR_clear_error();
	return err;
}

bool tls_is_12(const struct tls *t)
{
	return SSL_version(t->ssl) == TLS1_2_VERSION;
}

bool tls_is_http2(const struct tls *t)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	return span_eq(span_of(name, n), SPAN_LIT("h2"));
}

enum tls_result tls_read(struct tls *t, uint8_t *buf, size_t cap, size_t *n)
{
	int ret;

	ERR_clear_error();
	ret = SSL_read_ex(t->ssl, buf, cap, n);
	return ret == 1 ? TLS_OK : result_of(t, ret);
}

enum sg_err tls_write(struct tls *t, struct span plain)
{
	size_t n;

	ERR_clear_error();
	if (!t->failed && SSL_write_ex(t->ssl, plain.p, plain.n, &n) == 1)
		return SG_OK;
	t->failed = true;
	ERR_clear_error();
	return SG_IO;
}

void tls_close(struct tls *t)
{
	/* After a failure OpenSSL has said its last word, the alert. */
	if (t->failed || !SSL_is_init_finished(t->ssl))
		return;
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

static bool verify(X509_STORE_CTX *v, const struct tls_context *ctx, SSL *ssl)
{
	if (X509_STORE_CTX_init(v, ctx->store, SSL_get0_peer_certificate(ssl),
				SSL_get_peer_cert_chain(ssl)) != 1)
		return false;
	/* As the handshake does. */
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(v),
					 SSL_get_security_level(ssl));
	return X509_verify_cert(v) == 1;
}

enum sg_err tls_verify_again(const struct tls *t, const struct tls_context *ctx,
			     const char **reason)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	bool good;

	if (v == NULL)
		return SG_NO_MEMORY;
	good = verify(v, ctx, t->ssl);
	if (!good)
		*reason = X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(v));
	X509_STORE_CTX_free(v);
	ERR_clear_error();
	return good ? SG_OK : SG_UNAUTHENTICATED;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	/* A handshake that waits for its key is brought to an end, or what it
	 * stands on would stay. */
	if (t->job.state == TLS_KEY_ASKS)
		(void)tls_signed(t, span_of(NULL, 0), "closed");
	SSL_free(t->ssl);
	bytes_free(&t->late);
	free(t);
}
