/* SPDX-License-Identifier: Apache-2.0 */
/* A smith's tasks on a module that fails, or makes other keys than asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "forge_fixture.h"

static struct {
	CK_FUNCTION_LIST calls; /* the true ones */
	CK_FUNCTION_LIST *list; /* the module's, patched in place */
	CK_RV generate, sign, find, destroy, open;
	CK_ATTRIBUTE_TYPE lie;	   /* that boolean is read as its opposite */
	CK_ATTRIBUTE_TYPE hidden;  /* that one cannot be read */
	CK_ATTRIBUTE_TYPE refuses; /* a template with it is refused */
	unsigned full;		   /* so many sessions are refused */
	bool oid_only;		   /* Ed25519 by its name is refused */
	bool other_bits;	   /* RSA keys have 2048 bits */
	bool other_signature;
	unsigned generated, destroyed;
} fake;

static const CK_ATTRIBUTE *in(const CK_ATTRIBUTE *t, CK_ULONG n,
			      CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < n; i++)
		if (t[i].type == type)
			return &t[i];
	return NULL;
}

/* NOLINTNEXTLINE(readability-function-size): the standard's own */
static CK_RV fake_generate(CK_SESSION_HANDLE s, CK_MECHANISM *m,
			   CK_ATTRIBUTE *pub, CK_ULONG npub, CK_ATTRIBUTE *priv,
			   CK_ULONG npriv, CK_OBJECT_HANDLE *hpub,
			   CK_OBJECT_HANDLE *hpriv)
{
	static CK_BYTE name[] = SOFTHSM_ED25519;
	static CK_ULONG bits = 2048;
	CK_ATTRIBUTE *curve = unconst(in(pub, npub, CKA_EC_PARAMS));
	CK_ATTRIBUTE *modulus = unconst(in(pub, npub, CKA_MODULUS_BITS));
	CK_RV rv;

	if (fake.generate != CKR_OK)
		return fake.generate;
	if (fake.refuses != 0 && (in(priv, npriv, fake.refuses) != NULL ||
				  in(pub, npub, fake.refuses) != NULL))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	if (fake.oid_only && curve != NULL && curve->ulValueLen == 14)
		return CKR_CURVE_NOT_SUPPORTED;
	if (fake.oid_only && curve != NULL) {
		curve->pValue = name;
		curve->ulValueLen = 14;
	}
	if (fake.other_bits && modulus != NULL)
		modulus->pValue = &bits;
	rv = fake.calls.C_GenerateKeyPair(s, m, pub, npub, priv, npriv, hpub,
					  hpriv);
	fake.generated += rv == CKR_OK;
	return rv;
}

static CK_RV fake_read(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t,
		       CK_ULONG n)
{
	const CK_RV rv = fake.calls.C_GetAttributeValue(s, o, t, n);

	if (fake.hidden != 0 && in(t, n, fake.hidden) != NULL)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	for (CK_ULONG i = 0; i < n && rv == CKR_OK; i++)
		if (t[i].type == fake.lie && t[i].ulValueLen == 1)
			*(CK_BBOOL *)t[i].pValue ^= 1;
	return rv;
}

static CK_RV fake_sign(CK_SESSION_HANDLE s, CK_BYTE *data, CK_ULONG n,
		       CK_BYTE *out, CK_ULONG *nout)
{
	const CK_RV rv = fake.calls.C_Sign(s, data, n, out, nout);

	if (fake.sign != CKR_OK)
		return fake.sign;
	if (fake.other_signature)
		out[7] ^= 1;
	return rv;
}

static CK_RV fake_find(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n)
{
	return fake.find != CKR_OK ? fake.find
				   : fake.calls.C_FindObjectsInit(s, t, n);
}

static CK_RV fake_destroy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
{
	if (fake.destroy != CKR_OK)
		return fake.destroy;
	fake.destroyed++;
	return fake.calls.C_DestroyObject(s, o);
}

static CK_RV fake_open(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
		       CK_NOTIFY notify, CK_SESSION_HANDLE *s)
{
	if (fake.full > 0) {
		fake.full--;
		return CKR_SESSION_COUNT;
	}
	if (fake.open != CKR_OK && (flags & CKF_RW_SESSION) != 0)
		return fake.open;
	return fake.calls.C_OpenSession(slot, flags, app, notify, s);
}

