/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_MIRROR_NOTES_H
#define SG_TOOLS_MIRROR_NOTES_H

#include "ledger/tiles.h"
#include "outcome.h"

/*
 * mirror_notes: the signatures that a copy holds.  They are the evidence
 * against the log, and whoever serves the log's files has no say in them: none
 * that the copy has is given up for the same state, and what witnesses have
 * cosigned never goes back.
 *
 * checkpoint.awaited, which is the mirror's own, has a number of entries that
 * the copy had when it was written, and that witnesses are to cosign: then it
 * gets the next.  So whoever shows the mirror entries that he keeps from the
 * witnesses is found, however often the mirror looks.
 */

/* The note for a state that the copy has already: its own, with the
 * signatures that it lacks: of keys that O's trust knows, good ones; of others,
 * some, where it knows no witness.  Returns its bytes; 0: it lacks none. */
size_t mirror_merge(const struct outcome *o, uint8_t out[CHECKPOINT_NOTE_MAX]);
/* What witnesses have cosigned, in COPY: before O's checkpoint is written what
 * was kept, if they have cosigned that, and after it what they have of it,
 * which is never newer.  Errors: SG_IO. */
SG_MUST_USE enum sg_err mirror_cosigned_before(struct tiles *copy,
					       const struct outcome *o);
SG_MUST_USE enum sg_err mirror_cosigned_after(struct tiles *copy,
					      const struct outcome *o);
/* Have they cosigned what is awaited, or is there time yet?  If not, that goes
 * to O's findings; also where the log is a directory, which a mirror follows
 * like a server. */
void mirror_cosigned_goes_on(struct tiles *copy, const struct outcome *o);

#endif /* SG_TOOLS_MIRROR_NOTES_H */
