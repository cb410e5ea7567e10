/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LOOKUP_H
#define SG_LOOKUP_H

#include "base/err.h"
#include "base/span.h"

/*
 * lookup: from the names that a policy knows to numbers, by an open-addressed
 * hash table that is filled once, at load, and at most half.  Whoever asks
 * cannot add to it, so nobody from outside can make it slow.
 */

/* The same text may stand for several things. */
enum lookup_space {
	LOOKUP_CLIENT,	/* a client's name */
	LOOKUP_PROFILE, /* a profile's name */
	LOOKUP_URI,
	LOOKUP_DNS,	    /* compared without case (RFC 4343) */
	LOOKUP_SPKI,	    /* 32 bytes */
	LOOKUP_GATEWAY,	    /* a gateway's name */
	LOOKUP_GATEWAY_KEY, /* the id of one of its keys */
	LOOKUP_CLIENT_KEY,  /* the id of a key that a client signs with */
	LOOKUP_SPACES
};

struct lookup; /* opaque */

enum { LOOKUP_NONE = UINT32_MAX }; /* no number */

/* For at most MAX names.  Owns: *OUT is the caller's; lookup_free().
 * Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err lookup_create(size_t max, struct lookup **out);
/* Add KEY, which must outlive L, unless it is there: returns the number that
 * it has then, else LOOKUP_NONE. */
uint32_t lookup_add(struct lookup *l, enum lookup_space space, struct span key,
		    uint32_t number);
/* LOOKUP_NONE if it is not there. */
uint32_t lookup_find(const struct lookup *l, enum lookup_space space,
		     struct span key);
void lookup_free(struct lookup *l); /* NULL is allowed */

#endif /* SG_LOOKUP_H */
