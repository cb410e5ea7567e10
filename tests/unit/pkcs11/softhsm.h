/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_SOFTHSM_H
#define SG_TEST_SOFTHSM_H

/*
 * softhsm: SoftHSM2 tokens in a temporary directory, made by raw calls in a
 * child process, so that the test itself starts without the module.
 *
 *	alpha	ec (01, certificates), rsa (02), ed (03, Ed25519), twin (04
 *		and 05), loose (06, extractable), p384 (07), noid (no id, a
 *		certificate)
 *	beta	ec (01, certificate), rsa (02)
 */
#include <cmocka.h>
#include <dlfcn.h>
#include <ftw.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "pkcs11/spki.h"
#include "pkcs11/unconst.h"

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTHSM_PIN "824193"

struct softhsm {
	char dir[64];
	char pin_file[96];
	char wrong_pin_file[96];
};

/* The module's function list, by a handle that stays open. */
static inline CK_FUNCTION_LIST *softhsm_calls(void)
{
	void *handle = dlopen(SOFTHSM_MODULE, RTLD_NOW | RTLD_LOCAL);
	union {
		void *object;
		CK_C_GetFunctionList function;
	} symbol;
	CK_FUNCTION_LIST *f = NULL;

	assert_non_null(handle);
	symbol.object = dlsym(handle, "C_GetFunctionList");
	assert_non_null(symbol.object);
	assert_int_equal(symbol.function(&f), CKR_OK);
	return f;
}

static inline void softhsm_write(const struct softhsm *h, const char *name,
				 const char *text)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	assert_int_equal(fileio_replace(path, span_str(text), 0600), 0);
}

/* --- in the child: tokens and keys --- */

struct softhsm_key {
	const char *label;
	uint8_t id; /* 0: none */
	enum cose_alg alg;
	const char *curve; /* DER of CKA_EC_PARAMS */
	bool loose;
	unsigned certificates;
};

static inline void softhsm_check(bool good, const char *what, int line)
{
	if (good)
		return;
	(void)fprintf(stderr, "softhsm.h:%d: %s\n", line, what);
	_exit(1);
}
#define SOFTHSM_MUST(e) softhsm_check((e), #e, __LINE__)

#define SOFTHSM_P256 "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define SOFTHSM_P384 "\x06\x05\x2b\x81\x04\x00\x22"
#define SOFTHSM_ED25519                                                        \
	"\x13\x0c"                                                             \
	"edwards25519"

static inline CK_ATTRIBUTE softhsm_attr(CK_ATTRIBUTE_TYPE type, const void *p,
					size_t n)
{
	return (CK_ATTRIBUTE){type, unconst(p), n};
}

static inline struct span softhsm_spki(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s,
				       CK_OBJECT_HANDLE o, enum cose_alg alg)
{
	uint8_t a[600];
	uint8_t b[8];
	CK_ATTRIBUTE at[2] = {{CKA_EC_POINT, a, sizeof(a)},
			      {CKA_PUBLIC_EXPONENT, b, sizeof(b)}};
	struct span der = {NULL, 0};
	CK_ULONG n = 1;

	if (alg == COSE_PS256) {
		at[0].type = CKA_MODULUS;
		n = 2;
	}
	SOFTHSM_MUST(f->C_GetAttributeValue(s, o, at, n) == CKR_OK);
	if (alg == COSE_PS256)
		SOFTHSM_MUST(spki_rsa(span_of(a, at[0].ulValueLen),
				      span_of(b, at[1].ulValueLen), &der) == 0);
	else if (alg == COSE_ES256)
		SOFTHSM_MUST(spki_p256(span_of(a, at[0].ulValueLen), &der) ==
			     0);
	else
		SOFTHSM_MUST(spki_ed25519(span_of(a, at[0].ulValueLen), &der) ==
			     0);
	return der;
}

