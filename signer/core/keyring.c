/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "base/log.h"

enum { CERTIFICATE_MAX = 65536 }; /* bytes of a file or a DER certificate */

static const char TEST_PREFIX[] = "signerd test signature ";

_Static_assert(sizeof(TEST_PREFIX) - 1 + CORE_LABEL_MAX <= KEYRING_TEST_MAX,
	       "a test message must hold every label");

/* The first certificate of FILE, which is PEM or DER, as DER in a fresh
 * buffer. */
static enum sg_err certificate_der(struct span file, uint8_t **der, size_t *n)
{
	const uint8_t *p = file.p;
	enum sg_err err = SG_MALFORMED;
	X509 *cert = NULL;
	BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	int len;

	if (bio == NULL)
		return SG_NO_MEMORY;
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (cert == NULL)
		cert = d2i_X509(NULL, &p, (long)file.n);
	if (cert == NULL)
		goto fail_read;
	*der = NULL;
	len = i2d_X509(cert, der);
	if (len > 0) {
		*n = (size_t)len;
		err = SG_OK;
	}
	X509_free(cert);
fail_read:
	ERR_clear_error(); /* trying PEM on DER leaves one behind */
	BIO_free(bio);
	return err;
}

/* What a DSC must be for KEY to sign with it; NULL, or what is wrong. */
static const char *dsc_fault(const struct key *key, const struct dsc *dsc)
{
	if (dsc->alg != key->alg)
		return "its key is for another algorithm";
	if (!dsc->digital_signature)
		return "its key usage has no digitalSignature";
	if ((dsc->kinds & key->kinds) == 0)
		return "its extended key usage allows none of the kinds";
	return NULL;
}

enum sg_err keyring_refused(const struct key *key, enum sg_err err,
			    const char *reason)
{
	log_event(LOG_ERROR, "key-refused", "key=\"%s\" reason=\"%s\"",
		  key->label, reason);
	return err;
}

/* A copy of the certificate DER is KEY's, which has none. */
static enum sg_err keep_certificate(struct key *key, struct span der)
{
	key->certificate = malloc(der.n);
	if (key->certificate == NULL)
		return SG_NO_MEMORY;
	memcpy(key->certificate, der.p, der.n);
	key->certificate_n = der.n;
	return SG_OK;
}

/* Take the certificate DER, all of whose parts have been checked. */
static enum sg_err key_keep_dsc(struct key *key, struct span der,
				const struct dsc *dsc,
				struct cose_key *verifier)
{
	enum sg_err err = cose_protected(key->alg, dsc->kid, key->prot,
					 sizeof(key->prot), &key->prot_n);

	if (err == SG_OK)
		err = keep_certificate(key, der);
	if (err != SG_OK)
		return err;
	key->verifier = verifier;
	key->dsc = *dsc;
	key->bounds = (struct policy_bounds){.present = true,
					     .not_before = dsc->not_before,
					     .not_after = dsc->not_after};
	key->has_dsc = true;
	if ((key->kinds & ~dsc->kinds) != 0)
		log_event(LOG_WARNING, "key-kinds-dropped",
			  "key=\"%s\" reason=\"the certificate's extended key "
			  "usage does not allow all configured kinds\"",
			  key->label);
	key->kinds &= dsc->kinds;
	return SG_OK;
}

enum sg_err keyring_certify(struct key *key, struct span der)
{
	struct dsc dsc;
	struct cose_key *verifier = NULL;
	const char *fault;
	enum sg_err err = dsc_read(der, &dsc);

	if (err != SG_OK)
		return keyring_refused(key, err,
				       "its certificate cannot be read");
	fault = dsc_fault(key, &dsc);
	if (fault != NULL)
		return keyring_refused(key, SG_BAD_KEY, fault);
	err = cose_key_from_certificate(der, &verifier);
	if (err == SG_OK)
		err = key_keep_dsc(key, der, &dsc, verifier);
	if (err == SG_OK)
		return SG_OK;
	cose_key_free(verifier);
	return keyring_refused(key, err, err_text(err));
}

static enum sg_err key_read_certificate(struct key *key, const char *path)
{
	uint8_t *file = NULL;
	uint8_t *der = NULL;
	size_t file_n = 0;
	size_t der_n = 0;
	enum sg_err err = fileio_read(path, CERTIFICATE_MAX, &file, &file_n);

	if (err == SG_OK)
		err = certificate_der(span_of(file, file_n), &der, &der_n);
	if (err == SG_OK)
		err = keyring_certify(key, span_of(der, der_n));
	else
		err = keyring_refused(key, err,
				      "its certificate file cannot be read");
	OPENSSL_free(der);
	free(file);
	return err;
}

enum sg_err keyring_create(const struct core_settings *settings,
			   struct keyring **out)
{
	struct keyring *k = calloc(1, sizeof(*k));
	enum sg_err err = SG_OK;

