/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	RAW_BYTES = 256 << 10,
	TEXT_BYTES = LINES_LINE_MAX + RAW_BYTES,
	GZIP_WINDOW = 15 + 16, /* zlib.h: 15 bits, and the gzip format only */
	WHY_BYTES = 256
};

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_GZIP };

struct lines {
	int fd;
	bool own_fd, eof, done, fault, skipping, waits;
	bool packed_open; /* inside of a gzip member */
	enum form form;
	z_stream z;
	uint64_t raw_read; /* bytes of the file that were read */
	uint64_t taken;	   /* bytes of text that the lines took */
	uint64_t size;
	uint8_t *raw; /* of a gzip file: not unpacked yet */
	size_t raw_at, raw_n;
	uint8_t *text;
	size_t at, n;	/* lines begin at AT, N bytes are there */
	size_t scanned; /* no line feed before it */
	char why[WHY_BYTES];
};

static enum lines_got fail(struct lines *l, const char *what)
{
	(void)snprintf(l->why, sizeof(l->why), "%s", what);
	l->fault = true;
	return LINES_FAULT;
}

enum sg_err lines_open(const char *path, struct lines **out, char *why,
		       size_t cap)
{
	struct lines *l = calloc(1, sizeof(*l));
	struct stat st;

	if (l == NULL || (l->text = malloc(TEXT_BYTES)) == NULL ||
	    (l->raw = malloc(RAW_BYTES)) == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		goto fail;
	}
	l->own_fd = strcmp(path, "-") != 0;
	l->fd = l->own_fd ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	errno = l->fd < 0 ? errno : EISDIR;
	if (l->fd < 0 || fstat(l->fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		(void)snprintf(why, cap, "%s: %s", path,
			       strerrordesc_np(errno));
		if (l->own_fd && l->fd >= 0)
			(void)close(l->fd);
		goto fail;
	}
	l->waits = !S_ISREG(st.st_mode);
	l->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	*out = l;
	return SG_OK;
fail:
	if (l != NULL) {
		free(l->text);
		free(l->raw);
		free(l);
		return SG_IO;
	}
	return SG_NO_MEMORY;
}

void lines_close(struct lines *l)
{
	if (l == NULL)
		return;
	if (l->form == FORM_GZIP)
		(void)inflateEnd(&l->z);
	if (l->own_fd)
		(void)close(l->fd);
	free(l->text);
	free(l->raw);
	free(l);
}

/* read(2) that does not wait.  LINES_LINE: *GOT bytes came, or the end. */
static enum lines_got read_some(struct lines *l, void *to, size_t cap,
				size_t *got)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	ssize_t n;

	if (l->waits && poll(&p, 1, 0) == 0)
		return LINES_WAIT;
	n = read(l->fd, to, cap);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return LINES_WAIT;
	if (n < 0)
		return fail(l, strerrordesc_np(errno));
	l->eof = n == 0;
	l->raw_read += (uint64_t)n;
	*got = (size_t)n;
	return LINES_LINE;
}

/* The first bytes tell a gzip file (RFC 1952 s. 2.3.1) from text. */
static enum lines_got begin(struct lines *l)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
	size_t got = 0;
	enum lines_got r;

	while (l->raw_n < sizeof(bom) && !l->eof) {
		r = read_some(l, l->raw + l->raw_n, RAW_BYTES - l->raw_n, &got);
		if (r != LINES_LINE)
			return r;
		l->raw_n += got;
	}
	if (l->raw_n >= 2 && l->raw[0] == 0x1f && l->raw[1] == 0x8b) {
		if (inflateInit2(&l->z, GZIP_WINDOW) != Z_OK)
			return fail(l, err_text(SG_NO_MEMORY));
		l->form = FORM_GZIP;
		l->packed_open = true;
		return LINES_LINE;
	}
	l->form = FORM_PLAIN;
	/* Windows programs begin UTF-8 files with this. */
	if (l->raw_n >= sizeof(bom) && memcmp(l->raw, bom, sizeof(bom)) == 0)
		l->raw_at = sizeof(bom);
	l->taken = l->raw_at;
	memcpy(l->text, l->raw + l->raw_at, l->raw_n - l->raw_at);
	l->n = l->raw_n - l->raw_at;
	l->raw_at = l->raw_n = 0;
	return LINES_LINE;
}

/* A member has ended.  Another may follow; anything else is left alone, as
 * gzip(1) leaves padding. */
static void next_member(struct lines *l)
{
	if (l->raw_n - l->raw_at >= 1 && l->raw[l->raw_at] == 0x1f &&
	    inflateReset(&l->z) == Z_OK) {
		l->packed_open = true;
		return;
	}
	if (l->raw_n > l->raw_at)
		l->eof = true;
	l->raw_at = l->raw_n;
}