/* A certificate of the key in SPKI, from day BEGIN on, by a passing CA. */
static inline void softhsm_certificate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s,
				       const struct softhsm_key *k,
				       struct span spki, long begin)
{
	static const CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	static const CK_CERTIFICATE_TYPE type = CKC_X_509;
	static const CK_BBOOL yes = CK_TRUE;
	const uint8_t *p = spki.p;
	EVP_PKEY *public = d2i_PUBKEY(NULL, &p, (long)spki.n);
	EVP_PKEY *ca = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *der = NULL;
	unsigned char *subject = NULL;
	int n;
	int nsubject;
	CK_OBJECT_HANDLE o;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1000 + begin);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)k->label, -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), begin * 86400);
	X509_gmtime_adj(X509_getm_notAfter(x), (begin + 700) * 86400);
	X509_set_pubkey(x, public);
	SOFTHSM_MUST(X509_sign(x, ca, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	nsubject = i2d_X509_NAME(name, &subject);
	{
		CK_ATTRIBUTE t[] = {
			softhsm_attr(CKA_CLASS, &class, sizeof(class)),
			softhsm_attr(CKA_CERTIFICATE_TYPE, &type, sizeof(type)),
			softhsm_attr(CKA_TOKEN, &yes, sizeof(yes)),
			softhsm_attr(CKA_LABEL, k->label, strlen(k->label)),
			softhsm_attr(CKA_SUBJECT, subject, (size_t)nsubject),
			softhsm_attr(CKA_VALUE, der, (size_t)n),
			softhsm_attr(CKA_ID, &k->id, 1)};

		SOFTHSM_MUST(f->C_CreateObject(s, t, k->id != 0 ? 7 : 6, &o) ==
			     CKR_OK);
	}
	OPENSSL_free(der);
	OPENSSL_free(subject);
	X509_free(x);
	EVP_PKEY_free(ca);
	EVP_PKEY_free(public);
}

static inline void softhsm_generate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s,
				    const struct softhsm_key *k)
{
	static const CK_BBOOL yes = CK_TRUE;
	static const CK_BBOOL no = CK_FALSE;
	static const CK_ULONG bits = 2048;
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE pub[6] = {
		softhsm_attr(CKA_TOKEN, &yes, 1),
		softhsm_attr(CKA_VERIFY, &yes, 1),
		softhsm_attr(CKA_LABEL, k->label, strlen(k->label))};
	CK_ATTRIBUTE priv[8] = {
		softhsm_attr(CKA_TOKEN, &yes, 1),
		softhsm_attr(CKA_PRIVATE, &yes, 1),
		softhsm_attr(CKA_SIGN, &yes, 1),
		softhsm_attr(CKA_LABEL, k->label, strlen(k->label)),
		softhsm_attr(CKA_SENSITIVE, k->loose ? &no : &yes, 1),
		softhsm_attr(CKA_EXTRACTABLE, k->loose ? &yes : &no, 1)};
	CK_ULONG npub = 3;
	CK_ULONG npriv = 6;
	CK_OBJECT_HANDLE hpub;
	CK_OBJECT_HANDLE hpriv;

	if (k->alg == COSE_PS256) {
		m.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		pub[npub++] =
			softhsm_attr(CKA_MODULUS_BITS, &bits, sizeof(bits));
	} else {
		pub[npub++] = softhsm_attr(CKA_EC_PARAMS, k->curve,
					   2 + (size_t)k->curve[1]);
		if (k->alg == COSE_EDDSA)
			m.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
	}
	if (k->id != 0) {
		pub[npub++] = softhsm_attr(CKA_ID, &k->id, 1);
		priv[npriv++] = softhsm_attr(CKA_ID, &k->id, 1);
	}
	SOFTHSM_MUST(f->C_GenerateKeyPair(s, &m, pub, npub, priv, npriv, &hpub,
					  &hpriv) == CKR_OK);
	for (unsigned i = 0; i < k->certificates; i++) {
		struct span spki = softhsm_spki(f, s, hpub, k->alg);

		softhsm_certificate(f, s, k, spki, (long)(i * 10) - 100);
		OPENSSL_free(unconst(spki.p));
	}
}

