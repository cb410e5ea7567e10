/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-token MODULE TOKEN PIN-FILE KEY ES256|PS256|EdDSA [KEY-FILE]
 *
 * For tools/quickstart: initialise the module's first blank token under the
 * label TOKEN with the PIN in PIN-FILE, make the key pair KEY on it, which can
 * sign and nothing else and never leaves it, and print the public key (PEM).
 * With KEY-FILE, which must not exist, the key is made outside, put onto the
 * token and into that file: for a test module that signs in software.
 * The security officer's PIN is random and kept nowhere: a demo's token is
 * thrown away, not reset.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "hcert/cose.h"
#include "import.h"
#include "pkcs11/ckr.h"
#include "pkcs11/module.h"
#include "pkcs11/object.h"
#include "pkcs11/pin.h"
#include "pkcs11/spki.h"

enum {
	SLOTS_MAX = 64,
	SO_PIN_BYTES = 16,
	RSA_BITS = 2048,
	ATTRIBUTE_MAX = 1024
};

/* PKCS #11 v2.40 s. 4.6: the label is padded with spaces, not terminated. */
enum { TOKEN_LABEL = 32 };

/* P-256, RFC 5480 s. 2.1.1.1, as a DER object identifier. */
static CK_BYTE p256_params[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
				0xce, 0x3d, 0x03, 0x01, 0x07};
/* Ed25519 by its curve's name, a DER PrintableString: PKCS #11 v3.0 s. 2.3.5.
 */
static CK_BYTE ed25519_params[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
				   'd',	 's',  '2', '5', '5', '1', '9'};
static CK_BYTE rsa_exponent[] = {0x01, 0x00, 0x01};

struct job {
	const char *token, *key;
	const char *key_file; /* NULL: the key is made on the token */
	enum cose_alg alg;
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	struct pin pin, so_pin;
};

static enum sg_err said(const char *call, CK_RV rv)
{
	if (rv == CKR_OK)
		return SG_OK;
	(void)fprintf(stderr, "demo-token: %s: %s\n", call, ckr_name(rv));
	return SG_TOKEN_DOWN;
}

static enum sg_err find_blank(struct job *j)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	const enum sg_err err =
		said("C_GetSlotList", j->f->C_GetSlotList(CK_TRUE, slots, &n));

	if (err != SG_OK)
		return err;
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;

		if (j->f->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    (info.flags & CKF_TOKEN_INITIALIZED) == 0) {
			j->slot = slots[i];
			return SG_OK;
		}
	}
	(void)fputs("demo-token: no blank token\n", stderr);
	return SG_NOT_FOUND;
}

static enum sg_err initialise(struct job *j)
{
	CK_FUNCTION_LIST *f = j->f;
	CK_UTF8CHAR label[TOKEN_LABEL];
	const size_t n = strlen(j->token);
	enum sg_err err;

	memset(label, ' ', sizeof(label));
	memcpy(label, j->token, n < sizeof(label) ? n : sizeof(label));
	err = said("C_InitToken", f->C_InitToken(j->slot, j->so_pin.bytes,
						 j->so_pin.n, label));
	if (err == SG_OK)
		err = said("C_OpenSession",
			   f->C_OpenSession(j->slot,
					    CKF_SERIAL_SESSION | CKF_RW_SESSION,
					    NULL, NULL, &j->session));
	if (err == SG_OK)
		err = said("C_Login", f->C_Login(j->session, CKU_SO,
						 j->so_pin.bytes, j->so_pin.n));
	if (err == SG_OK)
		err = said("C_InitPIN",
			   f->C_InitPIN(j->session, j->pin.bytes, j->pin.n));
	if (err == SG_OK)
		err = said("C_Logout", f->C_Logout(j->session));
	if (err == SG_OK)
		err = said("C_Login", f->C_Login(j->session, CKU_USER,
						 j->pin.bytes, j->pin.n));
	return err;
}

static CK_MECHANISM_TYPE mechanism_of(enum cose_alg alg)
{
	switch (alg) {
	case COSE_PS256: return CKM_RSA_PKCS_KEY_PAIR_GEN;
	case COSE_EDDSA: return CKM_EC_EDWARDS_KEY_PAIR_GEN;
	default: return CKM_EC_KEY_PAIR_GEN;
	}
}

static enum sg_err generate(struct job *j, CK_OBJECT_HANDLE *public)
{
	CK_BBOOL yes = CK_TRUE;
	CK_BBOOL no = CK_FALSE;
	CK_BYTE id = 1;
	CK_ULONG bits = RSA_BITS;
	char label[64];
	CK_OBJECT_HANDLE private;
	const bool rsa = j->alg == COSE_PS256;
	const bool ed = j->alg == COSE_EDDSA;
	CK_MECHANISM mechanism = {mechanism_of(j->alg), NULL, 0};
	const CK_ULONG label_n =
		(CK_ULONG)snprintf(label, sizeof(label), "%.63s", j->key);
	/* The last ones are the kind's own. */
	CK_ATTRIBUTE pub[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &no, sizeof(no)},
		{CKA_LABEL, label, label_n},
		{CKA_ID, &id, sizeof(id)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_ENCRYPT, &no, sizeof(no)},
		{CKA_WRAP, &no, sizeof(no)},
		{CKA_EC_PARAMS, ed ? ed25519_params : p256_params,
		 ed ? sizeof(ed25519_params) : sizeof(p256_params)},
		{CKA_PUBLIC_EXPONENT, rsa_exponent, sizeof(rsa_exponent)},
	};
	const CK_ULONG npub = sizeof(pub) / sizeof(pub[0]) - (rsa ? 0 : 1);
	CK_ATTRIBUTE priv[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_LABEL, label, label_n},
		{CKA_ID, &id, sizeof(id)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_EXTRACTABLE, &no, sizeof(no)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_DECRYPT, &no, sizeof(no)},
		{CKA_UNWRAP, &no, sizeof(no)},
		{CKA_DERIVE, &no, sizeof(no)},
	};

	if (rsa)
		pub[npub - 2] =
			(CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof(bits)};
	return said("C_GenerateKeyPair",
		    j->f->C_GenerateKeyPair(
			    j->session, &mechanism, pub, npub, priv,
			    sizeof(priv) / sizeof(priv[0]), public, &private));
}

