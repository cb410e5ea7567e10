/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_SESSIONS_H
#define SG_SHIM_SESSIONS_H

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>
#include <stdint.h>

#include "base/err.h"
#include "hcert/cose.h"
#include "spec.h"

/*
 * sessions: the open sessions of this process, under the real module's
 * handles, with what signing in software keeps for each.  The caller has a
 * lock: shared to find, alone to add and to remove.
 */
enum { SESSION_KEYS = 8 };

/* Which software key is behind a handle. */
struct session_key {
	CK_OBJECT_HANDLE handle;
	size_t key;
};

struct session {
	struct session *next;
	CK_SESSION_HANDLE handle;
	CK_SLOT_ID slot;
	bool signing;	     /* between C_SignInit and C_Sign */
	size_t key;	     /* then: by which */
	uint64_t generation; /* of the handles below */
	unsigned nknown;
	struct session_key known[SESSION_KEYS]; /* the oldest is overwritten */
	EVP_PKEY_CTX *ctx[SPEC_KEYS_MAX];	/* made when first used */
};

/* Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err sessions_add(CK_SESSION_HANDLE handle, CK_SLOT_ID slot);
/* NULL: there is none. */
struct session *sessions_find(CK_SESSION_HANDLE handle);
/* Returns how many there were: 0 or 1. */
uint32_t sessions_remove(CK_SESSION_HANDLE handle);
/* All of SLOT.  Returns how many. */
uint32_t sessions_remove_slot(CK_SLOT_ID slot);
/* A slot that has sessions; false: there are none. */
bool sessions_any(CK_SLOT_ID *slot);

#endif /* SG_SHIM_SESSIONS_H */
