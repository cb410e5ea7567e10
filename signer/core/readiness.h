/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_READINESS_H
#define SG_READINESS_H

#include "books.h"

/*
 * readiness: can each kind be signed by some key, and will it go on record?
 * Loop thread only.
 */
enum { READINESS_REASON_MAX = BOOKS_REASON_MAX + 64 };

struct readiness_parts {
	struct keyring *keys;
	struct hsm_pool *pool;
	struct release *release;
	struct books *books; /* NULL: nothing is recorded, in tests */
};

/* Can certificates be signed at NOW (seconds since 1970)?  REASON gets why not;
 * or, where they can, what will stop it if it lasts; empty when all is well. */
bool readiness_look(const struct readiness_parts *p, int64_t now,
		    char reason[READINESS_REASON_MAX]);

#endif /* SG_READINESS_H */
