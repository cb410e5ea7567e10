/* SPDX-License-Identifier: Apache-2.0 */
/* signer-officer: what would be lost, spoilt or decided by nobody. */
#include "base/clock.h"
#include "operations_fixture.h"
#include "pkcs11/unconst.h"

/* --- what stands in the way ------------------------------------------------
 */

/* A file that is there is not lost. */
static void test_not_over_another(void **state)
{
	size_t n;

	(void)state;
	propose_genesis(at("k.op"));
	PROPOSE(EXIT_GOOD, "publish", "--key", "k", "--out", at("o.op"));
	approve(at("o.op"), "anne", EXIT_GOOD);
	read_file(at("o.op"));
	n = f.n;
	free(f.bytes);
	PROPOSE(EXIT_TROUBLE, "publish", "--key", "k", "--out", at("o.op"));
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("k.op"), "--key",
				 at("bao.key"), "--name", "bao", "--yes",
				 "--out", at("o.op")),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&JOIN_COMMAND, NULL, at("k.op"), at("k.op"),
				 "--out", at("o.op")),
			 EXIT_TROUBLE);
	read_file(at("o.op"));
	assert_int_equal(f.n, n);
	assert_int_equal(f.approved.n, 1);
	free(f.bytes);
	/* Its own file may be said. */
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("o.op"), "--key",
				 at("bao.key"), "--name", "bao", "--yes",
				 "--out", at("o.op")),
			 EXIT_GOOD);
	PROPOSE(EXIT_TROUBLE, "publish", "--key", "k", "--out",
		at("no/such.op"));
}

/* The roll of four, two of whom decide, beside whose proposer. */
static void test_proposer_signs(void **state)
{
	char *text;

	(void)state;
	propose_genesis(at("p-roll.op"));
	PROPOSE(EXIT_REFUSED, "publish", "--key", "k", "--out", at("p.op"),
		"--roll", at("p-roll.op"), "--sign", at("bao.key"));
	assert_int_equal(access(at("p.op"), F_OK), -1);
	PROPOSE(EXIT_GOOD, "publish", "--key", "k", "--out", at("p.op"),
		"--roll", at("p-roll.op"), "--sign", at("anne.key"));
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("p.op"),
				 "--roll", at("p-roll.op")),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "approvals:     0 of 2, 2 missing\n"));
	free(text);
	PROPOSE(EXIT_GOOD, "publish", "--key", "k", "--out", at("q.op"));
	approve(at("q.op"), "bao", EXIT_GOOD);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("q.op"),
				 "--roll", at("p-roll.op"), "--json"),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "its proposer has not signed it"));
	assert_non_null(strstr(text, "\"needed\": 2"));
	free(text);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("q.op"),
				 "--roll", at("p-roll.op")),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "approvals:     1 of 2, 1 missing; its "
				     "proposer, anne, has to sign it, too\n"));
	free(text);
}

/* As approve(), with ROLL. */
static void approve_by_roll(const char *file, const char *name,
			    const char *roll, int status)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s.key", name);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, file, "--key", at(key),
				 "--name", name, "--yes", "--roll", roll),
			 status);
}

/* Whoever is on no roll is told so before he signs. */
static void test_approve_by_roll(void **state)
{
	(void)state;
	PROPOSE(EXIT_GOOD, "officers", "--out", at("r.op"), "--officer",
		officer("anne", "anne.pub"), "--officer",
		officer("bao", "bao.pub"), "--officer",
		officer("chi", "chi.pub"), "--threshold", "1", "--roll",
		at("p-roll.op"));
	PROPOSE(EXIT_GOOD, "publish", "--key", "k", "--out", at("s.op"));
	approve_by_roll(at("s.op"), "dung", at("r.op"), EXIT_REFUSED);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("s.op"), "--key",
				 at("bao.key"), "--name", "chi", "--yes",
				 "--roll", at("r.op")),
			 EXIT_REFUSED);
	approve_by_roll(at("s.op"), "bao", at("s.op"), EXIT_TROUBLE);
	read_file(at("s.op"));
	assert_int_equal(f.approved.n, 0);
	free(f.bytes);
	approve_by_roll(at("s.op"), "bao", at("r.op"), EXIT_GOOD);
}

static const char *kid_of(const char *name)
{
	static char hex[HEX_TEXT(ROLL_KID_BYTES)];
	const struct officer *o = NULL;

	read_file(at("p-roll.op"));
	o = roll_named(&f.operation.roll, span_str(name));
	assert_non_null(o);
	(void)hex_encode(o->kid, sizeof(o->kid), hex);
	free(f.bytes);
	return hex;
}

