/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_CALL_H
#define SG_SHIM_CALL_H

#include <stdbool.h>

#include "base/span.h"

/*
 * call: the functions of PKCS #11 v2.40, by name.  Pure.
 *
 * CALL_OWN: the module has code of its own for it.  CALL_TOKEN and
 * CALL_SESSION: forwarded, the shape of its arguments beside it (forward.c).
 */
#define CALL_OWN(X)                                                            \
	X(C_Initialize)                                                        \
	X(C_Finalize)                                                          \
	X(C_GetInfo)                                                           \
	X(C_GetSlotList)                                                       \
	X(C_GetSlotInfo)                                                       \
	X(C_WaitForSlotEvent)                                                  \
	X(C_OpenSession)                                                       \
	X(C_CloseSession)                                                      \
	X(C_CloseAllSessions)                                                  \
	X(C_Login)                                                             \
	X(C_Logout)                                                            \
	X(C_CopyObject)                                                        \
	X(C_DestroyObject)                                                     \
	X(C_GetAttributeValue)                                                 \
	X(C_SignInit)                                                          \
	X(C_Sign)

#define CALL_TOKEN(X)                                                          \
	X(C_GetTokenInfo, TOKEN_INFO)                                          \
	X(C_GetMechanismList, MECHANISM_LIST)                                  \
	X(C_GetMechanismInfo, MECHANISM_INFO)                                  \
	X(C_InitToken, INIT_TOKEN)

#define CALL_SESSION(X)                                                        \
	X(C_InitPIN, BYTES)                                                    \
	X(C_SetPIN, TWO_BYTES)                                                 \
	X(C_GetSessionInfo, SESSION_INFO)                                      \
	X(C_GetOperationState, OUT)                                            \
	X(C_SetOperationState, OPERATION_STATE)                                \
	X(C_CreateObject, CREATE)                                              \
	X(C_GetObjectSize, OBJECT_SIZE)                                        \
	X(C_SetAttributeValue, ATTRIBUTES)                                     \
	X(C_FindObjectsInit, TEMPLATE)                                         \
	X(C_FindObjects, FIND)                                                 \
	X(C_FindObjectsFinal, SESSION)                                         \
	X(C_EncryptInit, KEYED)                                                \
	X(C_Encrypt, IN_OUT)                                                   \
	X(C_EncryptUpdate, IN_OUT)                                             \
	X(C_EncryptFinal, OUT)                                                 \
	X(C_DecryptInit, KEYED)                                                \
	X(C_Decrypt, IN_OUT)                                                   \
	X(C_DecryptUpdate, IN_OUT)                                             \
	X(C_DecryptFinal, OUT)                                                 \
	X(C_DigestInit, MECHANISM)                                             \
	X(C_Digest, IN_OUT)                                                    \
	X(C_DigestUpdate, BYTES)                                               \
	X(C_DigestKey, OBJECT)                                                 \
	X(C_DigestFinal, OUT)                                                  \
	X(C_SignUpdate, BYTES)                                                 \
	X(C_SignFinal, OUT)                                                    \
	X(C_SignRecoverInit, KEYED)                                            \
	X(C_SignRecover, IN_OUT)                                               \
	X(C_VerifyInit, KEYED)                                                 \
	X(C_Verify, TWO_BYTES)                                                 \
	X(C_VerifyUpdate, BYTES)                                               \
	X(C_VerifyFinal, BYTES)                                                \
	X(C_VerifyRecoverInit, KEYED)                                          \
	X(C_VerifyRecover, IN_OUT)                                             \
	X(C_DigestEncryptUpdate, IN_OUT)                                       \
	X(C_DecryptDigestUpdate, IN_OUT)                                       \
	X(C_SignEncryptUpdate, IN_OUT)                                         \
	X(C_DecryptVerifyUpdate, IN_OUT)                                       \
	X(C_GenerateKey, GENERATE)                                             \
	X(C_GenerateKeyPair, GENERATE_PAIR)                                    \
	X(C_WrapKey, WRAP)                                                     \
	X(C_UnwrapKey, UNWRAP)                                                 \
	X(C_DeriveKey, DERIVE)                                                 \
	X(C_SeedRandom, BYTES)                                                 \
	X(C_GenerateRandom, BYTES)                                             \
	X(C_GetFunctionStatus, SESSION)                                        \
	X(C_CancelFunction, SESSION)

/* NOLINTBEGIN(readability-identifier-naming): the standard's own names */
enum call {
#define CALL_NAME(name, ...) CALL_##name,
	CALL_OWN(CALL_NAME) CALL_TOKEN(CALL_NAME) CALL_SESSION(CALL_NAME)
#undef CALL_NAME
		CALL_COUNT /* keep last */
};
/* NOLINTEND(readability-identifier-naming) */

/* Set *CALL to the function called NAME; false: there is none, or nothing can
 * be asked of it (C_Initialize and C_Finalize are before and after all). */
bool call_of(struct span name, enum call *call);
const char *call_name(enum call call);

#endif /* SG_SHIM_CALL_H */
