/* SPDX-License-Identifier: Apache-2.0 */
/* signer-officer: an operation from its proposal to the last signature, by the
 * commands themselves. */
#include "operations_fixture.h"

/* --- from the first word to the last signature ---------------------------- */

static void test_one_after_the_other(void **state)
{
	char *text;

	(void)state;
	propose_genesis(at("g.op"));
	for (size_t i = 0; i < OFFICERS; i++)
		approve(at("g.op"), NAMES[i], EXIT_GOOD);
	approve(at("g.op"), NAMES[1], EXIT_GOOD); /* again: it is there */
	/* The genesis knows whose key is whose. */
	assert_int_equal(COMMAND(&APPROVE_COMMAND, &text, at("g.op"), "--yes",
				 "--name", NAMES[0], "--key", at("bao.key")),
			 EXIT_REFUSED);
	free(text);
	read_file(at("g.op"));
	assert_int_equal(f.approved.n, OFFICERS);
	assert_int_equal(f.operation.roll.n, OFFICERS);
	assert_int_equal(f.operation.roll.threshold, 2);
	assert_int_equal(f.operation.roll.lead_s, 0);
	assert_int_equal(f.operation.roll.stale_s, 7 * 86400);
	assert_int_equal(f.operation.size, 7);
	assert_int_equal(f.operation.expires - f.operation.created, 86400);
	for (size_t i = 0; i < OFFICERS; i++)
		assert_int_equal(approval_verify(&f.approved, i,
						 &f.operation.roll.officer[i]),
				 SG_OK);
	free(f.bytes);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("g.op")),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "dung, kid "));
	assert_non_null(strstr(text, ", PS256: verified\n"));
	assert_null(strstr(text, "NOT VERIFY"));
	free(text);
	assert_int_equal(
		COMMAND(&SHOW_OPERATION_COMMAND, &text, at("g.op"), "--json"),
		EXIT_GOOD);
	assert_non_null(strstr(text, "\"op\": \"genesis\""));
	free(text);
}

static void test_apart(void **state)
{
	char *text;

	(void)state;
	propose_genesis(at("roll.op"));
	PROPOSE(EXIT_GOOD, "publish", "--key", "dsc-2", "--out", at("a.op"));
	read_file(at("a.op"));
	assert_int_equal(
		fileio_replace(at("b.op"), span_of(f.bytes, f.n), 0600), SG_OK);
	free(f.bytes);
	approve(at("a.op"), "bao", EXIT_GOOD);
	approve(at("b.op"), "chi", EXIT_GOOD);
	assert_int_equal(COMMAND(&JOIN_COMMAND, NULL, at("a.op"), at("b.op"),
				 "--out", at("c.op")),
			 EXIT_GOOD);
	read_file(at("c.op"));
	assert_int_equal(f.approved.n, 2);
	free(f.bytes);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("c.op"),
				 "--roll", at("roll.op")),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "bao, kid "));
	assert_non_null(strstr(text, ", ES384: verified\n"));
	free(text);
	/* no genesis */
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, NULL, at("c.op"),
				 "--roll", at("a.op")),
			 EXIT_TROUBLE);
	/* another operation */
	assert_int_equal(
		COMMAND(&JOIN_COMMAND, NULL, at("a.op"), at("roll.op")),
		EXIT_REFUSED);
	assert_int_equal(COMMAND(&JOIN_COMMAND, NULL, at("a.op")),
			 EXIT_TROUBLE);
}

static void test_changed(void **state)
{
	char *text;

	(void)state;
	propose_genesis(at("x.op"));
	approve(at("x.op"), "anne", EXIT_GOOD);
	read_file(at("x.op"));
	f.bytes[f.n - 1] ^= 1; /* of the signature */
	assert_int_equal(
		fileio_replace(at("x.op"), span_of(f.bytes, f.n), 0600), SG_OK);
	free(f.bytes);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("x.op")),
			 EXIT_REFUSED);
	assert_non_null(strstr(text, "EdDSA: DOES NOT VERIFY\n"));
	free(text);
}

