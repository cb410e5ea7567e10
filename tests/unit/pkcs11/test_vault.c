/* SPDX-License-Identifier: Apache-2.0 */
/* The vault on real tokens: finding, refusing, signing, mending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "vault_fixture.h"

/* Open with one key, for cases that must fail. */
static enum sg_err open_one(const char *uri, enum cose_alg alg)
{
	const struct worker_key_settings k = wanted("k", uri, alg);
	struct vault *v = NULL;
	const enum sg_err e = open_with(hsm.pin_file, 1, &k, 1, &v);

	if (e == SG_OK)
		vault_close(v, &watch);
	else
		assert_null(v);
	return e;
}

static void test_signs_with_every_algorithm(void **state)
{
	struct vault *v;

	(void)state;
	open_three(&v, 2);
	assert_int_equal(vault_lanes(v), 2);
	assert_int_equal(vault_keys(v), 4);
	for (size_t k = 0; k < 4; k++)
		for (uint32_t lane = 0; lane < 2; lane++)
			assert_signs(v, lane, k);
	vault_close(v, &watch);
	assert_int_equal(watch.since_us, 0);
}

/* Alpha holds an Ed25519 key, which libp11 cannot list: its public keys come
 * by raw calls; beta's come from libp11. */
static void test_public_halves(void **state)
{
	struct worker_key_settings keys[3];
	struct vault *v;
	const struct key *k;
	const uint8_t *p;
	X509 *x;

	(void)state;
	keys[0] = wanted("a", "pkcs11:token=alpha;object=ec", COSE_ES256);
	keys[1] = wanted("b", "pkcs11:token=beta;object=ec", COSE_ES256);
	keys[2] = wanted("c", "pkcs11:token=alpha;object=noid", COSE_ES256);
	assert_int_equal(open_with(hsm.pin_file, 1, keys, 3, &v), SG_OK);
	for (size_t i = 0; i < 3; i++) {
		k = vault_key(v, i);
		assert_true(k->spki.n > 0 && k->certificate.n > 0);
		assert_signs(v, 0, i);
		p = k->certificate.p;
		x = d2i_X509(NULL, &p, (long)k->certificate.n);
		assert_non_null(x);
		/* Of alpha's three, the newest: serial 1000 - 100 + 20. */
		if (i == 0)
			assert_int_equal(
				ASN1_INTEGER_get(X509_get_serialNumber(x)),
				920);
		X509_free(x);
	}
	assert_false(span_eq(vault_key(v, 0)->spki, vault_key(v, 1)->spki));
	vault_close(v, &watch);
}

static void test_refuses_what_does_not_fit(void **state)
{
	(void)state;
	assert_int_equal(open_one("pkcs11:token=gamma;object=ec", COSE_ES256),
			 SG_NOT_FOUND);
	assert_int_equal(open_one("pkcs11:token=alpha;object=none", COSE_ES256),
			 SG_NOT_FOUND);
	assert_int_equal(
		open_one("pkcs11:token=alpha;object=ec;id=%02", COSE_ES256),
		SG_NOT_FOUND);
	/* Both tokens, and both twins, would do. */
	assert_int_equal(open_one("pkcs11:object=ec", COSE_ES256), SG_CONFIG);
	assert_int_equal(open_one("pkcs11:token=alpha;object=twin", COSE_ES256),
			 SG_CONFIG);
	assert_int_equal(open_one("pkcs11:token=alpha;object=ec", COSE_PS256),
			 SG_BAD_KEY);
	assert_int_equal(open_one("pkcs11:token=alpha;object=rsa", COSE_ES256),
			 SG_BAD_KEY);
	assert_int_equal(open_one("pkcs11:token=alpha;object=ec", COSE_EDDSA),
			 SG_BAD_KEY);
	assert_int_equal(open_one("pkcs11:token=alpha;object=p384", COSE_ES256),
			 SG_BAD_KEY);
	assert_int_equal(open_one("pkcs11:token=alpha;object=ec", COSE_NONE),
			 SG_BAD_KEY);
	/* Each failure has left the module as it was. */
	assert_int_equal(
		open_one("pkcs11:token=alpha;object=twin;id=%05", COSE_ES256),
		SG_OK);
	assert_int_equal(
		open_one("pkcs11:token=alpha;object=loose", COSE_ES256), SG_OK);
}

static void test_refuses_a_wrong_pin(void **state)
{
	const struct worker_key_settings k =
		wanted("k", "pkcs11:token=alpha;object=ec", COSE_ES256);
	struct vault *v;

	(void)state;
	assert_int_equal(open_with(hsm.wrong_pin_file, 1, &k, 1, &v),
			 SG_PIN_REFUSED);
	assert_int_equal(open_with("/nonexistent/pin", 1, &k, 1, &v),
			 SG_CONFIG);
	assert_int_equal(open_with(hsm.pin_file, 1, &k, 1, &v), SG_OK);
	vault_close(v, &watch);
}

static void test_refuses_a_module_that_is_none(void **state)
{
	const struct worker_key_settings k =
		wanted("k", "pkcs11:token=alpha;object=ec", COSE_ES256);
	struct vault_settings s = {.module = "/nonexistent/module.so",
				   .pin_file = hsm.pin_file,
				   .sessions = 1,
				   .nkeys = 1,
				   .key = &k};
	struct vault *v;

	(void)state;
	assert_int_equal(vault_open(&s, &watch, &v), SG_TOKEN_DOWN);
	s.module = "libc.so.6"; /* loads, but is no module */
	assert_int_equal(vault_open(&s, &watch, &v), SG_TOKEN_DOWN);
	s.module = SOFTHSM_MODULE;
	s.nkeys = 0;
	assert_int_equal(vault_open(&s, &watch, &v), SG_CONFIG);
}

/* Everything that the application has on the token goes: sessions, login and
 * key handles. */
static void test_mends_lost_sessions(void **state)
{
	struct vault *v;
	const struct token *t;
	CK_OBJECT_HANDLE before;

	(void)state;
	open_three(&v, 2);
	t = vault_key(v, 0)->token;
	before = vault_key(v, 0)->handle;
	assert_signs(v, 0, 0);
	assert_int_equal(t->module->f->C_CloseAllSessions(t->slot), CKR_OK);
	for (uint32_t lane = 0; lane < 2; lane++)
		for (size_t k = 0; k < 4; k++)
			assert_signs(v, lane, k);
	/* SoftHSM2 never gives a number twice: the handles are new. */
	assert_int_not_equal(vault_key(v, 0)->handle, before);
	vault_close(v, &watch);
}

static void test_mends_a_lost_login(void **state)
{
	struct vault *v;
	CK_SESSION_HANDLE s;
	const struct token *t;

	(void)state;
	open_three(&v, 2);
	t = vault_key(v, 0)->token;
	assert_int_equal(t->module->f->C_OpenSession(
				 t->slot, CKF_SERIAL_SESSION, NULL, NULL, &s),
			 CKR_OK);
	assert_int_equal(t->module->f->C_Logout(s), CKR_OK);
	for (uint32_t lane = 0; lane < 2; lane++)
		for (size_t k = 0; k < 4; k++)
			assert_signs(v, lane, k);
	vault_close(v, &watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs_with_every_algorithm),
		cmocka_unit_test(test_public_halves),
		cmocka_unit_test(test_refuses_what_does_not_fit),
		cmocka_unit_test(test_refuses_a_wrong_pin),
		cmocka_unit_test(test_refuses_a_module_that_is_none),
		cmocka_unit_test(test_mends_lost_sessions),
		cmocka_unit_test(test_mends_a_lost_login),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
