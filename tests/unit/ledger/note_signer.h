/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the tests' own, and notes signed by them. */
#ifndef SG_TEST_NOTE_SIGNER_H
#define SG_TEST_NOTE_SIGNER_H

#include <openssl/evp.h>
#include <stdio.h>

#include "ledger/note.h"

#define NAME "log.example/a"
#define TEXT "some text\nof two lines\n"
#define DASH "\xe2\x80\x94 "

static struct note_key log_key, witness_key;

/* --- a signer of the test's own ------------------------------------------- */

static inline EVP_PKEY *private_key(uint8_t seed)
{
	uint8_t raw[32];

	memset(raw, seed, sizeof(raw));
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw,
					    sizeof(raw));
}

static inline void public_key(uint8_t seed, uint8_t out[32])
{
	EVP_PKEY *key = private_key(seed);
	size_t n = 32;

	assert_int_equal(EVP_PKEY_get_raw_public_key(key, out, &n), 1);
	EVP_PKEY_free(key);
}

static inline void sign(uint8_t seed, struct span message, uint8_t out[64])
{
	EVP_PKEY *key = private_key(seed);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = 64;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, out, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static inline struct note_key make(const char *name, uint8_t type, uint8_t seed)
{
	struct note_key key;
	uint8_t raw[32];

	public_key(seed, raw);
	assert_int_equal(note_key_make(span_str(name), type, raw, &key), SG_OK);
	return key;
}

static inline int setup(void **state)
{
	(void)state;
	log_key = make(NAME, NOTE_ED25519, 1);
	witness_key = make("witness.example/w", NOTE_COSIGNATURE, 2);
	return 0;
}

/* The signature line of SEED's KEY over TEXT, with a NUL. */
static inline const char *line_of(const struct note_key *key, uint8_t seed,
				  const char *text, int64_t time)
{
	static char out[NOTE_LINE_MAX + 1];
	uint8_t message[512];
	struct span signed_text = span_str(text);
	uint8_t signature[64];
	size_t n;

	if (key->type == NOTE_COSIGNATURE) {
		assert_int_equal(note_cosigned_message(span_str(text), time,
						       message, sizeof(message),
						       &n),
				 SG_OK);
		signed_text = span_of(message, n);
	}
	sign(seed, signed_text, signature);
	assert_int_equal(note_signature_line(key, time, signature,
					     (uint8_t *)out, sizeof(out) - 1,
					     &n),
			 SG_OK);
	out[n] = 0;
	return out;
}

/* A note of what is given. */
static inline struct span note_of(const char *text, const char *lines)
{
	static uint8_t out[NOTE_BYTES_MAX];
	size_t n;

	assert_int_equal(note_join(span_str(text), span_str(lines), out,
				   sizeof(out), &n),
			 SG_OK);
	return span_of(out, n);
}

static inline enum sg_err verify(struct span in, const struct note_key *key,
				 int64_t *time)
{
	struct note n;
	const enum sg_err err = note_parse(in, &n);

	return err == SG_OK ? note_verify(&n, key, time) : err;
}

#endif /* SG_TEST_NOTE_SIGNER_H */
