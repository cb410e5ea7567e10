/* SPDX-License-Identifier: Apache-2.0 */
/* Session copies: what they are, how long they live, and when the token's own
 * key takes over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "vault_fixture.h"

static struct {
	CK_FUNCTION_LIST calls; /* the true ones */
	CK_FUNCTION_LIST *list; /* the module's, patched in place */
	CK_OBJECT_HANDLE copy;	/* the last one made */
	CK_ATTRIBUTE_TYPE lie;	/* of the last copy: its boolean, inverted */
	CK_RV copy_rv;		/* C_CopyObject's, if not CKR_OK */
	CK_RV init_rv;		/* C_SignInit's for the last copy, likewise */
	bool same;		/* C_CopyObject gives the key's own handle */
	unsigned copies;
	unsigned opens; /* C_OpenSession still allowed */
} fake;

static CK_RV fake_copy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t,
		       CK_ULONG n, CK_OBJECT_HANDLE *out)
{
	fake.copies++;
	if (fake.copy_rv != CKR_OK)
		return fake.copy_rv;
	if (fake.same) {
		*out = o;
		return CKR_OK;
	}
	assert_int_equal(fake.calls.C_CopyObject(s, o, t, n, out), CKR_OK);
	fake.copy = *out;
	return CKR_OK;
}

static CK_RV fake_read(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t,
		       CK_ULONG n)
{
	const CK_RV rv = fake.calls.C_GetAttributeValue(s, o, t, n);

	if (fake.lie != 0 && o == fake.copy && t->type == fake.lie)
		*(CK_BBOOL *)t->pValue ^= 1;
	return rv;
}

static CK_RV fake_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE o)
{
	if (fake.init_rv != CKR_OK && o == fake.copy)
		return fake.init_rv;
	return fake.calls.C_SignInit(s, m, o);
}

static CK_RV fake_open(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
		       CK_NOTIFY notify, CK_SESSION_HANDLE *s)
{
	if (fake.opens == 0)
		return CKR_SESSION_COUNT;
	fake.opens--;
	return fake.calls.C_OpenSession(slot, flags, app, notify, s);
}

static int begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.opens = 1000;
	fake.list = softhsm_calls();
	fake.calls = *fake.list;
	fake.list->C_CopyObject = fake_copy;
	fake.list->C_GetAttributeValue = fake_read;
	fake.list->C_SignInit = fake_init;
	fake.list->C_OpenSession = fake_open;
	return 0;
}

static int end(void **state)
{
	(void)state;
	*fake.list = fake.calls;
	return 0;
}

static struct vault *open_copies(const char *uri, uint32_t sessions)
{
	const struct worker_key_settings k = wanted("k", uri, COSE_ES256);
	const struct vault_settings s = {.module = SOFTHSM_MODULE,
					 .pin_file = hsm.pin_file,
					 .sessions = sessions,
					 .session_copies = true,
					 .nkeys = 1,
					 .key = &k};
	struct vault *v = NULL;

	assert_int_equal(vault_open(&s, &watch, &v), SG_OK);
	return v;
}

#define ALPHA_EC "pkcs11:token=alpha;object=ec"

static CK_BBOOL attribute(const struct key *key, CK_OBJECT_HANDLE o,
			  CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = 2;
	CK_ATTRIBUTE a = {type, &value, sizeof(value)};

	assert_int_equal(
		fake.calls.C_GetAttributeValue(key->token->keeper, o, &a, 1),
		CKR_OK);
	return value;
}

static bool exists(const struct key *key, CK_OBJECT_HANDLE o)
{
	CK_ULONG n = 0;

	return fake.calls.C_GetObjectSize(key->token->keeper, o, &n) !=
	       CKR_OBJECT_HANDLE_INVALID;
}

/* As if the key had last been seen long ago. */
static void forget_seen(struct vault *v)
{
	struct key *key = unconst(vault_key(v, 0));

	key->seen_us = 0;
}

static void test_copies_are_as_safe_as_keys(void **state)
{
	struct worker_key_settings keys[4];
	const struct vault_settings s = {.module = SOFTHSM_MODULE,
					 .pin_file = hsm.pin_file,
					 .sessions = 2,
					 .session_copies = true,
					 .nkeys = 4,
					 .key = keys};
	struct vault *v;

	(void)state;
	keys[0] = wanted("ec", ALPHA_EC, COSE_ES256);
	keys[1] = wanted("rsa", "pkcs11:token=beta;object=rsa", COSE_PS256);
	keys[2] = wanted("ed", "pkcs11:token=alpha;object=ed", COSE_EDDSA);
	keys[3] =
		wanted("loose", "pkcs11:token=alpha;object=loose", COSE_ES256);
	assert_int_equal(vault_open(&s, &watch, &v), SG_OK);
	assert_int_equal(fake.copies, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct key *key = vault_key(v, i);
		const bool loose = i == 3;

		assert_int_not_equal(key->copy, CK_INVALID_HANDLE);
		assert_int_not_equal(key->copy, key->handle);
		assert_false(attribute(key, key->copy, CKA_TOKEN));
		assert_true(attribute(key, key->copy, CKA_PRIVATE));
		assert_int_equal(attribute(key, key->copy, CKA_SENSITIVE),
				 !loose);
		assert_int_equal(attribute(key, key->copy, CKA_EXTRACTABLE),
				 loose);
		assert_true(attribute(key, key->handle, CKA_TOKEN));
		assert_signs(v, 0, i);
		assert_signs(v, 1, i);
	}
	vault_close(v, &watch);
	assert_int_equal(watch.since_us, 0);
}

