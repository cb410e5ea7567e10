/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BULK_JOB_H
#define SG_TOOLS_BULK_JOB_H

#include "engine.h"
#include "tally.h"

/*
 * bulk_job: a file of records and the file OUT of their answers, from wherever
 * an earlier run has left off.  Beside OUT, while there is work:
 *	OUT.partial  answers that came before it was their turn
 *	OUT.mended   OUT anew, while answers amid it that asked to come again
 *		     (or all problems) are being replaced
 */
struct bulk_job; /* opaque */

/*
 * Open IN ("-": standard input) and OUT; what OUT holds is checked against IN
 * and counted.  REFUSED_AGAIN: the records that OUT has problems for are sent
 * again.
 * Errors: SG_CONFLICT (OUT is of another input, or in use), SG_MALFORMED (OUT
 * holds what is no answer), SG_CONFIG, SG_IO, SG_NO_MEMORY; bulk_job_why().
 */
SG_MUST_USE enum sg_err bulk_job_open(const char *in, const char *out,
				      bool refused_again, struct bulk_job **job,
				      char *why);
void bulk_job_close(struct bulk_job *job);
/* The number of the first record to be sent. */
uint64_t bulk_job_first(const struct bulk_job *job);
/* How many answers were taken over from earlier runs. */
uint64_t bulk_job_kept(const struct bulk_job *job);
struct tally *bulk_job_tally(const struct bulk_job *job);
/* Bytes of the input that were read, and its size (0: not known). */
void bulk_job_place(const struct bulk_job *job, uint64_t *bytes,
		    uint64_t *size);
/* Why one of the functions below has failed. */
const char *bulk_job_why(const struct bulk_job *job);

/* The hooks of an engine_job; CTX is the bulk_job. */
enum lines_got bulk_job_next(void *ctx, struct span *text, struct span *known);
int bulk_job_fd(void *ctx);
enum sg_err bulk_job_early(void *ctx, uint64_t seq, struct span line);
enum sg_err bulk_job_put(void *ctx, uint64_t seq, struct span text,
			 struct span line);
enum sg_err bulk_job_turn(void *ctx, const struct window *w);

/* Write out all there is.  If WHOLE, the input's end was reached: what stands
 * beside OUT goes. */
SG_MUST_USE enum sg_err bulk_job_finish(struct bulk_job *job, bool whole);

/* The answer to a line that need not be sent; n = 0: it must be. */
struct span bulk_job_local(const struct line *line);

#endif /* SG_TOOLS_BULK_JOB_H */
