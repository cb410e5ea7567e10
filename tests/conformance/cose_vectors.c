/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cose_vectors DIR...: the COSE_Sign1 vectors below the directories, in the
 * JSON forms of cose-wg/Examples and gluecose/test-vectors, against
 * hcert/cose.h.  What must verify must verify, what must not must not, and the
 * Sig_structure must have the bytes that the vector states.  Says what failed,
 * what was skipped and why, and last "N passed, N failed, N skipped"; exits 0
 * when some passed and none failed.
 */
#include <ftw.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hcert/cose.h"

enum { BYTES_MAX = 4096, OPEN_DIRS_MAX = 16, BASE64_QUANTUM = 4 };

struct bytes {
	size_t n;
	uint8_t p[BYTES_MAX];
};

static unsigned passed;
static unsigned failed;
static unsigned skipped;

static struct span span_in(const struct bytes *b)
{
	return span_of(b->p, b->n);
}

/* --- values of the JSON --------------------------------------------------- */

static bool read_hex(const char *hex, struct bytes *out)
{
	out->n = 0;
	return hex[0] == '\0' || OPENSSL_hexstr2buf_ex(out->p, sizeof(out->p),
						       &out->n, hex, '\0') == 1;
}

/* base64url without padding (RFC 7515 s. 2), by way of plain base64. */
static bool read_base64url(const char *text, struct bytes *out)
{
	char plain[BYTES_MAX];
	const size_t n = strlen(text);
	const size_t padding =
		(BASE64_QUANTUM - n % BASE64_QUANTUM) % BASE64_QUANTUM;
	int got;

	if (n + padding >= sizeof(plain))
		return false;
	for (size_t i = 0; i < n; i++) {
		plain[i] = text[i];
		if (text[i] == '-')
			plain[i] = '+';
		else if (text[i] == '_')
			plain[i] = '/';
	}
	memset(plain + n, '=', padding);
	got = EVP_DecodeBlock(out->p, (const unsigned char *)plain,
			      (int)(n + padding));
	if (got < 0)
		return false;
	out->n = (size_t)got - padding;
	return true;
}

/* Member NAME of a key, in base64url, or NAME_hex. */
static bool read_member(const json_t *key, const char *name, struct bytes *out)
{
	char hex_name[32];
	const char *text = json_string_value(json_object_get(key, name));
	const char *hex;

	if (text != NULL)
		return read_base64url(text, out);
	(void)snprintf(hex_name, sizeof(hex_name), "%s_hex", name);
	hex = json_string_value(json_object_get(key, hex_name));
	return hex != NULL && read_hex(hex, out);
}

/* An optional member in hexadecimal: empty where it is absent. */
static bool read_optional_hex(const json_t *object, const char *name,
			      struct bytes *out)
{
	const char *hex = json_string_value(json_object_get(object, name));

	return read_hex(hex != NULL ? hex : "", out);
}

/* --- keys ----------------------------------------------------------------- */

static bool push_ec(OSSL_PARAM_BLD *build, const json_t *jwk)
{
	static struct bytes x;
	static struct bytes y;
	static struct bytes point;

	if (!read_member(jwk, "x", &x) || !read_member(jwk, "y", &y) ||
	    1 + x.n + y.n > sizeof(point.p))
		return false;
	point.p[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point.p + 1, x.p, x.n);
	memcpy(point.p + 1 + x.n, y.p, y.n);
	return OSSL_PARAM_BLD_push_utf8_string(build,
					       OSSL_PKEY_PARAM_GROUP_NAME,
					       "prime256v1", 0) == 1 &&
	       OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
						point.p, 1 + x.n + y.n) == 1;
}

static bool push_okp(OSSL_PARAM_BLD *build, const json_t *jwk)
{
	static struct bytes x;

	return read_member(jwk, "x", &x) &&
	       OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
						x.p, x.n) == 1;
}

/* The numbers must live until the parameters are made. */
static BIGNUM *rsa_n;
static BIGNUM *rsa_e;

static bool push_rsa(OSSL_PARAM_BLD *build, const json_t *jwk)
{
	static struct bytes n;
	static struct bytes e;

	if (!read_member(jwk, "n", &n) || !read_member(jwk, "e", &e))
		return false;
	rsa_n = BN_bin2bn(n.p, (int)n.n, rsa_n);
	rsa_e = BN_bin2bn(e.p, (int)e.n, rsa_e);
	return OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, rsa_n) ==
		       1 &&
	       OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, rsa_e) == 1;
}

static EVP_PKEY *make_pkey(const char *type, const OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, copy);
	OSSL_PARAM_free(copy);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* The JWK as a key of ours, by way of its SubjectPublicKeyInfo. */
static struct cose_key *read_key(const json_t *jwk, enum cose_alg alg)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	const char *type = "EC";
	struct cose_key *key = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *pkey = NULL;
	bool ok;
	int n;

	if (alg == COSE_PS256) {
		type = "RSA";
		ok = push_rsa(build, jwk);
	} else if (alg == COSE_EDDSA) {
		type = "ED25519";
		ok = push_okp(build, jwk);
	} else {
		ok = push_ec(build, jwk);
	}
	if (ok)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL)
		pkey = make_pkey(type, params);
	n = pkey != NULL ? i2d_PUBKEY(pkey, &der) : 0;
	if (n > 0 && cose_key_from_spki(span_of(der, (size_t)n), &key) != SG_OK)
		key = NULL;
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return key;
}

/* --- one vector ----------------------------------------------------------- */

