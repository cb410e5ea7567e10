/* SPDX-License-Identifier: Apache-2.0 */
#include "forge.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "ckr.h"
#include "csr.h"
#include "key_destroy.h"
#include "key_make.h"
#include "unconst.h"

const char FORGE_MAKING_RSA[] = "making an RSA key";

/* --- what came of it ------------------------------------------------------ */

void forged_drop(struct forged *f)
{
	OPENSSL_free(unconst(f->spki.p));
	OPENSSL_free(unconst(f->csr.p));
	f->spki = f->csr = span_of(NULL, 0);
}

enum sg_err forge_fail(struct forged *out, enum sg_err e, const char *format,
		       ...)
{
	va_list args;

	out->err = e;
	va_start(args, format);
	(void)vsnprintf(out->reason, sizeof(out->reason), format, args);
	va_end(args);
	return e;
}

enum sg_err forge_fail_call(struct forged *out, const char *call, CK_RV rv)
{
	out->rv = rv;
	return forge_fail(out, SG_TOKEN_DOWN, "%s: %s (0x%lx)", call,
			  ckr_name(rv), (unsigned long)rv);
}

/* --- the token ------------------------------------------------------------ */

static enum sg_err find_token(struct forge *f, struct forged *out)
{
	struct uri *uri;
	size_t which;
	enum sg_err e = uri_parse_token("new keys", f->token_uri,
					span_of(NULL, 0), &uri);

	if (e == SG_OK)
		e = token_find(f->module, &uri, 1, &f->tokens, &which,
			       f->watch);
	uri_free(uri);
	if (e == SG_OK)
		return SG_OK;
	return forge_fail(out, e, "the HSM's token for new keys: %s",
			  err_text(e));
}

static void pause_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

static enum sg_err login(struct forge *f, const char *pin_file,
			 struct forged *out)
{
	enum sg_err e = SG_OK;

	/* A refused PIN is never tried again: it would lock the token. */
	for (int i = 0; i < FORGE_LOGINS; i++) {
		if (i > 0)
			pause_ms(FORGE_LOGIN_PAUSE_MS);
		e = token_login(f->session.token, f->session.handle, pin_file,
				f->watch);
		if (e != SG_TOKEN_DOWN)
			break;
	}
	if (e == SG_OK)
		return SG_OK;
	if (e == SG_PIN_REFUSED)
		return forge_fail(out, e, "the token refuses the PIN");
	return forge_fail(out, e, "the login fails: %s", err_text(e));
}

enum sg_err forge_open(struct forge *f, const struct worker_settings *settings,
		       struct watch *w, struct forged *out)
{
	enum sg_err e;
	CK_RV rv;

	*f = (struct forge){.token_uri = settings->token,
			    .copies = settings->session_copies,
			    .watch = w};
	watch_enter(w, "loading the module", clock_mono_us());
	e = module_load(settings->module, &f->module);
	watch_leave(w);
	if (e != SG_OK)
		return forge_fail(out, e, "the module cannot be loaded");
	e = find_token(f, out);
	if (e != SG_OK)
		return e;
	f->tokens.token[0]->writes = true;
	rv = session_open(&f->session, f->tokens.token[0], w);
	if (rv != CKR_OK)
		return forge_fail_call(out, "C_OpenSession", rv);
	return login(f, settings->pin_file, out);
}

void forge_close(struct forge *f)
{
	struct token *t = f->session.token;

	if (f->module == NULL)
		return;
	watch_enter(f->watch, "finalising the module", clock_mono_us());
	if (t != NULL && f->session.handle != CK_INVALID_HANDLE)
		t->module->f->C_Logout(f->session.handle);
	if (t != NULL)
		session_close(&f->session);
	token_set_free(&f->tokens);
	module_unload(f->module);
	f->module = NULL;
	watch_leave(f->watch);
}

/* --- the tasks ------------------------------------------------------------ */

enum sg_err forge_find(struct forge *f, const struct wire_forge *task,
		       struct key *key, struct forged *out)
{
	enum sg_err e;

	*key = (struct key){.label = f->label,
			    .alg = (enum cose_alg)task->alg,
			    .token = f->session.token};
	e = uri_parse_token(key->label, f->token_uri, task->label, &key->uri);
	if (e == SG_OK)
		e = key_find(key, f->session.handle, f->watch);
	if (e == SG_NOT_FOUND)
		return forge_fail(out, e, "the token has no such key");
	if (e == SG_CONFIG)
		return forge_fail(out, e, "the token has several such keys");
	if (e != SG_OK)
		return forge_fail(out, e,
				  "the key cannot be used; the log says why");
	if (key->spki.n == 0)
		return forge_fail(out, SG_BAD_KEY,
				  "the key's public key is not on the token");
	return SG_OK;
}

static void fill(struct forge *f, const struct wire_forge *task,
		 struct forged *out)
{
	switch ((enum wire_task)task->task) {
	case WIRE_TASK_GENERATE: key_make(f, task, out); return;
	case WIRE_TASK_CSR: csr_make(f, task, out); return;
	case WIRE_TASK_DESTROY: key_destroy(f, task, out); return;
	case WIRE_TASK_COUNT: break;
	}
	(void)forge_fail(out, SG_MALFORMED, "no such task");
}

void forge_do(struct forge *f, const struct wire_forge *task,
	      struct forged *out)
{
	static const char *const NAME[] = {[WIRE_TASK_GENERATE] = "generate",
					   [WIRE_TASK_CSR] = "csr",
					   [WIRE_TASK_DESTROY] = "destroy"};

	(void)snprintf(f->label, sizeof(f->label), "%.*s", (int)task->label.n,
		       (const char *)task->label.p);
	fill(f, task, out);
	if (out->err == SG_OK)
		log_event(LOG_INFO, "forged", "task=%s key=\"%s\" token=\"%s\"",
			  NAME[task->task], f->label, f->session.token->label);
	else
		log_event(LOG_ERROR, "forge-failed",
			  "task=%s key=\"%s\" token=\"%s\" reason=\"%s\"",
			  NAME[task->task], f->label, f->session.token->label,
			  out->reason);
}
