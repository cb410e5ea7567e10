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

/* A key is made, or nothing is left of it. */
static void make_one(const char *label, const char *spec)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, label);
	struct forged out;
	struct span spki;

	specify(spec);
	if (forge(&task, &out) == SG_OK)
		fail_msg("%s: no failure", spec);
	specify("");
	spki = forge_key(COSE_ES256, 0, label);
	forge_destroy(COSE_ES256, label, spki);
	OPENSSL_free(unconst(spki.p));
}

/* All of PKCS #11 v2.40's that a call may answer. */
static void test_every_value_once(void **state)
{
	static const char *const calls[] = {"C_GenerateKeyPair", "C_Login",
					    "C_FindObjectsInit"};

	(void)state;
	for (CK_RV rv = 2; rv <= CKR_FUNCTION_REJECTED; rv++) {
		char spec[128];
		/* Values of a login that say no fault of it; and those that are
		 * mended by trying again. */
		const bool harmless = rv == CKR_USER_ALREADY_LOGGED_IN;

		if (strcmp(ckr_name(rv), "unknown") == 0 || harmless ||
		    rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
			continue;
		for (size_t i = 0; i < 3; i++) {
			if (i == 1 && rv % 16 != 0)
				continue; /* they take pauses */
			(void)snprintf(spec, sizeof(spec), "fail=%s:1-:%s",
				       calls[i], ckr_name(rv));
			make_one("each", spec);
		}
	}
}

static void test_what_passes_is_tried_again(void **state)
{
	struct span spki;

	(void)state;
	specify("fail=C_Login:1-3:CKR_FUNCTION_FAILED");
	spki = forge_key(COSE_ES256, 0, "again");
	specify("");
	forge_destroy(COSE_ES256, "again", spki);
	OPENSSL_free(unconst(spki.p));
}

static void test_a_lost_token(void **state)
{
	(void)state;
	make_one("lost", "lose=C_GenerateKeyPair:1:1ms");
	make_one("lost", "lose=C_FindObjects:2:1ms");
	make_one("lost", "fail=C_OpenSession:3-:CKR_SESSION_COUNT");
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
		make_one("lie", lies[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_once),
		cmocka_unit_test(test_what_passes_is_tried_again),
		cmocka_unit_test(test_a_lost_token),
		cmocka_unit_test(test_lies_are_found),
	};

	return cmocka_run_group_tests(tests, set_up, cleanup);
}
