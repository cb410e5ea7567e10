/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_JOURNAL_H
#define SG_TOOLS_JOURNAL_H

#include "base/err.h"
#include "base/span.h"

/*
 * journal: the answers that came before it was their turn, in a file beside the
 * output, so that the end of the process loses none.  A line an entry: the
 * record's number and the answer.  Made when the first one comes.
 */
enum { JOURNAL_MARK_BYTES = 33 /* with its NUL */ };

struct journal; /* opaque */

/* What a job's journal is known by: a digest of the input's first record. */
void journal_mark(struct span record, char out[JOURNAL_MARK_BYTES]);

/*
 * The journal at PATH of the job MARK.  What it holds of records from number
 * FIRST on is kept for journal_find(); one of another job, or one that cannot
 * be read, is as good as none. Errors: SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err journal_open(const char *path, const char *mark,
				     uint64_t first, struct journal **out);
/* Closes; what was flushed stays. */
void journal_close(struct journal *j);
/* The answer of record SEQ, from before; ask in rising order, each at most
 * once.  Until the next call. */
bool journal_find(struct journal *j, uint64_t seq, struct span *line);
/* Errors: SG_IO, with errno. */
SG_MUST_USE enum sg_err journal_put(struct journal *j, uint64_t seq,
				    struct span line);
SG_MUST_USE enum sg_err journal_flush(struct journal *j);
/* Is the file so long that it should be written anew, without the entries that
 * nobody needs any more?  To do so: journal_renew(), journal_put() for each
 * entry that is needed, journal_renewed(). */
bool journal_is_long(const struct journal *j);
SG_MUST_USE enum sg_err journal_renew(struct journal *j);
SG_MUST_USE enum sg_err journal_renewed(struct journal *j);

#endif /* SG_TOOLS_JOURNAL_H */
