/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_COSIGNED_H
#define SG_TOOLS_COSIGNED_H

#include "trust.h"

/*
 * cosigned: what witnesses have signed.  While a log grows, each second has a
 * new checkpoint, and witnesses are asked once a minute: that the newest one
 * has their cosignatures is a matter of luck.  So the log keeps the newest that
 * has them all as checkpoint.cosigned.  Where its checkpoint has too few, that
 * one must have them, and the checkpoint must begin with it.  What came after
 * it has no witness yet, which is a warning.
 *
 * A log whose key was stolen could show each auditor other entries behind an
 * old cosigned state for ever.  So a server's must be of late, and reach what
 * the auditor himself kept before that.  A directory may be a copy of any age.
 */
enum { COSIGNED_WITHIN_S = 3600 };

/* Read checkpoint.cosigned of S, before the checkpoint, which is never older.
 * Where that fails, it says so once it is needed. */
void cosigned_fetch(const struct trust *t, struct source *s,
		    struct trust_cosigned *out);
/* Is OLDER of more entries than the checkpoint NOTE? */
bool cosigned_is_newer(const struct trust_cosigned *older, struct span note);
/*
 * Have enough witnesses of T cosigned the checkpoint in OUT, or what was
 * fetched to OUT->older?  Sets OUT->cosigned and OUT->older; what is wrong goes
 * to F.  Errors: SG_IO, SG_FORBIDDEN, SG_NO_MEMORY, ... with WHY.
 */
SG_MUST_USE enum sg_err cosigned_check(const struct trust *t, struct source *s,
				       struct trust_checkpoint *out,
				       struct findings *f, char *why,
				       size_t cap);
/* Does what witnesses have cosigned of NEW reach what was KEPT, if that is old
 * enough?  If not, that goes to F. */
void cosigned_reaches(const struct trust *t, const struct source *s,
		      const struct trust_checkpoint *kept,
		      const struct trust_checkpoint *new, struct findings *f);
/* Have enough of them cosigned NOTE, at any time? */
bool cosigned_enough(const struct trust *t, struct span note);

#endif /* SG_TOOLS_COSIGNED_H */
