/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_DIARY_H
#define SG_DIARY_H

#include "policy/policy.h"
#include "recovery.h"
#include "release.h"

/*
 * diary: what goes on record beside certificates: that the core has started and
 * stopped, under which policy it judges, and how much it has refused to whom.
 * What the journal does not take, or loses, is tried again, and never holds
 * anything up.  Loop thread only.
 */
struct diary; /* opaque */

enum { DIARY_REFUSALS_US = 60 * 1000 * 1000 /* between entries on refusals */ };

/* RELEASE outlives it.
 * Owns: *OUT is the caller's; diary_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err diary_create(struct release *release,
				     struct diary **out);
/* Certificates may be signed from now on, or again. */
void diary_begin(struct diary *d);
/* The policy of HASH is in force. */
void diary_policy(struct diary *d, const uint8_t hash[ENTRY_HASH_BYTES]);
/* Officers have signed OPERATION, of at most RECOVERY_NOTE_MAX bytes: it is
 * recorded before anything else. */
void diary_ceremony(struct diary *d, struct span operation);
/* Officers have revoked certificates by STATEMENT, of at most RECOVERY_NOTE_MAX
 * bytes, one at a time: the next one once this one is on record. */
void diary_revocation(struct diary *d, struct span statement);
/* Is none of them on its way to the disk?  Where one was, it is on record. */
bool diary_revoked(const struct diary *d);
/*
 * Record ENTRY, encoded (copied), after those before it; what the journal does
 * not take or loses is tried again, in order.  RECORDED (may be NULL) is called
 * with CTX and TAG, from inside of diary_look() or diary_tick(), when it is on
 * the disk as leaf INDEX.  What is not by the end of the process is gone.
 * Errors: SG_NO_MEMORY.
 */
typedef void (*diary_recorded)(void *ctx, uint64_t tag, uint64_t index);
SG_MUST_USE enum sg_err diary_note(struct diary *d, struct span entry,
				   diary_recorded recorded, void *ctx,
				   uint64_t tag);
/* The journal has committed something: tell those whose note it is. */
void diary_look(struct diary *d);
/* A request of CLIENT was refused for the errors in V. */
void diary_refused(struct diary *d, const char *client,
		   const struct verdict *v);
/* The journal has lost what it took from leaf FIRST on. */
void diary_lost(struct diary *d, uint64_t first);
/* To be called a few times a second.  Returns whether the operation of
 * diary_ceremony() has come on record. */
bool diary_tick(struct diary *d, uint64_t now_us);
/* Nothing will be signed any more: write what is left. */
void diary_end(struct diary *d);
void diary_free(struct diary *d); /* NULL is allowed */

#endif /* SG_DIARY_H */
