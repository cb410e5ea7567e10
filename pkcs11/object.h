/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_OBJECT_H
#define SG_OBJECT_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * object: finding and reading a token's objects by raw calls, for what has to
 * be seen after the login or is beyond libp11.  One thread per SESSION.
 */

/* Find objects that match the N attributes of TEMPLATE: handles into FOUND, at
 * most *COUNT, which becomes how many.  Returns the module's value. */
CK_RV object_find(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		  CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *found,
		  CK_ULONG *count);

/* An attribute's value into BUF; *N is its capacity, then its length.
 * Returns the module's value; CKR_BUFFER_TOO_SMALL also when the module says
 * a length that BUF has not. */
CK_RV object_read(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		  CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *buf,
		  size_t *n);

/* A boolean attribute; OTHERWISE where it cannot be read. */
bool object_bool(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
		 CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
		 bool otherwise);

#endif /* SG_OBJECT_H */
