/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_LINES_H
#define SG_TOOLS_LINES_H

#include "base/err.h"
#include "base/span.h"

/*
 * lines: a file, or standard input, line by line; gzip (also of several
 * members) is unpacked.  Never waits: where a pipe has nothing yet it says so.
 * Memory does not grow with the file.
 */
enum { LINES_LINE_MAX = 1 << 20 /* bytes; longer ones are passed over */ };

enum lines_got {
	LINES_LINE,
	LINES_WAIT, /* nothing yet; poll lines_fd() */
	LINES_END,
	LINES_FAULT /* lines_why() */
};

struct line {
	struct span text; /* without its line feed; until the next call */
	bool ended;	  /* a line feed stood there: false at most once */
	bool too_long;	  /* text is empty */
};

struct lines; /* opaque */

/* Open PATH, "-" being standard input.  Errors: SG_IO, SG_NO_MEMORY; WHY (CAP
 * bytes) says what. */
SG_MUST_USE enum sg_err lines_open(const char *path, struct lines **out,
				   char *why, size_t cap);
void lines_close(struct lines *l);

enum lines_got lines_next(struct lines *l, struct line *out);
/* The same, but waits. */
enum lines_got lines_next_wait(struct lines *l, struct line *out);
/* Wait for it, read up to MAX bytes ahead, and show what is not taken yet,
 * which is all there is if *END.  LINES_LINE or LINES_FAULT. */
enum lines_got lines_peek(struct lines *l, size_t max, struct span *out,
			  bool *end);
/* The file is a gzip file; known once something was read of it. */
bool lines_are_packed(const struct lines *l);
int lines_fd(const struct lines *l);
const char *lines_why(const struct lines *l);
/* Bytes of the file that the lines so far took: exact for plain files, about
 * right for packed ones. */
uint64_t lines_offset(const struct lines *l);
/* Size of the file; 0 if it has none. */
uint64_t lines_size(const struct lines *l);

#endif /* SG_TOOLS_LINES_H */