/* The copy is what signs: without it, nothing does. */
static void test_signs_with_the_copy(void **state)
{
	struct vault *v = open_copies(ALPHA_EC, 1);
	struct signature sig;
	uint8_t digest[32] = {1};

	(void)state;
	fake.init_rv = CKR_FUNCTION_FAILED;
	assert_int_equal(vault_sign_once(v, 0, 0, span_of(digest, 32), &sig),
			 CKR_FUNCTION_FAILED);
	assert_true(sig.by_copy);
	vault_close(v, &watch);
}

static void test_a_copy_outlives_other_sessions(void **state)
{
	struct vault *v = open_copies(ALPHA_EC, 2);
	const struct key *key = vault_key(v, 0);
	const CK_OBJECT_HANDLE copy = key->copy;

	(void)state;
	/* All but the keeper: SoftHSM2 counts its sessions from 1. */
	for (CK_SESSION_HANDLE i = 1; i < 64; i++)
		if (i != key->token->keeper)
			(void)fake.calls.C_CloseSession(i);
	assert_true(exists(key, copy));
	assert_signs(v, 0, 0);
	assert_signs(v, 1, 0);
	assert_int_not_equal(key->copy, CK_INVALID_HANDLE);
	vault_close(v, &watch);
}

/* What kills a copy leads to a new one: its own end, that of the session that
 * holds it, of all sessions, of the login. */
static void test_a_dead_copy_is_replaced(void **state)
{
	struct vault *v = open_copies(ALPHA_EC, 2);
	const struct key *key = vault_key(v, 0);
	const struct token *t = key->token;

	(void)state;
	for (int how = 0; how < 4; how++) {
		const CK_OBJECT_HANDLE before = key->copy;
		CK_SESSION_HANDLE s;

		assert_signs(v, 0, 0);
		assert_signs(v, 1, 0);
		if (how == 0)
			assert_int_equal(
				fake.calls.C_DestroyObject(t->keeper, before),
				CKR_OK);
		else if (how == 1)
			assert_int_equal(fake.calls.C_CloseSession(t->keeper),
					 CKR_OK);
		else if (how == 2)
			assert_int_equal(fake.calls.C_CloseAllSessions(t->slot),
					 CKR_OK);
		else
			assert_true(fake.calls.C_OpenSession(
					    t->slot, CKF_SERIAL_SESSION, NULL,
					    NULL, &s) == CKR_OK &&
				    fake.calls.C_Logout(s) == CKR_OK);
		assert_signs(v, 1, 0);
		assert_signs(v, 0, 0);
		assert_int_not_equal(key->copy, CK_INVALID_HANDLE);
		assert_int_not_equal(key->copy, before);
		assert_true(exists(key, key->copy));
	}
	vault_close(v, &watch);
}

static void test_a_module_may_refuse(void **state)
{
	static const CK_RV rvs[] = {CKR_FUNCTION_NOT_SUPPORTED,
				    CKR_ACTION_PROHIBITED,
				    CKR_TEMPLATE_INCONSISTENT};

	(void)state;
	for (size_t i = 0; i < sizeof(rvs) / sizeof(rvs[0]); i++) {
		struct vault *v;

		fake.copy_rv = rvs[i];
		v = open_copies(ALPHA_EC, 2);
		assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
		assert_signs(v, 0, 0);
		assert_signs(v, 1, 0);
		vault_close(v, &watch);
	}
}

/* A copy that is not as safe as its key, or not fit to sign, is not used, and
 * does not stay. */
static void test_a_lesser_copy_is_refused(void **state)
{
	static const CK_ATTRIBUTE_TYPE lies[] = {CKA_PRIVATE, CKA_SENSITIVE,
						 CKA_EXTRACTABLE, CKA_SIGN,
						 CKA_ALWAYS_AUTHENTICATE};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct vault *v;

		fake.lie = lies[i];
		v = open_copies(ALPHA_EC, 1);
		assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
		assert_false(exists(vault_key(v, 0), fake.copy));
		assert_signs(v, 0, 0);
		vault_close(v, &watch);
	}
}

/* What may be an object of the token, even the key itself, is not used, and
 * above all not destroyed. */
static void test_what_may_be_the_key_is_left_alone(void **state)
{
	struct vault *v;

	(void)state;
	fake.lie = CKA_TOKEN;
	v = open_copies(ALPHA_EC, 1);
	assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
	assert_true(exists(vault_key(v, 0), fake.copy));
	assert_signs(v, 0, 0);
	vault_close(v, &watch);
	fake.lie = 0;
	fake.same = true;
	v = open_copies(ALPHA_EC, 1);
	assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
	assert_signs(v, 0, 0);
	vault_close(v, &watch);
}