	*out = NULL;
	if (k == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < settings->nkeys && err == SG_OK; i++) {
		const struct core_key_settings *from = &settings->key[i];
		struct key *key = &k->key[i];

		memcpy(key->label, from->label, sizeof(key->label));
		memcpy(key->hsm, from->hsm, sizeof(key->hsm));
		memcpy(key->country, from->country, sizeof(key->country));
		key->alg = from->alg;
		key->kinds = from->kinds;
		key->ledger = from->ledger;
		key->tls = from->tls;
		key->state = KEY_ACTIVE;
		k->n++;
		if (from->certificate[0] != '\0')
			err = key_read_certificate(key, from->certificate);
	}
	if (err != SG_OK) {
		keyring_free(k);
		return err;
	}
	*out = k;
	return SG_OK;
}

enum likeness { LIKE_SAME, LIKE_OTHER_TYPE, LIKE_OTHER };

/* How the public key in SPKI (DER) compares with that of KEY's certificate. */
static enum likeness compare(const struct key *key, struct span spki)
{
	const uint8_t *p = spki.p;
	const uint8_t *q = key->certificate;
	EVP_PKEY *ours = NULL;
	EVP_PKEY *theirs = d2i_PUBKEY(NULL, &p, (long)spki.n);
	X509 *cert = d2i_X509(NULL, &q, (long)key->certificate_n);
	enum likeness like = LIKE_OTHER;

	if (cert != NULL)
		ours = X509_get0_pubkey(cert);
	if (ours != NULL && theirs != NULL) {
		if (EVP_PKEY_get_base_id(ours) != EVP_PKEY_get_base_id(theirs))
			like = LIKE_OTHER_TYPE;
		else if (EVP_PKEY_eq(ours, theirs) == 1)
			like = LIKE_SAME;
	}
	X509_free(cert);
	EVP_PKEY_free(theirs);
	return like;
}

/* Is the public key of the token in SPKI that of KEY's certificate?  Two types
 * of key (plain RSA, and RSA that may only do PSS) do not compare: the test
 * signature tells. */
static bool same_public_key(const struct key *key, struct span spki)
{
	return compare(key, spki) != LIKE_OTHER;
}

/* Is the key in DER's certificate the one that KEY is bound to? */
static bool is_pinned(const struct key *key, struct span der)
{
	uint8_t hash[KEY_PIN_BYTES];

	return !key->pinned || (keyring_fingerprint(der, hash) == SG_OK &&
				memcmp(hash, key->pin, sizeof(hash)) == 0);
}

/* Is SPKI the public key of a key that signs, or that of the server where KEY
 * is one of them?  None of them may be both. */
static bool is_shared(const struct keyring *k, const struct key *key,
		      struct span spki)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct key *other = &k->key[i];

		if (other == key || other->tls == key->tls || spki.n == 0)
			continue;
		if (span_eq(spki, span_of(other->spki, other->spki_n)) ||
		    (other->certificate_n > 0 &&
		     compare(other, spki) == LIKE_SAME))
			return true;
	}
	return false;
}

static enum sg_err check_offer(const struct keyring *k, struct key *key,
			       const struct wire_hsm_key *from)
{
	if (from->alg != (int32_t)key->alg)
		return keyring_refused(key, SG_BAD_KEY,
				       "the token's key is for another "
				       "algorithm");
	if (is_shared(k, key, from->spki))
		return keyring_refused(key, SG_BAD_KEY,
				       "it signs certificates as well as TLS "
				       "handshakes");
	if (key->ledger)
		return keyring_take_ledger(key, from->spki);
	if (key->tls)
		return keyring_take_tls(key, from->spki);
	if (!key->has_dsc && from->certificate.n == 0)
		return keyring_refused(key, SG_BAD_KEY,
				       "neither the configuration nor the "
				       "token has a certificate");
	if (!key->has_dsc && !is_pinned(key, from->certificate))
		return keyring_refused(
			key, SG_BAD_KEY,
			"it is not the key that officers adopted");
	if (!key->has_dsc) {
		const enum sg_err err = keyring_certify(key, from->certificate);

		if (err != SG_OK)
			return err;
	}
	if (from->spki.n > 0 && !same_public_key(key, from->spki))
		return keyring_refused(key, SG_BAD_KEY,
				       "the token's key is not the "
				       "certificate's");
	return SG_OK;
}

enum sg_err keyring_offer(struct keyring *k, const struct wire_hsm_key *key,
			  size_t *index)
{
	for (size_t i = 0; i < k->n; i++) {
		if (keyring_is_free(&k->key[i]) ||
		    !span_is(key->label, k->key[i].label))
			continue;
		*index = i;
		return check_offer(k, &k->key[i], key);
	}
	return SG_NOT_FOUND;
}

/* --- renewal ------------------------------------------------------------ */

/* Has FRESH another certificate than KEY, from its file? */
static bool is_renewed(const struct key *key, const struct key *fresh)
{
	return fresh->has_dsc && (fresh->certificate_n != key->certificate_n ||
				  memcmp(fresh->certificate, key->certificate,
					 key->certificate_n) != 0);
}

