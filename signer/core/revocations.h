/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REVOCATIONS_H
#define SG_REVOCATIONS_H

#include "diary.h"
#include "revoked.h"

/*
 * revocations: what officers have revoked.  Each statement
 * (ledger/revocation.h), signed by enough of them as a note, lies in
 * STATE/revocations under its serial, and its list beside it:
 *
 *	00000001.note	the statement with its signatures
 *	00000001.list	the hashes
 *	applied		a line for each that is on record: "SERIAL SHA-256", of
 *			the note, in hexadecimal
 *
 * They count from the moment that they are looked at: at the start, and when
 * asked to.  One that is not what it must be is refused, and all after it wait
 * for it; what is on record and not as it was lets nothing start.  Loop thread
 * only; reads files, blocking.
 */
struct revocations; /* opaque */

struct revocations_parts {
	const char *state_dir;
	/* Who may revoke; without officers nothing new is taken.  Copied. */
	const struct core_ledger_settings *settings;
	struct diary *diary; /* outlives it */
};

/*
 * Owns: *OUT is the caller's; revocations_free().
 * Errors: SG_IO (what is on record is not there as it was: logged),
 * SG_NO_MEMORY, SG_INTERNAL.
 */
SG_MUST_USE enum sg_err revocations_create(
	const struct revocations_parts *parts, struct revocations **out);
/* Take what is new. */
void revocations_look(struct revocations *r);
/* Have the next one recorded.  To be called a few times a second. */
void revocations_tick(struct revocations *r);
const struct revoked *revocations_set(const struct revocations *r);
void revocations_free(struct revocations *r); /* NULL is allowed */

#endif /* SG_REVOCATIONS_H */
