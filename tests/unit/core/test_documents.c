/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/documents.h"

/* {"keys": [{"alg": "PS256", "kid": h'0102030405060708', "kinds": ["v", "r"],
 * "label": "a", "state": "active", "country": "VN", "not_after": 1000,
 * "not_before": -1, "certificate": h'3000'}]}, by hand from RFC 8949. */
static const char WANT[] = "\xa1\x64keys\x81\xa9"
			   "\x63"
			   "alg\x65PS256"
			   "\x63kid\x48\x01\x02\x03\x04\x05\x06\x07\x08"
			   "\x65kinds\x82\x61v\x61r"
			   "\x65label\x61"
			   "a"
			   "\x65state\x66"
			   "active"
			   "\x67"
			   "country\x62VN"
			   "\x69not_after\x19\x03\xe8"
			   "\x6anot_before\x20"
			   "\x6b"
			   "certificate\x42\x30\x00";

static void test_keys(void **state)
{
	struct keyring *k = calloc(1, sizeof(*k));
	uint8_t certificate[] = {0x30, 0x00};
	uint8_t out[512];
	size_t n;

	(void)state;
	assert_non_null(k);
	k->n = 2; /* the second has no certificate yet, and is left out */
	k->key[0] = (struct key){.label = "a",
				 .alg = COSE_PS256,
				 .kinds = DCC_KIND_BIT(DCC_VACCINATION) |
					  DCC_KIND_BIT(DCC_RECOVERY),
				 .country = "VN",
				 .state = KEY_ACTIVE,
				 .has_dsc = true,
				 .dsc = {.kid = {1, 2, 3, 4, 5, 6, 7, 8},
					 .not_before = -1,
					 .not_after = 1000},
				 .certificate = certificate,
				 .certificate_n = sizeof(certificate)};
	assert_int_equal(documents_keys(k, NULL, 0, &n), SG_TOO_BIG);
	assert_int_equal(n, sizeof(WANT) - 1);
	assert_int_equal(documents_keys(k, out, sizeof(out), &n), SG_OK);
	assert_int_equal(n, sizeof(WANT) - 1);
	assert_memory_equal(out, WANT, n);
	k->key[0].country[0] = '\0';
	assert_int_equal(documents_keys(k, out, sizeof(out), &n), SG_OK);
	assert_int_equal(n, sizeof(WANT) - 1 - 11);
	assert_int_equal(out[7], 0xa8);
	k->n = 0;
	assert_int_equal(documents_keys(k, out, sizeof(out), &n), SG_OK);
	assert_int_equal(n, 7);
	assert_int_equal(out[6], 0x80);
	free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
