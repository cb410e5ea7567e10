/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SEGMENT_H
#define SG_SEGMENT_H

#include "record.h"

/*
 * segment: the files of a journal (journal.h): their names, and the head that
 * stands in front of their records.  Offsets count the bytes of records alone,
 * so that where a segment begins moves nothing.
 */
enum {
	SEGMENT_NAME_SIZE = 21, /* 20 digits and the NUL */
	SEGMENT_ORIGIN_MAX = 255,
	SEGMENT_HEAD_MAX = RECORD_HEAD_BYTES + SEGMENT_ORIGIN_MAX + 64
};

struct segment_head {
	struct span origin; /* of the log */
	uint64_t start;	    /* offset of its first record */
	uint64_t leaf;	    /* index of that record */
	int64_t newest_s; /* newest time of all certificates before it, seconds
			     since 1970; INT64_MIN: there is none */
};

void segment_name(uint64_t start, char out[SEGMENT_NAME_SIZE]);

/* Errors: SG_TOO_BIG (the origin). */
SG_MUST_USE enum sg_err segment_head_encode(const struct segment_head *head,
					    uint8_t out[SEGMENT_HEAD_MAX],
					    size_t *len);
/* *LEN: bytes of the head.  Its origin lies in IN.
 * Errors: SG_NOT_FOUND (IN ends before it does), SG_MALFORMED. */
SG_MUST_USE enum sg_err segment_head_decode(struct span in,
					    struct segment_head *out,
					    size_t *len);
/* The same from the file FD; the origin lies in BUF.  Errors: also SG_IO. */
SG_MUST_USE enum sg_err segment_head_read(int fd, uint8_t buf[SEGMENT_HEAD_MAX],
					  struct segment_head *out,
					  size_t *len);

/* The segments of a directory: where they begin, in order. */
struct segment_list {
	uint64_t *start;
	size_t n, cap;
};

/* List the directory open at DIR anew.  Files of other names are no segments.
 * Owns: LIST (all zeroes at first) keeps its memory; segment_list_free().
 * Errors: SG_IO, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err segment_list_read(int dir, struct segment_list *list);
/* The place of the last segment that begins at or before OFFSET; N where there
 * is none. */
size_t segment_list_find(const struct segment_list *list, uint64_t offset);
void segment_list_free(struct segment_list *list);

#endif /* SG_SEGMENT_H */
