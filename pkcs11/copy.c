/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "ckr.h"
#include "object.h"

static const CK_FUNCTION_LIST *calls(const struct token *t)
{
	return t->module->f;
}

static void refused(const struct key *key, const char *why, CK_RV rv)
{
	log_event(LOG_WARNING, "session-copy-refused",
		  "key=\"%s\" token=\"%s\" reason=\"%s\" " CKR_FMT, key->label,
		  key->token->label, why, CKR_ARGS(rv));
}

/* Why COPY must not stand in for KEY; NULL: it may.  What cannot be read is
 * taken for the worse. */
static const char *flaw(const struct key *key, CK_OBJECT_HANDLE copy)
{
	const CK_FUNCTION_LIST *f = calls(key->token);
	const CK_SESSION_HANDLE s = key->token->keeper;

	if (!object_bool(f, s, copy, CKA_PRIVATE, false))
		return "the copy is not private";
	if (object_bool(f, s, key->handle, CKA_SENSITIVE, true) &&
	    !object_bool(f, s, copy, CKA_SENSITIVE, false))
		return "the copy is not sensitive";
	if (!object_bool(f, s, key->handle, CKA_EXTRACTABLE, false) &&
	    object_bool(f, s, copy, CKA_EXTRACTABLE, true))
		return "the copy is extractable";
	if (!object_bool(f, s, copy, CKA_SIGN, true))
		return "the copy is not for signing";
	if (object_bool(f, s, copy, CKA_ALWAYS_AUTHENTICATE, false))
		return "the copy wants the PIN for every signature";
	return NULL;
}

/* A handle that is not surely a session object's is never destroyed: it could
 * be the key's own. */
static void copy_one(struct key *key)
{
	const CK_FUNCTION_LIST *f = calls(key->token);
	const CK_SESSION_HANDLE s = key->token->keeper;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE template[] = {{CKA_TOKEN, &no, sizeof(no)}};
	CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
	const CK_RV rv = f->C_CopyObject(s, key->handle, template, 1, &copy);
	const char *why;

	if (rv != CKR_OK) {
		refused(key, "the module makes none", rv);
		return;
	}
	if (copy == CK_INVALID_HANDLE || copy == key->handle ||
	    object_bool(f, s, copy, CKA_TOKEN, true)) {
		refused(key, "the copy is on the token", rv);
		return;
	}
	why = flaw(key, copy);
	if (why != NULL) {
		f->C_DestroyObject(s, copy);
		refused(key, why, rv);
		return;
	}
	atomic_store(&key->seen_us, clock_mono_us());
	key->copy = copy;
}

void copy_make(struct token *t, struct key *keys, size_t n, struct watch *w)
{
	size_t all = 0;
	size_t copied = 0;
	CK_RV rv;

	for (size_t i = 0; i < n; i++)
		if (keys[i].token == t)
			keys[i].copy = CK_INVALID_HANDLE;
	watch_enter(w, "opening a session for copies", clock_mono_us());
	copy_end(t);
	/* Read-only, so that nothing on the token can be changed by it. */
	rv = calls(t)->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL,
				     &t->keeper);
	watch_leave(w);
	if (rv != CKR_OK) {
		t->keeper = CK_INVALID_HANDLE;
		log_event(LOG_WARNING, "session-copies-refused",
			  "token=\"%s\" reason=\"no session to hold "
			  "them\" " CKR_FMT,
			  t->label, CKR_ARGS(rv));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (keys[i].token != t || keys[i].gone)
			continue;
		watch_enter(w, "copying a key", clock_mono_us());
		copy_one(&keys[i]);
		watch_leave(w);
		all++;
		copied += keys[i].copy != CK_INVALID_HANDLE;
	}
	log_event(LOG_INFO, "session-copies",
		  "token=\"%s\" keys=%zu copies=%zu", t->label, all, copied);
}

void copy_add(struct key *key, struct watch *w)
{
	if (key->token->keeper == CK_INVALID_HANDLE)
		return;
	watch_enter(w, "copying a key", clock_mono_us());
	copy_one(key);
	watch_leave(w);
}

void copy_give_up(struct key *key, CK_RV rv, struct watch *w)
{
	const struct token *t = key->token;

	if (key->copy == CK_INVALID_HANDLE)
		return;
	refused(key, "signing with it fails", rv);
	watch_enter(w, "destroying a copy", clock_mono_us());
	/* Its number may be another object's by now; the session is read-only,
	 * so that could be a copy at most. */
	calls(t)->C_DestroyObject(t->keeper, key->copy);
	watch_leave(w);
	key->copy = CK_INVALID_HANDLE;
}

void copy_end(struct token *t)
{
	if (t->keeper != CK_INVALID_HANDLE)
		calls(t)->C_CloseSession(t->keeper);
	t->keeper = CK_INVALID_HANDLE;
}

CK_RV copy_allowed(struct key *key, CK_SESSION_HANDLE session, uint64_t now_us)
{
	const uint64_t seen =
		atomic_load_explicit(&key->seen_us, memory_order_relaxed);
	CK_BBOOL sign = CK_TRUE;
	size_t n = sizeof(sign);
	CK_RV rv;

	if (now_us < seen || now_us - seen <= COPY_TRUST_US)
		return CKR_OK;
	rv = object_read(calls(key->token), session, key->handle, CKA_SIGN,
			 &sign, &n);
	/* As at the start: a module need not tell. */
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE)
		rv = CKR_OK;
	if (rv == CKR_OK && sign == CK_FALSE)
		rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (rv == CKR_OK)
		atomic_store_explicit(&key->seen_us, now_us,
				      memory_order_relaxed);
	return rv;
}
