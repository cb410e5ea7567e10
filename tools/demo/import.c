/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

enum {
	NUMBERS_MAX = 8,
	NUMBER_BYTES = 512, /* RSA-4096 */
	P256_BYTES = 32,
	POINT_BYTES = 1 + 2 * P256_BYTES,
	ATTRIBUTES_MAX = 20
};

/* P-256, RFC 5480 s. 2.1.1.1, as a DER object identifier. */
static CK_BYTE p256_params[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
				0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

/* A template that grows, and room for the numbers in it. */
struct template
{
	CK_ATTRIBUTE attribute[ATTRIBUTES_MAX];
	CK_ULONG n;
	CK_BYTE number[NUMBERS_MAX][NUMBER_BYTES];
	size_t numbers;
};

static void put(struct template *t, CK_ATTRIBUTE_TYPE type, void *p, CK_ULONG n)
{
	t->attribute[t->n++] = (CK_ATTRIBUTE){type, p, n};
}

/* The key's number NAME, big-endian, padded to at least PAD bytes. */
static int put_number(struct template *t, CK_ATTRIBUTE_TYPE type,
		      const EVP_PKEY *pkey, const char *name, int pad)
{
	CK_BYTE *out = t->number[t->numbers];
	BIGNUM *bn = NULL;
	int n = -1;

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) > 0 &&
	    BN_num_bytes(bn) <= NUMBER_BYTES)
		n = BN_bn2binpad(bn, out,
				 BN_num_bytes(bn) > pad ? BN_num_bytes(bn)
							: pad);
	BN_clear_free(bn);
	if (n <= 0)
		return 0;
	t->numbers++;
	put(t, type, out, (CK_ULONG)n);
	return 1;
}

/* CKA_EC_POINT: the point as a DER octet string. */
static int put_point(struct template *t, const EVP_PKEY *pkey)
{
	CK_BYTE *out = t->number[t->numbers++];
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
					    out + 2, NUMBER_BYTES - 2,
					    &n) <= 0 ||
	    n != POINT_BYTES)
		return 0;
	out[0] = 0x04;
	out[1] = POINT_BYTES;
	put(t, CKA_EC_POINT, out, 2 + POINT_BYTES);
	return 1;
}

static int put_public(struct template *t, const EVP_PKEY *pkey)
{
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return put_number(t, CKA_MODULUS, pkey, OSSL_PKEY_PARAM_RSA_N,
				  0) &&
		       put_number(t, CKA_PUBLIC_EXPONENT, pkey,
				  OSSL_PKEY_PARAM_RSA_E, 0);
	put(t, CKA_EC_PARAMS, p256_params, sizeof(p256_params));
	return put_point(t, pkey);
}

static int put_private(struct template *t, const EVP_PKEY *pkey)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		const char *name;
	} rsa[] = {
		{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
		{CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
		{CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
		{CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
		{CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
		{CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
		{CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
		{CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
	};
	int good = 1;

	if (!EVP_PKEY_is_a(pkey, "RSA")) {
		put(t, CKA_EC_PARAMS, p256_params, sizeof(p256_params));
		return put_number(t, CKA_VALUE, pkey, OSSL_PKEY_PARAM_PRIV_KEY,
				  P256_BYTES);
	}
	for (size_t i = 0; i < sizeof(rsa) / sizeof(rsa[0]) && good; i++)
		good = put_number(t, rsa[i].type, pkey, rsa[i].name, 0);
	return good;
}

static CK_RV create(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		    const struct import *what, int private,
		    CK_OBJECT_HANDLE *out)
{
	struct template t = {.n = 0};
	char label[64];
	CK_BYTE id = what->id;
	CK_OBJECT_CLASS class = private ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = EVP_PKEY_is_a(what->pkey, "RSA") ? CKK_RSA : CKK_EC;
	const size_t n = strlen(what->label);
	CK_RV rv = CKR_GENERAL_ERROR;

	if (n > sizeof(label))
		return CKR_ARGUMENTS_BAD;
	memcpy(label, what->label, n);
	put(&t, CKA_CLASS, &class, sizeof(class));
	put(&t, CKA_KEY_TYPE, &type, sizeof(type));
	put(&t, CKA_TOKEN, &yes, sizeof(yes));
	put(&t, CKA_LABEL, label, n);
	put(&t, CKA_ID, &id, sizeof(id));
	put(&t, CKA_PRIVATE, private ? &yes : &no, sizeof(yes));
	put(&t, private ? CKA_SIGN : CKA_VERIFY, &yes, sizeof(yes));
	if (private) {
		put(&t, CKA_SENSITIVE, &yes, sizeof(yes));
		put(&t, CKA_EXTRACTABLE, &no, sizeof(no));
		put(&t, CKA_DECRYPT, &no, sizeof(no));
		put(&t, CKA_UNWRAP, &no, sizeof(no));
		put(&t, CKA_DERIVE, &no, sizeof(no));
	}
	if (private ? put_private(&t, what->pkey) : put_public(&t, what->pkey))
		rv = f->C_CreateObject(session, t.attribute, t.n, out);
	OPENSSL_cleanse(t.number, sizeof(t.number));
	return rv;
}

CK_RV import_pair(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		  const struct import *what, CK_OBJECT_HANDLE *public)
{
	CK_OBJECT_HANDLE private;
	const CK_RV rv = create(f, session, what, 1, &private);

	return rv != CKR_OK ? rv : create(f, session, what, 0, public);
}
