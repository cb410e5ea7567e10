/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/tls_floor.h"
#include "pki.h"

static EVP_PKEY *ec_of(const char *curve)
{
	return EVP_EC_gen(curve);
}

static void check(EVP_PKEY *key, uint32_t rsa, uint32_t ec, const char *says)
{
	const struct tls_floor floor = {rsa, ec};
	struct pki_cert ca =
		pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	struct pki_cert c =
		pki_issue(&ca, (struct pki_wish){.cn = "client", .key = key});
	char text[TLS_FLOOR_TEXT] = "";

	assert_int_equal(tls_floor_allows(&floor, c.x, text), says == NULL);
	assert_string_equal(text, says != NULL ? says : "");
	pki_free(&c);
	pki_free(&ca);
}

static void test_rsa(void **state)
{
	(void)state;
	check(EVP_RSA_gen(2048), 2048, 521, NULL);
	check(EVP_RSA_gen(2048), 0, 521, NULL);
	check(EVP_RSA_gen(2048), 3072, 0,
	      "RSA key of 2048 bits is too weak: tls.client_rsa_bits is 3072");
}

static void test_ec(void **state)
{
	(void)state;
	check(ec_of("P-256"), 16384, 256, NULL);
	check(ec_of("P-384"), 16384, 384, NULL);
	check(ec_of("P-224"), 16384, 256,
	      "EC key of 224 bits is too weak: tls.client_ec_bits is 256");
	check(ec_of("P-256"), 16384, 384,
	      "EC key of 256 bits is too weak: tls.client_ec_bits is 384");
}

static void test_eddsa(void **state)
{
	(void)state;
	check(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), 0, 384, NULL);
}

static void test_other_kinds(void **state)
{
	(void)state;
	check(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), 0, 0,
	      "key is neither RSA nor EC nor EdDSA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_eddsa),
		cmocka_unit_test(test_other_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
