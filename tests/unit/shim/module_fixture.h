/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_SHIM_FIXTURE_H
#define SG_TEST_SHIM_FIXTURE_H

/* module_fixture: the built module, in front of SoftHSM2 tokens. */
#include "unit/pkcs11/vault_fixture.h"

#include <openssl/pem.h>

#include "pkcs11/mechanism.h"
#include "pkcs11/object.h"
#include "shim/shared.h"

static CK_FUNCTION_LIST *f; /* of the shim */
static char state_file[96];
static char control_file[96];

static inline int load(void **state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
	const char *build = getenv("BUILD_DIR");
	char path[512];
	union {
		void *object;
		CK_C_GetFunctionList function;
	} symbol;
	void *handle;

	(void)make(state);
	(void)snprintf(state_file, sizeof(state_file), "%s/state", hsm.dir);
	(void)snprintf(control_file, sizeof(control_file), "%s/control",
		       hsm.dir);
	(void)snprintf(path, sizeof(path), "%s/libpkcs11-shim.so",
		       build != NULL ? build : ".");
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		fail_msg("%s", dlerror());
	symbol.object = dlsym(handle, "C_GetFunctionList");
	assert_non_null(symbol.object);
	assert_int_equal(symbol.function(&f), CKR_OK);
	return 0;
}

/* Each test begins without what the one before has left. */
static inline int forget(void **state)
{
	(void)state;
	(void)f->C_Finalize(NULL);
	(void)unlink(state_file);
	(void)unlink(control_file);
	return 0;
}

/* C_Initialize with SPEC, in which STATE stands for state=FILE. */
static inline CK_RV begin(const char *spec)
{
	char text[1024];
	const char *state = strstr(spec, "STATE");

	if (state == NULL)
		(void)snprintf(text, sizeof(text), "%s", spec);
	else
		(void)snprintf(text, sizeof(text), "%.*sstate=%s%s",
			       (int)(state - spec), spec, state_file,
			       state + strlen("STATE"));
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	assert_int_equal(setenv("SIGNER_SHIM", text, 1), 0);
	return f->C_Initialize(NULL);
}

static inline void control(const char *text)
{
	softhsm_write(&hsm, "control", text);
}

static inline CK_SLOT_ID slot_of(const char *label)
{
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;

	assert_int_equal(f->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;

		assert_int_equal(f->C_GetTokenInfo(slots[i], &info), CKR_OK);
		if (memcmp(info.label, label, strlen(label)) == 0)
			return slots[i];
	}
	fail_msg("no token %s", label);
	return 0;
}

static inline CK_RV try_session(CK_SESSION_HANDLE *s)
{
	return f->C_OpenSession(slot_of("alpha"),
				CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				s);
}

static inline CK_SESSION_HANDLE open_one(void)
{
	CK_SESSION_HANDLE s = CK_INVALID_HANDLE;

	assert_int_equal(try_session(&s), CKR_OK);
	return s;
}

static inline CK_RV log_in(CK_SESSION_HANDLE s)
{
	CK_UTF8CHAR pin[] = SOFTHSM_PIN;

	return f->C_Login(s, CKU_USER, pin, sizeof(pin) - 1);
}

static inline CK_OBJECT_HANDLE find(CK_SESSION_HANDLE s, CK_OBJECT_CLASS class,
				    const char *label)
{
	CK_ATTRIBUTE t[] = {softhsm_attr(CKA_CLASS, &class, sizeof(class)),
			    softhsm_attr(CKA_LABEL, label, strlen(label))};
	CK_OBJECT_HANDLE o[2];
	CK_ULONG n = 2;

	assert_int_equal(object_find(f, s, t, 2, o, &n), CKR_OK);
	assert_int_equal(n, 1);
	return o[0];
}

/* A session that is logged in. */
static inline CK_SESSION_HANDLE enter(void)
{
	const CK_SESSION_HANDLE s = open_one();

	assert_int_equal(log_in(s), CKR_OK);
	return s;
}

static const struct span MESSAGE = {(const uint8_t *)"what is signed", 14};

static inline CK_RV sign_with(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
			      enum cose_alg alg, uint8_t sig[COSE_SIG_MAX],
			      CK_ULONG *n)
{
	uint8_t digest[32];
	const struct span tbs = softhsm_tbs(alg, MESSAGE, digest);
	const CK_RV rv = f->C_SignInit(s, mechanism_of(alg), key);

	*n = COSE_SIG_MAX;
	return rv != CKR_OK ? rv : f->C_Sign(s, unconst(tbs.p), tbs.n, sig, n);
}

/* By the key "ec" of alpha, thrown away. */
static inline CK_RV sign_ec(CK_SESSION_HANDLE s)
{
	uint8_t sig[COSE_SIG_MAX];
	CK_ULONG n;

	return sign_with(s, find(s, CKO_PRIVATE_KEY, "ec"), COSE_ES256, sig,
			 &n);
}

#endif /* SG_TEST_SHIM_FIXTURE_H */
