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

/* Those that sign have them all.  Officers cannot see the HSM's limit. */
static enum sg_err no_session(const struct worker_settings *settings,
			      struct forged *out)
{
	out->rv = CKR_SESSION_COUNT;
	return forge_fail(out, SG_BUSY,
			  "no free session on HSM %s: it needs one more than "
			  "sessions x processes in signerd.yaml (%s)",
			  settings->name, ckr_name(out->rv));
}

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
	if (e == SG_OK || e == SG_BUSY)
		return e;
	return forge_fail(out, e, "the HSM's token for new keys %s",
			  e == SG_NOT_FOUND ? "is not there"
			  : e == SG_CONFIG  ? "is one of several"
					    : "cannot be read");
}

static enum sg_err log_in(struct forge *f, const char *pin_file,
			  struct forged *out)
{
	const enum sg_err e = token_login(f->session.token, f->session.handle,
					  pin_file, f->watch);

	if (e == SG_OK)
		return SG_OK;
	if (e == SG_PIN_REFUSED)
		return forge_fail(out, e, "the token refuses the PIN");
	return forge_fail(out, e, "the login fails: %s", err_text(e));
}

/* On the module that is loaded.  SG_BUSY: it has no session, and nothing is in
 * OUT. */
static enum sg_err enter(struct forge *f, const char *pin_file,
			 struct forged *out)
{
	enum sg_err e = find_token(f, out);
	CK_RV rv;

	if (e != SG_OK)
		return e;
	f->tokens.token[0]->writes = true;
	rv = session_open(&f->session, f->tokens.token[0], f->watch);
	if (rv == CKR_SESSION_COUNT)
		return SG_BUSY;
	if (rv != CKR_OK)
		return forge_fail_call(out, "C_OpenSession", rv);
	return log_in(f, pin_file, out);
}

static enum sg_err load(struct forge *f, const char *path, struct forged *out)
{
	enum sg_err e;

	watch_enter(f->watch, "loading the module", clock_mono_us());
	e = module_load(path, &f->module);
	watch_leave(f->watch);
	if (e == SG_OK)
		return SG_OK;
	return forge_fail(out, SG_CONFIG, "the module cannot be loaded");
}

static void pause_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

enum sg_err forge_open(struct forge *f, const struct worker_settings *settings,
		       struct watch *w, struct forged *out)
{
	enum sg_err e = SG_OK;
	long wait_ms = FORGE_PAUSE_MS;

	*f = (struct forge){.token_uri = settings->token,
			    .copies = settings->session_copies,
			    .watch = w};
	for (int i = 0; i < FORGE_TRIES; i++) {
		if (i > 0) {
			forge_close(f);
			pause_ms(wait_ms);
		}
		*out = (struct forged){0};
		e = load(f, settings->module, out);
		if (e != SG_OK)
			break;
		e = enter(f, settings->pin_file, out);
		/* A refused PIN is never tried again: that would lock the
		 * token. */
		if (e == SG_OK || e == SG_PIN_REFUSED)
			break;
		if (e == SG_BUSY && i > 0)
			wait_ms *= 2;
	}
	return e == SG_BUSY ? no_session(settings, out) : e;
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
	f->session = (struct session){0};
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

const char *forge_task_name(const struct wire_forge *task)
{
	static const char *const name[] = {[WIRE_TASK_GENERATE] = "generate",
					   [WIRE_TASK_CSR] = "csr",
					   [WIRE_TASK_DESTROY] = "destroy"};

	return name[task->task];
}

void forge_do(struct forge *f, const struct wire_forge *task,
	      struct forged *out)
{
	const char *name = forge_task_name(task);

	(void)snprintf(f->label, sizeof(f->label), "%.*s", (int)task->label.n,
		       (const char *)task->label.p);
	fill(f, task, out);
	if (out->err == SG_OK)
		log_event(LOG_INFO, "forged", "task=%s key=\"%s\" token=\"%s\"",
			  name, f->label, f->session.token->label);
	else
		log_event(LOG_ERROR, "forge-failed",
			  "task=%s key=\"%s\" token=\"%s\" reason=\"%s\"", name,
			  f->label, f->session.token->label, out->reason);
}

void forge_undo(struct forge *f, const struct wire_forge *task,
		const struct forged *out)
{
	struct wire_forge undo = *task;
	struct forged undone = {0};

	if (task->task != WIRE_TASK_GENERATE)
		return;
	undo.task = WIRE_TASK_DESTROY;
	undo.spki = out->spki;
	forge_do(f, &undo, &undone);
	forged_drop(&undone);
}
