/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_MODULE_H
#define SG_MODULE_H

#include <libp11.h>
#include <p11-kit/pkcs11.h>

#include "base/err.h"

/*
 * module: one PKCS #11 module in this process, under two views: libp11's
 * context, used at start to read tokens and objects, and the module's own
 * function list for everything after.  Both are the same instance: libp11
 * has called C_Initialize (with CKF_OS_LOCKING_OK), and login and sessions
 * are the application's, not the view's.
 */
struct module {
	PKCS11_CTX *ctx;
	CK_FUNCTION_LIST *f;
	CK_INFO info;
	void *handle; /* of dlopen(); see module_unload() */
};

/*
 * Load and initialise the module at PATH.
 * Owns: *OUT is the caller's; module_unload().
 * Errors: SG_TOKEN_DOWN (logged), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err module_load(const char *path, struct module **out);
/* C_Finalize.  The shared object stays mapped until the process ends: modules
 * leave threads and exit handlers behind.  NULL is allowed. */
void module_unload(struct module *m);

#endif /* SG_MODULE_H */
