/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ckr.h"
#include "pin.h"
#include "unconst.h"

/* libp11's view of the slots, for as long as the start takes. */
struct slots_view {
	const struct module *module;
	PKCS11_SLOT *slot;
	unsigned n;
};

/* The newest reason that libp11 left in OpenSSL's queue; clears the queue. */
static const char *libp11_reason(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return why != NULL ? why : "no reason given";
}

/* Text padded with blanks to N, as PKCS #11 has it, to a C string. */
static void unpad(const unsigned char *in, size_t n, char *out)
{
	while (n > 0 && in[n - 1] == ' ')
		n--;
	memcpy(out, in, n);
	out[n] = '\0';
}

static bool fits(const struct slots_view *v, unsigned i, const struct uri *uri)
{
	const CK_FUNCTION_LIST *f = v->module->f;
	const CK_SLOT_ID id = PKCS11_get_slotid_from_slot(&v->slot[i]);
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;

	/* libp11 keeps no flag for a token that waits to be initialised but
	 * its own; such a token has no label yet. */
	if (v->slot[i].token == NULL || !v->slot[i].token->initialized)
		return false;
	if (f->C_GetSlotInfo(id, &slot) != CKR_OK ||
	    f->C_GetTokenInfo(id, &token) != CKR_OK)
		return false;
	return uri_fits_library(uri, &v->module->info) &&
	       uri_fits_token(uri, id, &slot, &token);
}

/* The one slot that fits; which of two is meant must not be left to chance. */
static enum sg_err find_slot(const struct slots_view *v, const struct uri *uri,
			     unsigned *out)
{
	unsigned found = 0;

	for (unsigned i = 0; i < v->n; i++) {
		if (!fits(v, i, uri))
			continue;
		if (found++ == 0)
			*out = i;
	}
	if (found == 1)
		return SG_OK;
	if (found == 0)
		ckr_note(CKR_TOKEN_NOT_PRESENT);
	log_event(LOG_ERROR, found == 0 ? "token-not-found" : "token-ambiguous",
		  "key=\"%s\" slots=%u fit=%u", uri_label(uri), v->n, found);
	return found == 0 ? SG_NOT_FOUND : SG_CONFIG;
}

static enum sg_err token_new(const struct module *m, CK_SLOT_ID id,
			     struct token **out)
{
	struct token *t = calloc(1, sizeof(*t));
	pthread_rwlockattr_t attr;
	CK_TOKEN_INFO info;
	CK_RV rv;

	if (t == NULL)
		return SG_NO_MEMORY;
	rv = m->f->C_GetTokenInfo(id, &info);
	if (rv != CKR_OK) {
		log_event(LOG_ERROR, "token-unreadable", CKR_FMT, CKR_ARGS(rv));
		free(t);
		return SG_TOKEN_DOWN;
	}
	t->module = m;
	t->slot = id;
	t->login = (info.flags & CKF_LOGIN_REQUIRED) != 0;
	unpad(info.label, sizeof(info.label), t->label);
	pthread_rwlockattr_init(&attr);
	/* Else signatures without end would keep a recovery waiting. */
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&t->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	*out = t;
	return SG_OK;
}

static void token_free(struct token *t)
{
	for (size_t i = 0; i < t->ncertificates; i++)
		OPENSSL_free(unconst(t->certificate[i].der.p));
	free(t->certificate);
	pthread_rwlock_destroy(&t->lock);
	free(t);
}

void token_set_free(struct token_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		token_free(set->token[i]);
	set->n = 0;
}

/* One that is too large to be ours, or does not encode, is left out. */
static void keep(struct token *t, const PKCS11_CERT *cert)
{
	struct token_certificate *c = &t->certificate[t->ncertificates];
	unsigned char *der = NULL;
	const int n = i2d_X509(cert->x509, &der);

	if (n <= 0 || cert->id_len > sizeof(c->id) ||
	    (cert->label != NULL && strlen(cert->label) >= sizeof(c->label))) {
		OPENSSL_free(der);
		return;
	}
	*c = (struct token_certificate){.nid = cert->id_len,
					.der = span_of(der, (size_t)n)};
	if (cert->id_len > 0)
		memcpy(c->id, cert->id, cert->id_len);
	if (cert->label != NULL)
		memcpy(c->label, cert->label, strlen(cert->label));
	t->ncertificates++;
}

static enum sg_err read_certificates(struct token *t, PKCS11_TOKEN *view)
{
	PKCS11_CERT *certs = NULL;
	unsigned n = 0;

	if (PKCS11_enumerate_certs(view, &certs, &n) != 0) {
		log_event(LOG_WARNING, "certificates-unreadable",
			  "token=\"%s\" reason=\"%s\"", t->label,
			  libp11_reason());
		return SG_OK;
	}
	if (n == 0)
		return SG_OK;
	t->certificate = calloc(n, sizeof(t->certificate[0]));
	if (t->certificate == NULL)
		return SG_NO_MEMORY;
	for (unsigned i = 0; i < n; i++)
		keep(t, &certs[i]);
	return SG_OK;
}

