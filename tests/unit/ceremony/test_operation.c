/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hcert/cbor.h"
#include "officers.h"

static uint8_t bytes[OPERATION_BYTES_MAX + 1];
static uint8_t again[OPERATION_BYTES_MAX];
static struct operation o;
static struct operation back;

static void make(enum operation_kind kind, bool full)
{
	officers_full(kind, full, &o);
}

static size_t encode(void)
{
	size_t n;

	assert_int_equal(operation_encode(&o, bytes, OPERATION_BYTES_MAX, &n),
			 SG_OK);
	return n;
}

static void check_round(enum operation_kind kind, bool full)
{
	const struct cbor_limits limits = {.depth = 3, .items = 100};
	const char *why;
	size_t n;
	size_t m;

	make(kind, full);
	n = encode();
	assert_int_equal(cbor_check(span_of(bytes, n), limits), SG_OK);
	assert_int_equal(operation_decode(span_of(bytes, n), &back, &why),
			 SG_OK);
	assert_null(why);
	assert_int_equal(back.kind, kind);
	assert_int_equal(back.alg, o.alg);
	assert_int_equal(back.kinds, o.kinds);
	assert_int_equal(back.activate, o.activate);
	assert_int_equal(back.roll.n, o.roll.n);
	assert_true(span_eq(back.reason, o.reason));
	assert_int_equal(operation_encode(&back, again, sizeof(again), &m),
			 SG_OK);
	assert_int_equal(m, n);
	assert_memory_equal(again, bytes, n);
	/* The room that it says it needs, and not a byte less. */
	assert_int_equal(operation_encode(&o, again, n - 1, &m), SG_TOO_BIG);
	assert_int_equal(m, n);
	for (size_t cut = 0; cut < n; cut++) {
		assert_int_not_equal(
			operation_decode(span_of(bytes, cut), &back, &why),
			SG_OK);
		assert_non_null(why);
	}
	bytes[n] = 0;
	assert_int_equal(operation_decode(span_of(bytes, n + 1), &back, &why),
			 SG_MALFORMED);
	assert_string_equal(why, "something follows it");
}

static void test_rounds(void **state)
{
	(void)state;
	for (unsigned k = 0; k < OPERATION_KINDS; k++) {
		check_round((enum operation_kind)k, false);
		check_round((enum operation_kind)k, true);
	}
}

static void test_kinds(void **state)
{
	(void)state;
	for (unsigned k = 0; k < OPERATION_KINDS; k++)
		assert_int_equal(operation_kind_of(span_str(operation_kind_name(
					 (enum operation_kind)k))),
				 k);
	assert_string_equal(operation_kind_name(OPERATION_REQUEST), "csr");
	assert_int_equal(operation_kind_of(SPAN_LIT("sign")), OPERATION_KINDS);
	assert_string_equal(operation_kind_name(OPERATION_KINDS), "unknown");
	assert_int_equal(operation_members(OPERATION_KINDS), 0);
}

/* --- bytes that may not be ------------------------------------------------ */

/* What stands in front of WHAT in BYTES. */
static size_t find(size_t n, struct span what)
{
	for (size_t i = 0; i + what.n <= n; i++)
		if (memcmp(bytes + i, what.p, what.n) == 0)
			return i;
	fail_msg("not there");
	return 0;
}

/* BYTES of N with the OLD ones in them replaced, and PAIRS in all. */
static enum sg_err edited(size_t n, struct span old, struct span new,
			  unsigned pairs, const char **why)
{
	static uint8_t out[2 * OPERATION_BYTES_MAX];
	const size_t at = find(n, old);

	memcpy(out, bytes, at);
	memcpy(out + at, new.p, new.n);
	memcpy(out + at + new.n, bytes + at + old.n, n - at - old.n);
	out[0] = (uint8_t)(0xa0 + pairs);
	return operation_decode(span_of(out, n - old.n + new.n), &back, why);
}

