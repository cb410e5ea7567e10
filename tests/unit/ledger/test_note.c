/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "ledger/note.h"
#include "note_signer.h"

/* --- notes ---------------------------------------------------------------- */

static void test_note(void **state)
{
	const char *line = line_of(&log_key, 1, TEXT, 0);
	const struct note_key other = make(NAME, NOTE_ED25519, 3);
	const struct note_key named = make("log.example/b", NOTE_ED25519, 1);
	int64_t time = 7;
	struct span in;
	struct note n;

	(void)state;
	in = note_of(TEXT, line);
	assert_int_equal(note_parse(in, &n), SG_OK);
	assert_true(span_is(n.text, TEXT));
	assert_int_equal(n.n, 1);
	assert_true(span_is(n.signature[0].name, NAME));
	assert_true(span_is(n.signature[0].line, line));
	assert_int_equal(n.signature[0].hash, log_key.hash);
	assert_int_equal(n.signature[0].signature.n, 92);
	assert_int_equal(note_verify(&n, &log_key, &time), SG_OK);
	assert_int_equal(time, 0);
	assert_int_equal(note_verify(&n, &log_key, NULL), SG_OK);
	assert_int_equal(note_verify(&n, &other, NULL), SG_NOT_FOUND);
	assert_int_equal(note_verify(&n, &named, NULL), SG_NOT_FOUND);
	/* Empty lines in the text are its own. */
	in = note_of("a\n\nb\n\n\n", line_of(&log_key, 1, "a\n\nb\n\n\n", 0));
	assert_int_equal(note_parse(in, &n), SG_OK);
	assert_true(span_is(n.text, "a\n\nb\n\n\n"));
	assert_int_equal(note_verify(&n, &log_key, NULL), SG_OK);
}

/* Any byte changed: refused, or the key's signature is not found. */
static void test_flipped(void **state)
{
	char copy[512];
	struct span in = note_of(TEXT, line_of(&log_key, 1, TEXT, 0));

	(void)state;
	memcpy(copy, in.p, in.n);
	for (size_t i = 0; i < in.n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			copy[i] = (char)(copy[i] ^ 1 << bit);
			assert_int_not_equal(
				verify(span_of(copy, in.n), &log_key, NULL),
				SG_OK);
			copy[i] = (char)(copy[i] ^ 1 << bit);
		}
	}
	for (size_t n = 0; n < in.n; n++)
		assert_int_not_equal(verify(span_of(copy, n), &log_key, NULL),
				     SG_OK);
	assert_int_equal(verify(span_of(copy, in.n), &log_key, NULL), SG_OK);
}

