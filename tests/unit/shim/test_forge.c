/* SPDX-License-Identifier: Apache-2.0 */
/* A smith's tasks through the module, whose faults come at any of its calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "unit/pkcs11/forge_fixture.h"

static int set_up(void **state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
	const char *build = getenv("BUILD_DIR");

	(void)forge_make(state);
	(void)snprintf(smith_settings.module, WORKER_PATH_MAX,
		       "%s/libpkcs11-shim.so", build != NULL ? build : ".");
	return 0;
}

/* From the next task on the module is as SPEC has it. */
static void specify(const char *spec)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s/state", hsm.dir);
	(void)unlink(text);
	(void)snprintf(text, sizeof(text), "module=%s,state=%s/state%s%s",
		       SOFTHSM_MODULE, hsm.dir, spec[0] != '\0' ? "," : "",
		       spec);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	assert_int_equal(setenv("SIGNER_SHIM", text, 1), 0);
}

/* With SPEC no key called LABEL is made. */
static void must_fail(const char *label, const char *spec)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, label);
	struct forged out;

	specify(spec);
	if (forge(&task, &out) == SG_OK)
		fail_msg("%s: no failure", spec);
}

/* Without faults it is made, so that nothing was left by those before. */
static void must_work(const char *label, const char *spec)
{
	struct span spki;

	specify(spec);
	spki = forge_key(COSE_ES256, 0, label);
	specify("");
	forge_destroy(COSE_ES256, label, spki);
	OPENSSL_free(unconst(spki.p));
}

static void fail_at(const char *call, CK_RV rv)
{
	char spec[128];

	(void)snprintf(spec, sizeof(spec), "fail=%s:1-:%s", call, ckr_name(rv));
	must_fail("each", spec);
}

/* All of PKCS #11 v2.40's that a call may answer. */
static void test_every_value_once(void **state)
{
	(void)state;
	for (CK_RV rv = CKR_CANCEL; rv <= CKR_FUNCTION_REJECTED; rv++) {
		if (strcmp(ckr_name(rv), "unknown") == 0)
			continue;
		fail_at("C_GenerateKeyPair", rv);
		fail_at("C_FindObjectsInit", rv);
	}
	must_work("each", "");
}

static void test_no_login(void **state)
{
	(void)state;
	/* Tried once, and for a while. */
	fail_at("C_Login", CKR_PIN_INCORRECT);
	fail_at("C_Login", CKR_PIN_LOCKED);
	fail_at("C_Login", CKR_DEVICE_ERROR);
	fail_at("C_OpenSession", CKR_SESSION_COUNT);
}

static void test_what_passes_is_tried_again(void **state)
{
	static const char *const specs[] = {
		"fail=C_Login:1-3:CKR_FUNCTION_FAILED",
		"fail=C_OpenSession:3-4:CKR_SESSION_COUNT",
		"lose=C_Login:1:1ms"};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		must_work("again", specs[i]);
}

static void test_a_lost_token(void **state)
{
	(void)state;
	must_fail("lost", "lose=C_GenerateKeyPair:1:1ms");
	must_work("lost", "");
}

static void test_lies_are_found(void **state)
{
	static const char *const lies[] = {"lie=CKA_LOCAL",
					   "lie=CKA_NEVER_EXTRACTABLE",
					   "lie=CKA_ALWAYS_SENSITIVE",
					   "lie=CKA_EXTRACTABLE",
					   "lie=CKA_SENSITIVE",
					   "lie=CKA_DECRYPT",
					   "lie=CKA_UNWRAP",
					   "lie=CKA_SIGN"};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		must_fail("lie", lies[i]);
	must_work("lie", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_once),
		cmocka_unit_test(test_no_login),
		cmocka_unit_test(test_what_passes_is_tried_again),
		cmocka_unit_test(test_a_lost_token),
		cmocka_unit_test(test_lies_are_found),
	};

	return cmocka_run_group_tests(tests, set_up, cleanup);
}
