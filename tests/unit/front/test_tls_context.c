/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_world.h"

static void test_without_crl_nobody_is_revoked(void **state)
{
	struct front_settings s = settings_with(NULL);
	struct wire w;

	(void)state;
	wire_open(&w, &s, &revoked);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	wire_close(&w);
}

/* A chain of two: the CAs are checked where a CRL for them is there. */
static void test_intermediate_ca(void **state)
{
	static const struct {
		const char *crl;
		enum tls_result result;
		const char *reason;
	} cases[] = {
		{NULL, TLS_OK, ""},
		{"crl.pem", TLS_OK, ""},
		{"sub-crl.pem", TLS_FAILED, "certificate revoked"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct front_settings s = settings_with(cases[i].crl);
		struct wire w;

		wire_open(&w, &s, &by_sub);
		assert_int_equal(
			SSL_CTX_add1_chain_cert(w.client_ctx, sub_ca.x), 1);
		assert_int_equal(SSL_add1_chain_cert(w.client, sub_ca.x), 1);
		shake(&w, SIZE_MAX / 2);
		assert_int_equal(w.result, cases[i].result);
		assert_string_equal(tls_reason(w.server), cases[i].reason);
		wire_close(&w);
	}
}

/* --- floors --------------------------------------------------------------- */

/* The handshake of C by way of VIA (NULL: none) ends for REASON ("": does
 * not). */
static void expect(const struct front_settings *s, struct pki_cert *c,
		   struct pki_cert *via, const char *reason)
{
	struct wire w;

	wire_open(&w, s, c);
	if (via != NULL)
		assert_int_equal(SSL_add1_chain_cert(w.client, via->x), 1);
	shake(&w, SIZE_MAX / 2);
	assert_string_equal(tls_reason(w.server), reason);
	assert_int_equal(w.result, reason[0] == '\0' ? TLS_OK : TLS_FAILED);
	wire_close(&w);
}

static void test_keys_have_a_floor(void **state)
{
	struct front_settings s = settings_with(NULL);
	struct pki_cert small =
		pki_issue(&ca, (struct pki_wish){.cn = "small",
						 .key = EVP_RSA_gen(2048)});
	struct pki_cert small_ca = pki_issue(
		&ca, (struct pki_wish){
			     .cn = "CA 2", .ca = 1, .key = EVP_RSA_gen(2048)});
	struct pki_cert below =
		pki_issue(&small_ca, (struct pki_wish){.cn = "below"});

	(void)state;
	s.client_rsa_bits = 2048;
	expect(&s, &small, NULL, "");
	expect(&s, &below, &small_ca, "");
	s.client_rsa_bits = 3072;
	expect(&s, &small, NULL,
	       "RSA key of 2048 bits is too weak: tls.client_rsa_bits is 3072");
	expect(&s, &below, &small_ca,
	       "RSA key of 2048 bits is too weak: tls.client_rsa_bits is 3072");
	expect(&s, &good, NULL, "");
	pki_free(&small);
	pki_free(&small_ca);
	pki_free(&below);
}

/* What only every client would notice is found at the start. */
static void test_ca_below_the_floor(void **state)
{
	struct front_settings s = settings_with(NULL);
	struct tls_context *ctx = NULL;
	char reason[TLS_REASON_BYTES];

	(void)state;
	s.client_ec_bits = 384;
	assert_int_equal(tls_context_create(&s, &ctx, reason), SG_CONFIG);
	assert_non_null(strstr(reason, "ca.pem: EC key of 256 bits is too "
				       "weak: tls.client_ec_bits is 384"));
}

/* It stands there for nobody: no reason not to start. */
static void test_weak_ca_that_is_over(void **state)
{
	struct front_settings s = settings_with(NULL);
	struct pki_cert old =
		pki_issue(NULL, (struct pki_wish){.cn = "old CA",
						  .ca = 1,
						  .from = -9,
						  .to = -1,
						  .key = EVP_RSA_gen(2048)});
	struct pki_cert below =
		pki_issue(&old, (struct pki_wish){.cn = "below"});
	FILE *f;

	(void)state;
	s.client_rsa_bits = 3072;
	f = pki_open("ca.pem", "a");
	assert_int_equal(PEM_write_X509(f, old.x), 1);
	assert_int_equal(fclose(f), 0);
	expect(&s, &good, NULL, "");
	expect(&s, &below, NULL, "certificate has expired");
	pki_write_cert("ca.pem", ca.x);
	pki_free(&old);
	pki_free(&below);
}

/* A reload that asks for more closes what is open. */
static void test_floor_holds_for_open_connections(void **state)
{
	struct front_settings s = settings_with(NULL);
	struct pki_cert small =
		pki_issue(&ca, (struct pki_wish){.cn = "small",
						 .key = EVP_RSA_gen(2048)});
	struct tls_context *more;
	const char *reason = "";
	struct wire w;

	(void)state;
	wire_open(&w, &s, &small);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(tls_verify_again(w.server, w.ctx, &reason), SG_OK);
	s.client_rsa_bits = 3072;
	more = context(&s);
	assert_int_equal(tls_verify_again(w.server, more, &reason),
			 SG_UNAUTHENTICATED);
	assert_string_equal(reason, "EE certificate key too weak");
	tls_context_free(more);
	wire_close(&w);
	pki_free(&small);
}

static void test_chains_have_a_length(void **state)
{
	struct front_settings s = settings_with(NULL);

	(void)state;
	s.client_chain = 1;
	expect(&s, &by_sub, &sub_ca, "");
	s.client_chain = 0;
	expect(&s, &by_sub, &sub_ca, "certificate chain too long");
	expect(&s, &good, NULL, "");
}

static void test_sha1_is_refused(void **state)
{
	struct front_settings s = settings_with(NULL);
	struct pki_cert old =
		pki_issue(&ca, (struct pki_wish){.cn = "old", .sha1 = 1});

	(void)state;
	expect(&s, &old, NULL, "CA signature digest algorithm too weak");
	pki_free(&old);
}

/* --- CRLs ----------------------------------------------------------------- */

/* No CRL of the leaf's CA: refused, not waved through. */
static void test_crl_of_another_ca_does_not_do(void **state)
{
	struct front_settings s = settings_with("text.pem");
	struct wire w;

	(void)state;
	pki_write_crl("text.pem", pki_crl(&other_ca, NULL, -1, 9), "w");
	wire_open(&w, &s, &good);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_FAILED);
	assert_string_equal(tls_reason(w.server),
			    "unable to get certificate CRL");
	wire_close(&w);
	pki_write_text("text.pem", "hello\n");
}

