/* SPDX-License-Identifier: Apache-2.0 */
/* client_signing: what is sent is what the core verifies. */
#include "tools/issuer/client_signing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "../policy/gateways.h"
#include "hcert/cbor.h"
#include "hcert/cwt.h"
#include "hcert/deflate.h"
#include "hcert/hc1.h"
#include "policy/client.h"
#include "policy/client_signature.h"
#include "policy/signed_request.h"

enum { NOW = 1700000000 };

static struct gate gate;
static char key_file[] = "/tmp/test_client_signing.XXXXXX";
static char why[WHY_MAX];

static int make_key(void **state)
{
	const int fd = mkstemp(key_file);
	FILE *f = fdopen(fd, "w");

	(void)state;
	gate = gate_make(COSE_ES256);
	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, gate.pkey, NULL, NULL, 0,
						   NULL, NULL),
			 1);
	assert_int_equal(fclose(f), 0);
	return 0;
}

static int free_key(void **state)
{
	(void)state;
	(void)unlink(key_file);
	gate_free(&gate);
	return 0;
}

static enum sg_err open_with(const char *key, const char *audience,
			     struct client_signing **out)
{
	struct args args = {.n = 0};

	args.value[OPT_SIGN_WITH] = key;
	args.value[OPT_AUDIENCE] = audience;
	why[0] = '\0';
	return client_signing_open(&args, "issue", out, why);
}

static struct client_signing *opened(void)
{
	struct client_signing *s;

	assert_int_equal(open_with(key_file, "ledger.test", &s), SG_OK);
	assert_non_null(s);
	return s;
}

static void test_settings(void **state)
{
	char name[SIGNED_REQUEST_AUDIENCE_MAX + 2];
	struct client_signing *s;
	struct span text = SPAN_LIT("{\"dcc\":{}}");

	(void)state;
	assert_int_equal(open_with(NULL, NULL, &s), SG_OK);
	assert_null(s);
	assert_int_equal(client_signing_sign(s, NOW, &text), SG_OK);
	assert_true(span_is(text, "{\"dcc\":{}}"));
	client_signing_close(s);
	assert_int_equal(open_with(key_file, NULL, &s), SG_CONFIG);
	assert_non_null(strstr(why, "--audience"));
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(open_with(key_file, name, &s), SG_CONFIG);
	name[sizeof(name) - 2] = '\0';
	assert_int_equal(open_with(key_file, name, &s), SG_OK);
	client_signing_close(s);
	assert_int_equal(open_with("/nowhere", "x", &s), SG_CONFIG);
	assert_non_null(strstr(why, "/nowhere"));
	assert_int_equal(open_with("/dev/null", "x", &s), SG_CONFIG);
	assert_non_null(strstr(why, "not a private key"));
	assert_null(s);
}

/* The COSE_Sign1 in TEXT, in OUT. */
static struct span cose_of(struct span text, uint8_t *out)
{
	const struct span begin = SPAN_LIT("{\"signed\":\"");
	size_t n;

	assert_true(text.n > begin.n + 2);
	assert_memory_equal(text.p, begin.p, begin.n);
	assert_memory_equal(text.p + text.n - 2, "\"}", 2);
	assert_true(base64_decode(
		span_of(text.p + begin.n, text.n - begin.n - 2), out, &n));
	return span_of(out, n);
}

/* Does the core take SIGN1, signed at TIME? */
static bool is_taken(const struct cose_sign1 *sign1, int64_t time)
{
	struct client c = {
		.name = "a", .must_sign = true, .signature_age_s = 1};
	uint8_t detached[SIGNED_REQUEST_BYTES_MAX];
	struct cbor_writer w = cbor_write(detached, sizeof(detached));
	struct policy_question q = {.client = &c,
				    .operation = CLIENT_ISSUE,
				    .request = sign1->payload,
				    .audience = SPAN_LIT("ledger.test"),
				    .now = time};
	static struct verdict v;
	int64_t at;

	cbor_put_tag(&w, 18);
	cbor_put_array(&w, 4);
	cbor_put_bytes(&w, sign1->prot);
	cbor_put_map(&w, 0);
	cbor_put_null(&w);
	cbor_put_bytes(&w, sign1->signature);
	assert_int_equal(cbor_done(&w, &q.signature.n), SG_OK);
	q.signature.p = detached;
	assert_int_equal(verifiers_add(&c.keys, span_str(gate.text)), SG_OK);
	verdict_init(&v);
	assert_int_equal(client_signature_judge(&q, &v, &at), SG_OK);
	verifiers_clear(&c.keys);
	return v.errors == 0 && at == time;
}

