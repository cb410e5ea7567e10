/* SPDX-License-Identifier: Apache-2.0 */
/* What an operation of officers says, in a line. */
#include "tools/auditor/ceremony.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/ceremony/vectors.h"
#include "tests/unit/hcert/hex.h"

#define ROOT "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define HEAD "signerd ledger recovery\ntest.example/log\n"

/* What the entry of an operation says, with the reason why it was refused; "":
 * it was accepted. */
static struct ceremony entered(struct span operation, const char *refusal)
{
	const struct entry e = {.type = ENTRY_CEREMONY,
				.operation = operation,
				.refusal = span_str(refusal)};

	return ceremony_of(&e);
}

static struct ceremony of(const char *text)
{
	return entered(span_str(text), "");
}

static void test_recovery(void **state)
{
	char text[CEREMONY_TEXT];
	struct ceremony c = of(HEAD "disk 8 " ROOT "\nknown 14 " ROOT
				    "\n\n\u2014 anne AAAA\n");

	(void)state;
	assert_true(c.recovery && c.is_known);
	assert_int_equal(c.disk, 8);
	assert_int_equal(c.known, 14);
	assert_string_equal(ceremony_text(&c, text),
			    "ledger recovery: went on with 8 entries; another "
			    "state, of 14, was known");
	c = of(HEAD "disk 18446744073709551615 " ROOT "\nknown nothing\n");
	assert_true(c.recovery && !c.is_known);
	assert_true(c.disk == UINT64_MAX);
	assert_string_equal(
		ceremony_text(&c, text),
		"ledger recovery: went on with "
		"18446744073709551615 entries; the HSM had no record "
		"of any");
}

static void test_revocation(void **state)
{
#define ZERO "00000000000000000000000000000000"
	static const char text[] = "signerd revocation\no\nserial 3\n"
				   "kind uci\nreason r\nlist 20 " ZERO ZERO
				   "\n\n\u2014 anne AAAAAAAA\n";
#undef ZERO
	struct ceremony c = of(text);
	char out[CEREMONY_TEXT];

	(void)state;
	assert_false(c.recovery);
	assert_int_equal(c.serial, 3);
	assert_int_equal(c.revoked, 20);
	assert_string_equal(ceremony_text(&c, out), "revocation 3: 20 hashes");
	c.revoked = 1;
	assert_string_equal(ceremony_text(&c, out), "revocation 3: 1 hash");
	assert_true(ceremony_is(ENTRY_REVOCATION) &&
		    ceremony_is(ENTRY_CEREMONY));
	assert_false(ceremony_is(ENTRY_POLICY));
}

static void test_operation(void **state)
{
	struct ceremony c = entered(hex(VECTOR_OPERATION), "");
	char text[CEREMONY_TEXT];

	(void)state;
	assert_true(ceremony_speaks(&c));
	assert_int_equal(c.kind, OPERATION_STOP);
	assert_int_equal(c.signers, 0);
	assert_string_equal(ceremony_text(&c, text),
			    "stop dsc-7 (operation 573e9d896e2d4e9e), proposed "
			    "by alice; signed by nobody");
	c = entered(hex(VECTOR_SIGN), "");
	assert_int_equal(c.signers, 3);
	assert_int_equal(c.signer[2].alg, COSE_ES384);
	(void)ceremony_text(&c, text);
	assert_non_null(strstr(text, "; signed by "));
	assert_non_null(strstr(text, " (ES256), "));
	assert_non_null(strstr(text, " (EdDSA), "));
	/* Refused, nobody is said to have done what it says. */
	c = entered(hex(VECTOR_SIGN), "it has expired");
	(void)ceremony_text(&c, text);
	assert_null(strstr(text, "; signed by "));
	assert_null(strstr(text, "proposed by"));
	assert_non_null(strstr(text, ", proposed in the name of alice; claimed "
				     "to be signed by "));
	/* As many as there can be have room. */
	c.signers = APPROVALS_MAX;
	memset(c.key, 'x', sizeof(c.key) - 1);
	memset(c.proposer, 'x', sizeof(c.proposer) - 1);
	assert_true(strlen(ceremony_text(&c, text)) < CEREMONY_TEXT - 1);
	(void)hex_free(NULL);
}

static void test_others(void **state)
{
	static const char *const others[] = {
		"",
		"\xa1\x01\x02",
		"signerd ledger recovery",
		"signerd ledger recovery\n",
		"signerd ledger recovery 2\no\ndisk 8 A\nknown nothing\n",
		HEAD "disk 8\nknown nothing\n",
		HEAD "disk x A\nknown nothing\n",
		HEAD "disk 184467440737095516150 A\nknown nothing\n",
		HEAD "disk 18446744073709551616 A\nknown nothing\n",
		HEAD "disk 8 A\nknown\n",
		HEAD "disk 8 A\nknown  A\n",
		HEAD "disk 8 A\nknown nothing",
	};
	char text[CEREMONY_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct ceremony c = of(others[i]);

		assert_false(c.recovery || c.is_known);
		assert_false(ceremony_speaks(&c));
		assert_string_equal(ceremony_text(&c, text), "");
	}
	/* A byte of zero ends no number. */
	{
		static const char nul[] = HEAD "disk 8\0 A\nknown nothing\n";

		assert_false(
			entered(span_of((const uint8_t *)nul, sizeof(nul) - 1),
				"")
				.recovery);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_recovery),
					   cmocka_unit_test(test_revocation),
					   cmocka_unit_test(test_operation),
					   cmocka_unit_test(test_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