static int fake_begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.list = softhsm_calls();
	fake.calls = *fake.list;
	fake.list->C_GenerateKeyPair = fake_generate;
	fake.list->C_GetAttributeValue = fake_read;
	fake.list->C_Sign = fake_sign;
	fake.list->C_FindObjectsInit = fake_find;
	fake.list->C_DestroyObject = fake_destroy;
	fake.list->C_OpenSession = fake_open;
	return 0;
}

static int fake_end(void **state)
{
	(void)state;
	*fake.list = fake.calls;
	return 0;
}

/* That TASK fails, for REASON and with RV. */
static void must_fail(const struct wire_forge *task, const char *reason,
		      CK_RV rv)
{
	struct forged out;

	assert_int_not_equal(forge(task, &out), SG_OK);
	if (strstr(out.reason, reason) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", out.reason, reason);
	assert_int_equal(out.rv, rv);
	assert_int_equal(out.spki.n, 0);
	assert_int_equal(out.csr.n, 0);
}

static void test_each_call_is_named(void **state)
{
	static const CK_RV rvs[] = {
		CKR_DEVICE_ERROR,	   CKR_DEVICE_MEMORY,
		CKR_FUNCTION_FAILED,	   CKR_SESSION_READ_ONLY,
		CKR_TOKEN_WRITE_PROTECTED, CKR_VENDOR_DEFINED | 7};
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, "never");
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rvs) / sizeof(rvs[0]); i++) {
		fake.generate = rvs[i];
		(void)snprintf(text, sizeof(text),
			       "C_GenerateKeyPair: %s (0x%lx)",
			       ckr_name(rvs[i]), rvs[i]);
		must_fail(&task, text, rvs[i]);
	}
	fake.find = CKR_DEVICE_REMOVED;
	must_fail(&task, "C_FindObjects: CKR_DEVICE_REMOVED (0x32)",
		  CKR_DEVICE_REMOVED);
	fake.open = CKR_SESSION_COUNT;
	must_fail(&task, "no free session on HSM demo", CKR_SESSION_COUNT);
	fake.open = CKR_DEVICE_ERROR;
	must_fail(&task, "C_OpenSession: CKR_DEVICE_ERROR (0x30)",
		  CKR_DEVICE_ERROR);
	assert_int_equal(fake.generated, 0);
}

/* One that another process gives back in time will do. */
static void test_a_session_comes_free(void **state)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, "never");
	struct span spki;

	(void)state;
	fake.full = 2;
	spki = forge_key(COSE_ES256, 0, "patient");
	assert_int_equal(fake.full, 0);
	forge_destroy(COSE_ES256, "patient", spki);
	OPENSSL_free(unconst(spki.p));
	fake.full = 1000;
	must_fail(&task, "no free session on HSM demo", CKR_SESSION_COUNT);
	assert_int_equal(fake.full, 1000 - FORGE_TRIES);
}

/* No key that is other than asked for stays on the token. */
static void test_a_lesser_key_is_destroyed(void **state)
{
	static const struct {
		CK_ATTRIBUTE_TYPE lie;
		const char *reason;
	} cases[] = {
		{CKA_LOCAL, "CKA_LOCAL is false"},
		{CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE is false"},
		{CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE is false"},
		{CKA_SENSITIVE, "CKA_SENSITIVE is false"},
		{CKA_EXTRACTABLE, "CKA_EXTRACTABLE is true"},
		{CKA_PRIVATE, "CKA_PRIVATE is false"},
		{CKA_TOKEN, "it is not on the token"},
		{CKA_SIGN, "CKA_SIGN is false"},
		{CKA_DECRYPT, "CKA_DECRYPT is true"},
		{CKA_UNWRAP, "CKA_UNWRAP is true"},
		{CKA_DERIVE, "CKA_DERIVE is true"},
		{CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER is true"},
	};
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, "lesser");
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		fake.lie = cases[i].lie;
		must_fail(&task, cases[i].reason, CKR_OK);
		assert_int_equal(fake.generated, i + 1);
		assert_int_equal(fake.destroyed, 2 * (i + 1));
	}
	/* What cannot be read is not as it must be. */
	fake.lie = 0;
	fake.hidden = CKA_NEVER_EXTRACTABLE;
	must_fail(&task, "CKA_NEVER_EXTRACTABLE is false", CKR_OK);
	fake.hidden = CKA_EC_POINT;
	must_fail(&task, "public key is not on the token", CKR_OK);
	assert_int_equal(fake.destroyed, 2 * (CASES + 2));
	/* A use that a module does not know is none that the key has. */
	fake.hidden = CKA_DERIVE;
	{
		struct span spki = forge_key(COSE_ES256, 0, "lesser");

		forge_destroy(COSE_ES256, "lesser", spki);
		OPENSSL_free(unconst(spki.p));
	}
}

static void test_says_what_it_could_not_destroy(void **state)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, "stays");

	(void)state;
	fake.lie = CKA_LOCAL;
	fake.destroy = CKR_ACTION_PROHIBITED;
	must_fail(&task,
		  "it was not made there; and it is still on the token "
		  "(CKR_ACTION_PROHIBITED)",
		  CKR_OK);
}

