/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_TALLY_H
#define SG_TOOLS_TALLY_H

#include "answer.h"
#include "counts.h"

/*
 * tally: what became of the records of a job, in numbers.  Keeps codes, fields,
 * issuers and line numbers, and nothing of a person.
 */
struct tally {
	uint64_t records;  /* with an answer */
	uint64_t good;	   /* signed, or accepted */
	uint64_t replayed; /* of these, signed before */
	uint64_t warned;   /* of these, with warnings */
	uint64_t refused;  /* for good */
	uint64_t again;	   /* refused for now: a later run sends them again */
	struct counts *codes;
	struct counts *fields;	/* NULL: not asked for */
	struct counts *issuers; /* NULL: not asked for */
};

/* With CLEANING also fields and issuers.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err tally_create(bool cleaning, struct tally **out);
void tally_free(struct tally *t);
/* The record of line number LINE (from 1), REQUEST, was answered by A. */
void tally_add(struct tally *t, uint64_t line, struct span request,
	       const struct answer *a);
/* The issuer that REQUEST names ("is" of its first entry) in UTF-8 into OUT of
 * CAP bytes; false if there is none. */
bool tally_issuer(struct span request, char *out, size_t cap);
/* A JSON pointer without names that the record's author may have made up from
 * data: what does not look like a field's name becomes "?". */
void tally_field(const char *pointer, char *out, size_t cap);

#endif /* SG_TOOLS_TALLY_H */
