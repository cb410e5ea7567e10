/* SPDX-License-Identifier: Apache-2.0 */
#include "csr.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "hcert/dsc.h"
#include "unconst.h"

/* AlgorithmIdentifier of RSASSA-PSS with SHA-256 twice and a salt of 32 bytes,
 * as RFC 4055 s. 3.1 spells it: what PS256 is. */
static const uint8_t PSS_SHA256[] = {
	0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
	0x0a, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
	0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a,
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30,
	0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
	0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20};

/* --- what is requested ---------------------------------------------------- */

static bool set_algorithm(X509_REQ *req, enum cose_alg alg)
{
	const uint8_t *p = PSS_SHA256;
	X509_ALGOR *a = NULL;
	bool good;

	if (alg == COSE_PS256) {
		a = d2i_X509_ALGOR(NULL, &p, sizeof(PSS_SHA256));
	} else {
		const int nid =
			alg == COSE_ES256 ? NID_ecdsa_with_SHA256 : NID_ED25519;

		a = X509_ALGOR_new();
		if (a != NULL && X509_ALGOR_set0(a, OBJ_nid2obj(nid),
						 V_ASN1_UNDEF, NULL) != 1) {
			X509_ALGOR_free(a);
			a = NULL;
		}
	}
	good = a != NULL && X509_REQ_set1_signature_algo(req, a) == 1;
	X509_ALGOR_free(a);
	return good;
}

static bool set_subject(X509_REQ *req, struct span der)
{
	const uint8_t *p = der.p;
	X509_NAME *name =
		der.n > 0 ? d2i_X509_NAME(NULL, &p, (long)der.n) : NULL;
	const bool good = name != NULL && p == der.p + der.n &&
			  X509_NAME_entry_count(name) > 0 &&
			  X509_REQ_set_subject_name(req, name) == 1;

	X509_NAME_free(name);
	return good;
}

static bool set_public_key(X509_REQ *req, struct span der)
{
	const uint8_t *p = der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	const bool good = key != NULL && p == der.p + der.n &&
			  X509_REQ_set_pubkey(req, key) == 1;

	EVP_PKEY_free(key);
	return good;
}

static bool add_key_usage(STACK_OF(X509_EXTENSION) * *to)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	const bool good = bits != NULL &&
			  ASN1_BIT_STRING_set_bit(bits, 0, 1) == 1 &&
			  X509V3_add1_i2d(to, NID_key_usage, bits, 1, 0) == 1;

	ASN1_BIT_STRING_free(bits);
	return good;
}

static bool push_usage(EXTENDED_KEY_USAGE *usages, enum dcc_kind kind)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(dcc_kind_oid(kind), 1);

	if (oid != NULL && sk_ASN1_OBJECT_push(usages, oid) > 0)
		return true;
	ASN1_OBJECT_free(oid);
	return false;
}

static bool add_kinds(STACK_OF(X509_EXTENSION) * *to, unsigned kinds)
{
	EXTENDED_KEY_USAGE *usages;
	bool good;

	if (kinds == DCC_ALL_KINDS) /* none means all */
		return true;
	usages = sk_ASN1_OBJECT_new_null();
	good = usages != NULL;
	for (int k = 0; k < DCC_KINDS && good; k++)
		if ((kinds & DCC_KIND_BIT(k)) != 0)
			good = push_usage(usages, (enum dcc_kind)k);
	good = good &&
	       X509V3_add1_i2d(to, NID_ext_key_usage, usages, 0, 0) == 1;
	sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
	return good;
}

static bool add_extensions(X509_REQ *req, unsigned kinds)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	const bool good = add_key_usage(&extensions) &&
			  add_kinds(&extensions, kinds) &&
			  X509_REQ_add_extensions(req, extensions) == 1;

	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return good;
}

enum sg_err csr_begin(struct span subject, struct span spki, unsigned kinds,
		      enum cose_alg alg, struct X509_req_st **out)
{
	X509_REQ *req = X509_REQ_new();
	enum sg_err e = SG_OK;

	*out = NULL;
	if (req == NULL)
		return SG_NO_MEMORY;
	if (!set_subject(req, subject) || kinds == 0 || kinds > DCC_ALL_KINDS)
		e = SG_MALFORMED;
	else if (!set_public_key(req, spki))
		e = SG_BAD_KEY;
	else if (X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
		 !add_extensions(req, kinds) || !set_algorithm(req, alg))
		e = SG_INTERNAL;
	ERR_clear_error();
	if (e == SG_OK)
		*out = req;
	else
		X509_REQ_free(req);
	return e;
}

enum sg_err csr_message(struct X509_req_st *req, struct span *out)
{
	unsigned char *der = NULL;
	const int n = i2d_re_X509_REQ_tbs(req, &der);

