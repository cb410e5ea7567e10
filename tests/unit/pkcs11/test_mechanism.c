/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkcs11/mechanism.h"

static void test_table(void **state)
{
	const CK_RSA_PKCS_PSS_PARAMS *pss;

	(void)state;
	assert_int_equal(mechanism_type(COSE_ES256), 0x1041);
	assert_int_equal(mechanism_type(COSE_PS256), 0x000d);
	assert_int_equal(mechanism_type(COSE_EDDSA), 0x1057);
	assert_int_equal(mechanism_key_type(COSE_ES256), 0x03);
	assert_int_equal(mechanism_key_type(COSE_PS256), 0x00);
	assert_int_equal(mechanism_key_type(COSE_EDDSA), 0x40);
	assert_null(mechanism_of(COSE_NONE));
	assert_null(mechanism_of(COSE_ES384)); /* no key of an HSM */
	assert_int_equal(mechanism_key_type(COSE_ES384), CKK_VENDOR_DEFINED);
	assert_false(mechanism_takes(COSE_ES384, SPAN_LIT("x")));
	assert_int_equal(mechanism_of(COSE_ES256)->ulParameterLen, 0);
	pss = mechanism_of(COSE_PS256)->pParameter;
	assert_int_equal(mechanism_of(COSE_PS256)->ulParameterLen,
			 sizeof(*pss));
	assert_int_equal(pss->hashAlg, 0x250); /* CKM_SHA256 */
	assert_int_equal(pss->mgf, 2);	       /* CKG_MGF1_SHA256 */
	assert_int_equal(pss->sLen, 32);
}

static void test_takes(void **state)
{
	static const uint8_t bytes[33] = {0};

	(void)state;
	assert_true(mechanism_takes(COSE_ES256, span_of(bytes, 32)));
	assert_false(mechanism_takes(COSE_ES256, span_of(bytes, 31)));
	assert_false(mechanism_takes(COSE_ES256, span_of(bytes, 33)));
	assert_true(mechanism_takes(COSE_PS256, span_of(bytes, 32)));
	assert_false(mechanism_takes(COSE_PS256, span_of(bytes, 33)));
	assert_true(mechanism_takes(COSE_EDDSA, span_of(bytes, 33)));
	assert_false(mechanism_takes(COSE_EDDSA, span_of(NULL, 0)));
	assert_false(mechanism_takes(COSE_NONE, span_of(bytes, 32)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