static enum sg_err read_token(struct token *t, PKCS11_TOKEN *view)
{
	const CK_FUNCTION_LIST *f = t->module->f;
	CK_SESSION_HANDLE probe;
	CK_RV rv;

	/* Where no session is to be had, libp11 0.4.12 would wait for ever. */
	rv = f->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &probe);
	if (rv != CKR_OK) {
		ckr_note(rv);
		log_event(LOG_ERROR, "no-session", "token=\"%s\" " CKR_FMT,
			  t->label, CKR_ARGS(rv));
		return rv == CKR_SESSION_COUNT ? SG_BUSY : SG_TOKEN_DOWN;
	}
	f->C_CloseSession(probe);
	return read_certificates(t, view);
}

/* The token of slot INDEX of the view, which may be in the set already. */
static enum sg_err take(const struct slots_view *v, unsigned index,
			struct token_set *set, size_t *which)
{
	const CK_SLOT_ID id = PKCS11_get_slotid_from_slot(&v->slot[index]);
	struct token *t;
	enum sg_err e;

	for (size_t i = 0; i < set->n; i++)
		if (set->token[i]->slot == id) {
			*which = i;
			return SG_OK;
		}
	if (set->n == TOKENS_MAX) {
		log_event(LOG_ERROR, "too-many-tokens", "max=%d", TOKENS_MAX);
		return SG_CONFIG;
	}
	e = token_new(v->module, id, &t);
	if (e != SG_OK)
		return e;
	*which = set->n;
	set->token[set->n++] = t;
	return read_token(t, v->slot[index].token);
}

enum sg_err token_find(const struct module *m, struct uri *const *uris,
		       size_t n, struct token_set *out, size_t *which,
		       struct watch *w)
{
	struct slots_view v = {.module = m};
	enum sg_err e = SG_OK;

	out->n = 0;
	watch_enter(w, "reading slots", clock_mono_us());
	if (PKCS11_enumerate_slots(m->ctx, &v.slot, &v.n) != 0) {
		watch_leave(w);
		log_event(LOG_ERROR, "slots-unreadable", "reason=\"%s\"",
			  libp11_reason());
		return SG_TOKEN_DOWN;
	}
	for (size_t i = 0; i < n && e == SG_OK; i++) {
		unsigned index = 0;

		watch_enter(w, "reading a token", clock_mono_us());
		e = find_slot(&v, uris[i], &index);
		if (e == SG_OK)
			e = take(&v, index, out, &which[i]);
	}
	PKCS11_release_all_slots(m->ctx, v.slot, v.n);
	watch_leave(w);
	return e;
}

/* A crash-only process with a wrong PIN would lock the token by restarting:
 * stop one try short of it. */
static enum sg_err check_tries(const struct token *t)
{
	CK_TOKEN_INFO info;
	const CK_RV rv = t->module->f->C_GetTokenInfo(t->slot, &info);

	if (rv != CKR_OK) {
		log_event(LOG_ERROR, "token-unreadable",
			  "token=\"%s\" " CKR_FMT, t->label, CKR_ARGS(rv));
		return SG_TOKEN_DOWN;
	}
	if ((info.flags & (CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)) !=
	    0) {
		log_event(LOG_ERROR, "login-refused",
			  "token=\"%s\" reason=\"%s\"", t->label,
			  (info.flags & CKF_USER_PIN_LOCKED) != 0
				  ? "the PIN is locked"
				  : "the next wrong PIN would lock the token");
		return SG_PIN_REFUSED;
	}
	if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0)
		log_event(LOG_WARNING, "pin-tries-low", "token=\"%s\"",
			  t->label);
	return SG_OK;
}

static enum sg_err login_error(CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_EXPIRED:
	case CKR_PIN_LOCKED: return SG_PIN_REFUSED;
	default:
		return ckr_fault(rv) == CKR_FAULT_PROCESS ? SG_CONFIG
							  : SG_TOKEN_DOWN;
	}
}

enum sg_err token_login(const struct token *t, CK_SESSION_HANDLE session,
			const char *pin_file, struct watch *w)
{
	struct pin pin;
	enum sg_err e;
	CK_RV rv;

	if (!t->login)
		return SG_OK;
	watch_enter(w, "login", clock_mono_us());
	e = check_tries(t);
	if (e != SG_OK)
		goto out;
	e = pin_read(pin_file, &pin);
	if (e != SG_OK) {
		e = SG_CONFIG;
		goto out;
	}
	rv = t->module->f->C_Login(session, CKU_USER, pin.bytes, pin.n);
	pin_wipe(&pin);
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) {
		ckr_note(rv);
		log_event(LOG_ERROR, "login-failed", "token=\"%s\" " CKR_FMT,
			  t->label, CKR_ARGS(rv));
		e = login_error(rv);
	}
out:
	watch_leave(w);
	return e;
}
