/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "pkcs11/unconst.h"

enum { DER_SIGNATURE_MAX = 160 };

/* --- by OpenSSL ----------------------------------------------------------- */

static const EVP_MD *digest_of(enum cose_alg alg)
{
	switch (alg) {
	case COSE_ES256:
	case COSE_PS256: return EVP_sha256();
	case COSE_ES384: return EVP_sha384();
	case COSE_EDDSA: /* hashes by itself */
	case COSE_NONE: break;
	}
	return NULL;
}

static bool sign_init(EVP_MD_CTX *ctx, enum cose_alg alg, EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *key = NULL; /* CTX's */

	if (EVP_DigestSignInit(ctx, &key, digest_of(alg), NULL, pkey) != 1)
		return false;
	return alg != COSE_PS256 ||
	       (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(key, COSE_PS256_SALT) == 1);
}

/* r || s, each of HALF bytes (RFC 9053 s. 2.1), of the DER of N bytes at P. */
static bool from_der(const uint8_t *p, size_t n, size_t half, uint8_t *out)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);
	const bool good =
		s != NULL &&
		BN_bn2binpad(ECDSA_SIG_get0_r(s), out, (int)half) >= 0 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(s), out + half, (int)half) >= 0;

	ECDSA_SIG_free(s);
	return good;
}

static bool sign(EVP_PKEY *pkey, enum cose_alg alg, struct span message,
		 uint8_t *out, size_t *n)
{
	const bool ecdsa = alg == COSE_ES256 || alg == COSE_ES384;
	uint8_t der[DER_SIGNATURE_MAX];
	size_t der_n = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && sign_init(ctx, alg, pkey);

	*n = COSE_SIG_MAX;
	if (good && ecdsa) {
		*n = alg == COSE_ES256 ? COSE_ES256_BYTES : COSE_ES384_BYTES;
		good = EVP_DigestSign(ctx, der, &der_n, message.p, message.n) ==
			       1 &&
		       from_der(der, der_n, *n / 2, out);
	} else if (good) {
		good = EVP_DigestSign(ctx, out, n, message.p, message.n) == 1;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* --- either --------------------------------------------------------------- */

bool signer_spki(const EVP_PKEY *pkey, struct span *out)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(pkey, &der);

	ERR_clear_error();
	*out = span_of(der, n > 0 ? (size_t)n : 0);
	return n > 0;
}

static enum sg_err open_file(const struct signer_wanted *wanted,
			     struct signer *out, struct span *spki, char *why,
			     size_t cap)
{
	out->pkey = officer_pem_read(wanted->key, why, cap);
	if (out->pkey == NULL)
		return SG_IO;
	return signer_spki(out->pkey, spki) ? SG_OK : SG_BAD_KEY;
}

static enum sg_err open_card(const struct signer_wanted *wanted,
			     struct signer *out, struct span *spki, char *why,
			     size_t cap)
{
	const struct card_wanted card = {.uri = wanted->key,
					 .module = wanted->module,
					 .pin_file = wanted->pin_file};

	return card_open(&card, &out->card, spki, why, cap);
}

enum sg_err signer_open(const struct signer_wanted *wanted, struct signer *out,
			char *why, size_t cap)
{
	struct span spki = {0};
	enum sg_err err;

	*out = (struct signer){0};
	if (!roll_is_name(span_str(wanted->name))) {
		(void)snprintf(why, cap,
			       "--name: letters, digits, and . _ - up to %d",
			       ROLL_NAME_MAX - 1);
		return SG_CONFIG;
	}
	if (strncmp(wanted->key, "pkcs11:", 7) == 0)
		err = open_card(wanted, out, &spki, why, cap);
	else
		err = open_file(wanted, out, &spki, why, cap);
	if (err == SG_OK) {
		err = officer_make(span_str(wanted->name), spki, &out->officer);
		if (err != SG_OK)
			(void)snprintf(why, cap,
				       "not a key for officers: P-256, P-384, "
				       "RSA of 2048 to 4096 bits or Ed25519");
	}
	OPENSSL_free(unconst(spki.p));
	if (err != SG_OK)
		signer_close(out);
	return err;
}

void signer_close(struct signer *s)
{
	EVP_PKEY_free(s->pkey);
	card_close(s->card);
	*s = (struct signer){0};
}

enum sg_err signer_sign(const struct signer *s, struct span message,
			struct card_signature *out, char *why, size_t cap)
{
	if (s->card != NULL)
		return card_sign(s->card, s->officer.alg, message, out, why,
				 cap);
	if (sign(s->pkey, s->officer.alg, message, out->bytes, &out->n))
		return SG_OK;
	(void)snprintf(why, cap, "the signature cannot be made");
	return SG_INTERNAL;
}