static void test_malformed(void **state)
{
	static const char *const LINES[] = {
		"",
		"\n",
		DASH "a AAAAAAA=",
		"- a AAAAAAA=\n",
		"\xe2\x80\x94\xc2\xa0"
		"a AAAAAAA=\n",
		DASH "\n",
		DASH "a\n",
		DASH "a \n",
		DASH " AAAAAAA=\n",
		DASH "a AAAAAA==\n", /* a hash and nothing else */
		DASH "a AAAA\n",
		DASH "a AAAAAAA\n",  /* not padded */
		DASH "a AAAAAAB=\n", /* bits beyond the end */
		DASH "a AAAAAAA==\n",
		DASH "a AAAAAAA=AAAA\n",
		DASH "a AAAAAA*A\n",
		DASH "a AAAAAA-_\n",
		DASH "a  AAAAAAA=\n",
		DASH "a AAAAAAA= \n",
		DASH "a AAAAAAA=\r\n",
		DASH "a AAAA AAA=\n",
		DASH "a+b AAAAAAA=\n",
		DASH "a\xc2\xa0"
		     "b AAAAAAA=\n",
		DASH "\xff AAAAAAA=\n",
		DASH "a AAAAAAA=\n" DASH "b\n",
		DASH "a AAAAAAA=\nx\n",
	};
	struct note n;

	(void)state;
	assert_int_equal(note_parse(note_of("a\n", DASH "a AAAAAAA=\n"), &n),
			 SG_OK);
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++)
		if (note_parse(note_of("a\n", LINES[i]), &n) != SG_MALFORMED)
			fail_msg("taken: %zu: %s", i, LINES[i]);
	assert_int_equal(note_parse(span_of(NULL, 0), &n), SG_MALFORMED);
	assert_int_equal(note_parse(SPAN_LIT("\n"), &n), SG_MALFORMED);
	assert_int_equal(note_parse(SPAN_LIT("\n\n"), &n), SG_MALFORMED);
	/* No empty line, no line end before it, no text. */
	assert_int_equal(note_parse(SPAN_LIT("a\n" DASH "a AAAAAAA=\n"), &n),
			 SG_MALFORMED);
	assert_int_equal(note_parse(note_of("a", DASH "a AAAAAAA=\n"), &n),
			 SG_MALFORMED);
	assert_int_equal(note_parse(note_of("", DASH "a AAAAAAA=\n"), &n),
			 SG_MALFORMED);
	/* Control characters, and what is not UTF-8. */
	assert_int_equal(note_parse(note_of("a\r\n", DASH "a AAAAAAA=\n"), &n),
			 SG_MALFORMED);
	assert_int_equal(note_parse(note_of("a\tb\n", DASH "a AAAAAAA=\n"), &n),
			 SG_MALFORMED);
	assert_int_equal(note_parse(note_of("\xc3\n", DASH "a AAAAAAA=\n"), &n),
			 SG_MALFORMED);
	assert_int_equal(
		note_parse(SPAN_LIT("a\0\n\n" DASH "a AAAAAAA=\n"), &n),
		SG_MALFORMED);
}

/* Lines of others are passed over, whatever their signatures are like. */
static void test_others(void **state)
{
	const struct note_key same_name = make(NAME, NOTE_ED25519, 9);
	static char lines[NOTE_BYTES_MAX];
	static char big[6000];
	struct note n;
	size_t at = 0;

	(void)state;
	/* A signature as long as a post-quantum one; a short one. */
	memset(big, 'A', sizeof(big));
	at += (size_t)snprintf(lines, sizeof(lines),
			       DASH "pq %.*s\n" DASH "x AAAAAAA=\n", 4000, big);
	at += (size_t)snprintf(lines + at, sizeof(lines) - at, "%s",
			       line_of(&same_name, 9, "another text\n", 0));
	for (int i = 3; i < NOTE_SIGNATURES_MAX - 1; i++)
		at += (size_t)snprintf(lines + at, sizeof(lines) - at,
				       DASH "x%d AAAAAAAA\n", i);
	at += (size_t)snprintf(lines + at, sizeof(lines) - at, "%s",
			       line_of(&log_key, 1, TEXT, 0));
	assert_int_equal(note_parse(note_of(TEXT, lines), &n), SG_OK);
	assert_int_equal(n.n, NOTE_SIGNATURES_MAX);
	assert_int_equal(note_verify(&n, &log_key, NULL), SG_OK);
	assert_int_equal(note_verify(&n, &same_name, NULL), SG_BAD_SIGNATURE);
	/* Beyond the places lines are not looked at, but must be lines. */
	(void)snprintf(lines + at, sizeof(lines) - at, DASH "y AAAAAAAA\n");
	assert_int_equal(note_parse(note_of(TEXT, lines), &n), SG_OK);
	assert_int_equal(n.n, NOTE_SIGNATURES_MAX);
	assert_int_equal(note_verify(&n, &log_key, NULL), SG_OK);
	(void)snprintf(lines + at, sizeof(lines) - at, "y AAAAAAAA\n");
	assert_int_equal(note_parse(note_of(TEXT, lines), &n), SG_MALFORMED);
	/* Base64 is strict to its end, also where it is long. */
	big[4000] = 0;
	big[1023] = '=';
	(void)snprintf(lines, sizeof(lines), DASH "pq %s\n", big);
	assert_int_equal(note_parse(note_of(TEXT, lines), &n), SG_MALFORMED);
}

