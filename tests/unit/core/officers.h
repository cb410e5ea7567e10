/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_OFFICERS_H
#define TEST_OFFICERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/recovery.h"
#include "pki.h"

/* officers: who may let a ledger go on, with keys in software. */
struct signatory {
	EVP_PKEY *pkey;
	struct note_key key;
};

/* PKEY under NAME; NULL: a new one. */
static inline struct signatory signatory_make(EVP_PKEY *pkey, const char *name)
{
	struct signatory o;
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	size_t n = sizeof(public_key);

	o.pkey = pkey != NULL ? pkey : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(o.pkey);
	assert_int_equal(EVP_PKEY_get_raw_public_key(o.pkey, public_key, &n),
			 1);
	assert_int_equal(
		note_key_make(span_str(name), NOTE_ED25519, public_key, &o.key),
		SG_OK);
	return o;
}

static inline void officer_appoint(const struct signatory *o,
				   struct core_ledger_settings *s)
{
	char text[NOTE_VKEY_MAX];

	note_key_text(&o->key, text);
	(void)snprintf(s->officer[s->nofficers++], CORE_VKEY_MAX, "%s", text);
}

/* TEXT, signed by the N of OFFICERS. */
static inline size_t officers_sign(struct span text,
				   const struct signatory *officers, size_t n,
				   uint8_t out[RECOVERY_NOTE_MAX])
{
	uint8_t lines[4096];
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	size_t lines_n = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		assert_non_null(ctx);
		len = sizeof(signature);
		assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL,
						    officers[i].pkey),
				 1);
		assert_int_equal(
			EVP_DigestSign(ctx, signature, &len, text.p, text.n),
			1);
		EVP_MD_CTX_free(ctx);
		assert_int_equal(note_signature_line(&officers[i].key, 0,
						     signature, lines + lines_n,
						     sizeof(lines) - lines_n,
						     &len),
				 SG_OK);
		lines_n += len;
	}
	assert_int_equal(note_join(text, span_of(lines, lines_n), out,
				   RECOVERY_NOTE_MAX, &len),
			 SG_OK);
	return len;
}

#endif /* TEST_OFFICERS_H */
