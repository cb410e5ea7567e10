/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_WINDOW_H
#define SG_TOOLS_WINDOW_H

#include "base/err.h"
#include "base/span.h"

/*
 * window: the records between the first that has no final answer and the last
 * that was read, by number.  Says which to send next, keeps answers that came
 * out of order, and gives them out in order.  Bounded in records and bytes.  No
 * I/O, no clock.
 */
struct window; /* opaque */

/* Room for N records, and MAX bytes of text and answers; numbers begin at
 * FIRST. Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err window_create(size_t n, size_t max, uint64_t first,
				      struct window **out);
void window_free(struct window *w);

/* May another record come in?  One always fits into an empty window. */
bool window_room(const struct window *w);
/* Take the record TEXT, copied with a line feed; it gets the next number.
 * There must be room. */
SG_MUST_USE enum sg_err window_admit(struct window *w, struct span text);
/* The next number to be admitted, and the first without a final answer. */
uint64_t window_next(const struct window *w);
uint64_t window_base(const struct window *w);
/* Is SEQ in the window without a final answer? */
bool window_open(const struct window *w, uint64_t seq);
/* Its text, with the line feed. */
struct span window_text(const struct window *w, uint64_t seq);

/*
 * The record to be sent at NOW: one whose time to be sent again has come, or
 * the first that was never sent.  False if there is none.  Sending it is the
 * caller's business from here on.
 */
bool window_take(struct window *w, uint64_t now, uint64_t *seq);
/* As window_take() would find, without taking. */
bool window_has(const struct window *w, uint64_t now);
/* When the next record is to be sent again; UINT64_MAX if none is. */
uint64_t window_due(const struct window *w);
/* Send SEQ, which was taken, again at DUE. */
void window_again(struct window *w, uint64_t seq, uint64_t due);

/* SEQ, open, is answered for good by LINE, copied. */
SG_MUST_USE enum sg_err window_answer(struct window *w, uint64_t seq,
				      struct span line);
/* The answer of the base if it has one; then window_pop() lets it go. */
bool window_front(const struct window *w, struct span *line);
/* The final answer of SEQ if it has one. */
bool window_done(const struct window *w, uint64_t seq, struct span *line);
/* The base is done with: the next record becomes it. */
void window_pop(struct window *w);

/* What the caller keeps of each open record. */
struct window_mark {
	unsigned tries;	 /* answers that asked to come again */
	uint64_t finals; /* the caller's counter at the first of them */
	bool sent;	 /* at least once */
};
struct window_mark *window_mark(struct window *w, uint64_t seq);
/* Keep LINE as the answer for want of a better one; copied. */
SG_MUST_USE enum sg_err window_keep(struct window *w, uint64_t seq,
				    struct span line);
/* Have all open records an answer kept?  They become final. */
bool window_settle(struct window *w);

#endif /* SG_TOOLS_WINDOW_H */
