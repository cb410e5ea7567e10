/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RELEASE_H
#define SG_RELEASE_H

#include "ledger/entry.h"

/*
 * release: the one place between a signature and its answer.  Nothing that
 * was signed reaches a front but through here.
 *
 * Today it releases at once and records nothing (WIRE_NO_LEDGER_INDEX).  The
 * journal's append and group commit (ledger/journal.h) belong here: then
 * `released` comes when the record is durable.  Loop thread only.
 */
struct release; /* opaque */

struct release_item {
	struct entry_certificate facts; /* what is to be recorded */
	/* And what goes into the journal beside it: see ledger/record.h. */
	const uint8_t *uci, *country_uci, *payload;
	struct span country;
	/* The certificate may go out (SG_OK, with its index in the ledger and
	 * its record's offset in the journal), or must never (any error).  May
	 * come from inside release_submit(). */
	void (*released)(struct release_item *item, enum sg_err err,
			 int64_t ledger_index, uint64_t journal_offset);
};

/* NEWEST_IAT: iat of the newest certificate on record, seconds since 1970;
 * INT64_MIN when there is none.
 * Owns: *OUT is the caller's; release_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err release_create(int64_t newest_iat,
				       struct release **out);

/* May something be signed at NOW (seconds since 1970)?  Not with a clock that
 * runs more than RELEASE_CLOCK_SLACK_S behind the newest record. */
enum { RELEASE_CLOCK_SLACK_S = 5 };
bool release_clock_sane(const struct release *r, int64_t now);

/* Record ITEM, then release it.  ITEM and all that its facts point to stay
 * the caller's and in place until `released`. */
void release_submit(struct release *r, struct release_item *item);

void release_free(struct release *r); /* NULL is allowed */

#endif /* SG_RELEASE_H */
