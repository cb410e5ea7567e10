/* SPDX-License-Identifier: Apache-2.0 */
#include "card.h"

#include <openssl/evp.h>
#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "card_state.h"
#include "pkcs11/ckr.h"
#include "pkcs11/object.h"
#include "pkcs11/unconst.h"

enum { SLOTS_MAX = 64, DIGEST_MAX = 48 };

enum sg_err card_failed(const struct card *c, const char *what, CK_RV rv,
			char *why, size_t cap)
{
	(void)c;
	if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED)
		(void)snprintf(
			why, cap,
			"the card refuses the PIN (%s); a few wrong ones "
			"lock it",
			ckr_name(rv));
	else
		(void)snprintf(why, cap, "the card: %s: %s", what,
			       ckr_name(rv));
	return SG_TOKEN_DOWN;
}

/* --- the token ------------------------------------------------------------ */

/* Does the token in SLOT fit the URI? */
static bool fits(const struct card *c, CK_SLOT_ID slot, CK_TOKEN_INFO *token)
{
	P11KitUri *uri = c->uri;
	CK_SLOT_INFO info;

	return c->f->C_GetSlotInfo(slot, &info) == CKR_OK &&
	       c->f->C_GetTokenInfo(slot, token) == CKR_OK &&
	       p11_kit_uri_match_slot_info(uri, &info) == 1 &&
	       p11_kit_uri_match_token_info(uri, token) == 1 &&
	       (p11_kit_uri_get_slot_id(uri) == (CK_SLOT_ID)-1 ||
		p11_kit_uri_get_slot_id(uri) == slot);
}

static enum sg_err find_token(struct card *c, CK_SLOT_ID *out, char *why,
			      size_t cap)
{
	CK_SLOT_ID slot[SLOTS_MAX];
	CK_TOKEN_INFO token;
	CK_ULONG n = SLOTS_MAX;
	CK_ULONG found = 0;
	const CK_RV rv = c->f->C_GetSlotList(CK_TRUE, slot, &n);

	if (rv != CKR_OK)
		return card_failed(c, "C_GetSlotList", rv, why, cap);
	for (CK_ULONG i = 0; i < n; i++) {
		if (!fits(c, slot[i], &token))
			continue;
		*out = slot[i];
		c->token = token;
		found++;
	}
	if (found == 1)
		return SG_OK;
	(void)snprintf(why, cap,
		       found == 0
			       ? "no card fits the URI: is it in the reader?"
			       : "several cards fit the URI: name the token");
	return SG_NOT_FOUND;
}

/* --- PIN and login -------------------------------------------------------- */

/* The file of a pin-source, "file:/path" or "/path" (RFC 7512 s. 2.4). */
static const char *pin_path(const struct card *c, const char *pin_file)
{
	const char *source = p11_kit_uri_get_pin_source(c->uri);

	if (pin_file != NULL || source == NULL)
		return pin_file;
	return strncmp(source, "file:", 5) == 0 ? source + 5 : source;
}

static enum sg_err read_pin(struct card *c, const char *path, char *why,
			    size_t cap)
{
	static char typed[PIN_BYTES_MAX];

	if ((c->token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0)
		return SG_OK; /* it is typed at the reader */
	if (path != NULL) {
		if (pin_read(path, &c->pin) == SG_OK)
			return SG_OK;
		(void)snprintf(why, cap, "%s: no PIN to be read", path);
		return SG_CONFIG;
	}
	if (EVP_read_pw_string(typed, sizeof(typed), "PIN of the card: ", 0) !=
	    0) {
		(void)snprintf(why, cap,
			       "no PIN: there is no terminal to ask on; "
			       "--pin-file names a file");
		return SG_CONFIG;
	}
	c->typed = typed;
	return SG_OK;
}

CK_RV card_login(struct card *c, CK_USER_TYPE user)
{
	CK_UTF8CHAR *pin = NULL;
	CK_ULONG n = 0;

	if (c->typed != NULL) {
		pin = (CK_UTF8CHAR *)c->typed;
		n = strlen(c->typed);
	} else if (c->pin.n > 0) {
		pin = c->pin.bytes;
		n = c->pin.n;
	}
	return c->f->C_Login(c->session, user, pin, n);
}

static enum sg_err open_session(struct card *c, CK_SLOT_ID slot,
				const char *pin_file, char *why, size_t cap)
{
	CK_RV rv = c->f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
				       &c->session);
	enum sg_err err;

	if (rv != CKR_OK) {
		c->session = CK_INVALID_HANDLE;
		return card_failed(c, "C_OpenSession", rv, why, cap);
	}
	if ((c->token.flags & CKF_LOGIN_REQUIRED) == 0)
		return SG_OK;
	err = read_pin(c, pin_path(c, pin_file), why, cap);
	if (err != SG_OK)
		return err;
	rv = card_login(c, CKU_USER);
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return card_failed(c, "C_Login", rv, why, cap);
	return SG_OK;
}