static void test_a_key_of_another_size(void **state)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_PS256, 3072, "short");

	(void)state;
	fake.other_bits = true;
	must_fail(&task, "a key of 2048 bits", CKR_OK);
	assert_int_equal(fake.destroyed, 2);
}

/* Modules that do not know an attribute, or a curve by its name. */
static void test_asks_again_with_less(void **state)
{
	struct span spki;

	(void)state;
	fake.refuses = CKA_MODIFIABLE;
	spki = forge_key(COSE_ES256, 0, "plain");
	forge_destroy(COSE_ES256, "plain", spki);
	OPENSSL_free(unconst(spki.p));
	fake.oid_only = true;
	spki = forge_key(COSE_EDDSA, 0, "plain-ed");
	forge_destroy(COSE_EDDSA, "plain-ed", spki);
	OPENSSL_free(unconst(spki.p));
	assert_int_equal(fake.generated, 2);
	/* But never without what makes it safe. */
	fake.refuses = CKA_EXTRACTABLE;
	{
		const struct wire_forge task =
			task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, "unsafe");

		must_fail(&task, "CKR_ATTRIBUTE_TYPE_INVALID",
			  CKR_ATTRIBUTE_TYPE_INVALID);
	}
}

static void test_requests_fail_in_words(void **state)
{
	static const uint8_t subject[] = {0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a,
					  0x06, 0x03, 0x55, 0x04, 0x03, 0x0c,
					  0x03, 'd',  's',  'c'};
	struct wire_forge task = task_of(WIRE_TASK_CSR, COSE_ES256, 0, "asked");

	(void)state;
	task.spki = forge_key(COSE_ES256, 0, "asked");
	task.subject = span_of(subject, sizeof(subject));
	fake.sign = CKR_DEVICE_ERROR;
	must_fail(&task, "C_Sign: CKR_DEVICE_ERROR (0x30)", CKR_DEVICE_ERROR);
	fake.sign = CKR_OK;
	fake.other_signature = true;
	must_fail(&task, "the HSM's signature does not verify", CKR_OK);
	forge_destroy(COSE_ES256, "asked", task.spki);
	OPENSSL_free(unconst(task.spki.p));
}

static void test_destroying_fails_in_words(void **state)
{
	struct wire_forge task =
		task_of(WIRE_TASK_DESTROY, COSE_ES256, 0, "tough");

	(void)state;
	task.spki = forge_key(COSE_ES256, 0, "tough");
	fake.destroy = CKR_ACTION_PROHIBITED;
	must_fail(&task, "C_DestroyObject: CKR_ACTION_PROHIBITED (0x1b)",
		  CKR_ACTION_PROHIBITED);
	fake.destroy = CKR_OK;
	fake.find = CKR_FUNCTION_FAILED;
	must_fail(&task, "C_FindObjects: CKR_FUNCTION_FAILED (0x6)",
		  CKR_FUNCTION_FAILED);
	fake.find = CKR_OK;
	forge_destroy(COSE_ES256, "tough", task.spki);
	OPENSSL_free(unconst(task.spki.p));
}

#define FAULT_TEST(f) cmocka_unit_test_setup_teardown(f, fake_begin, fake_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(test_each_call_is_named),
		FAULT_TEST(test_a_session_comes_free),
		FAULT_TEST(test_a_lesser_key_is_destroyed),
		FAULT_TEST(test_says_what_it_could_not_destroy),
		FAULT_TEST(test_a_key_of_another_size),
		FAULT_TEST(test_asks_again_with_less),
		FAULT_TEST(test_requests_fail_in_words),
		FAULT_TEST(test_destroying_fails_in_words),
	};

	return cmocka_run_group_tests(tests, forge_make, cleanup);
}
