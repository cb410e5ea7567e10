/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ocsp.h>

#include "tls_world.h"

static struct pki_cert responder, useless;

struct answer {
	const struct pki_cert *of; /* NULL: the server's */
	const struct pki_cert *by; /* NULL: the CA */
	int status;
	const EVP_MD *hash; /* of the names of issuer and key; NULL: SHA-1 */
	long from, to;	    /* seconds from now; both 0: -60 to a day */
	int endless, junk;
};

static void write_response(OCSP_RESPONSE *r, int junk)
{
	unsigned char *der = NULL;
	const int n = i2d_OCSP_RESPONSE(r, &der);
	FILE *f = pki_open("text.pem", "w");

	assert_true(n > 0);
	assert_int_equal(fwrite(der, 1, (size_t)n, f), n);
	if (junk)
		assert_int_equal(fputc('x', f), 'x');
	(void)fclose(f);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(r);
}

static void write_answer(const struct answer *a)
{
	const bool usual = a->from == 0 && a->to == 0;
	const struct pki_cert *of = a->of != NULL ? a->of : &server;
	const struct pki_cert *by = a->by != NULL ? a->by : &ca;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(a->hash, of->x, ca.x);
	ASN1_TIME *from = X509_gmtime_adj(NULL, usual ? -60 : a->from);
	ASN1_TIME *to = X509_gmtime_adj(NULL, usual ? PKI_DAY : a->to);

	assert_non_null(OCSP_basic_add1_status(
		basic, id, a->status, OCSP_REVOKED_STATUS_NOSTATUS, from, from,
		a->endless ? NULL : to));
	assert_int_equal(
		OCSP_basic_sign(basic, by->x, by->key, EVP_sha256(), NULL, 0),
		1);
	write_response(
		OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic),
		a->junk);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
}

static struct front_settings with_response(void)
{
	struct front_settings s = settings_with(NULL);

	(void)pki_path(s.ocsp, "text.pem");
	return s;
}

/* A handshake succeeds, whatever there is; does the client get a response? */
static bool is_stapled(bool tls12)
{
	struct front_settings s = with_response();
	const unsigned char *response = NULL;
	struct wire w;
	long n;

	s.tls12 = tls12;
	wire_open(&w, &s, &good);
	if (tls12)
		(void)SSL_set_max_proto_version(w.client, TLS1_2_VERSION);
	(void)SSL_set_tlsext_status_type(w.client, TLSEXT_STATUSTYPE_ocsp);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	n = SSL_get_tlsext_status_ocsp_resp(w.client, &response);
	assert_int_equal(n > 0, response != NULL);
	wire_close(&w);
	return n > 0;
}

/* SAYS is at the end of the fault; NULL: it is stapled. */
static void expect(const char *says)
{
	struct front_settings s = with_response();
	struct tls_context *ctx = context(&s);
	const char *fault = tls_context_ocsp_fault(ctx);

	if (says == NULL) {
		if (fault != NULL)
			fail_msg("%s", fault);
		assert_in_range(tls_context_times(ctx)->ocsp,
				time(NULL) + PKI_DAY - 60,
				time(NULL) + PKI_DAY + 60);
	} else {
		assert_int_equal(tls_context_times(ctx)->ocsp, 0);
		if (fault == NULL || strstr(fault, says) == NULL)
			fail_msg("not \"%s\": %s", says,
				 fault != NULL ? fault : "none");
	}
	tls_context_free(ctx);
	for (int tls12 = 0; tls12 < 2; tls12++)
		assert_int_equal(is_stapled(tls12 != 0), says == NULL);
}

static void test_good(void **state)
{
	const struct answer plain = {0};
	const struct answer sha256 = {.hash = EVP_sha256()};
	const struct answer delegated = {.by = &responder};

	(void)state;
	write_answer(&plain);
	expect(NULL);
	write_answer(&sha256);
	expect(NULL);
	write_answer(&delegated);
	expect(NULL);
}

static void test_nobody_asked(void **state)
{
	const struct answer plain = {0};
	struct front_settings s = with_response();
	const unsigned char *response = NULL;
	struct wire w;

	(void)state;
	write_answer(&plain);
	wire_open(&w, &s, &good);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	assert_int_equal(SSL_get_tlsext_status_ocsp_resp(w.client, &response),
			 -1);
	wire_close(&w);
}

static void test_not_taken(void **state)
{
	const struct {
		struct answer a;
		const char *says;
	} cases[] = {
		{{.status = V_OCSP_CERTSTATUS_REVOKED},
		 ": says that the certificate is revoked"},
		{{.status = V_OCSP_CERTSTATUS_UNKNOWN},
		 ": does not say that the certificate is good"},
		{{.of = &good}, ": is not of the certificate"},
		{{.by = &other_ca}, ": is not signed by or for the issuer"},
		{{.by = &useless}, ": is not signed by or for the issuer"},
		{{.by = &server}, ": is not signed by or for the issuer"},
		{{.from = -PKI_DAY, .to = -3600}, ": is not of now"},
		{{.from = PKI_DAY, .to = 2 * PKI_DAY}, ": is not of now"},
		{{.endless = 1}, ": has no next update"},
		{{.junk = 1}, ": is no OCSP response in DER"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_answer(&cases[i].a);
		expect(cases[i].says);
	}
	write_response(
		OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL), 0);
	expect(": is the responder's refusal");
	pki_write_text("text.pem", "hello\n");
	expect(": is no OCSP response in DER");
	pki_write_text("text.pem", "");
	expect(": is no OCSP response in DER");
}

