/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_FLAWS_H
#define SG_BENCH_FLAWS_H

#include "base/err.h"
#include "base/span.h"
#include "records.h"

/*
 * flaws: what is wrong with the records that are to be refused: errors that
 * issuers made in production, each one edit of a good record.  Pure.
 */
struct flaw {
	const char *name;
	const char *code;  /* the violation's */
	const char *kinds; /* letters of "vtr" that it fits */
	/* Refused by the schema, the client's rights or the times, thus by any
	 * policy of the demo; else by rules on what the fields mean. */
	bool plain;
	/* The member whose value is replaced; NULL: none.  In VALUE '&' stands
	 * for the old value, '~' for what is between its quotes or brackets,
	 * '^' for the day of NOW; NULL: the member is removed. */
	const char *member, *value;
	void (*uvci)(char uvci[RECORDS_UVCI]); /* NULL: the UVCI is right */
};

/* Number I, or NULL beyond the last. */
const struct flaw *flaw_at(size_t i);

/*
 * Put F into R, which has the right kind.  TODAY: "2022-06-01".
 * Errors: SG_NOT_FOUND (R has no such member), SG_TOO_BIG (more than
 * RECORDS_BODY_MAX).
 */
SG_MUST_USE enum sg_err flaw_apply(const struct flaw *f, const char *today,
				   struct record *r);

#endif /* SG_BENCH_FLAWS_H */
