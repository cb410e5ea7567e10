/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CUTTER_H
#define SG_CUTTER_H

#include <stdbool.h>

#include "base/span.h"

/*
 * cutter: where one request of a stream ends and the next one begins.  Bytes
 * come in any pieces; nothing is looked at twice.  Pure; no allocation.
 *
 * CUTTER_LINES	x-ndjson: all up to a line feed is a record, an empty line
 *		too, so that answers and lines stay in step; what follows the
 *		last line feed is one if it is not empty.
 * CUTTER_ITEMS	cbor-seq (RFC 8742): each well-formed item is a record,
 *		whatever it holds.
 */
enum cutter_form { CUTTER_LINES, CUTTER_ITEMS };

enum {
	/* Nested items of indefinite length; definite ones nest freely. */
	CUTTER_OPEN_MAX = 32,
	/* Of an item that is skipped because it is too large.  A line may have
	 * any length: its end is found without believing what it says. */
	CUTTER_SKIP_MAX = 16 << 20
};

struct cutter {
	enum cutter_form form;
	size_t max;  /* bytes of a record */
	size_t seen; /* bytes of the record at hand that were looked at and
			are still in the input */
	size_t gone; /* and those that were dropped: it is too large */
	/* CUTTER_ITEMS: bytes of the string at hand and items of the
	 * containers that are still to come; the latter again for what is
	 * around each open indefinite container. */
	uint64_t string, left;
	unsigned open;
	uint64_t outer[CUTTER_OPEN_MAX];
};

enum cutter_result {
	CUTTER_RECORD,	/* one, whole */
	CUTTER_TOO_BIG, /* one, which was dropped */
	CUTTER_MORE,	/* none yet */
	CUTTER_LOST	/* not CBOR: nobody can say where the next one begins */
};

struct cutter cutter_begin(enum cutter_form form, size_t max);

/*
 * Find the record at the front of IN, which goes on where the call before left
 * it: its first *USED bytes are done with.  *RECORD (in IN, without a line's
 * end) is set on CUTTER_RECORD.  END: nothing comes after IN; a record that is
 * not complete is then CUTTER_RECORD as it is, for its reader to complain, and
 * CUTTER_MORE means that nothing is left.
 */
enum cutter_result cutter_next(struct cutter *c, struct span in, bool end,
			       struct span *record, size_t *used);

/* Has a record begun that is not complete? */
bool cutter_is_within(const struct cutter *c);

#endif /* SG_CUTTER_H */