/* --- what each kind takes ------------------------------------------------- */

static void test_members(void **state)
{

	(void)state;
	PROPOSE(EXIT_GOOD, "generate", "--key", "k", "--hsm", "demo", "--alg",
		"PS256", "--bits", "2048", "--kinds", "v,t", "--country", "VN",
		"--signatures", "1000", "--period", "180d", "--reason", "lý do",
		"--expires", "2d", "--out", fresh("m.op"));
	read_file(at("m.op"));
	assert_int_equal(f.operation.alg, COSE_PS256);
	assert_int_equal(f.operation.bits, 2048);
	assert_int_equal(f.operation.kinds, 3);
	assert_int_equal(f.operation.signatures, 1000);
	assert_int_equal(f.operation.period_s, INT64_C(180) * 86400);
	assert_true(span_is(f.operation.country, "VN"));
	assert_true(span_is(f.operation.reason, "lý do"));
	assert_true(span_is(f.operation.proposer, "anne"));
	free(f.bytes);
	PROPOSE(EXIT_GOOD, "generate", "--key", "k", "--hsm", "demo", "--out",
		fresh("m.op"));
	read_file(at("m.op"));
	assert_int_equal(f.operation.alg, COSE_ES256);
	assert_int_equal(f.operation.bits, 0);
	assert_int_equal(f.operation.kinds, 7);
	free(f.bytes);
	PROPOSE(EXIT_GOOD, "activate", "--key", "k", "--at",
		"2030-01-31T09:00:00Z", "--override", "--out", fresh("m.op"));
	read_file(at("m.op"));
	assert_int_equal(f.operation.activate, 1896080400);
	assert_true(f.operation.override);
	free(f.bytes);
	PROPOSE(EXIT_GOOD, "retire", "--key", "k", "--at",
		"2030-01-31T09:00:00Z", "--out", fresh("m.op"));
	read_file(at("m.op"));
	assert_int_equal(f.operation.retire, 1896080400);
	assert_false(f.operation.last);
	free(f.bytes);
	PROPOSE(EXIT_GOOD, "retire", "--key", "k", "--last", "--out",
		fresh("m.op"));
	read_file(at("m.op"));
	assert_true(f.operation.last);
	free(f.bytes);
	PROPOSE(EXIT_GOOD, "policy", "--policy", at("checkpoint"), "--out",
		fresh("m.op"));
	PROPOSE(EXIT_GOOD, "csr", "--key", "k", "--subject", "C=VN,CN=k",
		"--out", fresh("m.op"));
}