/* The test signatures prove the key that is there: another takes a restart. */
static bool same_subject_key(const struct key *a, const struct key *b)
{
	const uint8_t *p = a->certificate;
	const uint8_t *q = b->certificate;
	X509 *x = d2i_X509(NULL, &p, (long)a->certificate_n);
	X509 *y = d2i_X509(NULL, &q, (long)b->certificate_n);
	bool same = false;

	if (x != NULL && y != NULL)
		same = EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(y)) ==
		       1;
	X509_free(x);
	X509_free(y);
	return same;
}

static enum sg_err check_renewal(const struct key *key, const struct key *fresh,
				 int64_t now)
{
	if (!is_renewed(key, fresh))
		return SG_OK;
	if (!same_subject_key(key, fresh))
		return keyring_refused(
			key, SG_BAD_KEY,
			"its new certificate is for another key: that "
			"takes a restart");
	if (now < fresh->dsc.not_before || now > fresh->dsc.not_after)
		return keyring_refused(key, SG_EXPIRED,
				       "its new certificate is not valid now");
	return SG_OK;
}

enum sg_err keyring_reread(const struct keyring *k,
			   const struct core_settings *settings, int64_t now,
			   struct keyring **out)
{
	enum sg_err err = keyring_create(settings, out);

	if (err != SG_OK)
		return err;
	if ((*out)->n > k->n) /* those that officers made come after them */
		err = SG_INTERNAL;
	for (size_t i = 0; err == SG_OK && i < (*out)->n; i++)
		err = check_renewal(&k->key[i], &(*out)->key[i], now);
	if (err != SG_OK) {
		keyring_free(*out);
		*out = NULL;
	}
	return err;
}

void keyring_renew(struct keyring *k, struct keyring *fresh)
{
	for (size_t i = 0; i < fresh->n; i++) {
		struct key *key = &k->key[i];
		const struct key old = *key;

		if (!is_renewed(key, &fresh->key[i]))
			continue;
		*key = fresh->key[i];
		key->state = old.state;
		key->pinned = old.pinned;
		memcpy(key->pin, old.pin, sizeof(key->pin));
		key->nformer = old.nformer;
		memcpy(key->former, old.former, sizeof(key->former));
		keyring_add_former(k, i, old.dsc.kid);
		fresh->key[i] = old;
		log_event(LOG_INFO, "key-renewed", "key=\"%s\" not_after=%lld",
			  key->label, (long long)key->dsc.not_after);
	}
	keyring_free(fresh);
}

/* --- what is there ------------------------------------------------------ */

bool keyring_valid(const struct keyring *k, size_t index, int64_t now)
{
	const struct key *key = &k->key[index];

	return key->state == KEY_ACTIVE && key->has_dsc &&
	       key->dsc.not_before <= now && now <= key->dsc.not_after;
}

bool keyring_signs(const struct keyring *k, size_t index, enum dcc_kind kind,
		   int64_t now)
{
	return (k->key[index].kinds & DCC_KIND_BIT(kind)) != 0 &&
	       keyring_valid(k, index, now);
}

void keyring_bounds(const struct keyring *k, enum dcc_kind kind, int64_t now,
		    struct policy_bounds *out)
{
	*out = (struct policy_bounds){.present = false};
	for (size_t i = 0; i < k->n; i++) {
		const struct policy_bounds *b = &k->key[i].bounds;

		if (!keyring_signs(k, i, kind, now))
			continue;
		if (!out->present || b->not_after > out->not_after)
			out->not_after = b->not_after;
		if (!out->present || b->not_before < out->not_before)
			out->not_before = b->not_before;
		out->present = true;
	}
}

bool keyring_has_kind(const struct keyring *k, enum dcc_kind kind)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];

		if ((key->state == KEY_ACTIVE || key->state == KEY_STOPPED ||
		     key->state == KEY_COMPROMISED) &&
		    (key->kinds & DCC_KIND_BIT(kind)) != 0)
			return true;
	}
	return false;
}

int64_t keyring_expiry(const struct keyring *k)
{
	int64_t earliest = 0;

	for (size_t i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];

		if (key->state == KEY_ACTIVE && key->has_dsc &&
		    (earliest == 0 || key->dsc.not_after < earliest))
			earliest = key->dsc.not_after;
	}
	return earliest;
}

size_t keyring_test_message(const struct key *key,
			    uint8_t out[KEYRING_TEST_MAX])
{
	const size_t prefix_n = sizeof(TEST_PREFIX) - 1;
	const size_t label_n = strnlen(key->label, sizeof(key->label));

	memcpy(out, TEST_PREFIX, prefix_n);
	memcpy(out + prefix_n, key->label, label_n);
	return prefix_n + label_n;
}

void keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n; i++) {
		cose_key_free(k->key[i].verifier);
		free(k->key[i].certificate);
		free(k->key[i].spki);
	}
	free(k);
}
