/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ckr.h"

/* The function list of the module that libp11 has loaded: dlopen() of the same
 * file gives the same instance. */
static enum sg_err attach(const char *path, struct module *m)
{
	union { /* ISO C has no cast from object to function pointer */
		void *object;
		CK_C_GetFunctionList function;
	} symbol;
	CK_RV rv;

	m->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (m->handle == NULL) {
		log_event(LOG_ERROR, "module-not-loaded", "reason=\"%s\"",
			  dlerror()); /* NOLINT(concurrency-mt-unsafe): glibc
					 keeps it per thread */
		return SG_TOKEN_DOWN;
	}
	symbol.object = dlsym(m->handle, "C_GetFunctionList");
	if (symbol.object == NULL) {
		log_event(LOG_ERROR, "module-not-loaded",
			  "path=\"%s\" reason=\"no C_GetFunctionList\"", path);
		return SG_TOKEN_DOWN;
	}
	rv = symbol.function(&m->f);
	if (rv == CKR_OK && m->f != NULL)
		rv = m->f->C_GetInfo(&m->info);
	if (rv != CKR_OK || m->f == NULL) {
		log_event(LOG_ERROR, "module-not-loaded",
			  "path=\"%s\" " CKR_FMT, path, CKR_ARGS(rv));
		return SG_TOKEN_DOWN;
	}
	return SG_OK;
}

enum sg_err module_load(const char *path, struct module **out)
{
	struct module *m = calloc(1, sizeof(*m));
	enum sg_err e = SG_TOKEN_DOWN;

	*out = NULL;
	if (m == NULL)
		return SG_NO_MEMORY;
	m->ctx = PKCS11_CTX_new();
	if (m->ctx == NULL) {
		e = SG_NO_MEMORY;
		goto fail_context;
	}
	if (PKCS11_CTX_load(m->ctx, path) != 0) {
		const char *why =
			ERR_reason_error_string(ERR_peek_last_error());

		log_event(LOG_ERROR, "module-not-loaded",
			  "path=\"%s\" reason=\"%s\"", path,
			  why != NULL ? why : "no reason given");
		ERR_clear_error();
		goto fail_load;
	}
	e = attach(path, m);
	if (e != SG_OK)
		goto fail_attach;
	*out = m;
	return SG_OK;

fail_attach:
	PKCS11_CTX_unload(m->ctx);
fail_load:
	PKCS11_CTX_free(m->ctx);
fail_context:
	free(m);
	return e;
}

void module_unload(struct module *m)
{
	if (m == NULL)
		return;
	/* libp11 calls C_Finalize and closes its own handle; ours, which keeps
	 * the module mapped, is left open on purpose. */
	PKCS11_CTX_unload(m->ctx);
	PKCS11_CTX_free(m->ctx);
	free(m);
}