/* A signature that has the others refused is seen, and can be taken out. */
static void test_drop(void **state)
{
	char *text;

	(void)state;
	approve(at("s.op"), "anne", EXIT_GOOD);
	approve(at("s.op"), "dung", EXIT_GOOD); /* who is none by r.op */
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("s.op"),
				 "--roll", at("r.op")),
			 EXIT_REFUSED);
	assert_non_null(strstr(text, ": NO OFFICER of the roll\n"));
	assert_non_null(strstr(text, "REFUSED AS IT IS: somebody has signed "
				     "who is no officer\n"));
	free(text);
	assert_int_equal(COMMAND(&DROP_COMMAND, NULL, at("s.op")),
			 EXIT_TROUBLE);
	assert_int_equal(
		COMMAND(&DROP_COMMAND, NULL, at("s.op"), "--kid", "00112233"),
		EXIT_TROUBLE);
	assert_int_equal(COMMAND(&DROP_COMMAND, NULL, at("s.op"), "--kid",
				 kid_of("chi")),
			 EXIT_REFUSED);
	assert_int_equal(COMMAND(&DROP_COMMAND, NULL, at("s.op"), "--kid",
				 kid_of("dung")),
			 EXIT_GOOD);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("s.op"),
				 "--roll", at("r.op")),
			 EXIT_GOOD);
	assert_null(strstr(text, "REFUSED"));
	assert_non_null(strstr(text, "approvals:     1 of 1\n"));
	free(text);
	/* The operation alone is left, and can be signed anew. */
	assert_int_equal(COMMAND(&DROP_COMMAND, NULL, at("s.op"), "--kid",
				 kid_of("anne")),
			 EXIT_GOOD);
	assert_int_equal(COMMAND(&DROP_COMMAND, &text, at("s.op"), "--kid",
				 kid_of("bao"), "--out", at("t.op"), "--json"),
			 EXIT_GOOD);
	assert_string_equal(text, "{\"signatures\": 0}\n");
	free(text);
	read_file(at("t.op"));
	assert_int_equal(f.approved.n, 0);
	free(f.bytes);
	approve(at("t.op"), "bao", EXIT_GOOD);
}

/* --- what could only be refused --------------------------------------------
 */

/* FILE's bytes, from the last read_file(), with the I-th from the end changed.
 */
static void spoil(const char *file, size_t i)
{
	read_file(file);
	f.bytes[f.n - 1 - i] ^= 1;
	assert_int_equal(fileio_replace(file, span_of(f.bytes, f.n), 0600),
			 SG_OK);
	free(f.bytes);
}

/* The bytes of FILE; free(). */
static struct span bytes_of(const char *file)
{
	read_file(file);
	return span_of(f.bytes, f.n);
}

/* The same operation, over for a second: nobody has signed it. */
static void make_expired(const char *in, const char *out)
{
	static uint8_t bytes[OPERATION_BYTES_MAX];
	struct operation o;
	size_t n;

	read_file(in);
	o = f.operation;
	o.expires = clock_wall_s() - 1;
	o.created = o.expires - 60;
	assert_int_equal(operation_encode(&o, bytes, sizeof(bytes), &n), SG_OK);
	assert_int_equal(fileio_replace(out, span_of(bytes, n), 0600), SG_OK);
	free(f.bytes);
}

static void test_expired(void **state)
{
	char *text;

	(void)state;
	PROPOSE(EXIT_GOOD, "publish", "--key", "k", "--out", at("e.op"));
	make_expired(at("e.op"), at("old.op"));
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("e.op")),
			 EXIT_GOOD);
	assert_null(strstr(text, "REFUSED"));
	free(text);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("old.op")),
			 EXIT_REFUSED);
	assert_non_null(strstr(text, "\nREFUSED:       it has expired at 20"));
	assert_non_null(strstr(text, "Z: have it proposed anew\n"));
	free(text);
	assert_int_equal(
		COMMAND(&SHOW_OPERATION_COMMAND, &text, at("old.op"), "--json"),
		EXIT_REFUSED);
	assert_non_null(strstr(text, "\"expired\": true"));
	free(text);
	approve(at("old.op"), "bao", EXIT_REFUSED);
	read_file(at("old.op"));
	assert_int_equal(f.approved.n, 0);
	free(f.bytes);
}

/* Another one's signature does not verify: that is known with a roll alone. */
static void test_spoilt(void **state)
{
	(void)state;
	PROPOSE(EXIT_GOOD, "publish", "--key", "k", "--out", at("v.op"));
	approve(at("v.op"), "bao", EXIT_GOOD);
	spoil(at("v.op"), 0);
	approve_by_roll(at("v.op"), "chi", at("p-roll.op"), EXIT_REFUSED);
	read_file(at("v.op"));
	assert_int_equal(f.approved.n, 1);
	free(f.bytes);
	/* His own he makes anew. */
	approve_by_roll(at("v.op"), "bao", at("p-roll.op"), EXIT_GOOD);
	approve_by_roll(at("v.op"), "chi", at("p-roll.op"), EXIT_GOOD);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, NULL, at("v.op"),
				 "--roll", at("p-roll.op")),
			 EXIT_GOOD);
}