static void test_refused(void **state)
{
	const char *out = at("none.op");

	(void)state;
	PROPOSE(EXIT_TROUBLE, "nonsense", "--key", "k", "--out", out);
	PROPOSE(EXIT_TROUBLE, "publish", "--out", out);
	PROPOSE(EXIT_TROUBLE, "publish", "--key", "two words", "--out", out);
	PROPOSE(EXIT_TROUBLE, "publish", "--key", "k", "--hsm", "demo", "--out",
		out);
	PROPOSE(EXIT_TROUBLE, "retire", "--key", "k", "--override", "--out",
		out);
	PROPOSE(EXIT_TROUBLE, "activate", "--key", "k", "--last", "--out", out);
	PROPOSE(EXIT_TROUBLE, "retire", "--key", "k", "--at", "tomorrow",
		"--out", out);
	PROPOSE(EXIT_TROUBLE, "publish", "--key", "k", "--expires", "8d",
		"--out", out);
	PROPOSE(EXIT_TROUBLE, "publish", "--key", "k", "--expires", "soon",
		"--out", out);
	PROPOSE(EXIT_TROUBLE, "generate", "--key", "k", "--hsm", "h", "--alg",
		"ES384", "--out", out);
	PROPOSE(EXIT_TROUBLE, "generate", "--key", "k", "--hsm", "h", "--bits",
		"2048", "--out", out);
	PROPOSE(EXIT_TROUBLE, "generate", "--key", "k", "--hsm", "h", "--alg",
		"PS256", "--bits", "2304", "--out", out);
	PROPOSE(EXIT_TROUBLE, "generate", "--key", "k", "--hsm", "h", "--alg",
		"PS256", "--bits", "8192", "--out", out);
	PROPOSE(EXIT_TROUBLE, "generate", "--key", "k", "--hsm", "h", "--kinds",
		"vx", "--out", out);
	PROPOSE(EXIT_TROUBLE, "generate", "--key", "k", "--hsm", "h",
		"--country", "Vietnam", "--out", out);
	PROPOSE(EXIT_TROUBLE, "csr", "--key", "k", "--subject", "x", "--out",
		out);
	PROPOSE(EXIT_TROUBLE, "import", "--key", "k", "--certificate",
		at("anne.pub"), "--out", out);
	PROPOSE(EXIT_TROUBLE, "policy", "--policy", at("nothing"), "--out",
		out);
	assert_int_equal(access(out, F_OK), -1);
}

static void test_no_roll(void **state)
{
	const char *out = at("none.op");
	const char *anne = officer("anne", "anne.pub");

	(void)state;
	PROPOSE(EXIT_TROUBLE, "genesis", "--threshold", "1", "--out", out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer", anne, "--out", out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer", anne, "--threshold", "2",
		"--out", out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer", anne, "--officer", anne,
		"--threshold", "1", "--out", out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer", at("anne.pub"),
		"--threshold", "1", "--out", out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer",
		officer("x", "brainpool.pub"), "--threshold", "1", "--out",
		out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer", officer("x", "anne.key"),
		"--threshold", "1", "--out", out);
	PROPOSE(EXIT_TROUBLE, "genesis", "--officer", anne, "--officer",
		officer("bao", "bao.pub"), "--threshold", "1", "--stale", "0s",
		"--out", out);
	assert_int_equal(access(out, F_OK), -1);
}

static void test_no_key(void **state)
{
	(void)state;
	propose_genesis(at("k.op"));
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("k.op"), "--key",
				 at("nothing.key"), "--name", "anne", "--yes"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("k.op"), "--key",
				 at("brainpool.key"), "--name", "anne",
				 "--yes"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("k.op"), "--key",
				 at("anne.key"), "--name", "two words",
				 "--yes"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("k.op"), "--key",
				 "pkcs11:token=x;object=y", "--name", "anne",
				 "--yes"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("k.op"), "--key",
				 "pkcs11:token=x;object=y?pin-value=1",
				 "--module", "/nothing.so", "--name", "anne",
				 "--yes"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("anne.key"),
				 "--key", at("anne.key"), "--name", "anne",
				 "--yes"),
			 EXIT_TROUBLE);
}

/* Where there is no daemon. */
static void test_nobody_there(void **state)
{
	(void)state;
	propose_genesis(at("d.op"));
	assert_int_equal(
		COMMAND(&KEYS_COMMAND, NULL, "--socket", at("officer.sock")),
		EXIT_TROUBLE);
	assert_int_equal(COMMAND(&KEYS_COMMAND, NULL, "x"), EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPLY_COMMAND, NULL, at("d.op"), "--socket",
				 at("officer.sock")),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&APPLY_COMMAND, NULL, at("d.op"), "--server",
				 "https://localhost:1"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&CSR_COMMAND, NULL, "dsc-1", "--socket",
				 at("officer.sock")),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&STOP_COMMAND, NULL, "dsc-1", "--socket",
				 at("officer.sock"), "--key", at("anne.key"),
				 "--name", "anne"),
			 EXIT_TROUBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_roll),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
