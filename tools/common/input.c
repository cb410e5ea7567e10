/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "qr_read.h"

struct buffer {
	uint8_t *p;
	size_t n, cap;
};

/* Room for more than one byte; SG_TOO_BIG beyond the limit. */
static enum sg_err widen(struct buffer *b)
{
	uint8_t *bigger;

	if (b->cap - b->n >= 2)
		return SG_OK;
	if (b->cap > INPUT_BYTES_MAX)
		return SG_TOO_BIG;
	b->cap = b->cap == 0 ? 65536 : b->cap * 2;
	bigger = realloc(b->p, b->cap);
	if (bigger == NULL)
		return SG_NO_MEMORY;
	b->p = bigger;
	return SG_OK;
}

static enum sg_err read_stdin(uint8_t **out, size_t *n)
{
	struct buffer b = {0};
	enum sg_err err;
	size_t got;

	do {
		err = widen(&b);
		if (err != SG_OK)
			goto fail;
		got = fread(b.p + b.n, 1, b.cap - b.n - 1, stdin);
		b.n += got;
	} while (got > 0);
	if (ferror(stdin)) {
		err = SG_IO;
		goto fail;
	}
	b.p[b.n] = '\0';
	*out = b.p;
	*n = b.n;
	return SG_OK;
fail:
	free(b.p);
	return err;
}

enum sg_err input_bytes(const char *path, uint8_t **out, size_t *n, char *why,
			size_t cap)
{
	enum sg_err err;

	errno = 0;
	if (strcmp(path, "-") == 0)
		err = read_stdin(out, n);
	else
		err = fileio_read(path, INPUT_BYTES_MAX, out, n);
	if (err == SG_IO && errno != 0)
		(void)snprintf(why, cap, "%s: %s", path,
			       strerrordesc_np(errno));
	else if (err == SG_TOO_BIG)
		(void)snprintf(why, cap, "%s: is larger than %d bytes", path,
			       INPUT_BYTES_MAX);
	else if (err != SG_OK)
		(void)snprintf(why, cap, "%s: %s", path, err_text(err));
	return err;
}

static enum sg_err picture_text(const char *path, struct span png, char **out,
				char *why, size_t cap)
{
	const enum sg_err err = qr_read_png(png, out);

	switch (err) {
	case SG_OK: break;
	case SG_NOT_FOUND:
		(void)snprintf(why, cap,
			       "%s: no readable QR code in the picture", path);
		break;
	case SG_BAD_MEDIA_TYPE:
		(void)snprintf(why, cap, "%s: built without zbar: no pictures",
			       path);
		break;
	default: (void)snprintf(why, cap, "%s: not a readable PNG", path);
	}
	return err;
}

static struct span trimmed(struct span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL && s.p[0] != '\0')
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL &&
	       s.p[s.n - 1] != '\0')
		s.n--;
	return s;
}

enum sg_err input_hc1_of(const char *name, uint8_t *bytes, size_t n, char **out,
			 char *why, size_t cap)
{
	struct span text;
	enum sg_err err;

	if (qr_read_is_png(span_of(bytes, n))) {
		err = picture_text(name, span_of(bytes, n), out, why, cap);
		free(bytes);
		return err;
	}
	text = trimmed(span_of(bytes, n));
	if (text.n > 0)
		memmove(bytes, text.p, text.n);
	bytes[text.n] = '\0';
	*out = (char *)bytes;
	return SG_OK;
}

enum sg_err input_hc1(const char *arg, char **out, char *why, size_t cap)
{
	uint8_t *bytes;
	enum sg_err err;
	size_t n;

	if (strncmp(arg, "HC1:", 4) == 0) {
		*out = strdup(arg);
		if (*out == NULL)
			(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return *out == NULL ? SG_NO_MEMORY : SG_OK;
	}
	err = input_bytes(arg, &bytes, &n, why, cap);
	return err == SG_OK ? input_hc1_of(arg, bytes, n, out, why, cap) : err;
}

enum sg_err output_bytes(const char *path, const void *p, size_t n, char *why,
			 size_t cap)
{
	const bool to_stdout = path == NULL || strcmp(path, "-") == 0;
	FILE *f = to_stdout ? stdout : fopen(path, "wb");
	bool ok;

	if (f == NULL) {
		(void)snprintf(why, cap, "%s: %s", path,
			       strerrordesc_np(errno));
		return SG_IO;
	}
	ok = fwrite(p, 1, n, f) == n && fflush(f) == 0;
	if (!ok)
		(void)snprintf(why, cap, "%s: %s",
			       to_stdout ? "standard output" : path,
			       strerrordesc_np(errno));
	if (!to_stdout && fclose(f) != 0 && ok) {
		(void)snprintf(why, cap, "%s: %s", path,
			       strerrordesc_np(errno));
		ok = false;
	}
	return ok ? SG_OK : SG_IO;
}
