/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fileio.h"
#include "segment.h"

/* After a seek little is read at first, for those who want one record. */
enum {
	READ_FIRST_BYTES = 4096,
	READ_MOST_BYTES = 256 << 10,
	BUFFER_BYTES = READ_MOST_BYTES + RECORD_BYTES_MAX
};

/* A directory that has changed so lately may change again unseen: the clock
 * that file times come from ticks in milliseconds. */
enum { SETTLED_MS = 100, MS_PER_S = 1000, NS_PER_MS = 1000000 };

#define NO_OFFSET UINT64_MAX

struct journal_reader {
	int dir;
	struct segment_list segments;
	struct timespec listed; /* the directory's time when it was */
	bool settled;

	/* The segment that it is in; FD is -1 when it is in none. */
	int fd;
	size_t head_n;	/* bytes of its head */
	uint64_t start; /* of its first record */
	uint64_t next;	/* where the next one begins; NO_OFFSET: it is last */

	uint64_t offset; /* of the next record */
	uint64_t index;	 /* of the same, if that is known */
	bool knows_index;
	uint8_t *buf;
	size_t at, n; /* what is read is at buf[at..n), from OFFSET on */
	size_t want;  /* bytes to read next */
};

/* --- the directory -------------------------------------------------------- */

static void leave_segment(struct journal_reader *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
	r->at = r->n = 0;
	r->knows_index = false;
}

/* Where the segment after the one at START begins. */
static uint64_t next_start(const struct journal_reader *r, uint64_t start)
{
	const size_t i = segment_list_find(&r->segments, start);

	return i + 1 < r->segments.n ? r->segments.start[i + 1] : NO_OFFSET;
}

/* Know the segments that there are now. */
static enum sg_err refresh(struct journal_reader *r)
{
	struct stat st;
	enum sg_err err;
	int64_t changed_ms;

	if (fstat(r->dir, &st) != 0)
		return SG_IO;
	if (r->settled && st.st_mtim.tv_sec == r->listed.tv_sec &&
	    st.st_mtim.tv_nsec == r->listed.tv_nsec)
		return SG_OK;
	changed_ms = (int64_t)st.st_mtim.tv_sec * MS_PER_S +
		     st.st_mtim.tv_nsec / NS_PER_MS;
	r->settled = clock_wall_ms() - changed_ms > SETTLED_MS;
	r->listed = st.st_mtim;
	err = segment_list_read(r->dir, &r->segments);
	if (err != SG_OK) {
		r->settled = false;
		leave_segment(r);
		return err;
	}
	if (r->fd >= 0)
		r->next = next_start(r, r->start);
	return SG_OK;
}

/* Open the segment I and read its head.  Errors: SG_NOT_FOUND (it is only
 * being made), SG_MALFORMED, SG_IO. */
static enum sg_err open_head(const struct journal_reader *r, size_t i, int *fd,
			     struct segment_head *head, size_t *head_n)
{
	uint8_t buf[SEGMENT_HEAD_MAX];
	char name[SEGMENT_NAME_SIZE];
	enum sg_err err;

	segment_name(r->segments.start[i], name);
	*fd = openat(r->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return errno == ENOENT ? SG_NOT_FOUND : SG_IO;
	err = segment_head_read(*fd, buf, head, head_n);
	head->origin = span_of(NULL, 0); /* lay in BUF */
	if (err == SG_OK && head->start != r->segments.start[i])
		err = SG_MALFORMED;
	if (err == SG_NOT_FOUND && i + 1 < r->segments.n)
		err = SG_MALFORMED;
	if (err != SG_OK)
		(void)close(*fd);
	return err;
}

static enum sg_err enter_segment(struct journal_reader *r, size_t i)
{
	struct segment_head head = {0};
	size_t head_n;
	int fd;
	const enum sg_err err = open_head(r, i, &fd, &head, &head_n);

