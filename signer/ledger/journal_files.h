/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_JOURNAL_FILES_H
#define SG_JOURNAL_FILES_H

#include <sys/types.h>

#include "journal.h"
#include "segment.h"

/*
 * journal_files: the inside of the journal that knows files: its start, the
 * segment that is being written, the way on after a failure.  Blocking.  For
 * journal.c, journal_start.c and their tests.
 */

/* What changes something on the disk; the tests have one that fails and loses
 * power.  As the calls of the same names, interruptions left out. */
struct journal_io {
	int (*open_at)(void *ctx, int dir, const char *name, int flags);
	ssize_t (*write_at)(void *ctx, int fd, const void *p, size_t n,
			    off_t at);
	int (*sync_data)(void *ctx, int fd);
	int (*sync)(void *ctx, int fd);
	int (*cut)(void *ctx, int fd, off_t size);
	int (*unlink_at)(void *ctx, int dir, const char *name);
	void *ctx;
	uint32_t retry_ms, gather_us, gather_bulk_us;
	size_t buffer_bytes_min, buffer_bytes_max;
};

extern const struct journal_io JOURNAL_IO; /* the real one */

/* journal_open() by IO, which outlives the journal. */
SG_MUST_USE enum sg_err journal_open_io(const struct journal_settings *settings,
					const struct journal_io *io,
					struct journal **out);

/* The end of what is committed. */
struct journal_place {
	uint64_t index, offset;
	int64_t newest_s; /* of all certificates before it; INT64_MIN: none */
};

struct journal_files {
	const struct journal_io *io;
	char *path; /* of the directory, for the log */
	char *origin;
	uint64_t segment_bytes;
	int dir;	/* locked */
	int fd;		/* the last segment; -1 before there is one */
	uint64_t start; /* of it */
	uint64_t size;	/* of its file, as far as it is committed */
	size_t head_n;	/* of its head */
	/* The last segment that was made, or found. */
	bool has_made;
	uint64_t made;
};

/* Lock and check what is there, cut a torn tail, or begin the first segment.
 * *END gets the journal's end.  F is all zeroes.
 * Errors: those of journal_open(); F is closed. */
SG_MUST_USE enum sg_err files_open(struct journal_files *f,
				   const struct journal_settings *settings,
				   const struct journal_io *io,
				   struct journal_place *end);
/* Is it time for a new segment? */
bool files_full(const struct journal_files *f);
/* Begin a new segment at END.  False, with errno: as it was. */
bool files_begin(struct journal_files *f, const struct journal_place *end);
/* Write and sync S behind what is committed.  False, with errno: nothing of it
 * is, and no more can be written before files_begin(). */
bool files_write(struct journal_files *f, struct span s);
/* As far as the disk lets us, take back what a failed write has left. */
void files_cut(struct journal_files *f);
void files_close(struct journal_files *f);

#endif /* SG_JOURNAL_FILES_H */
