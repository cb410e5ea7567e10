/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_OUTPUT_H
#define SG_TOOLS_OUTPUT_H

#include "base/err.h"
#include "base/span.h"

/*
 * output: a file of lines that grows at its end, and that only one process
 * writes at a time.  What was flushed outlives the process, what was synced the
 * machine.
 */
struct output; /* opaque */

/*
 * Open PATH, or make it (mode 0600: certificates are personal data), and lock
 * it.  *MADE says whether it was made.  Lines go to its end.
 * Errors: SG_CONFLICT (another process has it), SG_CONFIG (no regular file),
 * SG_IO, SG_NO_MEMORY; WHY (CAP bytes) says what.
 */
SG_MUST_USE enum sg_err output_open(const char *path, bool *made,
				    struct output **out, char *why, size_t cap);
/* Closes without flushing. */
void output_close(struct output *o);
/* Cut the file off at SIZE bytes.  Nothing may wait to be flushed.  Errors as
 * output_put(). */
SG_MUST_USE enum sg_err output_cut(struct output *o, uint64_t size);
/* Add the line LINE; it may wait for output_flush().
 * Errors: SG_IO, with errno. */
SG_MUST_USE enum sg_err output_put(struct output *o, struct span line);
/* Hand what waits to the system.  Errors: SG_IO, with errno. */
SG_MUST_USE enum sg_err output_flush(struct output *o);
/* The same, and onto the disk. */
SG_MUST_USE enum sg_err output_sync(struct output *o);
/* Sync O and put it in the place of the file PATH; it stays open and locked.
 * Errors: SG_IO, with errno. */
SG_MUST_USE enum sg_err output_replace(struct output *o, const char *path);

#endif /* SG_TOOLS_OUTPUT_H */
