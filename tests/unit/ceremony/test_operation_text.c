/* SPDX-License-Identifier: Apache-2.0 */
/* The values that an operation may have, and what a person reads of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ceremony/operation.h"
#include "officers.h"

static uint8_t bytes[OPERATION_BYTES_MAX];
static char text[OPERATION_TEXT_MAX];
static struct operation o;

static void make(enum operation_kind kind, bool full)
{
	officers_full(kind, full, &o);
}

/* --- values that may not be ----------------------------------------------- */

static void check_refused(void)
{
	size_t n;

	assert_int_equal(operation_encode(&o, bytes, sizeof(bytes), &n),
			 SG_MALFORMED);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_MALFORMED);
}

static void test_common_values(void **state)
{
	static char longest[OPERATION_REASON_MAX + 1];

	memset(longest, 'x', sizeof(longest));
	(void)state;
	make(OPERATION_STOP, false);
	o.nonce = NULL;
	check_refused();
	make(OPERATION_STOP, false);
	o.origin.n = 0;
	check_refused();
	make(OPERATION_STOP, false);
	o.origin = SPAN_LIT("a\nb");
	check_refused();
	make(OPERATION_STOP, false);
	o.expires = o.created;
	check_refused();
	make(OPERATION_STOP, false);
	o.created = -1;
	check_refused();
	make(OPERATION_STOP, false);
	o.expires = INT64_MAX;
	check_refused();
	make(OPERATION_STOP, false);
	o.proposer.n = 0;
	check_refused();
	make(OPERATION_STOP, false);
	o.proposer = SPAN_LIT("a b");
	check_refused();
	make(OPERATION_STOP, false);
	o.reason = span_of(longest, 201);
	check_refused();
	make(OPERATION_STOP, false);
	o.reason = SPAN_LIT("a\xe2\x80\xae");
	check_refused();
	make(OPERATION_STOP, false);
	o.reason = SPAN_LIT("\xff");
	check_refused();
	make(OPERATION_STOP, false);
	o.key.n = 0;
	check_refused();
	make(OPERATION_STOP, false);
	o.key = SPAN_LIT("a:b");
	check_refused();
	make(OPERATION_STOP, false);
	o.kind = OPERATION_KINDS;
	check_refused();
}

static void test_generate_values(void **state)
{
	(void)state;
	make(OPERATION_GENERATE, false);
	o.hsm.n = 0;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.alg = COSE_ES384;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.alg = COSE_NONE;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.bits = 2048;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.alg = COSE_PS256;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.alg = COSE_PS256;
	o.bits = 1024;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.alg = COSE_PS256;
	o.bits = 2049;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.kinds = 0;
	check_refused();
	o.alg = COSE_EDDSA;
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_non_null(strstr(text, "kinds: none: it is for the ledger's"));
	o.country = SPAN_LIT("VN");
	check_refused();
	o.country.n = 0;
	o.period_s = 1;
	check_refused();
	o.period_s = 0;
	o.signatures = 1;
	check_refused();
	make(OPERATION_LOG_KEY, false);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_non_null(strstr(text, "verifier key: test.example/ledger+"));
	assert_non_null(strstr(text, "SHA-256 of the key: "));
	o.spki.n--;
	check_refused();
	make(OPERATION_LOG_KEY, false);
	o.spki = SPAN_LIT("\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00"
			  "the 32 bytes of an X25519 key...");
	check_refused();
	make(OPERATION_GENERATE, false);
	o.kinds = 8;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.country = SPAN_LIT("vn");
	check_refused();
	make(OPERATION_GENERATE, false);
	o.country = SPAN_LIT("VNM");
	check_refused();
	make(OPERATION_GENERATE, false);
	o.period_s = -1;
	check_refused();
	make(OPERATION_GENERATE, false);
	o.period_s = INT64_MAX;
	check_refused();
}

static void test_other_values(void **state)
{
	static const uint8_t biggest[OPERATION_CERTIFICATE_MAX + 1];

	(void)state;
	make(OPERATION_REQUEST, false);
	o.subject.n = 0;
	check_refused();
	make(OPERATION_REQUEST, false);
	o.subject = SPAN_LIT("\x30\x00");
	check_refused();
	make(OPERATION_REQUEST, false);
	o.subject.n++;
	check_refused();
	make(OPERATION_IMPORT, false);
	o.certificate.n = 0;
	check_refused();
	make(OPERATION_IMPORT, false);
	o.certificate = span_of(biggest, sizeof(biggest));
	check_refused();
	make(OPERATION_ACTIVATE, false);
	o.activate = -5;
	check_refused();
	make(OPERATION_RETIRE, false);
	o.retire = -5;
	check_refused();
	make(OPERATION_POLICY, false);
	o.policy = NULL;
	check_refused();
	make(OPERATION_GENESIS, false);
	o.roll.n = 0;
	check_refused();
	make(OPERATION_OFFICERS, false);
	o.roll.threshold = 0;
	check_refused();
	make(OPERATION_OFFICERS, false);
	o.roll.officer[1] = o.roll.officer[0];
	check_refused();
}