static void test_too_big(void **state)
{
	static char text[NOTE_BYTES_MAX + 2];
	const char end[] = "\n\n" DASH "a AAAAAAA=\n";
	struct note n;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + NOTE_BYTES_MAX - (sizeof(end) - 1), end, sizeof(end));
	assert_int_equal(note_parse(span_of(text, NOTE_BYTES_MAX), &n), SG_OK);
	memset(text, 'x', sizeof(text));
	memcpy(text + NOTE_BYTES_MAX + 1 - (sizeof(end) - 1), end, sizeof(end));
	assert_int_equal(note_parse(span_of(text, NOTE_BYTES_MAX + 1), &n),
			 SG_MALFORMED);
}

/* Of several by one key all count: one that is bad spoils the note. */
static void test_duplicates(void **state)
{
	char lines[2048];
	size_t at;

	(void)state;
	at = (size_t)snprintf(lines, sizeof(lines), "%s",
			      line_of(&log_key, 1, TEXT, 0));
	at += (size_t)snprintf(lines + at, sizeof(lines) - at, "%s",
			       line_of(&log_key, 1, TEXT, 0));
	assert_int_equal(verify(note_of(TEXT, lines), &log_key, NULL), SG_OK);
	at += (size_t)snprintf(lines + at, sizeof(lines) - at, "%s",
			       line_of(&log_key, 1, "other\n", 0));
	assert_int_equal(verify(note_of(TEXT, lines), &log_key, NULL),
			 SG_BAD_SIGNATURE);
	(void)at;
}

/* --- cosignatures --------------------------------------------------------- */

static void test_cosignature(void **state)
{
	const int64_t now = 1679315147;
	char lines[2048];
	uint8_t out[128];
	int64_t time = -1;
	size_t n;

	(void)state;
	assert_int_equal(note_cosigned_message(SPAN_LIT("a\n1\nx\n"), now, out,
					       sizeof(out), &n),
			 SG_OK);
	assert_true(span_is(span_of(out, n),
			    "cosignature/v1\ntime 1679315147\na\n1\nx\n"));
	assert_int_equal(
		note_cosigned_message(SPAN_LIT("a\n"), now, out, 10, &n),
		SG_TOO_BIG);
	assert_int_equal(n, 15 + 16 + 2);
	n = (size_t)snprintf(lines, sizeof(lines), "%s",
			     line_of(&log_key, 1, TEXT, 0));
	n += (size_t)snprintf(lines + n, sizeof(lines) - n, "%s",
			      line_of(&witness_key, 2, TEXT, now));
	assert_int_equal(verify(note_of(TEXT, lines), &log_key, NULL), SG_OK);
	assert_int_equal(verify(note_of(TEXT, lines), &witness_key, &time),
			 SG_OK);
	assert_int_equal(time, now);
	/* The newest of several counts. */
	n += (size_t)snprintf(lines + n, sizeof(lines) - n, "%s",
			      line_of(&witness_key, 2, TEXT, now + 5));
	(void)snprintf(lines + n, sizeof(lines) - n, "%s",
		       line_of(&witness_key, 2, TEXT, now - 5));
	assert_int_equal(verify(note_of(TEXT, lines), &witness_key, &time),
			 SG_OK);
	assert_int_equal(time, now + 5);
}

