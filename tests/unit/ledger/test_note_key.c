/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "ledger/note.h"
#include "note_signer.h"

static void test_key(void **state)
{
	char text[NOTE_VKEY_MAX];
	char line[NOTE_VKEY_MAX + 1];
	struct note_key key;
	uint8_t typed[33] = {NOTE_ED25519};
	uint8_t message[64];
	uint8_t hash[32];
	char want[128];
	char base64[64] = {0};

	(void)state;
	public_key(1, typed + 1);
	memcpy(message, NAME "\n", sizeof(NAME));
	memcpy(message + sizeof(NAME), typed, sizeof(typed));
	assert_int_equal(EVP_Digest(message, sizeof(NAME) + sizeof(typed), hash,
				    NULL, EVP_sha256(), NULL),
			 1);
	(void)base64_encode(span_of(typed, sizeof(typed)), BASE64_STANDARD,
			    base64);
	(void)snprintf(want, sizeof(want), NAME "+%02x%02x%02x%02x+%s", hash[0],
		       hash[1], hash[2], hash[3], base64);
	note_key_text(&log_key, text);
	assert_string_equal(text, want);

	assert_int_equal(note_key_parse(span_str(text), &key), SG_OK);
	assert_memory_equal(&key, &log_key, sizeof(key));
	(void)snprintf(line, sizeof(line), "%s\n", text);
	assert_int_equal(note_key_parse(span_str(line), &key), SG_OK);
	/* Of a witness: another type, another hash. */
	key = make(NAME, NOTE_COSIGNATURE, 1);
	assert_int_not_equal(key.hash, log_key.hash);
	note_key_text(&key, text);
	assert_int_equal(note_key_parse(span_str(text), &key), SG_OK);
	assert_int_equal(key.type, NOTE_COSIGNATURE);
}

static void test_key_names(void **state)
{
	static const char *const BAD[] = {
		"",
		" ",
		"a b",
		"a+b",
		"a\tb",
		"a\nb",
		"a\x01",
		"a\xc2\xa0",	  /* U+00A0 */
		"a\xc2\x85",	  /* U+0085 */
		"\xe1\x9a\x80",	  /* U+1680 */
		"\xe2\x80\x8a",	  /* U+200A */
		"\xe2\x80\xa8",	  /* U+2028 */
		"\xe2\x80\xaf",	  /* U+202F */
		"\xe2\x81\x9f",	  /* U+205F */
		"\xe3\x80\x80 x", /* U+3000 */
		"\xff",
		"\xc0\x80",
		"caf\xc3",
	};
	char name[NOTE_NAME_MAX + 1];
	char text[NOTE_VKEY_MAX];
	struct note_key key;
	uint8_t raw[32];

	(void)state;
	public_key(1, raw);
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		if (note_key_make(span_str(BAD[i]), NOTE_ED25519, raw, &key) !=
		    SG_MALFORMED)
			fail_msg("taken: name %zu", i);
	assert_int_equal(
		note_key_make(span_of("a\0b", 3), NOTE_ED25519, raw, &key),
		SG_MALFORMED);
	memset(name, 'n', sizeof(name));
	assert_int_equal(note_key_make(span_of(name, NOTE_NAME_MAX + 1),
				       NOTE_ED25519, raw, &key),
			 SG_MALFORMED);
	assert_int_equal(note_key_make(span_of(name, NOTE_NAME_MAX),
				       NOTE_ED25519, raw, &key),
			 SG_OK);
	note_key_text(&key, text);
	assert_int_equal(strlen(text), NOTE_NAME_MAX + 10 + 44);
	assert_int_equal(note_key_parse(span_str(text), &key), SG_OK);
	assert_int_equal(
		note_key_make(SPAN_LIT("caf\xc3\xa9"), NOTE_ED25519, raw, &key),
		SG_OK);
}

/* The key as text, with the character at AT replaced by C (0: cut off). */
static enum sg_err parse_changed(size_t at, char c)
{
	char text[NOTE_VKEY_MAX];
	struct note_key key;

	note_key_text(&log_key, text);
	text[at] = c;
	return note_key_parse(span_str(text), &key);
}

static void test_bad_keys(void **state)
{
	const size_t hash_at = sizeof(NAME);
	const size_t base64_at = hash_at + 9;
	char text[NOTE_VKEY_MAX];
	char long_text[3000];
	struct note_key key;

	(void)state;
	note_key_text(&log_key, text);
	for (size_t i = 0; i < strlen(text); i++)
		assert_int_equal(parse_changed(i, 0), SG_MALFORMED);
	for (size_t i = 0; i < strlen(text); i++)
		assert_int_not_equal(
			parse_changed(i, text[i] == 'A' ? 'B' : 'A'), SG_OK);
	/* "Ag", "Bg": types 2 and 6. */
	assert_int_equal(parse_changed(base64_at + 1, 'g'), SG_BAD_KEY);
	assert_int_equal(parse_changed(base64_at, 'B'), SG_BAD_KEY);
	assert_int_equal(note_key_parse(span_of(NULL, 0), &key), SG_MALFORMED);
	assert_int_equal(note_key_parse(SPAN_LIT("\n"), &key), SG_MALFORMED);
	assert_int_equal(note_key_parse(SPAN_LIT("a+b"), &key), SG_MALFORMED);
	assert_int_equal(note_key_parse(SPAN_LIT("a+01234567+"), &key),
			 SG_MALFORMED);
	assert_int_equal(note_key_parse(SPAN_LIT("a+0123456+AQ=="), &key),
			 SG_MALFORMED);
	(void)snprintf(long_text, sizeof(long_text), "%s\n\n", text);
	assert_int_equal(note_key_parse(span_str(long_text), &key),
			 SG_MALFORMED);
	(void)snprintf(long_text, sizeof(long_text), " %s", text);
	assert_int_equal(note_key_parse(span_str(long_text), &key),
			 SG_MALFORMED);
	/* A long key of a kind that is not read here: ML-DSA. */
	memset(long_text, 'B', sizeof(long_text));
	memcpy(long_text, "a+01234567+BgAA", 15);
	assert_int_equal(note_key_parse(span_of(long_text, 11 + 1752), &key),
			 SG_BAD_KEY);
	/* The hash in capitals is another spelling of the same. */
	for (size_t i = hash_at; i < hash_at + 8; i++)
		if (text[i] >= 'a' && text[i] <= 'f')
			assert_int_equal(parse_changed(i, (char)(text[i] - 32)),
					 SG_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_key_names),
		cmocka_unit_test(test_bad_keys),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