/* A module that makes copies and then cannot use them must not end in a circle
 * of new sessions and new processes. */
static void test_a_useless_copy_is_given_up(void **state)
{
	static const CK_RV rvs[] = {CKR_KEY_HANDLE_INVALID,
				    CKR_OBJECT_HANDLE_INVALID,
				    CKR_KEY_FUNCTION_NOT_PERMITTED,
				    CKR_GENERAL_ERROR, CKR_DEVICE_ERROR};

	(void)state;
	for (size_t i = 0; i < sizeof(rvs) / sizeof(rvs[0]); i++) {
		struct vault *v = open_copies(ALPHA_EC, 1);
		unsigned copies;

		fake.init_rv = rvs[i];
		assert_signs(v, 0, 0);
		assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
		assert_false(exists(vault_key(v, 0), fake.copy));
		copies = fake.copies;
		assert_signs(v, 0, 0);
		assert_int_equal(fake.copies, copies);
		vault_close(v, &watch);
		fake.init_rv = CKR_OK;
	}
}

static void test_without_a_session_to_spare(void **state)
{
	struct vault *v;

	(void)state;
	/* The probe and libp11 take one each before ours. */
	fake.opens = 2 + 1;
	v = open_copies(ALPHA_EC, 1);
	assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
	assert_int_equal(fake.copies, 0);
	assert_signs(v, 0, 0);
	vault_close(v, &watch);
}

static void test_only_when_asked(void **state)
{
	struct vault *v;

	(void)state;
	open_three(&v, 1);
	assert_int_equal(fake.copies, 0);
	assert_int_equal(vault_key(v, 0)->copy, CK_INVALID_HANDLE);
	assert_int_equal(vault_key(v, 0)->token->keeper, CK_INVALID_HANDLE);
	vault_close(v, &watch);
}

/* In a child: once told to, destroy beta's key. */
static void destroy_when_told(int told)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_UTF8CHAR pin[] = SOFTHSM_PIN;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof(class)},
			    {CKA_LABEL, unconst("ec"), 2}};
	CK_FUNCTION_LIST *f = softhsm_calls();
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE o;
	char go;

	SOFTHSM_MUST(read(told, &go, 1) == 1);
	SOFTHSM_MUST(f->C_Initialize(NULL) == CKR_OK);
	SOFTHSM_MUST(f->C_GetSlotList(CK_TRUE, slots, &n) == CKR_OK);
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;
		CK_ULONG found = 0;

		SOFTHSM_MUST(f->C_GetTokenInfo(slots[i], &info) == CKR_OK);
		if (memcmp(info.label, "beta ", 5) != 0)
			continue;
		SOFTHSM_MUST(
			f->C_OpenSession(slots[i],
					 CKF_SERIAL_SESSION | CKF_RW_SESSION,
					 NULL, NULL, &s) == CKR_OK);
		SOFTHSM_MUST(f->C_Login(s, CKU_USER, pin, 6) == CKR_OK);
		SOFTHSM_MUST(f->C_FindObjectsInit(s, t, 2) == CKR_OK);
		SOFTHSM_MUST(f->C_FindObjects(s, &o, 1, &found) == CKR_OK &&
			     found == 1);
		SOFTHSM_MUST(f->C_FindObjectsFinal(s) == CKR_OK);
		SOFTHSM_MUST(f->C_DestroyObject(s, o) == CKR_OK);
		_exit(0);
	}
	_exit(2);
}

/* Another process takes the key from the token: its copy may not sign on. */
static void test_a_copy_does_not_outlive_its_key(void **state)
{
	static const uint8_t digest[32] = {1};
	struct signature sig;
	struct vault *v;
	int told[2];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		destroy_when_told(told[0]);
	v = open_copies("pkcs11:token=beta;object=ec", 1);
	forget_seen(v);
	assert_signs(v, 0, 0);
	assert_true(vault_key(v, 0)->seen_us > 0);
	assert_int_equal(write(told[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	forget_seen(v);
	assert_int_equal(
		vault_sign(v, 0, 0, span_of(digest, sizeof(digest)), &sig),
		SG_TOKEN_DOWN);
	vault_close(v, &watch);
	(void)close(told[0]);
	(void)close(told[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_copies_are_as_safe_as_keys),
		TEST(test_signs_with_the_copy),
		TEST(test_a_copy_outlives_other_sessions),
		TEST(test_a_dead_copy_is_replaced),
		TEST(test_a_module_may_refuse),
		TEST(test_a_lesser_copy_is_refused),
		TEST(test_what_may_be_the_key_is_left_alone),
		TEST(test_a_useless_copy_is_given_up),
		TEST(test_without_a_session_to_spare),
		TEST(test_only_when_asked),
		TEST(test_a_copy_does_not_outlive_its_key),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make, cleanup);
}