static void test_crl_that_is_out_of_date(void **state)
{
	struct front_settings s = settings_with("old-crl.pem");
	struct wire w;

	(void)state;
	wire_open(&w, &s, &good);
	assert_true(tls_context_crl_expired(w.ctx));
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_FAILED);
	assert_string_equal(tls_reason(w.server), "CRL has expired");
	wire_close(&w);
}

static void test_crl_that_is_not_valid_yet(void **state)
{
	struct front_settings s = settings_with("text.pem");
	struct tls_context *ctx;

	(void)state;
	pki_write_crl("text.pem", pki_crl(&ca, NULL, 1, 9), "w");
	ctx = context(&s);
	assert_string_equal(tls_context_early(ctx), "the CRL is not valid yet");
	assert_false(tls_context_crl_expired(ctx));
	tls_context_free(ctx);
	pki_write_text("text.pem", "hello\n");
	ctx = context(&settings);
	assert_null(tls_context_early(ctx));
	tls_context_free(ctx);
}

/* --- files ---------------------------------------------------------------- */

static void test_faults_of_files(void **state)
{
	static const struct {
		size_t field;
		const char *file;
		const char *says;
	} cases[] = {
		{offsetof(struct front_settings, certificate), "absent.pem",
		 "absent.pem: "},
		{offsetof(struct front_settings, certificate), "text.pem",
		 "text.pem: "},
		{offsetof(struct front_settings, certificate), "ca.pem",
		 "server.key: "},
		{offsetof(struct front_settings, key), "text.pem",
		 "text.pem: "},
		{offsetof(struct front_settings, key), "locked.key",
		 "locked.key: "},
		{offsetof(struct front_settings, client_ca), "absent.pem",
		 "absent.pem: "},
		{offsetof(struct front_settings, client_ca), "text.pem",
		 "text.pem: holds no certificate"},
		{offsetof(struct front_settings, crl), "absent.pem",
		 "absent.pem: "},
		{offsetof(struct front_settings, crl), "text.pem",
		 "text.pem: holds no CRL"},
		{offsetof(struct front_settings, crl), "bad-crl.pem",
		 "bad-crl.pem: not signed by the client CA"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct front_settings s = settings;
		struct tls_context *ctx = NULL;
		char reason[TLS_REASON_BYTES];

		(void)pki_path((char *)&s + cases[i].field, cases[i].file);
		assert_int_equal(tls_context_create(&s, &ctx, reason),
				 SG_CONFIG);
		if (strstr(reason, cases[i].says) == NULL)
			fail_msg("%zu: %s", i, reason);
	}
}

static void test_what_runs_out(void **state)
{
	struct tls_context *ctx = context(&settings);

	(void)state;
	assert_in_range(tls_context_times(ctx)->own, time(NULL) + 29 * PKI_DAY,
			time(NULL) + 31 * PKI_DAY);
	assert_in_range(tls_context_times(ctx)->client_ca,
			time(NULL) + 29 * PKI_DAY, time(NULL) + 31 * PKI_DAY);
	assert_in_range(tls_context_times(ctx)->crl, time(NULL) + 8 * PKI_DAY,
			time(NULL) + 10 * PKI_DAY);
	assert_int_equal(tls_context_times(ctx)->ocsp, 0);
	assert_null(tls_context_ocsp_fault(ctx));
	tls_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_crl_nobody_is_revoked),
		cmocka_unit_test(test_intermediate_ca),
		cmocka_unit_test(test_keys_have_a_floor),
		cmocka_unit_test(test_ca_below_the_floor),
		cmocka_unit_test(test_weak_ca_that_is_over),
		cmocka_unit_test(test_floor_holds_for_open_connections),
		cmocka_unit_test(test_chains_have_a_length),
		cmocka_unit_test(test_sha1_is_refused),
		cmocka_unit_test(test_crl_of_another_ca_does_not_do),
		cmocka_unit_test(test_crl_that_is_out_of_date),
		cmocka_unit_test(test_crl_that_is_not_valid_yet),
		cmocka_unit_test(test_faults_of_files),
		cmocka_unit_test(test_what_runs_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
