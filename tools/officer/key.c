/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "officer.h"

int officer_trouble(const char *why)
{
	return command_trouble("signer-officer", why);
}

EVP_PKEY *officer_pem_read(const char *path, char *why, size_t cap)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *pkey = NULL;

	if (file == NULL) {
		(void)snprintf(why, cap, "%s: %s", path,
			       /* one thread */
			       /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
			       strerror(errno));
		return NULL;
	}
	pkey = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	if (pkey == NULL)
		(void)snprintf(why, cap,
			       "%s: no private key in PEM form, or "
			       "another passphrase",
			       path);
	ERR_clear_error();
	(void)fclose(file);
	return pkey;
}

enum sg_err officer_key_read(const char *path, const char *name,
			     struct officer_key *out, char *why, size_t cap)
{
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	size_t n = sizeof(public_key);
	EVP_PKEY *pkey = officer_pem_read(path, why, cap);
	enum sg_err err;

	if (pkey == NULL)
		return SG_IO;
	if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, public_key, &n) != 1) {
		(void)snprintf(why, cap,
			       "%s: not an Ed25519 key (openssl genpkey "
			       "-algorithm ed25519 makes one)",
			       path);
		EVP_PKEY_free(pkey);
		return SG_BAD_KEY;
	}
	err = note_key_make(span_str(name), NOTE_ED25519, public_key,
			    &out->note);
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s",
			       err == SG_NO_MEMORY
				       ? err_text(err)
				       : "an officer's name has no white space "
					 "and no plus sign");
		EVP_PKEY_free(pkey);
		return err;
	}
	out->pkey = pkey;
	return SG_OK;
}
