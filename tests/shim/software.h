/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_SOFTWARE_H
#define SG_SHIM_SOFTWARE_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "sessions.h"
#include "spec.h"

/*
 * software: signing without the token, by private keys in PEM files.  The
 * caller has the sessions' lock, shared, and uses a session in one thread.
 */

/* Load the keys of SPEC.  Errors: SG_CONFIG, with the reason in WHY. */
SG_MUST_USE enum sg_err software_load(const struct spec *spec,
				      char why[SPEC_WHY_MAX]);
void software_unload(void);

/*
 * C_SignInit.  A key handle that is new to S is asked for one signature of the
 * REAL module, and is the software key that this signature verifies by: so a
 * copy of a key is that key.  GENERATION: handles known under another one are
 * forgotten.
 */
CK_RV software_sign_init(const CK_FUNCTION_LIST *real, struct session *s,
			 CK_MECHANISM *mechanism, CK_OBJECT_HANDLE handle,
			 uint64_t generation);

/* C_Sign; ends the operation as the standard has it. */
CK_RV software_sign(struct session *s, struct span tbs, CK_BYTE *out,
		    CK_ULONG *n);

#endif /* SG_SHIM_SOFTWARE_H */