static void test_strict(void **state)
{
	static const struct {
		const char *old, *new;
		unsigned pairs;
		const char *why;
	} cases[] = {
		/* a stop has 9 members without a reason */
		{"\x63key\x65"
		 "dsc-1",
		 "", 8, "a member is missing, or is not in its place"},
		{"\x63key\x65"
		 "dsc-1",
		 "\x63hsm\x65"
		 "dsc-1",
		 9, "a member is missing, or is not in its place"},
		{"\x63key\x65"
		 "dsc-1",
		 "\x63key\x65"
		 "dsc-1\x63key\x65"
		 "dsc-1",
		 10, "a member is missing, or is not in its place"},
		{"\x68proposer\x65"
		 "alice",
		 "\x68proposer\x65"
		 "alice\x68proposer\x65"
		 "alice",
		 10, "a member is there twice"},
		{"\x68proposer\x65"
		 "alice",
		 "\x68proposer\x65"
		 "alice\x69threshold\x01",
		 10,
		 "it has a member that its kind has not, or not in its place"},
		{"\x68proposer\x65"
		 "alice",
		 "\x68proposer\x45"
		 "alice",
		 9, "a member has another type or size than it must have"},
		{"\x68proposer\x65"
		 "alice",
		 "\x68proposer\x78\x05"
		 "alice",
		 9, "it is not deterministic CBOR"},
		{"\x62op\x64stop",
		 "\x62op\x64"
		 "stab",
		 9, "there is no such kind of operation"},
		{"\x62op\x64stop", "\x62op\x65start", 9, NULL},
		{"\x64size\x19\x03\xe8", "\x64size\x20", 9,
		 "a member has another type or size than it must have"},
		{"\x64size\x19\x03\xe8", "\x64size\xf5", 9,
		 "a member has another type or size than it must have"},
		{"\x66origin", "\x66reason\x60\x66origin", 10,
		 "a member is missing, or is not in its place"},
		{"\x67"
		 "created",
		 "\x66reason\x60\x67"
		 "created",
		 10, "an optional member is there, and empty"},
		{"\x67"
		 "created",
		 "\x66reason\x61x\x67"
		 "created",
		 10, NULL},
	};
	const char *why;
	size_t n;

	(void)state;
	make(OPERATION_STOP, false);
	n = encode();
	assert_int_equal(bytes[0], 0xa9);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const enum sg_err err =
			edited(n, span_str(cases[i].old),
			       span_str(cases[i].new), cases[i].pairs, &why);

		if (cases[i].why == NULL) {
			assert_int_equal(err, SG_OK);
			assert_null(why);
		} else {
			assert_int_not_equal(err, SG_OK);
			assert_string_equal(why, cases[i].why);
		}
	}
	make(OPERATION_GENERATE, true);
	n = encode();
	assert_int_equal(edited(n, SPAN_LIT("\x65kinds\x63vtr"),
				SPAN_LIT("\x65kinds\x63tvr"), 17, &why),
			 SG_MALFORMED);
	assert_int_equal(edited(n, SPAN_LIT("\x65kinds\x63vtr"),
				SPAN_LIT("\x65kinds\x63vvr"), 17, &why),
			 SG_MALFORMED);
	assert_int_equal(edited(n, SPAN_LIT("\x65kinds\x63vtr"),
				SPAN_LIT("\x65kinds\x62vr"), 17, &why),
			 SG_OK);
	assert_int_equal(back.kinds, DCC_KIND_BIT(DCC_VACCINATION) |
					     DCC_KIND_BIT(DCC_RECOVERY));
	assert_int_equal(edited(n,
				SPAN_LIT("\x63"
					 "alg\x38\x24"),
				SPAN_LIT("\x63"
					 "alg\x38\x22"),
				17, &why),
			 SG_MALFORMED); /* ES384 */
	assert_string_equal(why,
			    "its algorithm is none of ES256, PS256, EdDSA");
	make(OPERATION_ACTIVATE, true);
	n = encode();
	assert_int_equal(edited(n, SPAN_LIT("\x68override\xf5"),
				SPAN_LIT("\x68override\xf4"), 12, &why),
			 SG_MALFORMED);
	assert_int_equal(operation_decode(SPAN_LIT("\x80"), &back, &why),
			 SG_MALFORMED);
	assert_int_equal(
		operation_decode(span_of(bytes, sizeof(bytes)), &back, &why),
		SG_TOO_BIG);
}

static void test_officers(void **state)
{
	const char *why;
	size_t n;

	(void)state;
	make(OPERATION_GENESIS, false);
	n = encode();
	/* A point that is not on the curve, a name, another member. */
	bytes[find(n, span_of(o.roll.officer[0].spki, 91)) + 60] ^= 1;
	assert_int_not_equal(operation_decode(span_of(bytes, n), &back, &why),
			     SG_OK);
	assert_string_equal(why, "an officer's key is none for ES256, ES384, "
				 "PS256 or EdDSA");
	n = encode();
	bytes[find(n, SPAN_LIT("\x63"
			       "bob")) +
	      2] = ' ';
	assert_int_equal(operation_decode(span_of(bytes, n), &back, &why),
			 SG_MALFORMED);
	n = encode();
	bytes[find(n, SPAN_LIT("\x64spki")) + 1] = 'x';
	assert_int_equal(operation_decode(span_of(bytes, n), &back, &why),
			 SG_MALFORMED);
	assert_string_equal(why, "an officer is a name and a key");
	/* As many as there may be, with the largest keys, fit. */
	make(OPERATION_GENESIS, true);
	for (size_t i = 0; i < ROLL_OFFICERS_MAX; i++) {
		o.roll.officer[i] = o.roll.officer[3];
		o.roll.officer[i].name[0] = (char)('a' + i);
		o.roll.officer[i].kid[0] = (uint8_t)i;
		o.roll.officer[i].spki_n = ROLL_SPKI_MAX;
	}
	o.roll.n = ROLL_OFFICERS_MAX;
	assert_true(encode() < OPERATION_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_officers),
	};

	return cmocka_run_group_tests(tests, officers_setup, officers_teardown);
}
