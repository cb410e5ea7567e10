/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "front/peer.h"
#include "pki.h"

static struct pki_cert ca;

static int setup(void **state)
{
	(void)state;
	ca = pki_issue(NULL, (struct pki_wish){
				     .cn = "CA", .ca = 1, .from = -1, .to = 9});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pki_free(&ca);
	return 0;
}

static enum sg_err read_san(const char *san, struct peer *p)
{
	struct pki_cert c =
		pki_issue(&ca, (struct pki_wish){.cn = "name", .san = san});
	const enum sg_err err = peer_read(c.x, NULL, p);

	pki_free(&c);
	return err;
}

static void test_names(void **state)
{
	struct peer p;
	struct identity id;

	(void)state;
	assert_int_equal(read_san("URI:urn:signerd:demo:Issuer,"
				  "email:a@b.c,IP:127.0.0.1,"
				  "DNS:Desk.Example.ORG",
				  &p),
			 SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_int_equal(id.n, 2);
	assert_int_equal(id.name[0].type, IDENTITY_URI);
	assert_true(span_is(id.name[0].text, "urn:signerd:demo:Issuer"));
	assert_int_equal(id.name[1].type, IDENTITY_DNS);
	assert_true(span_is(id.name[1].text, "desk.example.org"));
	peer_clear(&p);
	assert_null(p.identity);
}

/* The subject's CN is nobody's identity. */
static void test_no_names(void **state)
{
	struct peer p;
	struct identity id;

	(void)state;
	assert_int_equal(read_san(NULL, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_int_equal(id.n, 0);
	peer_clear(&p);
}

static void test_spki(void **state)
{
	struct pki_cert c = pki_issue(&ca, (struct pki_wish){.cn = "a"});
	uint8_t *der = NULL;
	const int n = i2d_PUBKEY(c.key, &der);
	uint8_t digest[32];
	struct peer p;
	struct identity id;

	(void)state;
	assert_true(n > 0);
	assert_int_equal(
		EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL),
		1);
	assert_int_equal(peer_read(c.x, NULL, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_memory_equal(id.spki, digest, sizeof(digest));
	OPENSSL_free(der);
	peer_clear(&p);
	pki_free(&c);
}

static void check_end(int leaf_days, bool with_ca, int expected_days)
{
	struct pki_cert c = pki_issue(
		&ca, (struct pki_wish){.cn = "a", .from = -1, .to = leaf_days});
	STACK_OF(X509) *chain = sk_X509_new_null();
	const int64_t expected = clock_wall_s() + expected_days * PKI_DAY;
	struct peer p;

	if (with_ca)
		assert_true(sk_X509_push(chain, ca.x) > 0);
	assert_int_equal(peer_read(c.x, chain, &p), SG_OK);
	assert_in_range(p.not_after, expected - 60, expected + 60);
	peer_clear(&p);
	sk_X509_free(chain);
	pki_free(&c);
}

/* When the CA's certificate ends, so does the client. */
static void test_earliest_end(void **state)
{
	(void)state;
	check_end(30, false, 30);
	check_end(30, true, 9);
	check_end(5, true, 5);
}

static void test_too_many_names(void **state)
{
	char san[2048] = "";
	size_t n = 0;
	struct peer p;
	struct identity id;

	(void)state;
	for (int i = 0; i < 40; i++)
		n += (size_t)snprintf(san + n, sizeof(san) - n, "%sURI:urn:n%d",
				      i > 0 ? "," : "", i);
	assert_int_equal(read_san(san, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_int_equal(id.n, IDENTITY_NAMES_MAX);
	assert_true(span_is(id.name[15].text, "urn:n15"));
	peer_clear(&p);
}

static void test_names_that_are_too_long(void **state)
{
	char san[8192];
	size_t n = 0;
	struct peer p;
	struct identity id;

	(void)state;
	for (int i = 0; i < 3; i++)
		n += (size_t)snprintf(san + n, sizeof(san) - n,
				      "%sURI:urn:%d%0900d", i > 0 ? "," : "", i,
				      0);
	assert_int_equal(read_san(san, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_int_equal(id.n, 2);
	peer_clear(&p);
}

static void add_raw_san(X509 *x, const char *der, int n)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	assert_int_equal(
		ASN1_OCTET_STRING_set(value, (const unsigned char *)der, n), 1);
	e = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(value);
}

/* A name with a nul or a blank in it is nobody's. */
static void test_odd_names(void **state)
{
	static const char nul[] = "\x30\x07\x82\x05good\0";
	static const char blank[] = "\x30\x05\x86\x03"
				    "a b";
	struct pki_cert c = pki_issue(&ca, (struct pki_wish){.cn = "a"});
	struct peer p;
	struct identity id;

	(void)state;
	add_raw_san(c.x, nul, 9);
	assert_int_equal(peer_read(c.x, NULL, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_int_equal(id.n, 0);
	peer_clear(&p);
	/* Now there are two: which one counts? */
	add_raw_san(c.x, blank, 7);
	assert_int_equal(peer_read(c.x, NULL, &p), SG_MALFORMED);
	pki_free(&c);
	c = pki_issue(&ca, (struct pki_wish){.cn = "a"});
	add_raw_san(c.x, blank, 7);
	assert_int_equal(peer_read(c.x, NULL, &p), SG_OK);
	assert_int_equal(
		identity_decode(span_of(p.identity, p.identity_n), &id), SG_OK);
	assert_int_equal(id.n, 0);
	peer_clear(&p);
	pki_free(&c);
}

static void test_broken_names(void **state)
{
	struct pki_cert c = pki_issue(&ca, (struct pki_wish){.cn = "a"});
	struct peer p;

	(void)state;
	add_raw_san(c.x, "\x30\x50", 2);
	assert_int_equal(peer_read(c.x, NULL, &p), SG_MALFORMED);
	pki_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_spki),
		cmocka_unit_test(test_earliest_end),
		cmocka_unit_test(test_too_many_names),
		cmocka_unit_test(test_names_that_are_too_long),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_broken_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
