/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkcs11/ckr.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(ckr_name(CKR_OK), "CKR_OK");
	assert_string_equal(ckr_name(CKR_DEVICE_REMOVED), "CKR_DEVICE_REMOVED");
	assert_string_equal(ckr_name(CKR_VENDOR_DEFINED), "CKR_VENDOR_DEFINED");
	assert_string_equal(ckr_name(CKR_VENDOR_DEFINED + 99),
			    "CKR_VENDOR_DEFINED");
	assert_string_equal(ckr_name(0x7777), "unknown");
}

static void test_policy(void **state)
{
	static const CK_RV session[] = {
		CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
		CKR_USER_NOT_LOGGED_IN,	    CKR_DEVICE_REMOVED,
		CKR_TOKEN_NOT_PRESENT,	    CKR_OBJECT_HANDLE_INVALID,
		CKR_KEY_HANDLE_INVALID,	    CKR_DEVICE_ERROR,
		CKR_OPERATION_ACTIVE};
	static const CK_RV retry[] = {CKR_FUNCTION_FAILED,    CKR_GENERAL_ERROR,
				      CKR_DEVICE_MEMORY,      CKR_HOST_MEMORY,
				      CKR_VENDOR_DEFINED + 1, 0x7777};
	static const CK_RV job[] = {CKR_DATA_LEN_RANGE, CKR_MECHANISM_INVALID,
				    CKR_KEY_TYPE_INCONSISTENT,
				    CKR_ATTRIBUTE_READ_ONLY,
				    CKR_TOKEN_WRITE_PROTECTED};
	/* Restarting is all there is; and never a second try with a PIN. */
	static const CK_RV process[] = {CKR_CRYPTOKI_NOT_INITIALIZED,
					CKR_PIN_INCORRECT, CKR_PIN_LOCKED};

	(void)state;
	assert_int_equal(ckr_fault(CKR_OK), CKR_FAULT_NONE);
	assert_int_equal(ckr_fault(CKR_USER_ALREADY_LOGGED_IN), CKR_FAULT_NONE);
	for (size_t i = 0; i < sizeof(session) / sizeof(session[0]); i++)
		assert_int_equal(ckr_fault(session[i]), CKR_FAULT_SESSION);
	for (size_t i = 0; i < sizeof(retry) / sizeof(retry[0]); i++)
		assert_int_equal(ckr_fault(retry[i]), CKR_FAULT_RETRY);
	for (size_t i = 0; i < sizeof(job) / sizeof(job[0]); i++)
		assert_int_equal(ckr_fault(job[i]), CKR_FAULT_JOB);
	for (size_t i = 0; i < sizeof(process) / sizeof(process[0]); i++)
		assert_int_equal(ckr_fault(process[i]), CKR_FAULT_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
