/* SPDX-License-Identifier: Apache-2.0 */
/* pkcs11/anchor through the module, whose faults come at any of its calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "unit/pkcs11/vault_fixture.h"

enum { WRITES = 12 };

static char module_path[512];

static int set_up(void **state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
	const char *build = getenv("BUILD_DIR");

	(void)make(state);
	(void)snprintf(module_path, sizeof(module_path), "%s/libpkcs11-shim.so",
		       build != NULL ? build : ".");
	return 0;
}

static struct vault *open_ledger(void)
{
	static struct worker_key_settings key;
	const struct vault_settings s = {.module = module_path,
					 .pin_file = hsm.pin_file,
					 .sessions = 1,
					 .nkeys = 1,
					 .key = &key};
	struct vault *v;

	key = wanted("ledger", "pkcs11:token=alpha;object=ed", COSE_EDDSA);
	key.ledger = true;
	assert_int_equal(vault_open(&s, &watch, &v), SG_OK);
	return v;
}

/* Write again and again; FAULT comes once, at the Nth call of its kind since
 * the vault was opened.  What was answered as written is what is read. */
static void write_through(const char *fault, unsigned round)
{
	char text[512];
	char last[32] = "";
	struct vault *v;

	(void)snprintf(text, sizeof(text),
		       "module=%s,state=%s/state%u,"
		       "control=%s/control",
		       SOFTHSM_MODULE, hsm.dir, round, hsm.dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	assert_int_equal(setenv("SIGNER_SHIM", text, 1), 0);
	softhsm_write(&hsm, "control", "");
	v = open_ledger();
	softhsm_write(&hsm, "control", fault);
	for (unsigned i = 0; i < WRITES; i++) {
		struct anchor a;

		(void)snprintf(last, sizeof(last), "round %u size %u", round,
			       i);
		if (vault_anchor(v, 0, 0, span_str(last), &a) != SG_OK)
			fail_msg("%s: write %u", fault, i);
		assert_true(span_is(span_of(a.value, a.n), last));
	}
	vault_close(v, &watch);
	softhsm_write(&hsm, "control", "");
	v = open_ledger();
	{
		struct anchor a;

		assert_int_equal(vault_anchor(v, 0, 0, span_of(NULL, 0), &a),
				 SG_OK);
		assert_true(span_is(span_of(a.value, a.n), last));
	}
	vault_close(v, &watch);
}

static void test_one_fault_anywhere(void **state)
{
	static const char *const faults[] = {
		"fail=C_FindObjectsInit:3:CKR_SESSION_HANDLE_INVALID",
		"fail=C_FindObjects:5:CKR_DEVICE_ERROR",
		"fail=C_GetAttributeValue:9:CKR_DEVICE_REMOVED",
		"fail=C_SetAttributeValue:2:CKR_GENERAL_ERROR",
		"fail=C_CreateObject:1:CKR_DEVICE_MEMORY",
		"fail=C_CreateObject:4:CKR_USER_NOT_LOGGED_IN",
		"fail=C_DestroyObject:3:CKR_FUNCTION_FAILED",
		"fail=C_DestroyObject:3:CKR_OBJECT_HANDLE_INVALID",
		"lose=C_DestroyObject:2:1us",
		"lose=C_CreateObject:3:1us",
		"lose=C_GetAttributeValue:7:1us"};

	(void)state;
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		write_through(faults[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_fault_anywhere),
	};

	return cmocka_run_group_tests(tests, set_up, cleanup);
}