	if (err != SG_OK)
		return err;
	leave_segment(r);
	r->fd = fd;
	r->head_n = head_n;
	r->start = head.start;
	r->next = next_start(r, head.start);
	r->index = head.leaf;
	r->knows_index = true;
	r->want = READ_FIRST_BYTES;
	return SG_OK;
}

/* --- opening -------------------------------------------------------------- */

enum sg_err journal_reader_open(const char *dir, struct journal_reader **out)
{
	struct journal_reader *r = calloc(1, sizeof(*r));
	enum sg_err err = SG_NO_MEMORY;

	if (r == NULL)
		return SG_NO_MEMORY;
	r->fd = -1;
	r->dir = -1;
	r->buf = malloc(BUFFER_BYTES);
	if (r->buf == NULL)
		goto fail;
	r->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0) {
		err = errno == ENOENT ? SG_NOT_FOUND : SG_IO;
		goto fail;
	}
	err = refresh(r);
	if (err == SG_OK && r->segments.n == 0)
		err = SG_NOT_FOUND;
	if (err != SG_OK)
		goto fail;
	*out = r;
	return SG_OK;
fail:
	journal_reader_close(r);
	return err;
}

void journal_reader_close(struct journal_reader *r)
{
	if (r == NULL)
		return;
	leave_segment(r);
	if (r->dir >= 0)
		(void)close(r->dir);
	segment_list_free(&r->segments);
	free(r->buf);
	free(r);
}

uint64_t journal_reader_offset(const struct journal_reader *r)
{
	return r->offset;
}

/* --- places --------------------------------------------------------------- */

/* Does the segment's file reach to OFFSET? */
static enum sg_err reaches(const struct journal_reader *r, uint64_t offset)
{
	struct stat st;

	if (fstat(r->fd, &st) != 0)
		return SG_IO;
	return (uint64_t)st.st_size >= r->head_n + (offset - r->start)
		       ? SG_OK
		       : SG_NOT_FOUND;
}

enum sg_err journal_reader_seek(struct journal_reader *r, uint64_t offset)
{
	enum sg_err err = refresh(r);
	size_t i;

	if (err != SG_OK)
		return err;
	i = segment_list_find(&r->segments, offset);
	if (i == r->segments.n)
		return SG_NOT_FOUND;
	if (r->fd < 0 || r->start != r->segments.start[i] ||
	    offset == r->start) {
		err = enter_segment(r, i);
		if (err != SG_OK)
			return err;
	}
	err = reaches(r, offset);
	if (err != SG_OK) {
		leave_segment(r); /* the index may be of another place */
		return err;
	}
	r->knows_index = offset == r->start;
	r->at = r->n = 0;
	r->want = READ_FIRST_BYTES;
	r->offset = offset;
	return SG_OK;
}

static bool leaf_at_most(const struct segment_head *head, int64_t index)
{
	return head->leaf <= (uint64_t)index;
}

static bool older_than(const struct segment_head *head, int64_t time_s)
{
	return head->newest_s < time_s;
}

/* The last segment for which BEFORE, which holds for none behind one for which
 * it does not, says yes. */
