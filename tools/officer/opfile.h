/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_OPFILE_H
#define SG_TOOLS_OPFILE_H

#include <jansson.h>
#include <stdio.h>

#include "ceremony/approval.h"
#include "in_force.h"
#include "officer.h"

/* opfile: an operation in a file, bare or with officers' signatures.  Large: in
 * static memory rather than in a frame. */
struct opfile {
	uint8_t *bytes; /* of the file; all else lies in it */
	size_t n;
	struct approved approved;
	struct operation operation;
};

/*
 * Owns: OUT->bytes is the caller's; free().
 * Errors, with WHY: SG_IO, SG_MALFORMED (it is none), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err opfile_read(const char *path, struct opfile *out,
				    char *why, size_t cap);

/* What it is judged by, as far as it is known; each may be NULL
 * or 0. */
struct opfile_known {
	const struct in_force *now;
	const json_t *document; /* of the daemon: the keys that there are */
	int64_t time;		/* seconds since 1970, by the clock here */
};

/* The roll by whose keys its signatures are verified: that of a genesis is its
 * own.  NULL: not known. */
const struct roll *opfile_roll(const struct opfile *f,
			       const struct opfile_known *known);
/* What it says and would change, who has signed it, and what it lacks, for a
 * person, on TO. */
SG_MUST_USE enum sg_err opfile_show(const struct opfile *f,
				    const struct opfile_known *known, FILE *to);
/* What is wrong with signature I, as far as it is known, so that all of F is
 * refused with it: static; NULL: nothing. */
const char *opfile_signature_fault(const struct opfile *f, size_t i,
				   const struct opfile_known *known);
/* Is F over, by the time that is known?  Then WHY is when, and what to do. */
bool opfile_has_expired(const struct opfile *f,
			const struct opfile_known *known, char *why,
			size_t cap);
/* False: a signature is wrong, or is of nobody in the roll that is known; or it
 * has expired. */
bool opfile_is_good(const struct opfile *f, const struct opfile_known *known);
/* The same as JSON.
 * Owns: the caller's; json_decref().  NULL: no memory. */
json_t *opfile_json(const struct opfile *f, const struct opfile_known *known);
/* Print that on standard output; FLAGS are jansson's.  False: no memory. */
bool opfile_print_json(const struct opfile *f, const struct opfile_known *known,
		       size_t flags);

/* SHA-256 of the operation's bytes, in hexadecimal. */
enum { OPFILE_HASH_TEXT = 65 };
bool opfile_hash(const struct opfile *f, char out[OPFILE_HASH_TEXT]);

#endif /* SG_TOOLS_OPFILE_H */
