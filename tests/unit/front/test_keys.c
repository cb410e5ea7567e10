/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/base64.h"
#include "front/keys.h"
#include "hcert/cbor.h"

enum { KEYS = 4, DOC_MAX = 16384 };

/* What the fixture made: three live keys, and one never to be trusted. */
static struct {
	EVP_PKEY *key;
	uint8_t *der;
	size_t der_n;
	uint8_t kid[8];
} made[KEYS];
static uint8_t document[DOC_MAX], out[DOC_MAX];
static size_t document_n;

static void make_certificate(EVP_PKEY *key, const EVP_MD *md, int i)
{
	X509 *cert = X509_new();
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int n;

	assert_non_null(key);
	assert_non_null(cert);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), i + 1),
			 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, md) > 0);
	n = i2d_X509(cert, &made[i].der);
	assert_true(n > 0);
	made[i].der_n = (size_t)n;
	made[i].key = key;
	(void)SHA256(made[i].der, made[i].der_n, digest);
	memcpy(made[i].kid, digest, sizeof(made[i].kid));
	X509_free(cert);
}

static void put_key(struct cbor_writer *w, int i, const char *alg,
		    const char *state)
{
	cbor_put_map(w, 4);
	cbor_put_text(w, SPAN_LIT("alg"));
	cbor_put_text(w, span_str(alg));
	cbor_put_text(w, SPAN_LIT("kid"));
	cbor_put_bytes(w, span_of(made[i].kid, sizeof(made[i].kid)));
	cbor_put_text(w, SPAN_LIT("state"));
	cbor_put_text(w, span_str(state));
	cbor_put_text(w, SPAN_LIT("certificate"));
	cbor_put_bytes(w, span_of(made[i].der, made[i].der_n));
}

static int setup(void **state)
{
	struct cbor_writer w = cbor_write(document, sizeof(document));

	(void)state;
	make_certificate(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
			 EVP_sha256(), 0);
	make_certificate(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048),
			 EVP_sha256(), 1);
	make_certificate(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, 2);
	make_certificate(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
			 EVP_sha256(), 3);
	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("keys"));
	cbor_put_array(&w, KEYS);
	put_key(&w, 0, "ES256", "active");
	put_key(&w, 1, "PS256", "retired");
	put_key(&w, 2, "EdDSA", "active");
	put_key(&w, 3, "ES256", "compromised");
	document_n = w.len;
	return w.len > sizeof(document);
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		EVP_PKEY_free(made[i].key);
		OPENSSL_free(made[i].der);
	}
	return 0;
}

static struct span write_as(enum media form)
{
	size_t n = 0;

	assert_int_equal(keys_write(form, span_of(document, document_n), out,
				    sizeof(out), &n),
			 SG_OK);
	return span_of(out, n);
}

static const char *text(const json_t *map, const char *key)
{
	const char *s = json_string_value(json_object_get(map, key));

	return s == NULL ? "" : s;
}

static void assert_base64(const char *encoded, const void *p, size_t n)
{
	uint8_t bytes[4096];
	size_t got;

	assert_true(base64_decode(span_str(encoded), bytes, &got));
	assert_int_equal(got, n);
	assert_memory_equal(bytes, p, n);
}

static void test_json_shows_all(void **state)
{
	const struct span s = write_as(MEDIA_JSON);
	json_t *doc = json_loadb((const char *)s.p, s.n, 0, NULL);
	const json_t *keys = json_object_get(doc, "keys");

	(void)state;
	assert_int_equal(json_array_size(keys), KEYS);
	for (size_t i = 0; i < KEYS; i++) {
		const json_t *k = json_array_get(keys, i);

		assert_base64(text(k, "kid"), made[i].kid, 8);
		assert_base64(text(k, "certificate"), made[i].der,
			      made[i].der_n);
	}
	assert_string_equal(text(json_array_get(keys, 3), "state"),
			    "compromised");
	json_decref(doc);
}

static void test_cbor_is_the_document(void **state)
{
	(void)state;
	assert_true(
		span_eq(write_as(MEDIA_CBOR), span_of(document, document_n)));
}

static void test_pem(void **state)
{
	const struct span s = write_as(MEDIA_PEM);
	BIO *bio = BIO_new_mem_buf(s.p, (int)s.n);
	size_t n = 0;
	X509 *cert;

	(void)state;
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		uint8_t *der = NULL;
		const int len = i2d_X509(cert, &der);

		assert_int_equal(len, made[n].der_n);
		assert_memory_equal(der, made[n].der, made[n].der_n);
		OPENSSL_free(der);
		X509_free(cert);
		n++;
	}
	assert_int_equal(n, KEYS - 1);
	BIO_free(bio);
}

/* Base64url without padding, to bytes. */
static size_t unurl(const char *encoded, uint8_t *bytes)
{
	char padded[2048] = {0};
	size_t n = strlen(encoded);

	assert_true(n > 0 && n + 4 < sizeof(padded));
	for (size_t i = 0; i < n; i++) {
		assert_true(encoded[i] != '+' && encoded[i] != '/' &&
			    encoded[i] != '=');
		padded[i] = encoded[i];
		if (encoded[i] == '-')
			padded[i] = '+';
		if (encoded[i] == '_')
			padded[i] = '/';
	}
	while (n % 4 != 0)
		padded[n++] = '=';
	assert_true(base64_decode(span_of(padded, n), bytes, &n));
	return n;
}