/* --- text ----------------------------------------------------------------- */

static void check_text(enum operation_kind kind, bool full)
{
	static char small[OPERATION_TEXT_MAX];
	size_t n;

	make(kind, full);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	n = strlen(text);
	assert_true(n > 0 && text[n - 1] == '\n');
	for (size_t i = 0; i < n; i++)
		assert_true(text[i] == '\n' || (uint8_t)text[i] >= ' ');
	assert_int_equal(operation_text(&o, small, n + 1), SG_OK);
	for (size_t cap = 0; cap <= n; cap += 7) {
		memset(small, 'x', sizeof(small));
		assert_int_equal(operation_text(&o, small, cap), SG_TOO_BIG);
		assert_int_equal(small[cap], 'x');
	}
}

static void test_text(void **state)
{
	(void)state;
	for (unsigned k = 0; k < OPERATION_KINDS; k++) {
		check_text((enum operation_kind)k, false);
		check_text((enum operation_kind)k, true);
	}
	make(OPERATION_ACTIVATE, true);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_string_equal(
		text,
		"operation: activate: sign with a key, in place of its HSM's "
		"old one\n"
		"key: dsc-1\n"
		"at: 2027-01-15 08:00:00 UTC\n"
		"OVERRIDE: although verifiers may not know it yet\n"
		"reason: N\xc4\x83m m\xe1\xbb\x9bi\n"
		"proposed by: alice\n"
		"made: 2026-09-21 14:13:20 UTC\n"
		"expires: 2026-09-22 14:13:20 UTC\n"
		"ledger: test.example/ledger\n"
		"ledger's size: 1000\n"
		"ledger's root: 05000000000000000000000000000000000000000000000"
		"00000000000000000\n"
		"nonce: 01020300000000000000000000000000\n");
	make(OPERATION_GENERATE, true);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_non_null(strstr(text, "algorithm: PS256\nbits: 2048\n"));
	assert_non_null(strstr(text, "kinds: vaccination, test, recovery\n"));
	assert_non_null(strstr(text, "country: VN\n"));
	assert_non_null(strstr(
		text, "at most: 86400 s (1 days, 0 hours, 0 minutes)\n"));
	make(OPERATION_GENESIS, false);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_non_null(strstr(text, "officer: carol, ES384, SHA-256 of the "
				     "key "));
	assert_non_null(strstr(text, "approvals needed: 3 of 4\n"));
	make(OPERATION_REQUEST, false);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_non_null(strstr(text, "subject: C=VN\n"));
}

/* A certificate's names may hold anything; not so the text. */
static void test_text_certificate(void **state)
{
	static const uint8_t mean[] = "a\nexpires: never\xe2\x80\xae";
	X509 *cert = pki_x509(officers[0].pkey, "260101000000Z",
			      "280101000000Z", NULL, 0);
	X509_NAME *name = X509_NAME_new();
	unsigned char *der = NULL;
	int n;

	(void)state;
	pki_must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, mean, -1,
					    -1, 0) == 1);
	pki_must(X509_set_subject_name(cert, name) == 1);
	n = i2d_X509(cert, &der);
	pki_must(n > 0);
	make(OPERATION_IMPORT, false);
	o.certificate = span_of(der, (size_t)n);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_null(strstr(text, "\nexpires: never"));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_non_null(strstr(text, "O=a\\0Aexpires: never{U+202E}\n"));
	assert_non_null(strstr(text, "certificate's issuer: CN=test\n"));
	assert_non_null(strstr(
		text, "certificate's notAfter: 2028-01-01 00:00:00 UTC\n"));
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(cert);
	make(OPERATION_IMPORT, false);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	assert_non_null(strstr(text, "certificate: cannot be read\n"));
}

/* What a terminal would break could pass for a line of its own. */
static void test_long(void **state)
{
	static char reason[OPERATION_REASON_MAX + 1];
	const char *p;
	const char *end;
	size_t column = 0;

	(void)state;
	memset(reason, ' ', sizeof(reason) - 1);
	memcpy(reason, "rotation", 8);
	memcpy(reason + 80 - strlen("reason: "), "key: dsc-2", 10);
	make(OPERATION_STOP, false);
	o.reason = span_of(reason, sizeof(reason) - 1);
	assert_int_equal(operation_text(&o, text, sizeof(text)), SG_OK);
	p = strstr(text, "reason: ");
	end = strstr(text, "\nproposed by");
	assert_non_null(p);
	assert_non_null(end);
	for (; p < end; p++) {
		column = *p == '\n' ? 0 : column + 1;
		assert_in_range(column, 0, 79);
		if (*p == '\n')
			assert_memory_equal(p, "\n        ", 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_common_values),
		cmocka_unit_test(test_generate_values),
		cmocka_unit_test(test_other_values),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_text_certificate),
	};

	return cmocka_run_group_tests(tests, officers_setup, officers_teardown);
}
