/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/log.h"
#include "ckr.h"
#include "copy.h"
#include "flood.h"
#include "mechanism.h"
#include "unconst.h"

static const CK_FUNCTION_LIST *calls(const struct session *s)
{
	return s->token->module->f;
}

CK_RV session_open(struct session *s, struct token *token, struct watch *w)
{
	const CK_FLAGS flags =
		CKF_SERIAL_SESSION | (token->writes ? CKF_RW_SESSION : 0);
	CK_RV rv;

	s->token = token;
	s->handle = CK_INVALID_HANDLE;
	watch_enter(w, "opening a session", clock_mono_us());
	rv = calls(s)->C_OpenSession(token->slot, flags, NULL, NULL,
				     &s->handle);
	watch_leave(w);
	if (rv != CKR_OK)
		s->handle = CK_INVALID_HANDLE;
	return rv;
}

void session_close(struct session *s)
{
	if (s->handle != CK_INVALID_HANDLE)
		calls(s)->C_CloseSession(s->handle);
	s->handle = CK_INVALID_HANDLE;
}

/* C_SignInit and C_Sign, with the key's handle safe under the lock. */
static CK_RV attempt(const struct session *s, struct key *key, struct span tbs,
		     struct signature *out, CK_ULONG *n)
{
	const CK_FUNCTION_LIST *f = calls(s);
	CK_OBJECT_HANDLE handle = key->handle;
	CK_RV rv = CKR_OK;

	if (key->gone) /* its own fault: no new session would mend it */
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	out->by_copy = key->copy != CK_INVALID_HANDLE;
	if (out->by_copy) {
		handle = key->copy;
		rv = copy_allowed(key, s->handle, out->begun_us);
	}
	if (rv == CKR_OK)
		rv = f->C_SignInit(s->handle, mechanism_of(key->alg), handle);
	if (rv != CKR_OK)
		return rv;
	/* The module only reads what it signs, but PKCS #11 has no const. */
	return f->C_Sign(s->handle, unconst(tbs.p), tbs.n, out->bytes, n);
}

CK_RV session_sign(const struct session *s, struct key *key, struct span tbs,
		   struct signature *out, struct watch *w)
{
	CK_ULONG n = sizeof(out->bytes);

	assert(key->token == s->token);
	*out = (struct signature){.rv = CKR_DATA_LEN_RANGE};
	if (!mechanism_takes(key->alg, tbs)) {
		out->begun_us = clock_mono_us();
		return out->rv;
	}
	pthread_rwlock_rdlock(&s->token->lock);
	out->begun_us = clock_mono_us();
	watch_enter(w, "signing", out->begun_us);
	out->rv = attempt(s, key, tbs, out, &n);
	out->sign_us = (uint32_t)(clock_mono_us() - out->begun_us);
	watch_leave(w);
	/* Still under the lock: a renewal writes the key's length anew. */
	if (out->rv == CKR_OK && n != key->sig_bytes)
		out->rv = CKR_SIGNATURE_LEN_RANGE;
	pthread_rwlock_unlock(&s->token->lock);
	if (out->rv == CKR_OK)
		out->n = n;
	return out->rv;
}

/* The new session before the old one goes, so that a login that is still good
 * does not end with its last session; a token that is full wants it the other
 * way around. */
static CK_RV reopen(struct session *s, struct watch *w)
{
	struct session old = *s;
	CK_RV rv = session_open(s, old.token, w);

	watch_enter(w, "closing a session", clock_mono_us());
	session_close(&old);
	watch_leave(w);
	if (rv != CKR_OK)
		rv = session_open(s, old.token, w);
	return rv;
}

static bool logged_in(const struct session *s)
{
	CK_SESSION_INFO info;

	return calls(s)->C_GetSessionInfo(s->handle, &info) == CKR_OK &&
	       (info.state == CKS_RO_USER_FUNCTIONS ||
		info.state == CKS_RW_USER_FUNCTIONS);
}

enum sg_err session_refresh_key(const struct session *s, struct key *key,
				struct watch *w)
{
	const bool was = key->gone;
	enum sg_err e;

	key->quiet = key->found;
	watch_enter(w, "finding a key again", clock_mono_us());
	e = key_refresh(key, s->handle);
	watch_leave(w);
	if ((!key->found && !was) || e == SG_TOKEN_DOWN)
		return e;
	key->gone = e != SG_OK;
	if (key->gone && !was) {
		key->copy = CK_INVALID_HANDLE;
		log_event(LOG_WARNING, "key-gone",
			  "key=\"%s\" token=\"%s\" reason=\"%s\"", key->label,
			  s->token->label,
			  e == SG_NOT_FOUND ? "the token has it no more"
					    : err_text(e));
	}
	return SG_OK;
}

/* The handles of S's keys, and their copies, anew. */
static enum sg_err refresh(const struct session *s,
			   const struct session_keys *keys, struct watch *w)
{
	const size_t n = atomic_load(&keys->n);

	for (size_t i = 0; i < n; i++) {
		enum sg_err e;

		if (keys->key[i].token != s->token)
			continue;
		e = session_refresh_key(s, &keys->key[i], w);
		if (e != SG_OK)
			return e;
	}
	if (keys->copies)
		copy_make(s->token, keys->key, n, w);
	return SG_OK;
}

static enum sg_err renew(struct session *s, CK_RV cause,
			 const struct session_keys *keys, struct watch *w)
{
	const CK_RV rv = reopen(s, w);
	bool login;
	enum sg_err e;

	if (rv != CKR_OK) {
		ckr_note(rv);
		log_event(LOG_ERROR, "no-session", "token=\"%s\" " CKR_FMT,
			  s->token->label, CKR_ARGS(rv));
		return SG_TOKEN_DOWN;
	}
	watch_enter(w, "reading a session's state", clock_mono_us());
	/* A module that has lost its token may still say that all is well. */
	login = s->token->login &&
		(cause == CKR_USER_NOT_LOGGED_IN || !logged_in(s));
	watch_leave(w);
	if (login) {
		e = token_login(s->token, s->handle, keys->pin_file, w);
		if (e != SG_OK)
			return e;
	}
	if (login || ckr_fault(cause) == CKR_FAULT_SESSION)
		return refresh(s, keys, w);
	return SG_OK;
}

enum sg_err session_renew(struct session *s, CK_RV cause,
			  const struct session_keys *keys, struct watch *w)
{
	static struct flood flood;
	enum sg_err e;

	pthread_rwlock_wrlock(&s->token->lock);
	e = renew(s, cause, keys, w);
	pthread_rwlock_unlock(&s->token->lock);
	if (e == SG_OK && flood_allows(&flood))
		log_event(LOG_INFO, "session-renewed", "token=\"%s\" cause=%s",
			  s->token->label, ckr_name(cause));
	return e;
}

void session_give_up_copy(const struct session *s, struct key *key, CK_RV cause,
			  struct watch *w)
{
	pthread_rwlock_wrlock(&s->token->lock);
	copy_give_up(key, cause, w);
	pthread_rwlock_unlock(&s->token->lock);
}