/* PKEY into the file, which only its owner may read. */
static enum sg_err write_key(const char *path, const EVP_PKEY *pkey)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    S_IRUSR | S_IWUSR);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool good = file != NULL && PEM_write_PrivateKey(file, pkey, NULL, NULL,
							 0, NULL, NULL) > 0;

	if (file != NULL)
		good = fclose(file) == 0 && good;
	if (good)
		return SG_OK;
	(void)fprintf(stderr, "demo-token: cannot write %s\n", path);
	return SG_IO;
}

static enum sg_err generate_outside(struct job *j, CK_OBJECT_HANDLE *public)
{
	EVP_PKEY *pkey =
		j->alg == COSE_PS256
			? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
			: EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	const struct import what = {.pkey = pkey, .label = j->key, .id = 1};
	enum sg_err err = SG_NO_MEMORY;

	if (pkey != NULL)
		err = write_key(j->key_file, pkey);
	if (err == SG_OK)
		err = said("C_CreateObject",
			   import_pair(j->f, j->session, &what, public));
	EVP_PKEY_free(pkey);
	return err;
}

/* The public key's SubjectPublicKeyInfo, from its attributes. */
static enum sg_err read_public(struct job *j, CK_OBJECT_HANDLE public,
			       struct span *spki)
{
	uint8_t a[ATTRIBUTE_MAX];
	uint8_t b[ATTRIBUTE_MAX];
	size_t na = sizeof(a);
	size_t nb = sizeof(b);
	const bool rsa = j->alg == COSE_PS256;
	CK_RV rv;

	rv = object_read(j->f, j->session, public,
			 rsa ? CKA_MODULUS : CKA_EC_POINT, a, &na);
	if (rv == CKR_OK && rsa)
		rv = object_read(j->f, j->session, public, CKA_PUBLIC_EXPONENT,
				 b, &nb);
	if (rv != CKR_OK)
		return said("C_GetAttributeValue", rv);
	if (j->alg == COSE_EDDSA)
		return spki_ed25519(span_of(a, na), spki);
	return rsa ? spki_rsa(span_of(a, na), span_of(b, nb), spki)
		   : spki_p256(span_of(a, na), spki);
}

static enum sg_err print_public(struct span spki)
{
	return PEM_write(stdout, PEM_STRING_PUBLIC, "", spki.p, (long)spki.n) >
				       0 &&
			       fflush(stdout) == 0
		       ? SG_OK
		       : SG_IO;
}

static enum sg_err make(struct job *j)
{
	CK_OBJECT_HANDLE public;
	struct span spki;
	void *bytes;
	enum sg_err err = find_blank(j);

	if (err == SG_OK)
		err = initialise(j);
	if (err == SG_OK)
		err = j->key_file != NULL ? generate_outside(j, &public)
					  : generate(j, &public);
	if (err == SG_OK)
		err = read_public(j, public, &spki);
	if (err != SG_OK)
		return err;
	err = print_public(spki);
	memcpy(&bytes, &spki.p, sizeof(bytes)); /* ours, const for others */
	OPENSSL_free(bytes);
	return err;
}

int main(int argc, char *argv[])
{
	static uint8_t so_pin[2 * SO_PIN_BYTES + 1];
	uint8_t random[SO_PIN_BYTES];
	struct job j = {.slot = 0};
	struct module *module;
	enum sg_err err;

	if (argc == 6 || argc == 7)
		j.alg = cose_alg_of(span_str(argv[5]));
	if ((argc != 6 && argc != 7) || j.alg == COSE_NONE) {
		(void)fputs("usage: demo-token MODULE TOKEN PIN-FILE KEY "
			    "ES256|PS256|EdDSA [KEY-FILE]\n",
			    stderr);
		return 2;
	}
	j.token = argv[2];
	j.key = argv[4];
	j.key_file = argc == 7 ? argv[6] : NULL;
	if (j.key_file != NULL && j.alg == COSE_EDDSA) {
		(void)fputs("demo-token: a key that is made outside of the "
			    "token is ES256 or PS256\n",
			    stderr);
		return 2;
	}
	if (RAND_priv_bytes(random, sizeof(random)) != 1 ||
	    OPENSSL_buf2hexstr_ex((char *)so_pin, sizeof(so_pin), NULL, random,
				  sizeof(random), '\0') != 1 ||
	    pin_read(argv[3], &j.pin) != SG_OK)
		return 1;
	j.so_pin = (struct pin){.bytes = so_pin, .n = sizeof(so_pin) - 1};
	err = module_load(argv[1], &module);
	if (err == SG_OK) {
		j.f = module->f;
		err = make(&j);
		module_unload(module);
	}
	pin_wipe(&j.pin);
	OPENSSL_cleanse(so_pin, sizeof(so_pin));
	OPENSSL_cleanse(random, sizeof(random));
	return err == SG_OK ? 0 : 1;
}
