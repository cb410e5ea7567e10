/* SPDX-License-Identifier: Apache-2.0 */
/* Signing without the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "module_fixture.h"

#include "tools/demo/import.h"

/* A key pair PKEY on the token under LABEL, and in a file of that name. */
static void put_key(const char *label, CK_BYTE id, EVP_PKEY *pkey)
{
	const struct import what = {.pkey = pkey, .label = label, .id = id};
	char path[192];
	CK_OBJECT_HANDLE public;
	FILE *file;

	assert_non_null(pkey);
	(void)snprintf(path, sizeof(path), "%s/%s.pem", hsm.dir, label);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL,
					 NULL) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(import_pair(f, enter(), &what, &public), CKR_OK);
	EVP_PKEY_free(pkey);
}

static int make_keys(void **state)
{
	(void)load(state);
	assert_int_equal(begin(""), CKR_OK);
	put_key("soft-ec", 0x21, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
	assert_int_equal(f->C_CloseAllSessions(slot_of("alpha")), CKR_OK);
	put_key("soft-rsa", 0x22,
		EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	assert_int_equal(f->C_Finalize(NULL), CKR_OK);
	return 0;
}

static CK_SESSION_HANDLE begin_software(void)
{
	char spec[512];

	(void)snprintf(spec, sizeof(spec),
		       "sign=software,key=%s/soft-rsa.pem,key=%s/soft-ec.pem,"
		       "fail=C_Sign:1000000:CKR_DEVICE_ERROR,STATE",
		       hsm.dir, hsm.dir);
	assert_int_equal(begin(spec), CKR_OK);
	return enter();
}

static void assert_genuine(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
			   const char *label, enum cose_alg alg)
{
	const struct span spki =
		softhsm_spki(f, s, find(s, CKO_PUBLIC_KEY, label), alg);
	uint8_t sig[COSE_SIG_MAX];
	CK_ULONG n;

	assert_int_equal(sign_with(s, key, alg, sig, &n), CKR_OK);
	assert_true(softhsm_verifies(spki, alg, MESSAGE, span_of(sig, n)));
	sig[n - 1] ^= 1;
	assert_false(softhsm_verifies(spki, alg, MESSAGE, span_of(sig, n)));
	OPENSSL_free(unconst(spki.p));
}

static void test_signs_genuinely(void **state)
{
	const CK_SESSION_HANDLE s = begin_software();

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_genuine(s, find(s, CKO_PRIVATE_KEY, "soft-ec"),
			       "soft-ec", COSE_ES256);
		assert_genuine(s, find(s, CKO_PRIVATE_KEY, "soft-rsa"),
			       "soft-rsa", COSE_PS256);
	}
}

static void test_a_copy_is_the_key(void **state)
{
	CK_SESSION_HANDLE s = begin_software();
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, sizeof(no)}};
	CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
	uint8_t sig[COSE_SIG_MAX];
	CK_ULONG n;

	(void)state;
	assert_int_equal(f->C_CopyObject(s, find(s, CKO_PRIVATE_KEY, "soft-ec"),
					 t, 1, &copy),
			 CKR_OK);
	assert_genuine(s, copy, "soft-ec", COSE_ES256);
	assert_genuine(open_one(), copy, "soft-ec", COSE_ES256);
	/* It is gone when it is destroyed, though its number was known. */
	assert_int_equal(f->C_DestroyObject(s, copy), CKR_OK);
	assert_int_not_equal(sign_with(s, copy, COSE_ES256, sig, &n), CKR_OK);
}

static void test_only_keys_that_are_given(void **state)
{
	const CK_SESSION_HANDLE s = begin_software();

	(void)state;
	assert_int_equal(sign_ec(s), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

static void test_the_token_still_rules(void **state)
{
	CK_SESSION_HANDLE s = begin_software();
	CK_OBJECT_HANDLE key = find(s, CKO_PRIVATE_KEY, "soft-ec");
	uint8_t sig[COSE_SIG_MAX];
	CK_ULONG n;

	(void)state;
	assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n), CKR_OK);
	assert_int_equal(sign_with(s + 1000, key, COSE_ES256, sig, &n),
			 CKR_SESSION_HANDLE_INVALID);
	assert_int_not_equal(sign_with(s, key + 1000, COSE_ES256, sig, &n),
			     CKR_OK);
	assert_int_equal(f->C_Logout(s), CKR_OK);
	assert_int_not_equal(sign_with(s, key, COSE_ES256, sig, &n), CKR_OK);
	assert_int_equal(log_in(s), CKR_OK);
	key = find(s, CKO_PRIVATE_KEY, "soft-ec");
	assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n), CKR_OK);
	assert_int_equal(f->C_CloseSession(s), CKR_OK);
	assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n),
			 CKR_SESSION_HANDLE_INVALID);
}

static void test_an_operation_is_as_the_standard_has_it(void **state)
{
	const CK_SESSION_HANDLE s = begin_software();
	CK_OBJECT_HANDLE key = find(s, CKO_PRIVATE_KEY, "soft-ec");
	CK_OBJECT_HANDLE rsa = find(s, CKO_PRIVATE_KEY, "soft-rsa");
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_MECHANISM pss = *mechanism_of(COSE_PS256);
	CK_RSA_PKCS_PSS_PARAMS params = {CKM_SHA_1, CKG_MGF1_SHA1, 20};
	uint8_t digest[32] = {1};
	uint8_t sig[COSE_SIG_MAX];
	CK_ULONG n = sizeof(sig);
	CK_MECHANISM *es256 = mechanism_of(COSE_ES256);

	(void)state;
	assert_int_equal(f->C_Sign(s, digest, 32, sig, &n),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(f->C_SignInit(s, NULL, key), CKR_ARGUMENTS_BAD);
	assert_int_equal(f->C_SignInit(s, &sha, key), CKR_MECHANISM_INVALID);
	pss.pParameter = &params;
	assert_int_equal(f->C_SignInit(s, &pss, rsa),
			 CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(f->C_SignInit(s, es256, key), CKR_OK);
	assert_int_equal(f->C_SignInit(s, es256, key), CKR_OPERATION_ACTIVE);
	/* Asking for the length ends nothing, nor does too little room. */
	assert_int_equal(f->C_Sign(s, digest, 32, NULL, &n), CKR_OK);
	assert_int_equal(n, 64);
	n = 63;
	assert_int_equal(f->C_Sign(s, digest, 32, sig, &n),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(n, 64);
	assert_int_equal(f->C_Sign(s, digest, 32, sig, &n), CKR_OK);
	/* A failure does. */
	assert_int_equal(f->C_SignInit(s, es256, key), CKR_OK);
	assert_int_equal(f->C_Sign(s, digest, 31, sig, &n), CKR_DATA_LEN_RANGE);
	assert_int_equal(f->C_Sign(s, digest, 32, sig, &n),
			 CKR_OPERATION_NOT_INITIALIZED);
	/* A known key by another's mechanism. */
	assert_int_equal(f->C_SignInit(s, mechanism_of(COSE_PS256), key),
			 CKR_KEY_TYPE_INCONSISTENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_signs_genuinely, forget),
		cmocka_unit_test_teardown(test_a_copy_is_the_key, forget),
		cmocka_unit_test_teardown(test_only_keys_that_are_given,
					  forget),
		cmocka_unit_test_teardown(test_the_token_still_rules, forget),
		cmocka_unit_test_teardown(
			test_an_operation_is_as_the_standard_has_it, forget),
	};

	return cmocka_run_group_tests(tests, make_keys, cleanup);
}
