/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_JOURNAL_READ_H
#define SG_JOURNAL_READ_H

#include "record.h"

/*
 * journal_read: reads a journal's directory (journal.h), also while it is
 * written to, by this process or by another.  Blocking; each reader is one
 * thread's.
 */
struct journal_reader; /* opaque */

/* Errors: SG_NOT_FOUND (no journal there), SG_IO, SG_NO_MEMORY.
 * Owns: *OUT is the caller's; journal_reader_close(). */
SG_MUST_USE enum sg_err journal_reader_open(const char *dir,
					    struct journal_reader **out);
void journal_reader_close(struct journal_reader *r); /* NULL is allowed */

/* Be at OFFSET, the place of a record or the journal's end; 0: the first
 * record.  Errors: SG_NOT_FOUND (beyond the segments), SG_IO. */
SG_MUST_USE enum sg_err journal_reader_seek(struct journal_reader *r,
					    uint64_t offset);
/* Be at leaf INDEX: found by the segments' heads and a walk.  Errors:
 * SG_NOT_FOUND, SG_MALFORMED, SG_IO. */
SG_MUST_USE enum sg_err journal_reader_find(struct journal_reader *r,
					    uint64_t index);
/* Be at the beginning of a segment before which every certificate is older than
 * TIME_S (seconds since 1970), by the heads: the last of those that there are.
 * Errors: SG_NOT_FOUND, SG_MALFORMED, SG_IO. */
SG_MUST_USE enum sg_err journal_reader_find_time(struct journal_reader *r,
						 int64_t time_s);
/*
 * Read the next record, whose first byte is below LIMIT (an offset;
 * UINT64_MAX: as far as it goes).  *OFFSET (may be NULL) gets its place.  Spans
 * of OUT live until the next call on R.
 * Errors: SG_NOT_FOUND (LIMIT, or the end: call again when there is more),
 * SG_MALFORMED (damage; journal_reader_offset() tells where), SG_IO.
 */
SG_MUST_USE enum sg_err journal_reader_next(struct journal_reader *r,
					    uint64_t limit, struct record *out,
					    uint64_t *offset);
/* Where it is. */
uint64_t journal_reader_offset(const struct journal_reader *r);

#endif /* SG_JOURNAL_READ_H */