/* A line of the witness's own hash over RAW, N bytes of time and signature. */
static enum sg_err verify_raw(const struct note_key *key, const uint8_t *raw,
			      size_t n)
{
	uint8_t whole[128];
	char base64[256] = {0};
	char line[512];

	whole[0] = (uint8_t)(key->hash >> 24);
	whole[1] = (uint8_t)(key->hash >> 16);
	whole[2] = (uint8_t)(key->hash >> 8);
	whole[3] = (uint8_t)key->hash;
	memcpy(whole + 4, raw, n);
	(void)base64_encode(span_of(whole, n + 4), BASE64_STANDARD, base64);
	(void)snprintf(line, sizeof(line), DASH "%s %s\n", key->name, base64);
	return verify(note_of(TEXT, line), key, NULL);
}

static void test_bad_cosignature(void **state)
{
	uint8_t message[128];
	uint8_t raw[8 + 64 + 1] = {0};
	size_t n;

	(void)state;
	raw[7] = 9;
	assert_int_equal(note_cosigned_message(SPAN_LIT(TEXT), 9, message,
					       sizeof(message), &n),
			 SG_OK);
	sign(2, span_of(message, n), raw + 8);
	assert_int_equal(verify_raw(&witness_key, raw, 72), SG_OK);
	assert_int_equal(verify_raw(&witness_key, raw, 71), SG_BAD_SIGNATURE);
	assert_int_equal(verify_raw(&witness_key, raw, 73), SG_BAD_SIGNATURE);
	raw[7] = 8; /* another time than was signed */
	assert_int_equal(verify_raw(&witness_key, raw, 72), SG_BAD_SIGNATURE);
	raw[7] = 9;
	/* Beyond 2^63 - 1, even where somebody signs that. */
	assert_int_equal(note_cosigned_message(SPAN_LIT(TEXT), INT64_MIN + 9,
					       message, sizeof(message), &n),
			 SG_OK);
	sign(2, span_of(message, n), raw + 8);
	raw[0] = 0x80;
	assert_int_equal(verify_raw(&witness_key, raw, 72), SG_BAD_SIGNATURE);
	/* A plain signature is none of a witness, and the other way round. */
	sign(2, SPAN_LIT(TEXT), raw);
	assert_int_equal(verify_raw(&witness_key, raw, 64), SG_BAD_SIGNATURE);
	sign(1, SPAN_LIT(TEXT), raw);
	assert_int_equal(verify_raw(&log_key, raw, 64), SG_OK);
	assert_int_equal(verify_raw(&log_key, raw, 63), SG_BAD_SIGNATURE);
	assert_int_equal(verify_raw(&log_key, raw, 65), SG_BAD_SIGNATURE);
	assert_int_equal(verify_raw(&log_key, raw, 72), SG_BAD_SIGNATURE);
}

/* --- writing -------------------------------------------------------------- */

static void test_sizes(void **state)
{
	char name[NOTE_NAME_MAX + 1] = {0};
	uint8_t signature[64] = {0};
	uint8_t out[NOTE_LINE_MAX];
	struct note_key key;
	size_t n;

	(void)state;
	memset(name, 'n', NOTE_NAME_MAX);
	key = make(name, NOTE_COSIGNATURE, 1);
	assert_int_equal(note_signature_line(&key, INT64_MAX, signature, out,
					     sizeof(out), &n),
			 SG_OK);
	assert_int_equal(n, 4 + NOTE_NAME_MAX + 1 + 104 + 1);
	assert_int_equal(
		note_signature_line(&key, INT64_MAX, signature, out, n - 1, &n),
		SG_TOO_BIG);
	assert_int_equal(n, 4 + NOTE_NAME_MAX + 1 + 104 + 1);
	assert_int_equal(
		note_join(SPAN_LIT("a\n"), SPAN_LIT("b\n"), out, 5, &n), SG_OK);
	assert_memory_equal(out, "a\n\nb\n", 5);
	assert_int_equal(
		note_join(SPAN_LIT("a\n"), SPAN_LIT("b\n"), out, 4, &n),
		SG_TOO_BIG);
	assert_int_equal(n, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_cosignature),
		cmocka_unit_test(test_bad_cosignature),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