static void assert_number(const json_t *jwk, const char *member, size_t width,
			  EVP_PKEY *key, const char *param)
{
	uint8_t bytes[1024];
	const size_t n = unurl(text(jwk, member), bytes);
	BIGNUM *want = NULL;
	BIGNUM *got = BN_bin2bn(bytes, (int)n, NULL);

	assert_int_equal(n, width);
	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &want), 1);
	assert_int_equal(BN_cmp(got, want), 0);
	BN_free(want);
	BN_free(got);
}

static void test_jwk_set(void **state)
{
	const struct span s = write_as(MEDIA_JWK_SET);
	json_t *doc = json_loadb((const char *)s.p, s.n, JSON_REJECT_DUPLICATES,
				 NULL);
	const json_t *keys = json_object_get(doc, "keys");
	const json_t *k = json_array_get(keys, 0);
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint8_t bytes[64];
	size_t n = sizeof(digest);

	(void)state;
	assert_int_equal(json_array_size(keys), KEYS - 1);
	assert_string_equal(text(k, "kty"), "EC");
	assert_string_equal(text(k, "crv"), "P-256");
	assert_string_equal(text(k, "alg"), "ES256");
	assert_string_equal(text(k, "use"), "sig");
	assert_base64(text(k, "kid"), made[0].kid, 8);
	assert_number(k, "x", 32, made[0].key, OSSL_PKEY_PARAM_EC_PUB_X);
	assert_number(k, "y", 32, made[0].key, OSSL_PKEY_PARAM_EC_PUB_Y);
	assert_base64(
		json_string_value(json_array_get(json_object_get(k, "x5c"), 0)),
		made[0].der, made[0].der_n);
	assert_int_equal(unurl(text(k, "x5t#S256"), bytes), sizeof(digest));
	(void)SHA256(made[0].der, made[0].der_n, digest);
	assert_memory_equal(bytes, digest, sizeof(digest));
	k = json_array_get(keys, 1);
	assert_string_equal(text(k, "kty"), "RSA");
	assert_string_equal(text(k, "alg"), "PS256");
	assert_null(json_object_get(k, "crv"));
	assert_number(k, "n", 256, made[1].key, OSSL_PKEY_PARAM_RSA_N);
	assert_number(k, "e", 3, made[1].key, OSSL_PKEY_PARAM_RSA_E);
	k = json_array_get(keys, 2);
	assert_string_equal(text(k, "kty"), "OKP");
	assert_string_equal(text(k, "crv"), "Ed25519");
	assert_string_equal(text(k, "alg"), "EdDSA");
	assert_null(json_object_get(k, "y"));
	assert_int_equal(EVP_PKEY_get_raw_public_key(made[2].key, digest, &n),
			 1);
	assert_int_equal(unurl(text(k, "x"), bytes), 32);
	assert_memory_equal(bytes, digest, 32);
	json_decref(doc);
}

static int64_t next_int(struct cbor_reader *r)
{
	struct cbor_item item;
	int64_t v = 0;

	assert_int_equal(cbor_next(r, &item), SG_OK);
	assert_true(cbor_int(&item, &v));
	return v;
}

static struct cbor_item next_item(struct cbor_reader *r, enum cbor_type type)
{
	struct cbor_item item;

	assert_int_equal(cbor_next(r, &item), SG_OK);
	assert_int_equal(item.type, type);
	return item;
}

static void test_cose_key_set(void **state)
{
	static const struct {
		uint64_t members;
		int64_t kty, alg;
	} want[] = {{6, 2, -7}, {5, 3, -37}, {5, 1, -8}};
	struct cbor_reader r =
		cbor_read(write_as(MEDIA_COSE_KEY_SET), CBOR_DETERMINISTIC);

	(void)state;
	assert_int_equal(cbor_check(r.in, (struct cbor_limits){3, 100}), SG_OK);
	assert_int_equal(next_item(&r, CBOR_ARRAY).arg, KEYS - 1);
	for (size_t i = 0; i < KEYS - 1; i++) {
		assert_int_equal(next_item(&r, CBOR_MAP).arg, want[i].members);
		assert_int_equal(next_int(&r), 1);
		assert_int_equal(next_int(&r), want[i].kty);
		assert_int_equal(next_int(&r), 2);
		assert_true(span_eq(next_item(&r, CBOR_BYTES).run,
				    span_of(made[i].kid, 8)));
		assert_int_equal(next_int(&r), 3);
		assert_int_equal(next_int(&r), want[i].alg);
		for (uint64_t k = 3; k < want[i].members; k++) {
			assert_int_equal(cbor_skip(&r, 1, NULL), SG_OK);
			assert_int_equal(cbor_skip(&r, 1, NULL), SG_OK);
		}
	}
	assert_true(cbor_at_end(&r));
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {"",
					  "\xa0",
					  "\x80",
					  "\xa1\x64keyz\x80",
					  "\xa1\x64keys\xa0",
					  "\xa1\x64keys\x81\x01"};
	/* {"keys": [{"certificate": h'00'}]} */
	static const char junk[] = "\xa1\x64keys\x81\xa1\x6b"
				   "certificate\x41\x00";
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(keys_write(MEDIA_JWK_SET, span_str(bad[i]),
					    out, sizeof(out), &n),
				 SG_MALFORMED);
	assert_int_equal(keys_write(MEDIA_JWK_SET,
				    span_of(junk, sizeof(junk) - 1), out,
				    sizeof(out), &n),
			 SG_MALFORMED);
	assert_int_equal(keys_write(MEDIA_PEM, span_of(document, document_n),
				    out, 100, &n),
			 SG_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_shows_all),
		cmocka_unit_test(test_cbor_is_the_document),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_jwk_set),
		cmocka_unit_test(test_cose_key_set),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