/* --- signing -------------------------------------------------------------- */

/* What C_Sign is given: the digest, or for Ed25519 the message. */
static bool prepare(enum cose_alg alg, struct span message,
		    uint8_t digest[DIGEST_MAX], struct span *tbs)
{
	unsigned n = 0;

	*tbs = message;
	if (alg == COSE_EDDSA)
		return true;
	if (EVP_Digest(message.p, message.n, digest, &n,
		       alg == COSE_ES384 ? EVP_sha384() : EVP_sha256(),
		       NULL) != 1)
		return false;
	*tbs = span_of(digest, n);
	return true;
}

static CK_RV sign(struct card *c, enum cose_alg alg, struct span tbs,
		  uint8_t *out, CK_ULONG *n)
{
	static CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256,
					     COSE_PS256_SALT};
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	CK_RV rv;

	if (alg == COSE_EDDSA)
		m.mechanism = CKM_EDDSA;
	if (alg == COSE_PS256)
		m = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, sizeof(pss)};
	rv = c->f->C_SignInit(c->session, &m, c->key);
	if (rv == CKR_OK && c->always)
		rv = card_login(c, CKU_CONTEXT_SPECIFIC);
	if (rv == CKR_OK)
		rv = c->f->C_Sign(c->session, unconst(tbs.p), tbs.n, out, n);
	return rv;
}

enum sg_err card_sign(struct card *c, enum cose_alg alg, struct span message,
		      struct card_signature *out, char *why, size_t cap)
{
	uint8_t digest[DIGEST_MAX];
	CK_ULONG n = sizeof(out->bytes);
	struct span tbs;
	CK_RV rv = CKR_FUNCTION_FAILED;

	if (prepare(alg, message, digest, &tbs))
		rv = sign(c, alg, tbs, out->bytes, &n);
	if (rv != CKR_OK)
		return card_failed(c, "it does not sign", rv, why, cap);
	out->n = n;
	return SG_OK;
}

/* --- the whole ------------------------------------------------------------ */

static enum sg_err parse(struct card *c, const char *text, char *why,
			 size_t cap)
{
	c->uri = p11_kit_uri_new();
	if (c->uri == NULL)
		return SG_NO_MEMORY;
	if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, c->uri) !=
		    P11_KIT_URI_OK ||
	    p11_kit_uri_any_unrecognized(c->uri) != 0) {
		(void)snprintf(why, cap, "--key: not a PKCS #11 URI");
		return SG_CONFIG;
	}
	if (p11_kit_uri_get_pin_value(c->uri) != NULL) {
		(void)snprintf(why, cap,
			       "--key: no PIN in the URI, where others can see "
			       "it: pin-source or --pin-file");
		return SG_CONFIG;
	}
	return SG_OK;
}

enum sg_err card_open(const struct card_wanted *wanted, struct card **out,
		      struct span *spki, char *why, size_t cap)
{
	struct card *c = calloc(1, sizeof(*c));
	CK_SLOT_ID slot = 0;
	enum sg_err err;

	*out = NULL;
	if (c == NULL)
		return SG_NO_MEMORY;
	err = parse(c, wanted->uri, why, cap);
	if (err == SG_OK)
		err = card_load(c, wanted->module, why, cap);
	if (err == SG_OK)
		err = find_token(c, &slot, why, cap);
	if (err == SG_OK)
		err = open_session(c, slot, wanted->pin_file, why, cap);
	if (err == SG_OK)
		err = card_find_key(c, spki, why, cap);
	if (err == SG_OK)
		*out = c;
	else
		card_close(c);
	return err;
}

void card_close(struct card *c)
{
	if (c == NULL)
		return;
	if (c->session != CK_INVALID_HANDLE)
		(void)c->f->C_CloseSession(c->session);
	if (c->f != NULL)
		(void)c->f->C_Finalize(NULL);
	if (c->typed != NULL)
		fileio_wipe(c->typed, PIN_BYTES_MAX);
	pin_wipe(&c->pin);
	p11_kit_uri_free(c->uri);
	free(c);
}
