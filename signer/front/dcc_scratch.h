/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DCC_SCRATCH_H
#define SG_DCC_SCRATCH_H

#include "base/err.h"
#include "base/span.h"
#include "ipc/wire.h"
#include "json_tree.h"

/*
 * dcc_scratch: the working memory in which a client's body becomes a request
 * in deterministic CBOR (dcc_json_read, dcc_cbor_read).  One per front.
 */
enum {
	DCC_DEPTH_MAX = 16, /* levels of maps and arrays */
	/* Members of the maps that are open at one time, all together: a
	 * certificate has 40, and what has a hundred times as many is none. */
	DCC_MEMBERS_MAX = 4096,
	DCC_DETAIL_MAX = 128 /* bytes, with the NUL */
};

/* A pair of a map that is being put in order. */
struct dcc_member {
	struct span key; /* UTF-8 */
	union {
		struct json_tree_value value; /* dcc_json */
		struct span pair; /* dcc_cbor: key and value, encoded */
	};
};

struct dcc_scratch {
	struct json_tree *json; /* made when it is needed */
	size_t used;		/* of member */
	struct dcc_member member[DCC_MEMBERS_MAX];
	uint8_t request[WIRE_REQUEST_MAX]; /* the result */
	uint8_t copy[WIRE_REQUEST_MAX];
	char detail[DCC_DETAIL_MAX]; /* why the body is refused, for the
					client: no request data */
};

/* Give back what S holds. */
void dcc_scratch_clear(struct dcc_scratch *s);
/* Make S ready for a new body. */
void dcc_scratch_reset(struct dcc_scratch *s);

/* Refuse the body: ERR, with DETAIL for the client. */
enum sg_err dcc_fault(struct dcc_scratch *s, enum sg_err err,
		      const char *detail);

/* One more member; NULL when there are DCC_MEMBERS_MAX. */
struct dcc_member *dcc_member_add(struct dcc_scratch *s);

/*
 * Put the members from FIRST on in the bytewise order of their encoded keys
 * (RFC 8949 s. 4.2.1), which for text is: shorter ones first.
 * Errors: SG_DUPLICATE_KEY.
 */
SG_MUST_USE enum sg_err dcc_members_sort(struct dcc_scratch *s, size_t first);

/* V as an integer, if it is one (no fraction, 64 bits). */
bool dcc_whole(double v, int64_t *whole);

#endif /* SG_DCC_SCRATCH_H */
