/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/digest.h"

/* Two parts are hashed as one text, time and again. */
static void test_sum(void **state)
{
	const struct span whole = SPAN_LIT("VNURN:UVCI:01:VN:TEST/00000001");
	struct digest *d;
	uint8_t expected[DIGEST_BYTES];
	uint8_t sum[DIGEST_BYTES];

	(void)state;
	assert_int_equal(EVP_Digest(whole.p, whole.n, expected, NULL,
				    EVP_sha256(), NULL),
			 1);
	assert_int_equal(digest_create(&d), SG_OK);
	for (size_t n = 0; n <= whole.n; n++) {
		assert_int_equal(
			digest_sum(d, span_of(n > 0 ? whole.p : NULL, n),
				   span_of(whole.p + n, whole.n - n), sum),
			SG_OK);
		assert_memory_equal(sum, expected, sizeof(sum));
	}
	digest_free(d);
	digest_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sum)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