static enum lines_got unpack(struct lines *l)
{
	enum lines_got r;
	size_t got = 0;
	int code;

	if (l->raw_at == l->raw_n) {
		l->raw_at = l->raw_n = 0;
		r = read_some(l, l->raw, RAW_BYTES, &got);
		if (r != LINES_LINE)
			return r;
		l->raw_n = got;
		if (l->eof && l->packed_open)
			return fail(l, "the gzip file ends too early");
	}
	if (!l->packed_open) {
		next_member(l);
		return LINES_LINE;
	}
	l->z.next_in = l->raw + l->raw_at;
	l->z.avail_in = (uInt)(l->raw_n - l->raw_at);
	l->z.next_out = l->text + l->n;
	l->z.avail_out = (uInt)(TEXT_BYTES - l->n);
	code = inflate(&l->z, Z_NO_FLUSH);
	l->raw_at = l->raw_n - l->z.avail_in;
	l->n = TEXT_BYTES - l->z.avail_out;
	if (code == Z_STREAM_END)
		l->packed_open = false;
	else if (code != Z_OK && code != Z_BUF_ERROR)
		return fail(l, "the gzip file is damaged");
	return LINES_LINE;
}

/* More text behind what is there.  LINES_LINE also at the end (eof). */
static enum lines_got more(struct lines *l)
{
	enum lines_got r;
	size_t got = 0;

	if (l->form == FORM_UNKNOWN)
		return begin(l);
	if (l->at > 0) {
		memmove(l->text, l->text + l->at, l->n - l->at);
		l->n -= l->at;
		l->scanned -= l->at;
		l->at = 0;
	}
	if (l->form == FORM_GZIP)
		return unpack(l);
	r = read_some(l, l->text + l->n, TEXT_BYTES - l->n, &got);
	if (r == LINES_LINE)
		l->n += got;
	return r;
}

/* The LEN bytes at the front are a line (or the end of one passed over), and
 * SKIP bytes go with it. */
static bool take(struct lines *l, size_t len, size_t skip, struct line *out)
{
	const bool was_skipping = l->skipping;

	out->too_long = was_skipping || len > LINES_LINE_MAX;
	out->text = span_of(l->text + l->at, out->too_long ? 0 : len);
	out->ended = skip > 0;
	l->skipping = false;
	l->at += len + skip;
	l->taken += len + skip;
	l->scanned = l->at;
	return true;
}

/* A line from what is there already. */
static bool find_line(struct lines *l, struct line *out)
{
	const uint8_t *from = l->text + l->scanned;
	const uint8_t *lf = l->n > l->scanned
				    ? memchr(from, '\n', l->n - l->scanned)
				    : NULL;

	if (lf != NULL)
		return take(l, (size_t)(lf - (l->text + l->at)), 1, out);
	l->scanned = l->n;
	if (l->n - l->at > LINES_LINE_MAX) {
		l->skipping = true;
		l->taken += l->n - l->at;
		l->at = l->n;
	}
	return false;
}

enum lines_got lines_next(struct lines *l, struct line *out)
{
	while (!l->fault) {
		enum lines_got r;

		if (find_line(l, out))
			return LINES_LINE;
		if (l->eof && (l->form != FORM_GZIP || !l->packed_open)) {
			if (l->n == l->at && !l->skipping)
				return LINES_END;
			(void)take(l, l->n - l->at, 0, out);
			return LINES_LINE;
		}
		r = more(l);
		if (r != LINES_LINE)
			return r;
	}
	return LINES_FAULT;
}

enum lines_got lines_next_wait(struct lines *l, struct line *out)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	enum lines_got r;

	while ((r = lines_next(l, out)) == LINES_WAIT)
		(void)poll(&p, 1, -1);
	return r;
}

enum lines_got lines_peek(struct lines *l, size_t max, struct span *out,
			  bool *end)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};

	while (!l->eof && l->n - l->at < max) {
		const enum lines_got r = more(l);

		if (r == LINES_FAULT)
			return r;
		if (r == LINES_WAIT)
			(void)poll(&p, 1, -1);
	}
	*out = span_of(l->text + l->at, l->n - l->at);
	*end = l->eof;
	return LINES_LINE;
}

bool lines_are_packed(const struct lines *l)
{
	return l->form == FORM_GZIP;
}

int lines_fd(const struct lines *l)
{
	return l->fd;
}

const char *lines_why(const struct lines *l)
{
	return l->why;
}

uint64_t lines_offset(const struct lines *l)
{
	return l->form == FORM_GZIP ? l->raw_read - (l->raw_n - l->raw_at)
				    : l->taken;
}

uint64_t lines_size(const struct lines *l)
{
	return l->size;
}