/* CTX staples what OLD does, or nothing. */
static void expect_kept(const struct tls_context *old,
			const struct front_settings *s, bool kept)
{
	struct tls_context *ctx = context(s);

	tls_context_keep_ocsp(ctx, old);
	assert_non_null(tls_context_ocsp_fault(ctx));
	assert_int_equal(tls_context_times(ctx)->ocsp,
			 kept ? tls_context_times(old)->ocsp : 0);
	tls_context_free(ctx);
}

static void test_kept(void **state)
{
	const struct answer plain = {0};
	const struct answer brief = {.from = -60, .to = 1};
	const struct answer bad = {.status = V_OCSP_CERTSTATUS_REVOKED};
	struct front_settings s = with_response();
	struct tls_context *old;

	(void)state;
	write_answer(&plain);
	old = context(&s);
	assert_null(tls_context_ocsp_fault(old));
	pki_write_text("text.pem", "torn");
	expect_kept(old, &s, true);
	write_response(
		OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL), 0);
	expect_kept(old, &s, true);
	write_answer(&bad);
	expect_kept(old, &s, false);
	/* Another certificate. */
	pki_write_text("text.pem", "torn");
	pki_write_cert("server.pem", useless.x);
	pki_write_key("server.key", useless.key);
	expect_kept(old, &s, false);
	pki_write_cert("server.pem", server.x);
	pki_write_key("server.key", server.key);
	tls_context_free(old);
	/* One that is over. */
	write_answer(&brief);
	old = context(&s);
	(void)usleep(2100000);
	pki_write_text("text.pem", "torn");
	expect_kept(old, &s, false);
	tls_context_free(old);
}

/* A client gets it. */
static void test_kept_is_stapled(void **state)
{
	const struct answer plain = {0};
	struct front_settings s = with_response();
	const unsigned char *response = NULL;
	struct tls_context *old;
	struct wire w;

	(void)state;
	write_answer(&plain);
	old = context(&s);
	pki_write_text("text.pem", "torn");
	wire_open(&w, &s, &good);
	tls_context_keep_ocsp(w.ctx, old);
	tls_context_free(old);
	(void)SSL_set_tlsext_status_type(w.client, TLSEXT_STATUSTYPE_ocsp);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	assert_true(SSL_get_tlsext_status_ocsp_resp(w.client, &response) > 0);
	wire_close(&w);
}

/* There is none yet: its time comes. */
static void test_no_file(void **state)
{
	struct front_settings s = with_response();
	struct tls_context *ctx;

	(void)state;
	(void)pki_path(s.ocsp, "absent.der");
	ctx = context(&s);
	assert_non_null(strstr(tls_context_ocsp_fault(ctx),
			       "absent.der: No such file"));
	tls_context_free(ctx);
}

static void test_no_issuer(void **state)
{
	const struct answer plain = {0};
	struct front_settings s = with_response();
	struct tls_context *ctx;

	(void)state;
	write_answer(&plain);
	(void)pki_path(s.client_ca, "other.pem");
	ctx = context(&s);
	assert_non_null(strstr(tls_context_ocsp_fault(ctx),
			       "the issuer is neither in"));
	tls_context_free(ctx);
}

/* It runs out while the context lives on. */
static void test_past_its_next_update(void **state)
{
	const struct answer brief = {.from = -60, .to = 1};
	struct front_settings s = with_response();
	const unsigned char *response = NULL;
	struct wire w;

	(void)state;
	write_answer(&brief);
	wire_open(&w, &s, &good);
	assert_null(tls_context_ocsp_fault(w.ctx));
	(void)usleep(2100000);
	(void)SSL_set_tlsext_status_type(w.client, TLSEXT_STATUSTYPE_ocsp);
	shake(&w, SIZE_MAX / 2);
	assert_int_equal(w.result, TLS_OK);
	assert_int_equal(SSL_get_tlsext_status_ocsp_resp(w.client, &response),
			 -1);
	wire_close(&w);
}

static int setup_ocsp(void **state)
{
	const int rv = setup(state);

	responder = pki_issue(&ca, (struct pki_wish){.cn = "responder",
						     .usage = "OCSPSigning"});
	useless = pki_issue(&ca, (struct pki_wish){.cn = "useless"});
	return rv;
}

static int teardown_ocsp(void **state)
{
	pki_free(&responder);
	pki_free(&useless);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_nobody_asked),
		cmocka_unit_test(test_not_taken),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_is_stapled),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_no_issuer),
		cmocka_unit_test(test_past_its_next_update),
	};

	return cmocka_run_group_tests(tests, setup_ocsp, teardown_ocsp);
}
