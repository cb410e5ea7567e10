/* SPDX-License-Identifier: Apache-2.0 */
#include "server_key.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "tls.h"

/* Not in an HSM. */
static bool is_here(const struct front *f)
{
	return tls_context_hsm_key(f->tls) == NULL;
}

bool server_key_fits(const struct front *f)
{
	return is_here(f) || (f->hsm_key != NULL && !f->key_is_other);
}

void server_key_renewed(struct front *f)
{
	const bool was = f->key_is_other;

	f->key_is_other = tls_context_key_changes(f->tls, f->hsm_key);
	if (f->key_is_other && !was)
		log_event(LOG_ERROR, "tls-key-other", "reason=" LOG_Q,
			  server_key_fault(f));
}

void server_key_told(struct front *f, struct span spki)
{
	const uint8_t *p = spki.p;
	EVP_PKEY *key;

	if (spki.n == 0 || is_here(f))
		return; /* what was known still is */
	key = d2i_PUBKEY(NULL, &p, (long)spki.n);
	if (key == NULL) {
		ERR_clear_error();
		return;
	}
	server_key_forget(f);
	f->hsm_key = key;
	server_key_renewed(f);
}

bool server_key_opens(const struct front *f)
{
	return server_key_fits(f) ||
	       (f->hsm_key == NULL &&
		uv_now(f->loop) - f->started_ms >= SERVER_KEY_WAIT_MS);
}

const char *server_key_fault(const struct front *f)
{
	return f->key_is_other ? "the server's certificate is of another key "
				 "than the one in the HSM"
			       : NULL;
}

bool server_key_is_other(const struct front *f, const struct tls_context *tls)
{
	return tls_context_key_changes(
		tls,
		f->hsm_key != NULL ? f->hsm_key : tls_context_hsm_key(f->tls));
}

void server_key_forget(struct front *f)
{
	EVP_PKEY_free(f->hsm_key);
	f->hsm_key = NULL;
}
