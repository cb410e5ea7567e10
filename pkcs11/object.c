/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

CK_RV object_find(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		  CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *found,
		  CK_ULONG *count)
{
	const CK_ULONG cap = *count;
	CK_ULONG have = 0;
	CK_RV rv = f->C_FindObjectsInit(session, template, n);

	*count = 0;
	if (rv != CKR_OK)
		return rv;
	while (have < cap) {
		CK_ULONG got = 0;

		rv = f->C_FindObjects(session, found + have, cap - have, &got);
		if (rv != CKR_OK || got == 0 || got > cap - have)
			break;
		have += got;
	}
	f->C_FindObjectsFinal(session);
	if (rv == CKR_OK)
		*count = have;
	return rv;
}

CK_RV object_read(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		  CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *buf,
		  size_t *n)
{
	CK_ATTRIBUTE a = {type, buf, *n};
	const CK_RV rv = f->C_GetAttributeValue(session, object, &a, 1);

	if (rv != CKR_OK)
		return rv;
	if (a.ulValueLen == CK_UNAVAILABLE_INFORMATION)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	if (a.ulValueLen > *n)
		return CKR_BUFFER_TOO_SMALL;
	*n = a.ulValueLen;
	return CKR_OK;
}

bool object_bool(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		 CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
		 bool otherwise)
{
	CK_BBOOL value = CK_FALSE;
	size_t n = sizeof(value);

	if (object_read(f, session, object, type, &value, &n) != CKR_OK ||
	    n != sizeof(value))
		return otherwise;
	return value != CK_FALSE;
}
