/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_ocsp.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fileio.h"

enum {
	RESPONSE_BYTES_MAX = 32768, /* with its signer's certificate */
	SKEW_S = 300
};

/* What the SSL_CTX has, and frees. */
struct stapled {
	int64_t next_update;
	size_t n;
	uint8_t der[RESPONSE_BYTES_MAX];
};

static void on_context_free(void *ssl, void *stapled, CRYPTO_EX_DATA *ad,
			    int index, long argl, void *argp)
{
	(void)ssl;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	free(stapled);
}

static int stapled_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
						 on_context_free);
	return index;
}

/* A client asks for it. */
static int on_status(SSL *ssl, void *arg)
{
	const struct stapled *s =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), stapled_index());
	unsigned char *copy;

	(void)arg;
	if (s == NULL || clock_wall_s() >= s->next_update)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(s->der, s->n); /* the connection frees it */
	if (copy == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)s->n) != 1) {
		OPENSSL_free(copy);
		return SSL_TLSEXT_ERR_NOACK;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* --- is it good? ---------------------------------------------------------- */

static X509 *find_issuer(STACK_OF(X509) * among, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(among); i++) {
		X509 *x = sk_X509_value(among, i);

		if (X509_check_issued(x, cert) == X509_V_OK)
			return x;
	}
	return NULL;
}

/* By the issuer itself, or by whom it has named for that. */
static const char *check_signature(OCSP_BASICRESP *basic, X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *certs = sk_X509_new_null();
	int ok = 0;

	if (store != NULL && certs != NULL && sk_X509_push(certs, issuer) > 0 &&
	    X509_STORE_add_cert(store, issuer) == 1) {
		/* It need not be a root. */
		(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
		ok = OCSP_basic_verify(basic, certs, store, 0);
	}
	sk_X509_free(certs);
	X509_STORE_free(store);
	return ok == 1 ? NULL : "is not signed by or for the issuer";
}

static bool is_of(OCSP_SINGLERESP *single, X509 *cert, X509 *issuer)
{
	OCSP_CERTID *id = OCSP_CERTID_dup(OCSP_SINGLERESP_get0_id(single));
	OCSP_CERTID *own = NULL;
	ASN1_OBJECT *hash = NULL;
	bool same;

	if (id != NULL && OCSP_id_get0_info(NULL, &hash, NULL, NULL, id) == 1 &&
	    EVP_get_digestbyobj(hash) != NULL)
		own = OCSP_cert_to_id(EVP_get_digestbyobj(hash), cert, issuer);
	same = own != NULL && OCSP_id_cmp(own, id) == 0;
	OCSP_CERTID_free(own);
	OCSP_CERTID_free(id);
	return same;
}

static int64_t seconds_of(const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

static const char REVOKED[] = "says that the certificate is revoked";

/* NULL: good until *NEXT_UPDATE. */
static const char *check_single(OCSP_SINGLERESP *single, int64_t *next_update)
{
	ASN1_GENERALIZEDTIME *from;
	ASN1_GENERALIZEDTIME *to;
	const int status =
		OCSP_single_get0_status(single, NULL, NULL, &from, &to);

	if (status == V_OCSP_CERTSTATUS_REVOKED)
		return REVOKED;
	if (status != V_OCSP_CERTSTATUS_GOOD)
		return "does not say that the certificate is good";
	if (to == NULL)
		return "has no next update";
	if (OCSP_check_validity(from, to, SKEW_S, -1) != 1)
		return "is not of now";
	*next_update = seconds_of(to);
	return NULL;
}

static const char *check_basic(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer,
			       int64_t *next_update)
{
	const char *fault = check_signature(basic, issuer);

	if (fault != NULL)
		return fault;
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

		if (is_of(single, cert, issuer))
			return check_single(single, next_update);
	}
	return "is not of the certificate";
}

static const char *check(const struct stapled *s, X509 *cert, X509 *issuer,
			 int64_t *next_update)
{
	const unsigned char *in = s->der;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &in, (long)s->n);
	OCSP_BASICRESP *basic = NULL;
	const char *fault;

	if (response == NULL || in != s->der + s->n)
		fault = "is no OCSP response in DER";
	else if (OCSP_response_status(response) !=
			 OCSP_RESPONSE_STATUS_SUCCESSFUL ||
		 (basic = OCSP_response_get1_basic(response)) == NULL)
		fault = "is the responder's refusal";
	else
		fault = check_basic(basic, cert, issuer, next_update);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return fault;
}

/* --- all ------------------------------------------------------------------ */

static const char *read_file(const char *path, struct stapled *s)
{
	uint8_t *text;
	const enum sg_err e =
		fileio_read(path, RESPONSE_BYTES_MAX, &text, &s->n);

	if (e != SG_OK)
		return e == SG_IO ? strerrordesc_np(errno) : err_text(e);
	memcpy(s->der, text, s->n);
	free(text);
	return NULL;
}

static const char *take(SSL_CTX *ssl, STACK_OF(X509) * cas, const char *path,
			struct stapled *s)
{
	X509 *cert = SSL_CTX_get0_certificate(ssl);
	STACK_OF(X509) *chain = NULL;
	const char *fault = read_file(path, s);
	X509 *issuer;

	if (fault != NULL)
		return fault;
	(void)SSL_CTX_get0_chain_certs(ssl, &chain);
	issuer = find_issuer(chain, cert);
	if (issuer == NULL)
		issuer = find_issuer(cas, cert);
	if (issuer == NULL)
		return "the issuer is neither in tls.certificate nor in "
		       "tls.client_ca";
	return check(s, cert, issuer, &s->next_update);
}

/* SSL has S from now on. */
static enum sg_err staple(SSL_CTX *ssl, struct stapled *s, int64_t *next_update)
{
	*next_update = s->next_update;
	if (SSL_CTX_set_ex_data(ssl, stapled_index(), s) != 1) {
		free(s);
		return SG_NO_MEMORY;
	}
	return SSL_CTX_set_tlsext_status_cb(ssl, on_status) == 1 ? SG_OK
								 : SG_NO_MEMORY;
}

enum sg_err tls_ocsp_use(SSL_CTX *ssl, STACK_OF(X509) * cas, const char *path,
			 int64_t *next_update, char reason[TLS_REASON_BYTES])
{
	struct stapled *s = calloc(1, sizeof(*s));
	const char *fault;

	if (s == NULL || stapled_index() < 0) {
		free(s);
		return SG_NO_MEMORY;
	}
	fault = take(ssl, cas, path, s);
	ERR_clear_error();
	if (fault != NULL) {
		(void)snprintf(reason, TLS_REASON_BYTES, "%.160s: %.90s", path,
			       fault);
		free(s);
		return fault == REVOKED ? SG_REFUSED : SG_CONFIG;
	}
	return staple(ssl, s, next_update);
}

enum sg_err tls_ocsp_keep(SSL_CTX *ssl, const SSL_CTX *from,
			  int64_t *next_update)
{
	const struct stapled *old = SSL_CTX_get_ex_data(from, stapled_index());
	struct stapled *s;

	*next_update = 0;
	if (old == NULL || old->next_update <= clock_wall_s() ||
	    X509_cmp(SSL_CTX_get0_certificate(ssl),
		     SSL_CTX_get0_certificate(from)) != 0)
		return SG_OK;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return SG_NO_MEMORY;
	*s = *old;
	return staple(ssl, s, next_update);
}
