/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal's directory of one or two segments, made of chunks of the input:
 * a byte says what a chunk is (bytes as they are, a record's or a head's body
 * to be framed, the beginning of the second segment, or that the file is cut),
 * two bytes how long.
 * The reader walks what it can, and finds the last record again; then a start
 * mends it or refuses it, and after one that mended it there is nothing to
 * mend.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/journal_files.h"
#include "ledger/journal_read.h"
#include "ledger/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 3, SEGMENT_BYTES = 1 << 16, PATH_SIZE = 64 };

enum chunk { RAW, FRAMED, SECOND, CUT, CHUNKS };

struct file {
	uint64_t start;
	size_t n;
	uint8_t bytes[SEGMENT_BYTES];
};

/* In memory where there is such a place. */
static char dir[] = "/dev/shm/fuzz_journal.XXXXXX";

static void remove_dir(void)
{
	(void)rmdir(dir);
}

static void make_dir(void)
{
	if (mkdtemp(dir) != NULL)
		return;
	(void)snprintf(dir, sizeof(dir), "/tmp/fuzz_journal.XXXXXX");
	if (mkdtemp(dir) == NULL)
		abort();
}

static void add(struct file *f, struct span s, bool framed)
{
	const size_t head = framed ? RECORD_HEAD_BYTES : 0;

	if (s.n == 0 || s.n + head > SEGMENT_BYTES - f->n)
		return;
	memcpy(f->bytes + f->n + head, s.p, s.n);
	if (framed)
		record_frame(f->bytes + f->n, s.n);
	f->n += head + s.n;
}

static void begin(struct file *f, uint64_t start, uint64_t leaf)
{
	const struct segment_head h = {.origin = SPAN_LIT("o"),
				       .start = start,
				       .leaf = leaf,
				       .newest_s = INT64_MIN};

	f->start = start;
	if (segment_head_encode(&h, f->bytes, &f->n) != SG_OK)
		abort();
}

static const char *name(uint64_t start, char path[PATH_SIZE])
{
	char text[SEGMENT_NAME_SIZE];

	segment_name(start, text);
	(void)snprintf(path, PATH_SIZE, "%s/%s", dir, text);
	return path;
}

static void save(const struct file *f, char path[PATH_SIZE])
{
	const int fd = open(name(f->start, path),
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, f->bytes, f->n) != (ssize_t)f->n)
		abort();
	(void)close(fd);
}

/* Cut the input into chunks; the number of segments. */
static size_t split(struct span in, struct file file[2])
{
	struct file *f = file;
	size_t head_n;

	begin(f, 0, 0);
	head_n = f->n;
	while (in.n >= HEAD_BYTES) {
		const unsigned what = in.p[0] % CHUNKS;
		const size_t cut = (size_t)(in.p[1] | in.p[2] << 8);
		const size_t body = f->n > head_n ? f->n - head_n : 0;
		size_t n = cut;

		in = span_of(in.p + HEAD_BYTES, in.n - HEAD_BYTES);
		if (n > in.n)
			n = in.n;
		if (what == SECOND && f == file) {
			/* At the end of the first one, or before. */
			const uint64_t back = n < body ? n : 0;

			if (body == back)
				return 1;
			f++;
			begin(f, body - back, n & 7);
			continue;
		}
		if (what == CUT) { /* the head, too: it has no bytes */
			f->n = f->n > cut ? f->n - cut : 0;
			continue;
		}
		add(f, span_of(in.p, n), what == FRAMED);
		in = span_of(in.p + n, in.n - n);
	}
	return f == file ? 1 : 2;
}

static void walk(struct journal_reader *r)
{
	struct record got;
	uint64_t last = UINT64_MAX;
	uint64_t offset;

	while (journal_reader_next(r, UINT64_MAX, &got, &offset) == SG_OK) {
		if (journal_reader_offset(r) <= offset)
			abort();
		if (last != UINT64_MAX && got.index != last + 1)
			abort();
		last = got.index;
	}
	if (journal_reader_find_time(r, 0) == SG_OK)
		(void)!journal_reader_next(r, UINT64_MAX, &got, NULL);
	if (last == UINT64_MAX)
		return;
	if (journal_reader_seek(r, offset) != SG_OK ||
	    journal_reader_next(r, offset + 1, &got, NULL) != SG_OK ||
	    got.index != last)
		abort();
	/* Heads may lie about their leaves: then it is found nowhere. */
	if (journal_reader_find(r, last) == SG_OK &&
	    journal_reader_next(r, UINT64_MAX, &got, NULL) == SG_OK &&
	    got.index != last)
		abort();
}

/* --- a start on it -------------------------------------------------------- */

static int fake_sync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

/* As the core opens it at its start.  *END gets the end. */
static enum sg_err start(struct journal_place *end)
{
	const struct journal_settings settings = {.dir = dir, .origin = "o"};
	static struct journal_io io;
	struct journal_files f = {0};
	enum sg_err err;

	io = JOURNAL_IO;
	io.sync = io.sync_data = fake_sync;
	err = files_open(&f, &settings, &io, end);
	if (err == SG_OK)
		files_close(&f);
	return err;
}

/* What was torn is gone: nothing is behind the end. */
static void look_behind(const struct journal_place *end)
{
	struct journal_reader *r;
	struct record got;

	if (journal_reader_open(dir, &r) != SG_OK ||
	    journal_reader_seek(r, end->offset) != SG_OK ||
	    journal_reader_next(r, UINT64_MAX, &got, NULL) != SG_NOT_FOUND)
		abort();
	journal_reader_close(r);
}

static void recover(void)
{
	struct journal_place once;
	struct journal_place twice;

	if (start(&once) != SG_OK)
		return;
	look_behind(&once);
	if (start(&twice) != SG_OK || once.index != twice.index ||
	    once.offset != twice.offset)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file file[2];
	static bool made;
	struct journal_reader *r;
	char path[2][PATH_SIZE];
	size_t n;

	if (!made) {
		make_dir();
		log_limit((enum log_level) - 1);
		(void)atexit(remove_dir);
		made = true;
	}
	n = size > 0 ? split(span_of(data, size), file) : 0;
	(void)name(0, path[0]); /* which a start makes where there is none */
	for (size_t i = 0; i < n; i++)
		save(&file[i], path[i]);
	if (journal_reader_open(dir, &r) == SG_OK) {
		walk(r);
		journal_reader_close(r);
	} else if (n > 0) {
		abort();
	}
	recover();
	for (size_t i = 0; i < n || i == 0; i++)
		(void)unlink(path[i]);
	return 0;
}
