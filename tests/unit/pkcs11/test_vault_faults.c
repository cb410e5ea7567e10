/* SPDX-License-Identifier: Apache-2.0 */
/* The vault on a module that fails at will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "vault_fixture.h"

static struct {
	CK_FUNCTION_LIST calls; /* the true ones */
	CK_FUNCTION_LIST *list; /* the module's, patched in place */
	unsigned sign_fails;	/* so many C_Sign fail with RV */
	CK_RV rv;
	unsigned opens; /* C_OpenSession still allowed */
	/* So many of these succeed, and so many after them fail with RV. */
	unsigned opens_good, opens_bad;
	bool short_signature;
} fake;

static CK_RV fake_sign(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG n,
		       CK_BYTE *out, CK_ULONG *nout)
{
	const CK_RV rv = fake.calls.C_Sign(s, in, n, out, nout);

	if (fake.sign_fails > 0) {
		fake.sign_fails--;
		return fake.rv;
	}
	if (fake.short_signature)
		*nout -= 1;
	return rv;
}

static CK_RV fake_open(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
		       CK_NOTIFY notify, CK_SESSION_HANDLE *s)
{
	if (fake.opens == 0)
		return CKR_SESSION_COUNT;
	if (fake.opens_good > 0) {
		fake.opens_good--;
	} else if (fake.opens_bad > 0) {
		fake.opens_bad--;
		return fake.rv;
	}
	fake.opens--;
	return fake.calls.C_OpenSession(slot, flags, app, notify, s);
}

static CK_RV fake_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	const CK_RV rv = fake.calls.C_GetTokenInfo(slot, info);

	info->flags |= CKF_USER_PIN_FINAL_TRY;
	return rv;
}

/* libp11 and the vault share the module's own list, so that a change in it
 * reaches both. */
static int fake_begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.opens = 1000;
	fake.list = softhsm_calls();
	fake.calls = *fake.list;
	fake.list->C_Sign = fake_sign;
	fake.list->C_OpenSession = fake_open;
	return 0;
}

static int fake_end(void **state)
{
	(void)state;
	*fake.list = fake.calls;
	return 0;
}

static enum sg_err sign_one(struct vault *v, struct signature *sig)
{
	static const uint8_t digest[32] = {1};

	return vault_sign(v, 0, 0, span_of(digest, sizeof(digest)), sig);
}

static void test_one_failure_is_mended(void **state)
{
	static const CK_RV rvs[] = {
		CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
		CKR_USER_NOT_LOGGED_IN,	    CKR_DEVICE_REMOVED,
		CKR_TOKEN_NOT_PRESENT,	    CKR_OBJECT_HANDLE_INVALID,
		CKR_KEY_HANDLE_INVALID,	    CKR_DEVICE_ERROR,
		CKR_OPERATION_ACTIVE,	    CKR_FUNCTION_FAILED,
		CKR_GENERAL_ERROR,	    CKR_DEVICE_MEMORY,
		CKR_VENDOR_DEFINED | 7};
	struct vault *v;
	struct signature sig;

	(void)state;
	open_three(&v, 1);
	for (size_t i = 0; i < sizeof(rvs) / sizeof(rvs[0]); i++) {
		fake.sign_fails = 1;
		fake.rv = rvs[i];
		assert_int_equal(sign_one(v, &sig), SG_OK);
		assert_int_equal(fake.sign_fails, 0);
	}
	vault_close(v, &watch);
}

static void test_a_lasting_session_fault_ends_the_process(void **state)
{
	struct vault *v;
	struct signature sig;

	(void)state;
	open_three(&v, 1);
	fake.sign_fails = 2;
	fake.rv = CKR_DEVICE_REMOVED;
	assert_int_equal(sign_one(v, &sig), SG_TOKEN_DOWN);
	assert_int_equal(sig.rv, CKR_DEVICE_REMOVED);
	/* No new session is to be had. */
	fake.sign_fails = 1;
	fake.opens = 0;
	assert_int_equal(sign_one(v, &sig), SG_TOKEN_DOWN);
	fake.opens = 10;
	/* Nothing that this process could mend: not tried again. */
	fake.sign_fails = 2;
	fake.rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	assert_int_equal(sign_one(v, &sig), SG_TOKEN_DOWN);
	assert_int_equal(fake.sign_fails, 1);
	vault_close(v, &watch);
}

static void test_failures_in_a_row_end_the_process(void **state)
{
	struct vault *v;
	struct signature sig;

	(void)state;
	open_three(&v, 1);
	fake.rv = CKR_FUNCTION_FAILED;
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 1; i < VAULT_FAILURES_MAX; i++) {
			fake.sign_fails = 2;
			assert_int_equal(sign_one(v, &sig), SG_INTERNAL);
			assert_int_equal(sig.rv, CKR_FUNCTION_FAILED);
		}
		if (round == 0) /* a success begins the count anew */
			assert_int_equal(sign_one(v, &sig), SG_OK);
	}
	fake.sign_fails = 2;
	assert_int_equal(sign_one(v, &sig), SG_TOKEN_DOWN);
	vault_close(v, &watch);
}

