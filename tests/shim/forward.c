/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that are only forwarded, one line of call.h each. */
#include "shim.h"

/* --- shapes: parameters, and how they are handed on -------------------- */

#define TOKEN_INFO_P (CK_SLOT_ID slot, CK_TOKEN_INFO * info)
#define TOKEN_INFO_A (slot, info)
#define MECHANISM_LIST_P                                                       \
	(CK_SLOT_ID slot, CK_MECHANISM_TYPE * list, CK_ULONG * count)
#define MECHANISM_LIST_A (slot, list, count)
#define MECHANISM_INFO_P                                                       \
	(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO * info)
#define MECHANISM_INFO_A (slot, type, info)
#define INIT_TOKEN_P                                                           \
	(CK_SLOT_ID slot, CK_BYTE * pin, CK_ULONG n, CK_BYTE * label)
#define INIT_TOKEN_A (slot, pin, n, label)

#define SESSION_P (CK_SESSION_HANDLE s)
#define SESSION_A (s)
#define SESSION_INFO_P (CK_SESSION_HANDLE s, CK_SESSION_INFO * info)
#define SESSION_INFO_A (s, info)
#define BYTES_P (CK_SESSION_HANDLE s, CK_BYTE * p, CK_ULONG n)
#define BYTES_A (s, p, n)
#define TWO_BYTES_P                                                            \
	(CK_SESSION_HANDLE s, CK_BYTE * p, CK_ULONG n, CK_BYTE * q, CK_ULONG m)
#define TWO_BYTES_A (s, p, n, q, m)
#define OUT_P (CK_SESSION_HANDLE s, CK_BYTE * q, CK_ULONG * m)
#define OUT_A (s, q, m)
#define IN_OUT_P                                                               \
	(CK_SESSION_HANDLE s, CK_BYTE * p, CK_ULONG n, CK_BYTE * q,            \
	 CK_ULONG * m)
#define IN_OUT_A (s, p, n, q, m)
#define OPERATION_STATE_P                                                      \
	(CK_SESSION_HANDLE s, CK_BYTE * p, CK_ULONG n, CK_OBJECT_HANDLE k,     \
	 CK_OBJECT_HANDLE l)
#define OPERATION_STATE_A (s, p, n, k, l)
#define OBJECT_P (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
#define OBJECT_A (s, o)
#define OBJECT_SIZE_P (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ULONG * size)
#define OBJECT_SIZE_A (s, o, size)
#define TEMPLATE_P (CK_SESSION_HANDLE s, CK_ATTRIBUTE * t, CK_ULONG n)
#define TEMPLATE_A (s, t, n)
#define ATTRIBUTES_P                                                           \
	(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE * t, CK_ULONG n)
#define ATTRIBUTES_A (s, o, t, n)
#define FIND_P                                                                 \
	(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE * o, CK_ULONG n,                \
	 CK_ULONG * count)
#define FIND_A (s, o, n, count)
#define CREATE_P                                                               \
	(CK_SESSION_HANDLE s, CK_ATTRIBUTE * t, CK_ULONG n,                    \
	 CK_OBJECT_HANDLE * o)
#define CREATE_A (s, t, n, o)
#define MECHANISM_P (CK_SESSION_HANDLE s, CK_MECHANISM * m)
#define MECHANISM_A (s, m)
#define KEYED_P (CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_OBJECT_HANDLE k)
#define KEYED_A (s, m, k)
#define GENERATE_P                                                             \
	(CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_ATTRIBUTE * t, CK_ULONG n,  \
	 CK_OBJECT_HANDLE * o)
#define GENERATE_A (s, m, t, n, o)
#define GENERATE_PAIR_P                                                        \
	(CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_ATTRIBUTE * t, CK_ULONG n,  \
	 CK_ATTRIBUTE * u, CK_ULONG l, CK_OBJECT_HANDLE * o,                   \
	 CK_OBJECT_HANDLE * q)
#define GENERATE_PAIR_A (s, m, t, n, u, l, o, q)
#define WRAP_P                                                                 \
	(CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_OBJECT_HANDLE w,            \
	 CK_OBJECT_HANDLE k, CK_BYTE * q, CK_ULONG * n)
#define WRAP_A (s, m, w, k, q, n)
#define UNWRAP_P                                                               \
	(CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_OBJECT_HANDLE w,            \
	 CK_BYTE * p, CK_ULONG l, CK_ATTRIBUTE * t, CK_ULONG n,                \
	 CK_OBJECT_HANDLE * o)
#define UNWRAP_A (s, m, w, p, l, t, n, o)
#define DERIVE_P                                                               \
	(CK_SESSION_HANDLE s, CK_MECHANISM * m, CK_OBJECT_HANDLE k,            \
	 CK_ATTRIBUTE * t, CK_ULONG n, CK_OBJECT_HANDLE * o)
#define DERIVE_A (s, m, k, t, n, o)

/* --- the calls --------------------------------------------------------- */

/* The standard's own names, and its many parameters. */
/* NOLINTBEGIN(readability-identifier-naming,readability-function-size) */
#define FORWARD(name, shape, enter)                                            \
	static CK_RV forward_##name shape##_P                                  \
	{                                                                      \
		CK_RV rv = enter(CALL_##name);                                 \
                                                                               \
		if (rv != CKR_OK)                                              \
			return rv;                                             \
		rv = shim.real->name shape##_A;                                \
		gate_leave();                                                  \
		return rv;                                                     \
	}
#define FORWARD_TOKEN(name, shape) FORWARD(name, shape, gate_enter_token)
#define FORWARD_SESSION(name, shape) FORWARD(name, shape, gate_enter_session)

CALL_TOKEN(FORWARD_TOKEN)
CALL_SESSION(FORWARD_SESSION)

void forward_fill(CK_FUNCTION_LIST *list)
{
#define X(name, shape) list->name = forward_##name;
	CALL_TOKEN(X)
	CALL_SESSION(X)
#undef X
}
/* NOLINTEND(readability-identifier-naming,readability-function-size) */
