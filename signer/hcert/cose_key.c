/* SPDX-License-Identifier: Apache-2.0 */
/* The cose_key half of cose.h: public keys, and signatures under them. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cose.h"

enum { HASH_BYTES_MAX = 48, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096 };
/* SEQUENCE of two INTEGERs of up to 49 bytes (RFC 3279 s. 2.2.3). */
enum { ECDSA_DER_MAX = 2 + 2 * (2 + COSE_ES384_BYTES / 2 + 1) };

struct cose_key {
	enum cose_alg alg;
	size_t sig_bytes;
	EVP_PKEY *pkey;
	EVP_MD *hash;	     /* SHA-256; for ES384, SHA-384 */
	EVP_MD_CTX *md;	     /* hashes; for EdDSA, verifies */
	EVP_PKEY_CTX *check; /* all but EdDSA: set up once, used each time */
};

/* The algorithm that the elliptic curve of PKEY is for. */
static enum cose_alg alg_of_curve(const EVP_PKEY *pkey)
{
	char group[32];

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return COSE_NONE;
	if (span_is(span_str(group), "prime256v1"))
		return COSE_ES256;
	return span_is(span_str(group), "secp384r1") ? COSE_ES384 : COSE_NONE;
}

/* The algorithm that PKEY fits. */
static enum cose_alg alg_of(const EVP_PKEY *pkey)
{
	const int bits = EVP_PKEY_get_bits(pkey);

	if (EVP_PKEY_is_a(pkey, "EC"))
		return alg_of_curve(pkey);
	if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS"))
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? COSE_PS256
								    : COSE_NONE;
	return EVP_PKEY_is_a(pkey, "ED25519") ? COSE_EDDSA : COSE_NONE;
}

/* Set up KEY->check, so that a verification costs no more than itself. */
static enum sg_err prepare_check(struct cose_key *key)
{
	key->check = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (key->check == NULL)
		return SG_NO_MEMORY;
	if (EVP_PKEY_verify_init(key->check) != 1)
		return SG_BAD_KEY;
	/* RFC 8230 s. 2: PSS, MGF1 with the same hash, salt as long as it. */
	if (key->alg == COSE_PS256 &&
	    (EVP_PKEY_CTX_set_rsa_padding(key->check, RSA_PKCS1_PSS_PADDING) !=
		     1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(key->check, COSE_PS256_SALT) !=
		     1 ||
	     EVP_PKEY_CTX_set_rsa_mgf1_md(key->check, key->hash) != 1))
		return SG_BAD_KEY;
	if (EVP_PKEY_CTX_set_signature_md(key->check, key->hash) != 1)
		return SG_BAD_KEY;
	return SG_OK;
}

/* Takes PKEY over, also when it fails. */
static enum sg_err make_key(EVP_PKEY *pkey, bool officer, struct cose_key **out)
{
	struct cose_key *key = calloc(1, sizeof(*key));
	enum sg_err e = SG_NO_MEMORY;

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return SG_NO_MEMORY;
	}
	key->pkey = pkey;
	key->alg = alg_of(pkey);
	if (key->alg == COSE_ES384 && !officer)
		key->alg = COSE_NONE; /* not for certificates */
	switch (key->alg) {
	case COSE_ES256: key->sig_bytes = COSE_ES256_BYTES; break;
	case COSE_ES384: key->sig_bytes = COSE_ES384_BYTES; break;
	case COSE_EDDSA: key->sig_bytes = COSE_EDDSA_BYTES; break;
	case COSE_PS256:
		key->sig_bytes = (size_t)EVP_PKEY_get_size(pkey);
		break;
	case COSE_NONE:
	default: e = SG_BAD_KEY; goto fail;
	}
	key->hash = EVP_MD_fetch(
		NULL, key->alg == COSE_ES384 ? "SHA384" : "SHA256", NULL);
	key->md = EVP_MD_CTX_new();
	if (key->hash == NULL || key->md == NULL)
		goto fail;
	if (key->alg != COSE_EDDSA) {
		e = prepare_check(key);
		if (e != SG_OK)
			goto fail;
	}
	*out = key;
	return SG_OK;
fail:
	ERR_clear_error();
	cose_key_free(key);
	return e;
}

enum sg_err cose_key_from_certificate(struct span der, struct cose_key **out)
{
	const unsigned char *p = der.p;
	EVP_PKEY *pkey = NULL;
	enum sg_err e;
	X509 *cert;