static void test_a_jobs_own_fault_is_answered(void **state)
{
	struct vault *v;
	struct signature sig;

	(void)state;
	open_three(&v, 1);
	fake.rv = CKR_DATA_LEN_RANGE;
	for (unsigned i = 0; i < 2 * VAULT_FAILURES_MAX; i++) {
		fake.sign_fails = 1;
		assert_int_equal(sign_one(v, &sig), SG_INTERNAL);
		assert_int_equal(fake.sign_fails, 0);
	}
	/* A digest of a wrong length does not get as far as the module. */
	fake.sign_fails = 1;
	assert_int_equal(vault_sign(v, 0, 0, SPAN_LIT("31 bytes"), &sig),
			 SG_INTERNAL);
	assert_int_equal(vault_sign(v, 0, 1, SPAN_LIT(""), &sig), SG_INTERNAL);
	assert_int_equal(fake.sign_fails, 1);
	assert_int_equal(sig.rv, CKR_DATA_LEN_RANGE);
	vault_close(v, &watch);
}

static void test_a_short_signature_is_refused(void **state)
{
	struct vault *v;
	struct signature sig;

	(void)state;
	open_three(&v, 1);
	fake.short_signature = true;
	assert_int_equal(sign_one(v, &sig), SG_INTERNAL);
	assert_int_equal(sig.rv, CKR_SIGNATURE_LEN_RANGE);
	fake.short_signature = false;
	assert_int_equal(sign_one(v, &sig), SG_OK);
	vault_close(v, &watch);
}

static void test_takes_the_sessions_there_are(void **state)
{
	const struct worker_key_settings k =
		wanted("k", "pkcs11:token=alpha;object=ec", COSE_ES256);
	struct vault *v;

	(void)state;
	/* The probe and libp11 take one each before ours. */
	fake.opens = 2 + 3;
	assert_int_equal(open_with(hsm.pin_file, 8, &k, 1, &v), SG_OK);
	assert_int_equal(vault_lanes(v), 3);
	assert_signs(v, 2, 0);
	vault_close(v, &watch);
	fake.opens = 0;
	assert_int_equal(open_with(hsm.pin_file, 8, &k, 1, &v), SG_BUSY);
}

/* An error that comes and goes costs no session, and one that stays only those
 * that are not there yet. */
static void test_sessions_tried_again(void **state)
{
	const struct worker_key_settings k =
		wanted("k", "pkcs11:token=alpha;object=ec", COSE_ES256);
	struct vault *v;

	(void)state;
	fake.rv = CKR_DEVICE_ERROR;
	fake.opens_good = 2 + 2;
	fake.opens_bad = 2;
	assert_int_equal(open_with(hsm.pin_file, 4, &k, 1, &v), SG_OK);
	assert_int_equal(vault_lanes(v), 4);
	assert_signs(v, 3, 0);
	vault_close(v, &watch);
	fake.opens_good = 2 + 2;
	fake.opens_bad = 1000;
	assert_int_equal(open_with(hsm.pin_file, 4, &k, 1, &v), SG_OK);
	assert_int_equal(vault_lanes(v), 2);
	assert_int_equal(fake.opens_bad, 1000 - 3);
	fake.opens_bad = 0;
	vault_close(v, &watch);
	/* That there are no more is said once. */
	fake.rv = CKR_SESSION_COUNT;
	fake.opens_good = 2 + 2;
	fake.opens_bad = 1000;
	assert_int_equal(open_with(hsm.pin_file, 4, &k, 1, &v), SG_OK);
	assert_int_equal(vault_lanes(v), 2);
	assert_int_equal(fake.opens_bad, 1000 - 1);
	fake.opens_bad = 0;
	vault_close(v, &watch);
}

static void test_does_not_spend_the_last_try(void **state)
{
	const struct worker_key_settings k =
		wanted("k", "pkcs11:token=alpha;object=ec", COSE_ES256);
	struct vault *v;

	(void)state;
	fake.list->C_GetTokenInfo = fake_token_info;
	assert_int_equal(open_with(hsm.pin_file, 1, &k, 1, &v), SG_PIN_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_failure_is_mended,
						fake_begin, fake_end),
		cmocka_unit_test_setup_teardown(
			test_a_lasting_session_fault_ends_the_process,
			fake_begin, fake_end),
		cmocka_unit_test_setup_teardown(
			test_failures_in_a_row_end_the_process, fake_begin,
			fake_end),
		cmocka_unit_test_setup_teardown(
			test_a_jobs_own_fault_is_answered, fake_begin,
			fake_end),
		cmocka_unit_test_setup_teardown(
			test_a_short_signature_is_refused, fake_begin,
			fake_end),
		cmocka_unit_test_setup_teardown(
			test_takes_the_sessions_there_are, fake_begin,
			fake_end),
		cmocka_unit_test_setup_teardown(test_sessions_tried_again,
						fake_begin, fake_end),
		cmocka_unit_test_setup_teardown(
			test_does_not_spend_the_last_try, fake_begin, fake_end),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