/* REQUEST is sent as PAYLOAD, signed. */
static void becomes(struct client_signing *s, const char *request,
		    struct span payload)
{
	static uint8_t cose[70000];
	struct span text = span_str(request);
	struct cose_sign1 sign1;

	assert_int_equal(client_signing_sign(s, NOW, &text), SG_OK);
	assert_int_equal(cose_sign1_decode(cose_of(text, cose), &sign1), SG_OK);
	assert_true(sign1.tagged && !sign1.detached);
	assert_int_equal(sign1.unprotected.n, 1);
	assert_true(span_eq(sign1.payload, payload));
	assert_true(is_taken(&sign1, NOW));
}

static void test_payload(void **state)
{
	struct client_signing *s = opened();
	static char large[40000];

	(void)state;
	/* In CBOR's order, whatever JSON's was. */
	becomes(s, "{\"dcc\": {\"ver\": \"1\", \"a\": 1.0}, \"id\": \"x\"}",
		SPAN_LIT("\xa2\x62id\x61x\x63"
			 "dcc\xa2\x61"
			 "a\x01\x63ver\x61"
			 "1"));
	becomes(s, "{\"attestation\": \"AAEC\", \"dcc\": {}}",
		SPAN_LIT("\xa2\x63"
			 "dcc\xa0\x6b"
			 "attestation\x43\x00\x01\x02"));
	/* What is no base64 is the policy's to refuse. */
	becomes(s, "{\"attestation\": \"*\"}",
		SPAN_LIT("\xa1\x6b"
			 "attestation\x61*"));
	becomes(s, "{}", SPAN_LIT("\xa0"));
	/* A long one, and a short one after it. */
	{
		static uint8_t want[sizeof(large)];
		const size_t n = sizeof(large) - 20;

		(void)snprintf(large, sizeof(large), "{\"id\": \"%*s\"}",
			       (int)n, "x");
		struct cbor_writer w = cbor_write(want, sizeof(want));

		cbor_put_map(&w, 1);
		cbor_put_text(&w, SPAN_LIT("id"));
		cbor_put_text(&w, span_of(large + 8, n));
		becomes(s, large, span_of(want, w.len));
	}
	becomes(s, "{\"id\": \"\"}", SPAN_LIT("\xa1\x62id\x60"));
	client_signing_close(s);
}

/* Of a certificate its payload is signed: nobody behind it has the rest. */
static void test_certificate(void **state)
{
	static const uint8_t signature[64] = {1};
	const struct cwt_claims claims = {.iss = SPAN_LIT("VN"),
					  .dcc = SPAN_LIT("\xa1\x61v\x80")};
	struct client_signing *s = opened();
	struct deflate *deflate;
	uint8_t cwt[256];
	uint8_t cose[512];
	char hc1[1024];
	char line[1200];
	size_t n;

	(void)state;
	assert_int_equal(deflate_create(&deflate), SG_OK);
	assert_int_equal(cwt_encode(&claims, cwt, sizeof(cwt), &n), SG_OK);
	assert_int_equal(cose_sign1_encode(SPAN_LIT("\xa1\x01\x26"),
					   span_of(cwt, n),
					   span_of(signature, 64), cose,
					   sizeof(cose), &n),
			 SG_OK);
	assert_int_equal(
		hc1_encode(deflate, span_of(cose, n), hc1, sizeof(hc1) - 1, &n),
		SG_OK);
	hc1[n] = '\0';
	(void)snprintf(line, sizeof(line), "{\"hcert\":\"%s\",\"exp\":5}", hc1);
	becomes(s, line,
		SPAN_LIT("\xa2\x63"
			 "dcc\xa1\x61v\x80\x63"
			 "exp\x05"));
	deflate_free(deflate);
	client_signing_close(s);
}

/* What the server says more of than that it is not signed. */
static void test_no_request(void **state)
{
	static const char *const same[] = {
		"nothing",
		"",
		"[1]",
		"{\"dcc\":{},\"dcc\":{}}",
		"{\"hcert\":\"HC1:NOTHING\"}",
		"{\"hcert\":\"\",\"dcc\":{}}",
	};
	struct client_signing *s = opened();

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct span text = span_str(same[i]);

		assert_int_equal(client_signing_sign(s, NOW, &text), SG_OK);
		assert_ptr_equal(text.p, same[i]);
		assert_true(span_is(text, same[i]));
	}
	client_signing_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_no_request),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