	ERR_clear_error();
	if (n <= 0)
		return SG_INTERNAL;
	*out = span_of(der, (size_t)n);
	return SG_OK;
}

/* --- its signature -------------------------------------------------------- */

/* r || s as X.509 has it (RFC 3279 s. 2.2.3), in a fresh buffer. */
static struct span ecdsa_der(struct span rs)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs.p, (int)(rs.n / 2), NULL);
	BIGNUM *s = BN_bin2bn(rs.p + rs.n / 2, (int)(rs.n / 2), NULL);
	unsigned char *der = NULL;
	int n = 0;

	if (sig != NULL && r != NULL && s != NULL &&
	    ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* SIG's now */
		n = i2d_ECDSA_SIG(sig, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return span_of(der, n > 0 ? (size_t)n : 0);
}

static bool put_signature(X509_REQ *req, struct span bytes)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	if (bits == NULL || ASN1_STRING_set(bits, bytes.p, (int)bytes.n) != 1) {
		ASN1_BIT_STRING_free(bits);
		return false;
	}
	/* All bits count: else zeros at the end would be cut off. */
	bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07L);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	X509_REQ_set0_signature(req, bits);
	return true;
}

/* As somebody else would see it. */
static bool verifies(struct span der)
{
	const uint8_t *p = der.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.n);
	EVP_PKEY *key = req != NULL ? X509_REQ_get0_pubkey(req) : NULL;
	const bool good = key != NULL && X509_REQ_verify(req, key) == 1;

	X509_REQ_free(req);
	return good;
}

enum sg_err csr_finish(struct X509_req_st *req, enum cose_alg alg,
		       struct span signature, struct span *out)
{
	const bool ecdsa = alg == COSE_ES256;
	const struct span bytes = ecdsa ? ecdsa_der(signature) : signature;
	unsigned char *der = NULL;
	enum sg_err e = SG_INTERNAL;
	int n = 0;

	if (bytes.n > 0 && put_signature(req, bytes))
		n = i2d_X509_REQ(req, &der);
	if (n > 0)
		e = verifies(span_of(der, (size_t)n)) ? SG_OK
						      : SG_BAD_SIGNATURE;
	if (e == SG_OK)
		*out = span_of(der, (size_t)n);
	else
		OPENSSL_free(der);
	if (ecdsa)
		OPENSSL_free(unconst(bytes.p));
	ERR_clear_error();
	return e;
}

/* --- in the HSM ----------------------------------------------------------- */

static enum sg_err sign(struct forge *f, struct key *key, struct span message,
			struct signature *sig, struct forged *out)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct span tbs = message;

	if (key->alg != COSE_EDDSA) {
		SHA256(message.p, message.n, digest);
		tbs = span_of(digest, sizeof(digest));
	}
	if (session_sign(&f->session, key, tbs, sig, f->watch) == CKR_OK)
		return SG_OK;
	return forge_fail_call(out, "C_Sign", sig->rv);
}

static enum sg_err request(struct forge *f, const struct wire_forge *task,
			   struct key *key, X509_REQ *req, struct forged *out)
{
	struct signature sig;
	struct span message;
	enum sg_err e = csr_message(req, &message);

	if (e != SG_OK)
		return forge_fail(out, e, "the request cannot be written");
	e = sign(f, key, message, &sig, out);
	OPENSSL_free(unconst(message.p));
	if (e != SG_OK)
		return e;
	e = csr_finish(req, (enum cose_alg)task->alg, span_of(sig.bytes, sig.n),
		       &out->csr);
	if (e != SG_OK)
		return forge_fail(out, e,
				  "the HSM's signature does not verify");
	out->spki = key->spki;
	key->spki = span_of(NULL, 0);
	return SG_OK;
}

void csr_make(struct forge *f, const struct wire_forge *task,
	      struct forged *out)
{
	X509_REQ *req = NULL;
	struct key key;
	enum sg_err e = forge_find(f, task, &key, out);

	if (e == SG_OK && !span_eq(key.spki, task->spki))
		e = forge_fail(out, SG_BAD_KEY,
			       "the key of this label on the token is another "
			       "one");
	if (e == SG_OK) {
		e = csr_begin(task->subject, key.spki, task->kinds, key.alg,
			      &req);
		if (e != SG_OK)
			(void)forge_fail(out, e,
					 e == SG_MALFORMED
						 ? "the subject or the kinds "
						   "are not valid"
						 : "the request cannot be "
						   "written");
	}
	if (e == SG_OK)
		(void)request(f, task, &key, req, out);
	X509_REQ_free(req);
	key_drop(&key);
}