struct vector {
	enum cose_alg alg;
	const json_t *jwk;
	struct bytes cose;
	struct bytes aad;
	bool has_tbs;
	struct bytes tbs; /* the Sig_structure that is stated */
	bool must_verify;
};

/* NULL when COSE verifies; else what stopped it. */
static const char *verify(const struct vector *v, struct cose_key *key,
			  bool *tbs_differs)
{
	static uint8_t tbs[BYTES_MAX];
	struct cose_sign1 s;
	size_t n;

	*tbs_differs = false;
	if (cose_sign1_decode(span_in(&v->cose), &s) != SG_OK)
		return "cose_sign1_decode";
	if (cose_sig_structure(s.prot, span_in(&v->aad), s.payload, tbs,
			       sizeof(tbs), &n) != SG_OK)
		return "cose_sig_structure";
	*tbs_differs =
		v->has_tbs && !span_eq(span_of(tbs, n), span_in(&v->tbs));
	if (cose_key_verify(key, s.alg, span_of(tbs, n), s.signature) != SG_OK)
		return "cose_key_verify";
	return NULL;
}

static void run_vector(const char *path, const struct vector *v)
{
	struct cose_key *key = read_key(v->jwk, v->alg);
	const char *wrong = "its key cannot be read";
	bool tbs_differs;

	if (key != NULL) {
		wrong = verify(v, key, &tbs_differs);
		if (!v->must_verify)
			wrong = wrong == NULL ? "verifies, and must not" : NULL;
		else if (tbs_differs)
			wrong = "another Sig_structure";
	}
	cose_key_free(key);
	if (wrong == NULL) {
		passed++;
		return;
	}
	failed++;
	printf("failed: %s: %s\n", path, wrong);
}

/* --- the two forms -------------------------------------------------------- */

static bool is_ours(const json_t *jwk, const char *alg_name, enum cose_alg *alg)
{
	const char *crv = json_string_value(json_object_get(jwk, "crv"));

	*alg = cose_alg_of(span_str(alg_name));
	if (*alg == COSE_EDDSA)
		return crv != NULL && strcmp(crv, "Ed25519") == 0;
	return *alg != COSE_NONE;
}

static void skip(const char *path, const char *why)
{
	skipped++;
	printf("skipped: %s: %s\n", path, why);
}

/* cose-wg: input.sign0, output.cbor, intermediates.ToBeSign_hex, fail. */
static void run_cose_wg(const char *path, const json_t *root)
{
	static struct vector v;
	const json_t *output = json_object_get(root, "output");
	const json_t *sign0 =
		json_object_get(json_object_get(root, "input"), "sign0");
	const char *alg = json_string_value(json_object_get(sign0, "alg"));

	if (sign0 == NULL) {
		skip(path, "not a COSE_Sign1");
		return;
	}
	v.jwk = json_object_get(sign0, "key");
	if (alg == NULL || !is_ours(v.jwk, alg, &v.alg)) {
		skip(path, alg != NULL ? alg : "no algorithm");
		return;
	}
	v.must_verify = !json_is_true(json_object_get(root, "fail"));
	v.has_tbs = true;
	if (!read_optional_hex(output, "cbor", &v.cose) ||
	    !read_optional_hex(sign0, "external", &v.aad) ||
	    !read_optional_hex(json_object_get(root, "intermediates"),
			       "ToBeSign_hex", &v.tbs)) {
		skip(path, "hexadecimal that does not fit");
		return;
	}
	run_vector(path, &v);
}

/* gluecose: sign1::verify, or sign1::sign with what it must give. */
static void run_gluecose(const char *path, const json_t *root)
{
	static struct vector v;
	const json_t *check = json_object_get(root, "sign1::verify");
	const json_t *sign = json_object_get(root, "sign1::sign");
	const json_t *part = check != NULL ? check : sign;
	const json_t *cose = json_object_get(
		part, check != NULL ? "taggedCOSESign1" : "expectedOutput");
	const char *alg = json_string_value(json_object_get(root, "alg"));

	v.jwk = json_object_get(root, "key");
	if (alg == NULL || !is_ours(v.jwk, alg, &v.alg)) {
		skip(path, alg != NULL ? alg : "no algorithm");
		return;
	}
	v.must_verify = check == NULL ||
			json_is_true(json_object_get(check, "shouldVerify"));
	v.has_tbs = check == NULL;
	if (!read_optional_hex(cose, "cborHex", &v.cose) ||
	    !read_optional_hex(part, "external", &v.aad) ||
	    !read_optional_hex(json_object_get(part, "tbsHex"), "cborHex",
			       &v.tbs)) {
		skip(path, "hexadecimal that does not fit");
		return;
	}
	run_vector(path, &v);
}

static int run_file(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	const size_t n = strlen(path);
	json_error_t error;
	json_t *root;

	(void)st;
	(void)ftw;
	if (type != FTW_F || n < 5 || strcmp(path + n - 5, ".json") != 0)
		return 0;
	root = json_load_file(path, 0, &error);
	if (root == NULL)
		skip(path, error.text);
	else if (json_object_get(root, "input") != NULL)
		run_cose_wg(path, root);
	else if (json_object_get(root, "sign1::verify") != NULL ||
		 json_object_get(root, "sign1::sign") != NULL)
		run_gluecose(path, root);
	else
		skip(path, "not a vector");
	json_decref(root);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s DIR...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		if (nftw(argv[i], run_file, OPEN_DIRS_MAX, FTW_PHYS) != 0) {
			perror(argv[i]);
			failed++;
		}
	BN_free(rsa_n);
	BN_free(rsa_e);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return passed > 0 && failed == 0 ? 0 : 1;
}
