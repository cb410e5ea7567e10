/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fileio.h"
#include "hcert/cbor.h"

/* Map keys of a head: see README.md. */
enum { FIELD_VERSION = 1, FIELD_ORIGIN, FIELD_START, FIELD_LEAF, FIELD_NEWEST };

enum { HEAD_VERSION = 1, HEAD_FIELDS = 4, LIST_MIN = 16 };

void segment_name(uint64_t start, char out[SEGMENT_NAME_SIZE])
{
	(void)snprintf(out, SEGMENT_NAME_SIZE, "%020llu",
		       (unsigned long long)start);
}

/* The offset that NAME says; false: it is no segment's name. */
static bool name_offset(const char *name, uint64_t *out)
{
	uint64_t v = 0;

	if (strlen(name) != SEGMENT_NAME_SIZE - 1)
		return false;
	for (const char *c = name; *c != 0; c++) {
		const uint64_t digit = (uint64_t)(*c - '0');

		if (*c < '0' || *c > '9' || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

/* --- heads ---------------------------------------------------------------- */

enum sg_err segment_head_encode(const struct segment_head *head,
				uint8_t out[SEGMENT_HEAD_MAX], size_t *len)
{
	struct cbor_writer w = cbor_write(out + RECORD_HEAD_BYTES,
					  SEGMENT_HEAD_MAX - RECORD_HEAD_BYTES);
	const bool has_newest = head->newest_s != INT64_MIN;
	size_t n;
	enum sg_err err;

	if (head->origin.n > SEGMENT_ORIGIN_MAX)
		return SG_TOO_BIG;
	cbor_put_map(&w, has_newest ? HEAD_FIELDS + 1 : HEAD_FIELDS);
	cbor_put_uint(&w, FIELD_VERSION);
	cbor_put_uint(&w, HEAD_VERSION);
	cbor_put_uint(&w, FIELD_ORIGIN);
	cbor_put_text(&w, head->origin);
	cbor_put_uint(&w, FIELD_START);
	cbor_put_uint(&w, head->start);
	cbor_put_uint(&w, FIELD_LEAF);
	cbor_put_uint(&w, head->leaf);
	if (has_newest) {
		cbor_put_uint(&w, FIELD_NEWEST);
		cbor_put_int(&w, head->newest_s);
	}
	err = cbor_done(&w, &n);
	if (err != SG_OK)
		return err;
	record_frame(out, n);
	*len = RECORD_HEAD_BYTES + n;
	return SG_OK;
}

static enum sg_err take_number(struct cbor_reader *r, uint64_t want,
			       struct cbor_item *out)
{
	struct cbor_item key;
	enum sg_err err = cbor_next(r, &key);

	if (err == SG_OK && (key.type != CBOR_UINT || key.arg != want))
		err = SG_MALFORMED;
	return err == SG_OK ? cbor_next(r, out) : err;
}

static enum sg_err take_uint(struct cbor_reader *r, uint64_t want,
			     uint64_t *out)
{
	struct cbor_item item;
	const enum sg_err err = take_number(r, want, &item);

	if (err != SG_OK)
		return err;
	*out = item.arg;
	return item.type == CBOR_UINT ? SG_OK : SG_MALFORMED;
}

static enum sg_err take_origin(struct cbor_reader *r, struct span *out)
{
	struct cbor_item item;
	const enum sg_err err = take_number(r, FIELD_ORIGIN, &item);

	if (err != SG_OK)
		return err;
	*out = item.run;
	return item.type == CBOR_TEXT && item.run.n <= SEGMENT_ORIGIN_MAX
		       ? SG_OK
		       : SG_MALFORMED;
}

static enum sg_err take_head(struct span body, struct segment_head *h)
{
	struct cbor_reader r = cbor_read(body, CBOR_DETERMINISTIC);
	struct cbor_item item;
	uint64_t version = 0;
	uint64_t fields;
	enum sg_err err = cbor_next(&r, &item);

	if (err != SG_OK)
		return err;
	fields = item.arg;
	if (item.type != CBOR_MAP ||
	    (fields != HEAD_FIELDS && fields != HEAD_FIELDS + 1))
		return SG_MALFORMED;
	err = take_uint(&r, FIELD_VERSION, &version);
	if (err == SG_OK && version != HEAD_VERSION)
		err = SG_MALFORMED;
	if (err == SG_OK)
		err = take_origin(&r, &h->origin);
	if (err == SG_OK)
		err = take_uint(&r, FIELD_START, &h->start);
	if (err == SG_OK)
		err = take_uint(&r, FIELD_LEAF, &h->leaf);
	h->newest_s = INT64_MIN;
	if (err == SG_OK && fields > HEAD_FIELDS) {
		err = take_number(&r, FIELD_NEWEST, &item);
		if (err == SG_OK && !cbor_int(&item, &h->newest_s))
			err = SG_MALFORMED;
	}
	return err == SG_OK && !cbor_at_end(&r) ? SG_MALFORMED : err;
}

enum sg_err segment_head_decode(struct span in, struct segment_head *out,
				size_t *len)
{
	struct segment_head h;
	struct span body;
	enum sg_err err =
		record_unframe(in, SEGMENT_HEAD_MAX - RECORD_HEAD_BYTES, &body);

	if (err == SG_OK)
		err = take_head(body, &h);
	if (err != SG_OK)
		return err;
	*out = h;
	*len = RECORD_HEAD_BYTES + body.n;
	return SG_OK;
}

enum sg_err segment_head_read(int fd, uint8_t buf[SEGMENT_HEAD_MAX],
			      struct segment_head *out, size_t *len)
{
	const ssize_t n = fileio_read_at(fd, buf, SEGMENT_HEAD_MAX, 0);

	if (n < 0)
		return SG_IO;
	return segment_head_decode(span_of(buf, (size_t)n), out, len);
}

/* --- files ---------------------------------------------------------------- */

static bool list_add(struct segment_list *list, uint64_t start)
{
	if (list->n == list->cap) {
		const size_t cap = list->cap == 0 ? LIST_MIN : 2 * list->cap;
		uint64_t *more = realloc(list->start, cap * sizeof(*more));

		if (more == NULL)
			return false;
		list->start = more;
		list->cap = cap;
	}
	list->start[list->n++] = start;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

enum sg_err segment_list_read(int dir, struct segment_list *list)
{
	/* A descriptor of its own: closedir() takes it along. */
	const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum sg_err err = SG_OK;
	const struct dirent *e;
	uint64_t start;

	list->n = 0;
	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return SG_IO;
	}
	errno = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
	while (err == SG_OK && (e = readdir(d)) != NULL) {
		if (name_offset(e->d_name, &start) && !list_add(list, start))
			err = SG_NO_MEMORY;
		errno = 0;
	}
	if (err == SG_OK && errno != 0)
		err = SG_IO;
	(void)closedir(d);
	if (list->n > 0)
		qsort(list->start, list->n, sizeof(*list->start), by_start);
	return err;
}

size_t segment_list_find(const struct segment_list *list, uint64_t offset)
{
	size_t low = 0;
	size_t high = list->n;

	while (low < high) { /* the first that begins beyond OFFSET */
		const size_t mid = low + (high - low) / 2;

		if (list->start[mid] <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 ? list->n : low - 1;
}

void segment_list_free(struct segment_list *list)
{
	free(list->start);
	*list = (struct segment_list){0};
}
