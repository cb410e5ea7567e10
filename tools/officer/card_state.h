/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CARD_STATE_H
#define SG_TOOLS_CARD_STATE_H

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "card.h"
#include "pkcs11/pin.h"

/* What card.c and card_key.c share. */
struct card {
	P11KitUri *uri;
	CK_FUNCTION_LIST *f; /* NULL: not initialised */
	CK_TOKEN_INFO token;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	bool always;	/* the PIN is asked for with each signature */
	struct pin pin; /* of a file */
	char *typed;	/* on the terminal; not owned, wiped at the end */
};

/* WHAT has failed with RV; SG_TOKEN_DOWN. */
enum sg_err card_failed(const struct card *c, const char *what, CK_RV rv,
			char *why, size_t cap);
CK_RV card_login(struct card *c, CK_USER_TYPE user);

/* card_key.c: the module, and the key by the URI. */
SG_MUST_USE enum sg_err card_load(struct card *c, const char *module, char *why,
				  size_t cap);
SG_MUST_USE enum sg_err card_find_key(struct card *c, struct span *spki,
				      char *why, size_t cap);

#endif /* SG_TOOLS_CARD_STATE_H */
