/* SPDX-License-Identifier: Apache-2.0 */
#include "ckr.h"

#include "base/metrics.h"

#include <stddef.h>

/*
 * PKCS #11 v2.40 base s. 5.1, and what v3.0 added.  Values that a signing
 * process cannot meet (wrapping, random, templates) fall to the default.
 * Memory and "general" errors are tried again because network HSMs answer
 * them under load; a device error is treated as a token that is going away.
 */
#define CKR_MAP(X)                                                             \
	X(CKR_OK, NONE)                                                        \
	X(CKR_CANCEL, RETRY)                                                   \
	X(CKR_HOST_MEMORY, RETRY)                                              \
	X(CKR_SLOT_ID_INVALID, PROCESS)                                        \
	X(CKR_GENERAL_ERROR, RETRY)                                            \
	X(CKR_FUNCTION_FAILED, RETRY)                                          \
	X(CKR_ARGUMENTS_BAD, JOB)                                              \
	X(CKR_NEED_TO_CREATE_THREADS, PROCESS)                                 \
	X(CKR_CANT_LOCK, PROCESS)                                              \
	X(CKR_ATTRIBUTE_READ_ONLY, JOB)                                        \
	X(CKR_ATTRIBUTE_SENSITIVE, JOB)                                        \
	X(CKR_ATTRIBUTE_TYPE_INVALID, JOB)                                     \
	X(CKR_ATTRIBUTE_VALUE_INVALID, JOB)                                    \
	X(CKR_ACTION_PROHIBITED, JOB)                                          \
	X(CKR_DATA_INVALID, JOB)                                               \
	X(CKR_DATA_LEN_RANGE, JOB)                                             \
	X(CKR_DEVICE_ERROR, SESSION)                                           \
	X(CKR_DEVICE_MEMORY, RETRY)                                            \
	X(CKR_DEVICE_REMOVED, SESSION)                                         \
	X(CKR_FUNCTION_CANCELED, RETRY)                                        \
	X(CKR_FUNCTION_NOT_PARALLEL, RETRY)                                    \
	X(CKR_FUNCTION_NOT_SUPPORTED, JOB)                                     \
	X(CKR_KEY_HANDLE_INVALID, SESSION)                                     \
	X(CKR_KEY_SIZE_RANGE, JOB)                                             \
	X(CKR_KEY_TYPE_INCONSISTENT, JOB)                                      \
	X(CKR_KEY_CHANGED, SESSION)                                            \
	X(CKR_KEY_FUNCTION_NOT_PERMITTED, JOB)                                 \
	X(CKR_MECHANISM_INVALID, JOB)                                          \
	X(CKR_MECHANISM_PARAM_INVALID, JOB)                                    \
	X(CKR_OBJECT_HANDLE_INVALID, SESSION)                                  \
	X(CKR_OPERATION_ACTIVE, SESSION)                                       \
	X(CKR_OPERATION_NOT_INITIALIZED, SESSION)                              \
	X(CKR_PIN_INCORRECT, PROCESS)                                          \
	X(CKR_PIN_INVALID, PROCESS)                                            \
	X(CKR_PIN_LEN_RANGE, PROCESS)                                          \
	X(CKR_PIN_EXPIRED, PROCESS)                                            \
	X(CKR_PIN_LOCKED, PROCESS)                                             \
	X(CKR_SESSION_CLOSED, SESSION)                                         \
	X(CKR_SESSION_COUNT, SESSION)                                          \
	X(CKR_SESSION_HANDLE_INVALID, SESSION)                                 \
	X(CKR_SESSION_PARALLEL_NOT_SUPPORTED, PROCESS)                         \
	X(CKR_SESSION_READ_ONLY, JOB)                                          \
	X(CKR_SESSION_READ_WRITE_SO_EXISTS, PROCESS)                           \
	X(CKR_SIGNATURE_LEN_RANGE, RETRY)                                      \
	X(CKR_TEMPLATE_INCOMPLETE, JOB)                                        \
	X(CKR_TEMPLATE_INCONSISTENT, JOB)                                      \
	X(CKR_TOKEN_NOT_PRESENT, SESSION)                                      \
	X(CKR_TOKEN_NOT_RECOGNIZED, SESSION)                                   \
	X(CKR_TOKEN_WRITE_PROTECTED, JOB)                                      \
	X(CKR_USER_ALREADY_LOGGED_IN, NONE)                                    \
	X(CKR_USER_NOT_LOGGED_IN, SESSION)                                     \
	X(CKR_USER_PIN_NOT_INITIALIZED, PROCESS)                               \
	X(CKR_USER_TYPE_INVALID, PROCESS)                                      \
	X(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, PROCESS)                         \
	X(CKR_USER_TOO_MANY_TYPES, PROCESS)                                    \
	X(CKR_DOMAIN_PARAMS_INVALID, JOB)                                      \
	X(CKR_CURVE_NOT_SUPPORTED, JOB)                                        \
	X(CKR_BUFFER_TOO_SMALL, RETRY)                                         \
	X(CKR_CRYPTOKI_NOT_INITIALIZED, PROCESS)                               \
	X(CKR_CRYPTOKI_ALREADY_INITIALIZED, NONE)                              \
	X(CKR_MUTEX_BAD, PROCESS)                                              \
	X(CKR_MUTEX_NOT_LOCKED, PROCESS)                                       \
	X(CKR_FIPS_SELF_TEST_FAILED, PROCESS)                                  \
	X(CKR_LIBRARY_LOAD_FAILED, PROCESS)                                    \
	X(CKR_FUNCTION_REJECTED, JOB)

static const struct {
	CK_RV rv;
	enum ckr_fault fault;
	const char *name;
} TABLE[] = {
#define X(rv, fault) {rv, CKR_FAULT_##fault, #rv},
	CKR_MAP(X)
#undef X
};

enum ckr_fault ckr_fault(CK_RV rv)
{
	for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
		if (TABLE[i].rv == rv)
			return TABLE[i].fault;
	return CKR_FAULT_RETRY;
}

const char *ckr_name(CK_RV rv)
{
	for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
		if (TABLE[i].rv == rv)
			return TABLE[i].name;
	return rv >= CKR_VENDOR_DEFINED ? "CKR_VENDOR_DEFINED" : "unknown";
}

void ckr_note(CK_RV rv)
{
	metric_set(METRIC_LAST_ERROR, rv);
}