static enum sg_err segment_of(const struct journal_reader *r,
			      bool (*before)(const struct segment_head *head,
					     int64_t value),
			      int64_t value, size_t *out)
{
	struct segment_head head = {0};
	size_t low = 0;
	size_t high = r->segments.n;
	enum sg_err err;
	size_t head_n;
	int fd;

	while (low < high) { /* the first that is beyond */
		const size_t mid = low + (high - low) / 2;

		err = open_head(r, mid, &fd, &head, &head_n);
		if (err == SG_NOT_FOUND) { /* only being made */
			high = mid;
			continue;
		}
		if (err != SG_OK)
			return err;
		(void)close(fd);
		if (before(&head, value))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return SG_NOT_FOUND;
	*out = low - 1;
	return SG_OK;
}

enum sg_err journal_reader_find(struct journal_reader *r, uint64_t index)
{
	struct record passed;
	size_t i;
	enum sg_err err = refresh(r);

	if (index > INT64_MAX)
		return SG_NOT_FOUND;
	if (err == SG_OK)
		err = segment_of(r, leaf_at_most, (int64_t)index, &i);
	if (err == SG_OK)
		err = journal_reader_seek(r, r->segments.start[i]);
	while (err == SG_OK && r->index < index)
		err = journal_reader_next(r, NO_OFFSET, &passed, NULL);
	r->n = r->at; /* read without a limit: not to be relied upon */
	return err;
}

enum sg_err journal_reader_find_time(struct journal_reader *r, int64_t time_s)
{
	size_t i;
	enum sg_err err = refresh(r);

	if (err == SG_OK)
		err = segment_of(r, older_than, time_s, &i);
	return err == SG_OK ? journal_reader_seek(r, r->segments.start[i])
			    : err;
}

/* --- reading -------------------------------------------------------------- */

/* Go over to the segment that begins where the last one ended. */
static enum sg_err cross(struct journal_reader *r)
{
	const uint64_t want = r->index;
	const bool knew = r->knows_index;
	const enum sg_err err = journal_reader_seek(r, r->offset);

	if (err == SG_OK && knew && r->knows_index && r->index != want)
		return SG_MALFORMED;
	return err;
}

/* Be in the segment that has OFFSET. */
static enum sg_err settle(struct journal_reader *r)
{
	if (r->fd < 0)
		return journal_reader_seek(r, r->offset);
	if (r->next == NO_OFFSET && r->at == r->n) {
		const enum sg_err err = refresh(r);

		if (err != SG_OK)
			return err;
	}
	return r->offset < r->next ? SG_OK : cross(r);
}

/* Read on.  Errors: SG_NOT_FOUND (there is no more), SG_MALFORMED (there should
 * be), SG_IO. */
static enum sg_err fill(struct journal_reader *r)
{
	const uint64_t end = r->offset + (r->n - r->at);
	size_t n = r->want;
	enum sg_err err;
	ssize_t got;

	if (r->next == NO_OFFSET && r->n > r->at) {
		err = refresh(r);
		if (err != SG_OK)
			return err;
	}
	if (r->next <= end)
		return SG_MALFORMED; /* a record across the segment's end */
	memmove(r->buf, r->buf + r->at, r->n - r->at);
	r->n -= r->at;
	r->at = 0;
	if (n > BUFFER_BYTES - r->n)
		n = BUFFER_BYTES - r->n;
	if (n > r->next - end)
		n = (size_t)(r->next - end);
	got = fileio_read_at(r->fd, r->buf + r->n, n,
			     r->head_n + (end - r->start));
	if (got < 0)
		return SG_IO;
	if (got == 0)
		return r->next == NO_OFFSET ? SG_NOT_FOUND : SG_MALFORMED;
	r->n += (size_t)got;
	if (r->want < READ_MOST_BYTES)
		r->want *= 2;
	return SG_OK;
}

enum sg_err journal_reader_next(struct journal_reader *r, uint64_t limit,
				struct record *out, uint64_t *offset)
{
	struct record got;
	enum sg_err err;
	uint64_t known;
	size_t n;

	if (r->offset >= limit)
		return SG_NOT_FOUND;
	err = settle(r);
	if (err != SG_OK)
		return err;
	for (;;) {
		err = record_decode(span_of(r->buf + r->at, r->n - r->at), &got,
				    &n);
		if (err != SG_NOT_FOUND)
			break;
		err = fill(r);
		if (err != SG_OK)
			break;
	}
	if (err == SG_OK && r->knows_index && got.index != r->index)
		err = SG_MALFORMED;
	if (err != SG_OK) {
		r->n = r->at; /* what comes may be other bytes */
		return err;
	}
	*out = got;
	if (offset != NULL)
		*offset = r->offset;
	r->offset += n;
	r->at += n;
	r->index = got.index + 1;
	r->knows_index = true;
	/* What was read beyond LIMIT may not be on record: a write that fails
	 * leaves its bytes, and the journal goes on elsewhere. */
	known = limit > r->offset ? limit - r->offset : 0;
	if (r->n - r->at > known)
		r->n = r->at + (size_t)known;
	return SG_OK;
}
