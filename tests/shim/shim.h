/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_H
#define SG_SHIM_H

#include <p11-kit/pkcs11.h>

#include "call.h"
#include "shared.h"
#include "spec.h"

/*
 * shim: the module's own state, between C_Initialize and C_Finalize.
 */
struct shim {
	const CK_FUNCTION_LIST *real; /* NULL: not initialised */
	struct spec spec;
	struct shared shared;
	/* Of key handles: another one makes what is known of them void. */
	_Atomic uint64_t generation;
};
extern struct shim shim;

/* Fill in the calls that are only forwarded. */
void forward_fill(CK_FUNCTION_LIST *list);

/*
 * gate: what each call passes before the real module: faults, a lost token,
 * and the lock that sessions are looked up and closed under.  After CKR_OK the
 * caller has that lock shared, and gives it back with gate_leave(); after any
 * other value it has nothing, and answers that value.
 */
CK_RV gate_enter(enum call call);	  /* a call about the module */
CK_RV gate_enter_token(enum call call);	  /* about a slot's token */
CK_RV gate_enter_session(enum call call); /* in a session */
void gate_leave(void);
/* From shared to alone and back; others may have been in between. */
void gate_alone(void);
/* Are the tokens lost at this moment? */
bool gate_lost(void);
/* Is the signature of the call that this thread is in to be a wrong one? */
bool gate_forges(void);
/* Forget this process's sessions and losses, at C_Initialize. */
void gate_begin(void);

#endif /* SG_SHIM_H */