	*out = NULL;
	if (der.n > LONG_MAX)
		return SG_MALFORMED;
	cert = d2i_X509(NULL, &p, (long)der.n);
	e = SG_MALFORMED;
	if (cert == NULL || p != der.p + der.n)
		goto done;
	pkey = X509_get_pubkey(cert);
	e = pkey == NULL ? SG_BAD_KEY : make_key(pkey, false, out);
done:
	X509_free(cert);
	ERR_clear_error();
	return e;
}

static enum sg_err from_spki(struct span der, bool officer,
			     struct cose_key **out)
{
	const unsigned char *p = der.p;
	EVP_PKEY *pkey;

	*out = NULL;
	if (der.n > LONG_MAX)
		return SG_MALFORMED;
	pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (pkey == NULL || p != der.p + der.n) {
		EVP_PKEY_free(pkey);
		ERR_clear_error();
		return SG_MALFORMED;
	}
	return make_key(pkey, officer, out);
}

enum sg_err cose_key_from_spki(struct span der, struct cose_key **out)
{
	return from_spki(der, false, out);
}

enum sg_err cose_key_of_officer(struct span der, struct cose_key **out)
{
	return from_spki(der, true, out);
}

void cose_key_free(struct cose_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_CTX_free(key->check);
	EVP_MD_CTX_free(key->md);
	EVP_MD_free(key->hash);
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum cose_alg cose_key_alg(const struct cose_key *key)
{
	return key->alg;
}

size_t cose_key_sig_bytes(const struct cose_key *key)
{
	return key->sig_bytes;
}

/* r||s (RFC 9053 s. 2.1) in the DER that OpenSSL wants; 0 without memory. */
static size_t ecdsa_der(struct span rs, unsigned char out[ECDSA_DER_MAX])
{
	const int half = (int)(rs.n / 2); /* 32 bytes; of P-384, 48 */
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs.p, half, NULL);
	BIGNUM *s = BN_bin2bn(rs.p + half, half, NULL);
	int n = 0;

	if (sig != NULL && r != NULL && s != NULL &&
	    ECDSA_SIG_set0(sig, r, s) == 1) {
		r = NULL; /* the signature's now */
		s = NULL;
		n = i2d_ECDSA_SIG(sig, &out);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

static enum sg_err verify_hashed(struct cose_key *key, struct span tbs,
				 struct span signature)
{
	unsigned char hash[HASH_BYTES_MAX];
	unsigned char der[ECDSA_DER_MAX];
	struct span sig = signature;
	unsigned hash_n = 0;

	if (EVP_DigestInit_ex2(key->md, key->hash, NULL) != 1 ||
	    EVP_DigestUpdate(key->md, tbs.p, tbs.n) != 1 ||
	    EVP_DigestFinal_ex(key->md, hash, &hash_n) != 1)
		return SG_NO_MEMORY;
	if (key->alg == COSE_ES256 || key->alg == COSE_ES384) {
		sig = span_of(der, ecdsa_der(signature, der));
		if (sig.n == 0)
			return SG_NO_MEMORY;
	}
	return EVP_PKEY_verify(key->check, sig.p, sig.n, hash, hash_n) == 1
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
}

static enum sg_err verify_eddsa(struct cose_key *key, struct span tbs,
				struct span signature)
{
	if (EVP_MD_CTX_reset(key->md) != 1 ||
	    EVP_DigestVerifyInit(key->md, NULL, NULL, NULL, key->pkey) != 1)
		return SG_NO_MEMORY;
	return EVP_DigestVerify(key->md, signature.p, signature.n, tbs.p,
				tbs.n) == 1
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
}

enum sg_err cose_key_verify(struct cose_key *key, enum cose_alg alg,
			    struct span tbs, struct span signature)
{
	const uint64_t refused = memory_refused();
	enum sg_err e;

	if (alg != key->alg)
		return SG_BAD_KEY;
	if (signature.n != key->sig_bytes)
		return SG_BAD_SIGNATURE;
	e = alg == COSE_EDDSA ? verify_eddsa(key, tbs, signature)
			      : verify_hashed(key, tbs, signature);
	/* OpenSSL says "no", or that its input is malformed, also when it
	 * lacked the memory to find out. */
	if (e == SG_BAD_SIGNATURE && memory_refused() != refused)
		e = SG_NO_MEMORY;
	/* Not to be found by the next caller; what succeeds without some
	 * memory leaves something, too. */
	if (e != SG_OK || memory_refused() != refused)
		ERR_clear_error();
	return e;
}