static inline void softhsm_token(CK_FUNCTION_LIST *f, const char *label,
				 const struct softhsm_key *keys, size_t n)
{
	CK_UTF8CHAR padded[32];
	CK_UTF8CHAR pin[] = SOFTHSM_PIN;
	CK_SLOT_ID slots[16];
	CK_SLOT_ID slot = 0;
	CK_ULONG nslots = 0;
	CK_SESSION_HANDLE s = CK_INVALID_HANDLE;

	memset(padded, ' ', sizeof(padded));
	for (size_t i = 0; label[i] != '\0'; i++)
		padded[i] = (CK_UTF8CHAR)label[i];
	/* SoftHSM2 adds a slot for a further token when it is asked how many
	 * there are. */
	SOFTHSM_MUST(f->C_GetSlotList(CK_FALSE, NULL, &nslots) == CKR_OK);
	nslots = 16;
	SOFTHSM_MUST(f->C_GetSlotList(CK_FALSE, slots, &nslots) == CKR_OK);
	for (CK_ULONG i = 0; i < nslots; i++) {
		CK_TOKEN_INFO info;

		SOFTHSM_MUST(f->C_GetTokenInfo(slots[i], &info) == CKR_OK);
		if ((info.flags & CKF_TOKEN_INITIALIZED) == 0)
			slot = slots[i];
	}
	SOFTHSM_MUST(f->C_InitToken(slot, pin, 6, padded) == CKR_OK);
	SOFTHSM_MUST(f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
				      NULL, NULL, &s) == CKR_OK);
	SOFTHSM_MUST(f->C_Login(s, CKU_SO, pin, 6) == CKR_OK);
	SOFTHSM_MUST(f->C_InitPIN(s, pin, 6) == CKR_OK);
	SOFTHSM_MUST(f->C_Logout(s) == CKR_OK);
	SOFTHSM_MUST(f->C_Login(s, CKU_USER, pin, 6) == CKR_OK);
	for (size_t i = 0; i < n; i++)
		softhsm_generate(f, s, &keys[i]);
	SOFTHSM_MUST(f->C_CloseSession(s) == CKR_OK);
}

static inline void softhsm_populate(void)
{
	static const struct softhsm_key alpha[] = {
		{"ec", 1, COSE_ES256, SOFTHSM_P256, false, 3},
		{"rsa", 2, COSE_PS256, NULL, false, 0},
		{"ed", 3, COSE_EDDSA, SOFTHSM_ED25519, false, 0},
		{"twin", 4, COSE_ES256, SOFTHSM_P256, false, 0},
		{"twin", 5, COSE_ES256, SOFTHSM_P256, false, 0},
		{"loose", 6, COSE_ES256, SOFTHSM_P256, true, 0},
		{"p384", 7, COSE_ES256, SOFTHSM_P384, false, 0},
		{"noid", 0, COSE_ES256, SOFTHSM_P256, false, 1}};
	static const struct softhsm_key beta[] = {
		{"ec", 1, COSE_ES256, SOFTHSM_P256, false, 1},
		{"rsa", 2, COSE_PS256, NULL, false, 0}};
	CK_FUNCTION_LIST *f = softhsm_calls();

	SOFTHSM_MUST(f->C_Initialize(NULL) == CKR_OK);
	softhsm_token(f, "alpha", alpha, sizeof(alpha) / sizeof(alpha[0]));
	softhsm_token(f, "beta", beta, sizeof(beta) / sizeof(beta[0]));
	SOFTHSM_MUST(f->C_Finalize(NULL) == CKR_OK);
}

/* --- for the tests --- */

static inline void softhsm_make(struct softhsm *h)
{
	char path[96];
	char conf[192];
	int status;
	pid_t pid;

	memcpy(h->dir, "/tmp/signerd-test-XXXXXX", 25);
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(path, sizeof(path), "%s/tokens", h->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(conf, sizeof(conf),
		       "directories.tokendir = %s\n"
		       "objectstore.backend = file\nlog.level = ERROR\n",
		       path);
	softhsm_write(h, "softhsm2.conf", conf);
	softhsm_write(h, "pin", SOFTHSM_PIN "\n");
	softhsm_write(h, "wrong", "000000\n");
	(void)snprintf(h->pin_file, sizeof(h->pin_file), "%s/pin", h->dir);
	(void)snprintf(h->wrong_pin_file, sizeof(h->wrong_pin_file), "%s/wrong",
		       h->dir);
	(void)snprintf(path, sizeof(path), "%s/softhsm2.conf", h->dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
	assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		softhsm_populate();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static inline int softhsm_unlink(const char *path, const struct stat *st,
				 int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void softhsm_remove(const struct softhsm *h)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread by now */
	(void)nftw(h->dir, softhsm_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* What is given to the module for MESSAGE. */
static inline struct span softhsm_tbs(enum cose_alg alg, struct span message,
				      uint8_t digest[32])
{
	if (alg == COSE_EDDSA)
		return message;
	SHA256(message.p, message.n, digest);
	return span_of(digest, 32);
}

/* Does SIGNATURE over MESSAGE verify by SPKI? */
static inline bool softhsm_verifies(struct span spki, enum cose_alg alg,
				    struct span message, struct span signature)
{
	struct cose_key *key = NULL;
	enum sg_err e = cose_key_from_spki(spki, &key);

	if (e == SG_OK)
		e = cose_key_verify(key, alg, message, signature);
	cose_key_free(key);
	return e == SG_OK;
}

#endif /* SG_TEST_SOFTHSM_H */