/* ECDSA signs otherwise each time: what is there stays, byte for byte. */
static void test_signed_before(void **state)
{
	struct span before;
	struct span after;

	(void)state;
	before = bytes_of(at("v.op"));
	approve(at("v.op"), "bao", EXIT_GOOD);
	after = bytes_of(at("v.op"));
	assert_true(span_eq(before, after));
	free(f.bytes);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("v.op"), "--key",
				 at("bao.key"), "--name", "bao", "--yes",
				 "--out", at("w.op")),
			 EXIT_GOOD);
	after = bytes_of(at("w.op"));
	assert_true(span_eq(before, after));
	free(f.bytes);
	free(unconst(before.p));
}

/* What approving P.op by its proposer says on standard error; free(). */
static char *said(const char *roll)
{
	char *text = NULL;
	size_t n = 0;
	FILE *const kept = stderr;

	stderr = open_memstream(&text, &n);
	assert_non_null(stderr);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, at("e.op"), "--key",
				 at("anne.key"), "--name", "anne", "--yes",
				 "--roll", roll),
			 EXIT_GOOD);
	assert_int_equal(fclose(stderr), 0);
	stderr = kept;
	return text;
}

static void test_proposer_is_told(void **state)
{
	char *text = said(at("p-roll.op"));

	(void)state;
	assert_non_null(strstr(text, "You are its proposer: your signature has "
				     "to be there, and is not counted"));
	assert_non_null(strstr(text, "Signed by anne"));
	free(text);
	text = said(at("u-roll.op")); /* whose proposers count */
	assert_null(strstr(text, "You are its proposer"));
	assert_non_null(strstr(text, "It was signed before by anne"));
	free(text);
}

/* --- terms -----------------------------------------------------------------
 */

/* What is not said stays as it is. */
static void test_terms_stay(void **state)
{
	const char *anne = officer("anne", "anne.pub");
	const char *bao = officer("bao", "bao.pub");
	char *text;

	(void)state;
	PROPOSE(EXIT_GOOD, "genesis", "--out", at("u-roll.op"), "--officer",
		anne, "--officer", bao, "--threshold", "2", "--lead", "3h",
		"--stale", "2d", "--proposer-may-approve", "--policy-approval");
	/* Nobody knows them. */
	PROPOSE(EXIT_TROUBLE, "officers", "--out", at("u.op"), "--officer",
		anne, "--threshold", "1");
	/* Their keys are in the file; what both say is one too many. */
	PROPOSE(EXIT_TROUBLE, "officers", "--out", at("u.op"), "--roll",
		at("u-roll.op"), "--policy-approval", "--no-policy-approval");
	PROPOSE(EXIT_GOOD, "officers", "--out", at("u.op"), "--roll",
		at("u-roll.op"), "--lead", "0s");
	read_file(at("u.op"));
	assert_int_equal(f.operation.roll.n, 2);
	assert_int_equal(f.operation.roll.threshold, 2);
	assert_int_equal(f.operation.roll.lead_s, 0);
	assert_int_equal(f.operation.roll.stale_s, 2 * 86400);
	assert_true(f.operation.roll.proposer_may_approve);
	assert_true(f.operation.roll.policy_approval);
	free(f.bytes);
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("u.op"),
				 "--roll", at("u-roll.op")),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "what it changes:\n  from publication to "
				     "use of a key: 10800 s -> 0 s\n\n"));
	free(text);
	PROPOSE(EXIT_GOOD, "officers", "--out", fresh("u.op"), "--roll",
		at("u-roll.op"), "--officer", anne, "--officer",
		officer("chi", "chi.pub"), "--threshold", "1",
		"--proposer-may-not-approve", "--no-policy-approval");
	assert_int_equal(COMMAND(&SHOW_OPERATION_COMMAND, &text, at("u.op"),
				 "--roll", at("u-roll.op")),
			 EXIT_GOOD);
	assert_non_null(strstr(text, "  officer goes: bao, ES256, kid "));
	assert_non_null(strstr(text, "  officer comes: chi, ES384, kid "));
	assert_non_null(strstr(text, "  approvals needed: 2 -> 1\n"));
	assert_non_null(strstr(text, "approval counts: yes -> no\n"));
	assert_non_null(strstr(text, "a policy needs approval: yes -> no\n"));
	free(text);
	/* All of them said, nothing needs to be known. */
	PROPOSE(EXIT_GOOD, "officers", "--out", fresh("u.op"), "--officer",
		anne, "--threshold", "1", "--lead", "1h", "--stale", "1d",
		"--proposer-may-approve", "--no-policy-approval");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_over_another),
		cmocka_unit_test(test_proposer_signs),
		cmocka_unit_test(test_approve_by_roll),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_terms_stay),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_signed_before),
		cmocka_unit_test(test_proposer_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
